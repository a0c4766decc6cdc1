"""The head of an HTTP/1.1 answer, parsed by llhttp, and what it says of the body and the connection (RFC 9112).

A head that came before, byte for byte, is not parsed again: `known` remembers what was made of it.
"""

from __future__ import annotations

import httptools

from loadtests.engine.call import Headers

MAX_HEAD = 65_536  # bytes of a head, or of the trailers
MAX_BODY = 64 << 20  # bytes of a body
KNOWN = 4_096  # heads remembered

CHUNKED, TO_THE_END = -1, -2  # a body's length where no number tells it


class Malformed(Exception):
    """The bytes are no answer. The text is one of a bounded set."""


class Head:
    """A parsed head. `length` is the body's, CHUNKED or TO_THE_END; `keep`: whether the connection stays open."""

    __slots__ = ("headers", "keep", "length", "status")

    def __init__(self, status: int, headers: Headers, length: int, keep: bool) -> None:
        self.status = status
        self.headers = headers
        self.length = length
        self.keep = keep


class _Heard:
    """What llhttp calls."""

    def __init__(self) -> None:
        self.fields: Headers = []
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.whole = True


def parse_head(head: bytes) -> Head:
    """The head that these bytes are, up to and with the empty line. Raises Malformed.

    llhttp refuses a length that is repeated, no number, or contradicted by a transfer coding.
    """
    if not head.startswith(b"HTTP/1."):
        raise Malformed("not HTTP/1")
    heard = _Heard()
    parser = httptools.HttpResponseParser(heard)
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # 101: the rest is another protocol's
    except httptools.HttpParserError:
        raise Malformed("malformed head") from None
    if not heard.whole:
        raise Malformed("malformed head")
    status, old = parser.get_status_code(), parser.get_http_version() == "1.0"
    if not 100 <= status <= 999 or (old and status < 200):  # RFC 9110 section 15.2: HTTP/1.0 has no 1xx
        raise Malformed("malformed status line")
    headers = [(name.lower(), value.rstrip(b" \t")) for name, value in heard.fields]
    fields = dict(headers)
    return Head(status, headers, _length(status, old, fields, headers), _keep(old, fields, headers))


def _length(status: int, old: bool, fields: dict[bytes, bytes], headers: Headers) -> int:
    """RFC 9112 section 6.3: how long the body of this answer is, if its request was not HEAD."""
    if status < 200 or status in {204, 304}:
        return 0
    if b"transfer-encoding" in fields:
        if old:
            raise Malformed("transfer coding in HTTP/1.0")
        return CHUNKED if _members(headers, b"transfer-encoding")[-1] == b"chunked" else TO_THE_END
    length = fields.get(b"content-length")
    return TO_THE_END if length is None else int(length)


def _keep(old: bool, fields: dict[bytes, bytes], headers: Headers) -> bool:
    """RFC 9112 section 9.3: whether the connection outlives this answer."""
    if b"connection" not in fields:
        return not old
    options = _members(headers, b"connection")
    return b"close" not in options and (not old or b"keep-alive" in options)


def _members(headers: Headers, name: bytes) -> list[bytes]:
    """The members of a list-valued header, in lower case, wherever it was split."""
    return [part.strip(b" \t").lower() for key, value in headers if key == name for part in value.split(b",")]


# Heads whose answer needs no more than counting: a length in the head, no HEAD request, the connection stays.
known: dict[bytes, Head] = {}


def learn(raw: bytes) -> Head | None:
    """Put a head among the known ones and give it, or None if it takes a Reader (and when it is malformed)."""
    try:
        head = parse_head(raw)
    except Malformed:
        return None
    if head.status < 200 or head.length < 0 or not head.keep or len(raw) > MAX_HEAD:
        return None
    if len(known) >= KNOWN:
        known.clear()
    known[raw] = head
    return head
