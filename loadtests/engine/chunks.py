"""A chunked body (RFC 9112 section 7.1), strictly: what it costs to be lenient is an answer for the wrong request."""

from __future__ import annotations

import re

from loadtests.engine.heads import MAX_BODY, MAX_HEAD, Malformed

MAX_LINE = 4_096  # bytes of a chunk's size line with its extensions

# token, quoted-string: RFC 9110 section 5.6; chunk-ext: RFC 9112 section 7.1.1
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED))
_FRAMING = re.compile(rb"(?i:content-length|transfer-encoding):")  # too late: RFC 9110 section 6.5.1
_FIELD = re.compile(rb"%b:[\t -~\x80-\xff]*" % _TOKEN)


class Chunks:
    """A chunked body (RFC 9112 section 7.1). Trailers are checked and dropped."""

    __slots__ = ("_left", "_size", "_state", "parts")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._state = self._line
        self._left = 0  # of the chunk, its CRLF included, or of what trailers may take
        self._size = 0

    def take(self, buffer: bytearray) -> bool:
        """Move what belongs to the body out of `buffer`; True once it is whole. Raises Malformed."""
        while (step := self._state(buffer)) is None:
            pass
        return step

    # Each state gives None to go on with the next, False to wait for bytes, True at the end.

    def _line(self, buffer: bytearray) -> bool | None:
        at = buffer.find(b"\r\n", 0, MAX_LINE)
        if at < 0:
            if len(buffer) >= MAX_LINE or not _hopeful(buffer):
                raise Malformed("malformed chunk")
            return False
        line = _SIZE.fullmatch(buffer, 0, at)
        if line is None:
            raise Malformed("malformed chunk")
        size = int(line[1], 16)
        del buffer[: at + 2]
        self._size += size
        if self._size > MAX_BODY:
            raise Malformed("body too long")
        self._left = size + 2 if size else MAX_HEAD
        self._state = self._data if size else self._trailer
        return None

    def _data(self, buffer: bytearray) -> bool | None:
        if len(buffer) < self._left:
            return False
        if buffer[self._left - 2 : self._left] != b"\r\n":
            raise Malformed("malformed chunk")
        self.parts.append(bytes(buffer[: self._left - 2]))
        del buffer[: self._left]
        self._state = self._line
        return None

    def _trailer(self, buffer: bytearray) -> bool | None:
        at = buffer.find(b"\r\n", 0, self._left)
        if at < 0:
            if len(buffer) >= self._left or b"\n" in buffer:
                raise Malformed("malformed trailer")
            return False
        if at > 0 and (_FIELD.fullmatch(buffer, 0, at) is None or _FRAMING.match(buffer)):
            raise Malformed("malformed trailer")
        del buffer[: at + 2]
        self._left -= at + 2
        return True if at == 0 else None


def _hopeful(line: bytearray) -> bool:
    """Whether these bytes can be the beginning of a chunk's size line, as far as its size goes."""
    return b"\n" not in line and all(byte in b"0123456789abcdefABCDEF" for byte in line[:1])
