"""An HTTP/1.1 connection: one request in flight, no pipelining, kept open as the server wishes.

A response in one piece under a head seen before is recognized by a look-up; any other goes through a ResponseReader.
Redirects and cookies are left to the journeys. A server may close an idle connection just when a request is sent on it
(RFC 9112 section 9.3.1): an idempotent request is then sent once more, on a new connection, and counted.
"""

from __future__ import annotations

from time import perf_counter_ns

from fixtures.http1 import response_head, response_reader
from fixtures.http1.content_coding import decode_body
from fixtures.http1.forward_proxy import PROXY_AUTHENTICATION_REQUIRED, absolute_form
from fixtures.http1.response_head import Headers
from loadtests.engine.connection import Connection
from loadtests.engine.exchange_types import Address, Request
from loadtests.engine.loop import Loop

UNSOLICITED = "unsolicited bytes"
CLOSED_REUSED = "reused connection closed before response"  # while it was idle, or else while the request was served
IDLE_ENDS = frozenset({"", "connection reset", "tls: cut off"})  # how such a connection ends
IDEMPOTENT = (b"GET ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"TRACE ")  # methods, RFC 9110 section 9.2.2

_cached_head = response_head.cached_heads.get


class HttpConnection(Connection):
    """`Request.payload` is the whole request as bytes: head with Host, and body."""

    __slots__ = ("_first_byte", "_reader")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._reader: response_reader.ResponseReader | None = None  # of a response that began
        self._first_byte = 0  # when it began

    def on_bytes(self, data: bytes, now: int) -> None:
        request = self.request
        if request is None:
            self.close_as_broken(UNSOLICITED)
            return
        if not self._is_written:
            self.fail(UNSOLICITED)
            return
        if self._reader is None:
            head_size = data.find(b"\r\n\r\n") + 4
            raw = data[:head_size]
            head = _cached_head(raw) or response_head.parse_and_cache(raw)
            if head is not None and head.body_length == len(data) - head_size and not (request.is_head or self._unsent):
                self.complete(head.status, head.headers, data[head_size:], now, now)
                return
            self._reader = response_reader.ResponseReader(request.is_head)
            self._first_byte = now
        try:
            is_complete = self._reader.feed(data)
        except response_head.MalformedResponse as error:
            self.fail(f"malformed response: {error}")
            return
        if is_complete:
            self._complete_from(self._reader, now)
        else:
            self.hold(len(data))

    def _complete_from(self, reader: response_reader.ResponseReader, now: int) -> None:
        """Deliver the response; the connection stays open if the response allows it and nothing is out of step."""
        head = reader.head
        if head is None:
            return
        self._reader = None
        if self._unsent or not head.keep_alive or head.body_length == response_head.UNTIL_CLOSE:
            self.close()
        elif reader.surplus:
            self.close_as_broken(UNSOLICITED)
        self.release()
        repeated = response_head.repeated_field(head.headers)
        if repeated is not None:
            self.fail(f"malformed response: more than one {repeated.decode()}", head.status, head.headers)
            return
        try:
            body = decode_body(head.headers, reader.body)
        except response_head.MalformedResponse as error:
            self.fail(f"malformed response: {error}", head.status, head.headers)
            return
        self.complete(head.status, head.headers, body, self._first_byte, now)

    def on_end(self, reason: str) -> None:
        reader = self._reader
        if reader is not None and not reason and reader.feed_eof():
            self._complete_from(reader, perf_counter_ns())
        elif self.request is None:
            self.close()  # the server may close an idle connection at any time
        elif reader is None and reason in IDLE_ENDS and self._sent != self._first_sent:
            self._on_idle_close(self.request)
        elif not reason:
            self.fail("closed in response" if reader is not None else "closed before response")
        else:
            self.fail(reason)

    def _on_idle_close(self, request: Request) -> None:
        """The server closed a reused connection before any byte of the response."""
        if not request.payload.startswith(IDEMPOTENT):
            self.fail(CLOSED_REUSED)
            return
        request.samples.resent += 1
        self.close()
        self._is_written = False
        self.open()

    def close(self) -> None:
        self._reader = None
        super().close()


class ProxiedHttpConnection(HttpConnection):
    """The same by a forward proxy, which takes requests to http servers in absolute form."""

    __slots__ = ()

    def _write_request(self, request: Request) -> None:
        self._is_written = True
        self.write(absolute_form(request.payload, self.address.authority))

    def complete(self, status: int, headers: Headers, body: bytes, first: int, now: int) -> None:
        if status == PROXY_AUTHENTICATION_REQUIRED:
            self.fail(f"proxy: status {status}")
        else:
            super().complete(status, headers, body, first, now)


def http_connection(loop: Loop, address: Address) -> HttpConnection:
    """A connection to an http address, by its proxy if it has one."""
    return HttpConnection(loop, address) if address.route is None else ProxiedHttpConnection(loop, address)
