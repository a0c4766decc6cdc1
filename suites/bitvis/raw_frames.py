"""Calls and frames on a websocket connection of a test's own, checked against RFC 6455.

Rule: every wait is bounded, tightly at our own reference. A connection that fails where the target must accept one is a
finding.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterable
from hashlib import sha1
from typing import Any

from contracts.exchange import Exchange, Request, Response
from fixtures.http_client import TIMEOUT, HttpClient, Unreachable
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, RawWebsocket
from suites.bitvis.client import QUEUE, SWITCHING_PROTOCOLS, ObjectKind, Record, assert_success, checked_envelope
from suites.bitvis.websocket_calls import call_message

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
OPCODE_NAMES = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}


def response_timeout(api: Api) -> float:
    """Seconds that a response may take."""
    return 2.0 if api.target.embedded else TIMEOUT


def open_link(api: Api, kind: ObjectKind = QUEUE) -> RawWebsocket:
    """A connection to that endpoint; the caller drops it. Raises MissingPrecondition when the target takes no bare
    frames.
    """
    return RawWebsocket(api, kind.endpoint, timeout=response_timeout(api))


def reopen_link(api: Api, why: str, kind: ObjectKind = QUEUE) -> RawWebsocket:
    """A further connection to a target that accepted one before. Raises AssertionError when it accepts none."""
    try:
        return open_link(api, kind)
    except (MissingPrecondition, Unreachable) as error:
        raise AssertionError(f"expected a connection {why}, got none: {error}") from None


def list_message(api: Api, **members: Any) -> bytes:
    """A LIST call that succeeds, encoded."""
    return json.dumps(call_message(api, "LIST", **members)).encode()


def refused_message(api: Api) -> bytes:
    """An OPEN call that fails, encoded, with a character beyond ASCII."""
    return json.dumps(call_message(api, "OPEN", "flowproof-ö"), ensure_ascii=False).encode()


def next_envelope(
    api: Api,
    link: RawWebsocket,
    why: str,
    kind: ObjectKind = QUEUE,
    method: str = "LIST",
    exchange: Exchange | None = None,
) -> Record:
    """The envelope of the next response, or of that exchange; the call's method is `method`."""
    received = exchange or link.receive_exchange()
    assert not received.response.error, f"expected a response {why}, got none: {received.response.error}"
    return checked_envelope(api, received, method, kind)


def assert_served(api: Api, link: RawWebsocket, why: str, kind: ObjectKind = QUEUE) -> Record:
    """Calls LIST, which must succeed: the connection is usable."""
    link.send_text(list_message(api))
    envelope = next_envelope(api, link, why, kind)
    assert_success(envelope)
    return envelope


def next_frame(link: RawWebsocket, why: str) -> Frame:
    """The next data or close frame; a ping before it is answered, a pong before it is skipped."""
    while True:
        frame = link.recv()
        assert frame is not None, f"expected {why}, got {missing_frame_reason(link)}"
        if frame.opcode == PING:
            link.send(Frame(PONG, frame.payload))
        elif frame.opcode != PONG:
            return frame


def message_frames(link: RawWebsocket, why: str) -> list[Frame]:
    """The data frames of the next message, in order."""
    frames: list[Frame] = []
    while not frames or not frames[-1].fin:
        frame = next_frame(link, f"a response {why}" if not frames else f"the rest of a response {why}")
        assert frame.opcode != CLOSE, f"expected a response {why}, got {frame_text(frame)}"
        frames.append(frame)
    return frames


def assert_pong(link: RawWebsocket, payload: bytes, why: str) -> None:
    """A pong with that payload arrives before any frame that is no control frame (RFC 6455, 5.5.3)."""
    other_frames = []
    while (frame := link.recv()) is not None and frame.opcode in (PING, PONG):
        if frame.opcode == PONG and frame.payload == payload:
            return
        other_frames.append(frame_text(frame))
    if frame is not None:
        other_frames.append(frame_text(frame))
    raise AssertionError(
        f"expected a pong with {payload!r} {why}, got {', '.join(other_frames) or missing_frame_reason(link)}"
    )


def unsolicited_frames(link: RawWebsocket, seconds: float) -> list[Frame]:
    """The data and close frames that arrive within so many seconds; pings are answered."""
    frames = []
    deadline = time.monotonic() + seconds
    while not link.closed and (remaining := deadline - time.monotonic()) > 0:
        frame = link.recv(remaining)
        if frame is not None and frame.opcode == PING:
            link.send(Frame(PONG, frame.payload))
        elif frame is not None and frame.opcode != PONG:
            frames.append(frame)
    return frames


def frames_until_end(link: RawWebsocket) -> tuple[list[Frame], bool]:
    """All frames until the server ends the connection, and whether it did so in time."""
    frames = []
    while (frame := link.recv()) is not None:
        frames.append(frame)
    return frames, link.closed


def close_codes_of_refusal(link: RawWebsocket, why: str) -> list[int]:
    """The close codes with which the connection ends; it must end without a response."""
    frames, ended = frames_until_end(link)
    data_frames = [frame for frame in frames if frame.opcode not in (PING, PONG, CLOSE)]
    assert not data_frames, f"expected no response {why}, got {frame_text(data_frames[0])}"
    assert ended, f"expected the end of the connection {why}, got {missing_frame_reason(link)}"
    return [frame.close_code for frame in frames if frame.opcode == CLOSE and frame.close_code is not None]


def assert_no_frames(frames: Iterable[Frame], what: str) -> None:
    """Asserts that there are no such frames; `what` names them in the message."""
    frame_texts = ", ".join(frame_text(frame) for frame in frames)
    assert not frame_texts, f"expected no {what}, got {frame_texts[:300]}"


def missing_frame_reason(link: RawWebsocket) -> str:
    """Why no frame arrived."""
    return "the end of the connection" if link.closed else "nothing within the time limit"


def frame_text(frame: Frame) -> str:
    """A frame as text for messages."""
    code = f" with the code {frame.close_code}" if frame.close_code else ""
    shown = frame.payload[:100].decode(errors="replace")
    return f"a {OPCODE_NAMES.get(frame.opcode, f'{frame.opcode:#x}')} frame{code or f': {shown!r}'}"


def handshake(api: Api, kind: ObjectKind = QUEUE) -> tuple[str, Response]:
    """A handshake without optional headers: the accept value that follows from its key, and the response.

    Raises Unreachable.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    target, url = api.target, f"{api.target.url}/{kind.endpoint}"
    request = Request("GET", url, tuple(upgrade.items()))
    if target.pace is not None:
        target.pace.take_turn(request)
    client = HttpClient(target.url, target.url_variable, response_timeout(api), target.route, target.breaker)
    response = api.translated(request, client.send).response
    client.close()
    if not response.status:
        raise Unreachable(f"no websocket at {url} ({response.error}); set {target.url_variable}")
    if response.status == SWITCHING_PROTOCOLS:
        api.on_websocket(f"ws{url.removeprefix('http')}")
    return base64.b64encode(sha1((key + WEBSOCKET_GUID).encode(), usedforsecurity=False).digest()).decode(), response
