"""An HTTP/1.1 connection: one request in flight, no pipelining, kept open as the server wishes.

An answer in one piece under a head seen before is taken by a look-up; everything else goes through `http1.Reader`.
Redirects and cookies are the journeys' business.
"""

from __future__ import annotations

from time import perf_counter_ns

from loadtests.engine import heads, http1
from loadtests.engine.call import Address
from loadtests.engine.connection import Connection
from loadtests.engine.loop import Loop

UNSOLICITED = "unsolicited bytes"

_known = heads.known.get


class HttpConnection(Connection):
    """Requests are whole as on the wire: `Request.payload` has the head with Host, and the body."""

    __slots__ = ("_first", "_reader")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._reader: http1.Reader | None = None  # of an answer that began
        self._first = 0  # when it began

    def on_bytes(self, data: bytes, now: int) -> None:
        request = self.request
        if request is None:
            self.refuse(UNSOLICITED)
            return
        if not self._asked:
            self.fail(UNSOLICITED)
            return
        if self._reader is None:
            at = data.find(b"\r\n\r\n") + 4
            raw = data[:at]
            head = _known(raw) or heads.learn(raw)
            if head is not None and head.length == len(data) - at and not (request.head or self._backlog):
                self.finish(head.status, head.headers, data[at:], now, now)
                return
            self._reader = http1.Reader(request.head)
            self._first = now
        try:
            whole = self._reader.feed(data)
        except heads.Malformed as wrong:
            self.fail(f"malformed answer: {wrong}")
            return
        if whole:
            self._take(self._reader, now)

    def _take(self, reader: http1.Reader, now: int) -> None:
        """Finish with a whole answer; the connection stays if the answer says so and nothing is out of step."""
        head = reader.head
        if head is None:
            return
        self._reader = None
        if self._backlog or not head.keep or head.length == heads.TO_THE_END:
            self.close()
        elif reader.surplus:
            self.refuse(UNSOLICITED)
        self.finish(head.status, head.headers, reader.body, self._first, now)

    def on_end(self, reason: str) -> None:
        reader = self._reader
        if reader is not None and not reason and reader.end():
            self._take(reader, perf_counter_ns())
        elif self.request is None:
            self.close()  # the server may close an idle connection at any time
        elif not reason:
            self.fail("closed in answer" if reader is not None else "closed before answer")
        else:
            self.fail(reason)

    def close(self) -> None:
        self._reader = None
        super().close()
