"""Answers of HTTP/1.1, from bytes: the head by `heads`, the body by its framing (RFC 9112). No sockets here."""

from __future__ import annotations

from loadtests.engine.chunks import Chunks
from loadtests.engine.heads import MAX_BODY, MAX_HEAD, TO_THE_END, Head, Malformed, parse_head

MAX_INFORMATIONAL = 16  # answers 1xx before the final one


class Reader:
    """One answer, fed piece by piece: `head`, `body` and `surplus` count once `feed` or `end` gave True.

    bodiless: the request was HEAD. upgrade: 101 is a final answer, and what follows it is `surplus`.
    surplus: bytes behind the answer, which belong to no request of ours.
    """

    __slots__ = (
        "_bodiless",
        "_buffer",
        "_chunks",
        "_informational",
        "_searched",
        "_upgrade",
        "body",
        "head",
        "surplus",
    )

    def __init__(self, bodiless: bool = False, upgrade: bool = False) -> None:
        self.head: Head | None = None
        self.body = b""
        self.surplus = b""
        self._bodiless = bodiless
        self._upgrade = upgrade
        self._buffer = bytearray()
        self._searched = 0
        self._informational = 0
        self._chunks: Chunks | None = None

    def feed(self, data: bytes) -> bool:
        """Take bytes as they come; True once the answer is whole. Raises Malformed, after which nothing is fed."""
        self._buffer += data
        head = self.head or self._read_head()
        return head is not None and self._read_body(head)

    def end(self) -> bool:
        """The server sends no more; True if that makes the answer whole (RFC 9112 section 6.3, rule 8)."""
        if self.head is None or self.head.length != TO_THE_END:
            return False
        self.body = bytes(self._buffer)
        return True

    @property
    def begun(self) -> bool:
        """Whether any byte of an answer came."""
        return self.head is not None or self._informational > 0 or len(self._buffer) > 0

    def _read_head(self) -> Head | None:
        buffer = self._buffer
        while True:
            at = buffer.find(b"\r\n\r\n", self._searched)
            if at < 0:
                self._refuse_hopeless()
                return None
            raw = bytes(buffer[: at + 4])
            if len(raw) > MAX_HEAD:
                raise Malformed("head too long")
            head = parse_head(raw)
            del buffer[: at + 4]
            self._searched = 0
            if head.status >= 200 or (head.status == 101 and self._upgrade):
                break
            self._informational += 1
            if head.status == 101 or self._informational > MAX_INFORMATIONAL:
                raise Malformed("unexpected 101" if head.status == 101 else "too many answers 1xx")
        self.head = Head(head.status, head.headers, 0, head.keep) if self._bodiless else head
        return self.head

    def _refuse_hopeless(self) -> None:
        """Do not wait for the end of a head that can never be one."""
        buffer = self._buffer
        if len(buffer) > MAX_HEAD:
            raise Malformed("head too long")
        if not b"HTTP/1.".startswith(buffer[:7]):
            raise Malformed("not HTTP/1")
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            raise Malformed("malformed head")
        self._searched = max(0, len(buffer) - 3)

    def _read_body(self, head: Head) -> bool:
        buffer = self._buffer
        if head.length >= 0:
            if head.length > MAX_BODY:
                raise Malformed("body too long")
            if len(buffer) < head.length:
                return False
            self.body = bytes(buffer[: head.length])
            self.surplus = bytes(buffer[head.length :])
            return True
        if head.length == TO_THE_END:
            if len(buffer) > MAX_BODY:
                raise Malformed("body too long")
            return False
        if self._chunks is None:
            self._chunks = Chunks()
        if not self._chunks.take(buffer):
            return False
        self.body = b"".join(self._chunks.parts)
        self.surplus = bytes(buffer)
        return True
