"""What must hold of the parsers whatever bytes come. A claim that does not hold raises Disproved.

The witnesses are llhttp for HTTP and wsproto for frames: what we take they take, and they read the same in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

import httptools
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed

from loadtests.engine import frames, heads
from loadtests.engine.frames import Frames, Violation
from loadtests.engine.heads import Malformed
from loadtests.engine.http1 import Reader
from loadtests.fuzz.corpus import FRAMES, HTTP, pieces, server_frame, spoiled

# llhttp does not know "chunked" before a tab, which is a blank as good as any (RFC 9110 section 5.6.3)
_TABBED = re.compile(rb"(?i)transfer-encoding:[^\n]*\t")


# nor does it take blanks around chunk extensions, which RFC 9112 section 7.1.1 lets pass
_SPACED = re.compile(rb"\n[0-9A-Fa-f]+[ \t]+;")
BAD_GATEWAY = (frames.CLOSE, (1014).to_bytes(2, "big"))  # registered after RFC 6455


class Disproved(Exception):
    """Two ways to read the same bytes do not agree."""


def read_http(parts: list[bytes], bodiless: bool = False) -> tuple[Any, ...]:
    """What a Reader makes of these pieces and the end after them: ("whole", …), ("part",) or ("malformed",)."""
    reader = Reader(bodiless)
    try:
        taken = next((at for at, part in enumerate(parts) if reader.feed(part)), None)
        if taken is None and not reader.end():
            return ("part",)
    except Malformed:
        return ("malformed",)
    head = reader.head
    if head is None:
        raise Disproved("a whole answer without a head")
    surplus = b"" if taken is None else reader.surplus + b"".join(parts[taken + 1 :])
    return "whole", head.status, tuple(head.headers), head.keep, reader.body, surplus


class _Listener:
    """What llhttp says of a message. `parser` is set once it is made."""

    parser: Any = None

    def __init__(self) -> None:
        self.body = b""
        self.keep = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.keep = self.parser.should_keep_alive()


def http_answer(data: bytes, rng: Random) -> None:
    """Pieces do not matter; the quick way and llhttp agree with the Reader about every answer it takes."""
    bodiless = rng.random() < 0.1
    whole = read_http([data], bodiless)
    if (apart := read_http(pieces(data, rng), bodiless)) != whole:
        raise Disproved(f"in one piece {whole}, in several {apart}")
    if bodiless:
        return
    at = data.find(b"\r\n\r\n") + 4
    head = heads.learn(data[:at])
    if head is not None and head.length == len(data) - at:
        quick = ("whole", head.status, tuple(head.headers), head.keep, data[at:], b"")
        if quick != whole or heads.known[data[:at]] is not head:
            raise Disproved(f"quickly {quick}, by the Reader {whole}")
    if whole[0] == "whole" and whole[5] == b"" and not data.startswith(b"HTTP/1.1 1"):
        _agree_with_llhttp(data, whole[3], whole[4])


def _agree_with_llhttp(data: bytes, keep: bool, body: bytes) -> None:
    listener = _Listener()
    parser = listener.parser = httptools.HttpResponseParser(listener)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return  # what follows is not HTTP to llhttp; only 101 changes the protocol (RFC 9110 section 7.8)
    except httptools.HttpParserError as wrong:
        if "chunk extension" in str(wrong) or _SPACED.search(data):
            return
        raise Disproved(f"llhttp refuses what we take: {wrong}") from None
    if _TABBED.search(data):
        return
    if listener.body != body:
        raise Disproved(f"llhttp has the body {listener.body!r}, we {body!r}")
    if keep and not listener.keep and _has_length(data):
        raise Disproved("llhttp would close the connection, we keep it")


def _has_length(data: bytes) -> bool:
    """Whether the head tells the body's length: else llhttp goes by the end, or by Connection among the trailers."""
    return heads.parse_head(data[: data.find(b"\r\n\r\n") + 4]).length >= 0


def read_frames(parts: list[bytes]) -> tuple[list[frames.Event], int]:
    """The events in these pieces, up to a CLOSE, and the code of the violation that ended them, or 0."""
    reader, events = Frames(), []
    for part in [*parts, b""]:
        try:
            events += reader.feed(part)
        except Violation as violation:
            return events, violation.code
        if events and events[-1][0] == frames.CLOSE:
            break
    return events, 0


def frame_stream(data: bytes, rng: Random) -> None:
    """Pieces do not matter; the quick way to one text message agrees with the slow one."""
    whole = read_frames([data])
    if (apart := read_frames(pieces(data, rng))) != whole:
        raise Disproved(f"in one piece {whole}, in several {apart}")
    quick = frames.whole_text(data)
    if quick is not None and whole != ([(frames.TEXT, quick)], 0):
        raise Disproved(f"quickly {quick!r}, frame by frame {whole}")
    if quick is None and whole[0] and whole[0][0][0] == frames.TEXT and data == server_frame(*whole[0][0]):
        raise Disproved("the quick way does not know a plain text message")
    _agree_with_wsproto(data, *whole)


def _agree_with_wsproto(data: bytes, events: list[frames.Event], code: int) -> None:
    theirs, refused = _by_wsproto(data)
    if code == frames.TOO_BIG or events[-1:] == [BAD_GATEWAY]:
        return  # it has no limit, and does not know that code
    if refused and not code:
        reader = Frames()
        reader.feed(data)
        if reader.idle:
            raise Disproved(f"wsproto refuses what we take as {events}")
    if code and not refused and not _by_wsproto(data + bytes(16))[1]:  # it waits until a frame's start is whole
        raise Disproved(f"we refuse what wsproto takes as {theirs}")
    if theirs != (events[: len(theirs)] if refused else events):  # it looks into text before that is whole
        raise Disproved(f"wsproto reads {theirs}, we {events}")


def _by_wsproto(data: bytes) -> tuple[list[frames.Event], bool]:
    """As `read_frames`, read by wsproto."""
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(data)
    events: list[frames.Event] = []
    message = b""
    try:
        for frame in protocol.received_frames():
            payload: Any = frame.payload
            if frame.opcode is Opcode.CLOSE:
                code = payload[0]
                return [*events, (frames.CLOSE, b"" if code == 1005 else int(code).to_bytes(2, "big"))], False
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


Claim = Callable[[bytes, Random], None]
CLAIMS: dict[str, tuple[Claim, Callable[[Random], bytes]]] = {
    "http": (http_answer, lambda rng: spoiled(HTTP, rng)),
    "frames": (frame_stream, lambda rng: spoiled(FRAMES, rng)),
}
