"""Properties of the parsers that must hold for any bytes; a check raises PropertyViolated when one does not.

The oracles are llhttp for HTTP and wsproto for frames: they must accept what we accept, and read the same content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

import httptools
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from fixtures.http1 import response_head
from fixtures.http1.response_head import MalformedResponse
from fixtures.http1.response_reader import ResponseReader
from fixtures.websocket import frame_codec
from fixtures.websocket.frame_codec import ProtocolError
from fixtures.websocket.frame_reader import FrameReader
from loadtests.fuzz.mutator import FRAMES, HTTP, mutated_sample, pieces, server_frame

# llhttp does not accept "chunked" before a tab, which is valid whitespace (RFC 9110 section 5.6.3)
_TABBED = re.compile(rb"(?i)transfer-encoding:[^\n]*\t")


# nor does it accept whitespace around chunk extensions, which RFC 9112 section 7.1.1 allows
_SPACED = re.compile(rb"\n[0-9A-Fa-f]+[ \t]+;")
BAD_GATEWAY = (frame_codec.CLOSE, (1014).to_bytes(2, "big"))  # registered after RFC 6455


class PropertyViolated(Exception):
    """Two parsers of the same bytes disagree."""


def read_http(parts: list[bytes], bodiless: bool = False) -> tuple[Any, ...]:
    """The response in these pieces and the end after them: ("complete", …), ("incomplete",) or ("malformed",)."""
    reader = ResponseReader(bodiless)
    try:
        taken = next((at for at, part in enumerate(parts) if reader.feed(part)), None)
        if taken is None and not reader.feed_eof():
            return ("incomplete",)
    except MalformedResponse:
        return ("malformed",)
    head = reader.head
    if head is None:
        raise PropertyViolated("a complete response without a head")
    surplus = b"" if taken is None else reader.surplus + b"".join(parts[taken + 1 :])
    return "complete", head.status, tuple(head.headers), head.keep_alive, reader.body, surplus


class _Listener:
    """What llhttp reports of a message. `parser` is set after construction."""

    parser: Any = None

    def __init__(self) -> None:
        self.body = b""
        self.keep = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.keep = self.parser.should_keep_alive()


def http_response(data: bytes, rng: Random) -> None:
    """Pieces do not matter; the quick way and llhttp agree with ResponseReader about every response that it accepts."""
    bodiless = rng.random() < 0.1
    at_once = read_http([data], bodiless)
    if (piecewise := read_http(pieces(data, rng), bodiless)) != at_once:
        raise PropertyViolated(f"in one piece {at_once}, in several {piecewise}")
    if bodiless:
        return
    at = data.find(b"\r\n\r\n") + 4
    head = response_head.parse_and_cache(data[:at])
    if head is not None and head.body_length == len(data) - at:
        quick = ("complete", head.status, tuple(head.headers), head.keep_alive, data[at:], b"")
        if quick != at_once or response_head.cached_heads[data[:at]] is not head:
            raise PropertyViolated(f"quickly {quick}, by the Reader {at_once}")
    if at_once[0] == "complete" and at_once[5] == b"" and not data.startswith(b"HTTP/1.1 1"):
        _agree_with_llhttp(data, at_once[3], at_once[4])


def _agree_with_llhttp(data: bytes, keep: bool, body: bytes) -> None:
    listener = _Listener()
    parser = listener.parser = httptools.HttpResponseParser(listener)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return  # what follows is not HTTP to llhttp; only 101 changes the protocol (RFC 9110 section 7.8)
    except httptools.HttpParserError as error:
        if "chunk extension" in str(error) or _SPACED.search(data):
            return
        raise PropertyViolated(f"llhttp refuses what our parser accepts: {error}") from None
    if _TABBED.search(data):
        return
    if listener.body != body:
        raise PropertyViolated(f"llhttp has the body {listener.body!r}, we {body!r}")
    if keep and not listener.keep and _has_length(data):
        raise PropertyViolated("llhttp would close the connection, we keep it")


def _has_length(data: bytes) -> bool:
    """Whether the head has the body's length: else llhttp uses the end, or Connection among the trailers."""
    return response_head.parse_head(data[: data.find(b"\r\n\r\n") + 4]).body_length >= 0


def read_frames(parts: list[bytes]) -> tuple[list[frame_codec.Event], int]:
    """The events in these pieces, up to a CLOSE, and the code of the violation that ended them, or 0."""
    reader, events = FrameReader(), []
    for part in [*parts, b""]:
        try:
            events += reader.feed(part)
        except ProtocolError as violation:
            return events, violation.code
        if events and events[-1][0] == frame_codec.CLOSE:
            break
    return events, 0


def frame_stream(data: bytes, rng: Random) -> None:
    """Pieces do not matter; the quick way to one text message agrees with the slow one."""
    at_once = read_frames([data])
    if (piecewise := read_frames(pieces(data, rng))) != at_once:
        raise PropertyViolated(f"in one piece {at_once}, in several {piecewise}")
    quick = frame_codec.decode_single_text(data)
    if quick is not None and at_once != ([(frame_codec.TEXT, quick)], 0):
        raise PropertyViolated(f"quickly {quick!r}, frame by frame {at_once}")
    if quick is None and at_once[0] and at_once[0][0][0] == frame_codec.TEXT and data == server_frame(*at_once[0][0]):
        raise PropertyViolated("the quick way does not know a plain text message")
    _agree_with_wsproto(data, *at_once)


def _agree_with_wsproto(data: bytes, events: list[frame_codec.Event], code: int) -> None:
    theirs, refused = _by_wsproto(data)
    if code == frame_codec.TOO_BIG or events[-1:] == [BAD_GATEWAY]:
        return  # it has no limit, and does not know that code
    if refused and not code:
        reader = FrameReader()
        reader.feed(data)
        if reader.idle:
            raise PropertyViolated(f"wsproto refuses what we take as {events}")
    if code and not refused and not _by_wsproto(data + bytes(16))[1]:  # it waits until the start of a frame is complete
        raise PropertyViolated(f"we refuse what wsproto takes as {theirs}")
    if theirs != (events[: len(theirs)] if refused else events):  # it checks text before that is complete
        raise PropertyViolated(f"wsproto reads {theirs}, we {events}")


def _by_wsproto(data: bytes) -> tuple[list[frame_codec.Event], bool]:
    """As `read_frames`, read by wsproto."""
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(data)
    events: list[frame_codec.Event] = []
    message = b""
    try:
        for frame in protocol.received_frames():
            payload: Any = frame.payload
            if frame.opcode is Opcode.CLOSE:
                code = payload[0]
                return [*events, (frame_codec.CLOSE, b"" if code == 1005 else int(code).to_bytes(2, "big"))], False
            if frame.opcode in {Opcode.PING, Opcode.PONG}:
                events.append((int(frame.opcode), bytes(payload)))
                continue
            message += payload.encode() if isinstance(payload, str) else bytes(payload)
            if frame.message_finished:
                events.append((int(frame.opcode), message))
                message = b""
    except ParseFailed:
        return events, True
    return events, False


Property = Callable[[bytes, Random], None]
PARSER_PROPERTIES: dict[str, tuple[Property, Callable[[Random], bytes]]] = {
    "http": (http_response, lambda rng: mutated_sample(HTTP, rng)),
    "frames": (frame_stream, lambda rng: mutated_sample(FRAMES, rng)),
}
