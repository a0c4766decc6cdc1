"""Calls and frames on a connection of a test's own: what RFC 6455 says of them, in words of a finding.

Rule: every wait ends, soon at our own reference. A connection that is not to be had where one must be is a finding.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import time
from collections.abc import Iterable
from hashlib import sha1
from typing import Any
from urllib.parse import urlsplit

from contracts.exchange import Exchange
from fixtures.api import Api, Lacking
from fixtures.client import TIMEOUT, Unreachable
from fixtures.transports.link import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Link
from suites.bitvis.dialect import QUEUE, Kind, Record, envelope, succeeds
from suites.bitvis.frames import message

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
NAMES = {CONTINUATION: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}


def soon(api: Api) -> float:
    """Seconds that an answer may take."""
    return 2.0 if api.target.embedded else TIMEOUT


def opened(api: Api, kind: Kind = QUEUE) -> Link:
    """A connection to that endpoint; the caller drops it. Raises Lacking when the target takes no bare frames."""
    return Link(api, kind.endpoint, changes=False, timeout=soon(api))


def another(api: Api, why: str, kind: Kind = QUEUE) -> Link:
    """A connection where the target must have one, since it had one before."""
    try:
        return opened(api, kind)
    except (Lacking, Unreachable) as error:
        raise AssertionError(f"expected a connection {why}, got none: {error}") from None


def a_call(api: Api, **members: Any) -> bytes:
    """A reading call that succeeds, as a message."""
    return json.dumps(message(api, "LIST", **members)).encode()


def a_refused_call(api: Api) -> bytes:
    """A reading call that fails, as a message with a letter beyond ASCII."""
    return json.dumps(message(api, "OPEN", "flowproof-ö"), ensure_ascii=False).encode()


def answered(
    api: Api, link: Link, why: str, kind: Kind = QUEUE, method: str = "LIST", exchange: Exchange | None = None
) -> Record:
    """The envelope that comes next, or in that exchange; it answers `method`."""
    found = exchange or link.answer()
    assert not found.answer.error, f"expected an answer {why}, got none: {found.answer.error}"
    return envelope(api, found, method, kind)


def serves(api: Api, link: Link, why: str, kind: Kind = QUEUE) -> Record:
    """Calls LIST, which must succeed: the connection is usable."""
    link.send_text(a_call(api))
    answer = answered(api, link, why, kind)
    succeeds(answer)
    return answer


def following(link: Link, why: str) -> Frame:
    """The next frame that is no ping, which is answered, and no pong."""
    while True:
        frame = link.recv()
        assert frame is not None, f"expected {why}, got {gone(link)}"
        if frame.opcode == PING:
            link.send(Frame(PONG, frame.payload))
        elif frame.opcode != PONG:
            return frame


def whole(link: Link, why: str) -> list[Frame]:
    """The data frames of the next message, as they came."""
    found: list[Frame] = []
    while not found or not found[-1].fin:
        frame = following(link, f"an answer {why}" if not found else f"the rest of an answer {why}")
        assert frame.opcode != CLOSE, f"expected an answer {why}, got {told(frame)}"
        found.append(frame)
    return found


def pong(link: Link, payload: bytes, why: str) -> None:
    """A pong with that payload comes before anything but control frames does (RFC 6455, 5.5.3)."""
    others = []
    while (frame := link.recv()) is not None and frame.opcode in (PING, PONG):
        if frame.opcode == PONG and frame.payload == payload:
            return
        others.append(told(frame))
    if frame is not None:
        others.append(told(frame))
    raise AssertionError(f"expected a pong with {payload!r} {why}, got {', '.join(others) or gone(link)}")


def unasked(link: Link, seconds: float) -> list[Frame]:
    """The data and close frames that come in so many seconds; pings are answered."""
    found = []
    until = time.monotonic() + seconds
    while not link.ended and (left := until - time.monotonic()) > 0:
        frame = link.recv(left)
        if frame is not None and frame.opcode == PING:
            link.send(Frame(PONG, frame.payload))
        elif frame is not None and frame.opcode != PONG:
            found.append(frame)
    return found


def ending(link: Link) -> tuple[list[Frame], bool]:
    """All frames that come until the other side ends the connection, and whether it did in time."""
    found = []
    while (frame := link.recv()) is not None:
        found.append(frame)
    return found, link.ended


def refused_by_ending(link: Link, why: str) -> list[int]:
    """The close codes with which the connection ends, when nothing but that happens."""
    found, ended = ending(link)
    said = [frame for frame in found if frame.opcode not in (PING, PONG, CLOSE)]
    assert not said, f"expected no answer {why}, got {told(said[0])}"
    assert ended, f"expected the end of the connection {why}, got {gone(link)}"
    return [frame.code for frame in found if frame.opcode == CLOSE and frame.code is not None]


def none_of(frames: Iterable[Frame], what: str) -> None:
    """There are no such frames."""
    found = ", ".join(told(frame) for frame in frames)
    assert not found, f"expected no {what}, got {found[:300]}"


def gone(link: Link) -> str:
    """Why no frame came."""
    return "the end of the connection" if link.ended else "nothing within the time limit"


def told(frame: Frame) -> str:
    """A frame for people."""
    code = f" with the code {frame.code}" if frame.code else ""
    shown = frame.payload[:100].decode(errors="replace")
    return f"a {NAMES.get(frame.opcode, f'{frame.opcode:#x}')} frame{code or f': {shown!r}'}"


def handshake(api: Api, kind: Kind = QUEUE) -> tuple[str, http.client.HTTPResponse]:
    """A handshake that asks for nothing optional: the accept value that its key calls for, and what was said.

    Raises Unreachable.
    """
    parts = urlsplit(api.target.url)
    key = base64.b64encode(os.urandom(16)).decode()
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.netloc, timeout=soon(api))
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key}
    try:
        connection.request("GET", f"{parts.path}/{kind.endpoint}", headers=upgrade)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"unreachable: no websocket at {api.target.url} ({error})") from None
    finally:
        connection.close()
    return base64.b64encode(sha1((key + GUID).encode(), usedforsecurity=False).digest()).decode(), answer
