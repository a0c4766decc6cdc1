"""Websocket frames from and to bytes, as a client sees them (RFC 6455). No sockets here."""

from __future__ import annotations

import os
from collections.abc import Iterator

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without its wheel
    from websockets.utils import apply_mask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
MAX_MESSAGE = 16 << 20  # bytes of a message, all its fragments together
PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009

Event = tuple[int, bytes]  # opcode and payload; CLOSE with its two bytes of code


class Violation(Exception):
    """The server broke the protocol. `code` is what the connection is to be closed with (section 7.4)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


# Masks: four unpredictable bytes for each frame (section 5.3), drawn from the system a page at a time.


def _keys() -> Iterator[bytes]:
    while True:
        page = os.urandom(4096)
        yield from [page[at : at + 4] for at in range(0, 4096, 4)]


_next_key = _keys().__next__
_SHORT = 2048
_STARTS = [
    bytes((0x80 | TEXT, 0x80 | size)) if size < 126 else bytes((0x80 | TEXT, 0xFE)) + size.to_bytes(2, "big")
    for size in range(_SHORT)
]


def text(payload: bytes) -> bytes:
    """One masked text message in one frame. `payload` must be UTF-8."""
    size = len(payload)
    if size >= _SHORT:
        return frame(TEXT, payload)
    key = _next_key()
    return _STARTS[size] + key + apply_mask(payload, key)


def frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """Any masked frame (section 5.2)."""
    size = len(payload)
    first = (0x80 if fin else 0) | opcode
    if size < 126:
        start = bytes((first, 0x80 | size))
    elif size < 65536:
        start = bytes((first, 0xFE)) + size.to_bytes(2, "big")
    else:
        start = bytes((first, 0xFF)) + size.to_bytes(8, "big")
    key = _next_key()
    return start + key + apply_mask(payload, key)


def close(code: int) -> bytes:
    """A close frame with its code and no words."""
    return frame(CLOSE, code.to_bytes(2, "big"))


def whole_text(data: bytes) -> bytes | None:
    """The payload if `data` is exactly one unfragmented text frame below 64 KiB; else None, whatever it is.

    The payload is valid UTF-8. What this gives is what `Frames` would give.
    """
    size = len(data)
    if size < 2 or data[0] != 0x81:
        return None
    said = data[1]
    if said < 126:
        if size != said + 2:
            return None
        payload = data[2:]
    elif said == 126 and 130 <= size == (data[2] << 8 | data[3]) + 4:
        payload = data[4:]
    else:
        return None
    return payload if payload.isascii() or _is_utf8(payload) else None


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


class Frames:
    """Messages and control frames out of bytes as they come."""

    __slots__ = ("_buffer", "_opcode", "_parts", "_size", "_violation")

    def __init__(self) -> None:
        self._violation: Violation | None = None  # of bytes behind a whole event
        self._buffer = bytearray()
        self._opcode = 0  # of the message whose fragments are being collected, 0 for none
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is left over: no fragment, no part of a frame."""
        return not self._buffer and not self._opcode

    @property
    def surplus(self) -> bool:
        """Whether the last bytes were more than the events they gave: a message that began, or no frame at all."""
        began = len(self._buffer) > 0 and self._buffer[0] & 0x0F < CLOSE
        return began or self._opcode != 0 or self._violation is not None

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes complete, in order. Nothing follows a CLOSE.

        Raises Violation; if something whole came before it, that is given first and the next feed raises.
        """
        if self._violation is not None:
            raise self._violation
        self._buffer += data
        events: list[Event] = []
        try:
            while (taken := self._take_frame()) is not None:
                event = self._event(*taken)
                if event is not None:
                    events.append(event)
                    if event[0] == CLOSE:
                        self._buffer.clear()
                        break
        except Violation as violation:
            if not events:
                raise
            self._violation = violation
        return events

    def _take_frame(self) -> tuple[bool, int, bytes] | None:
        """FIN, opcode and payload of the next frame, None if it is not whole (section 5.2)."""
        buffer = self._buffer
        have = len(buffer)
        if have:
            self._check_start(buffer[0])
        if have < 2:
            return None
        size, at = buffer[1], 2
        if size & 0x80:
            raise Violation(PROTOCOL_ERROR, "masked frame from the server")
        if size > 125:
            if buffer[0] & 0x0F >= CLOSE:
                raise Violation(PROTOCOL_ERROR, "control frame too long")
            at = 4 if size == 126 else 10
            if have < at:
                return None
            size = int.from_bytes(buffer[2:at], "big")
            if size < (126 if at == 4 else 65536) or size >> 63:
                raise Violation(PROTOCOL_ERROR, "length not minimal" if size < 65536 else "length out of range")
        if buffer[0] & 0x0F < CLOSE and self._size + size > MAX_MESSAGE:
            raise Violation(TOO_BIG, "message too big")
        end = at + size
        if have < end:
            return None
        fin, opcode, payload = buffer[0] >= 0x80, buffer[0] & 0x0F, bytes(buffer[at:end])
        del buffer[:end]
        return fin, opcode, payload

    def _check_start(self, first: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise Violation(PROTOCOL_ERROR, "reserved bit set")
        if opcode not in OPCODES:
            raise Violation(PROTOCOL_ERROR, "unknown opcode")
        if opcode >= CLOSE:
            if first < 0x80:
                raise Violation(PROTOCOL_ERROR, "fragmented control frame")
        elif (opcode == CONTINUATION) != (self._opcode != 0):
            raise Violation(PROTOCOL_ERROR, "fragments out of order")

    def _event(self, fin: bool, opcode: int, payload: bytes) -> Event | None:
        """The message or control frame that this frame completes (sections 5.4 and 5.5)."""
        if opcode == CLOSE:
            return CLOSE, _checked_close(payload)
        if opcode > CLOSE:
            return opcode, payload
        if not fin or opcode == CONTINUATION:
            self._opcode = self._opcode or opcode
            self._parts.append(payload)
            self._size += len(payload)
            if not fin:
                return None
            opcode, payload = self._opcode, b"".join(self._parts)
            self._opcode = self._size = 0
            self._parts.clear()
        if opcode == TEXT and not _is_utf8(payload):
            raise Violation(NOT_UTF8, "text is not UTF-8")
        return opcode, payload


def _checked_close(payload: bytes) -> bytes:
    """The two bytes of the code, or none (section 7.4: which codes may travel)."""
    if not payload:
        return b""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in {1004, 1005, 1006}:
        raise Violation(PROTOCOL_ERROR, "malformed close frame")
    if not _is_utf8(payload[2:]):
        raise Violation(NOT_UTF8, "close reason is not UTF-8")
    return payload[:2]
