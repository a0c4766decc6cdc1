"""Base of all connections: opening and closing, deadlines, one request in flight, and the delivery of its response.

A connection opens at its first request, and again at the next request after a close. A request whose bytes may have
reached the server is not sent a second time: it fails as "closed before response". The one exception is an idempotent
HTTP request on a reused connection, which the server may have closed while it was idle (`http_connection`).
"""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter_ns

from fixtures.http1.response_head import Headers
from loadtests.engine.byte_stream import ByteStream
from loadtests.engine.exchange_types import Address, Request, Requester, Response
from loadtests.engine.loop import Loop
from reports.load.operation_statistics import TURNED_AWAY

NEVER = 1 << 62
MAX_HELD = 128 << 20  # bytes of incomplete responses in one process, however many connections it has
MAX_FAILED_BODY = 1 << 20  # bytes of an invalid response that a journey gets: no journey goes on with more of it
MAX_LARGE_BODIES = 128  # a response with less than this part of them never fails for want of memory
NO_HEADERS: Headers = []


class Connection(ByteStream):
    """One connection to `address` with at most one request in flight; base of the HTTP and websocket connections.

    request: what is in flight, None while idle. ready: whether a request can be written at once.
    """

    __slots__ = (
        "_deadline", "_first_sent", "_held", "_intended", "_is_written", "_pending_failure", "_requester", "_sent",
        "_timer_due", "ready", "request",
    )  # fmt: skip

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self.ready = False
        self.request: Request | None = None
        self._requester: Requester | None = None
        self._intended = self._sent = 0
        self._first_sent = 0  # when the request was sent that the connection was opened for
        self._deadline = self._timer_due = NEVER
        self._held = 0  # bytes of an incomplete response
        self._is_written = False  # the request's bytes may have reached the server
        self._pending_failure = ""  # what the server did between two requests; the next request fails with it

    # Requests

    def send_request(self, request: Request, requester: Requester, intended: int = 0) -> None:
        """Send `request` as soon as possible; `requester.resume(response)` follows in a later iteration of the loop.

        intended: when it should have been sent; 0 for now.
        """
        now = perf_counter_ns()
        self.request = request
        self._requester = requester
        self._intended = intended or now
        self._sent = now
        deadline = now + request.timeout_ns
        self._deadline = deadline
        if deadline < self._timer_due:
            self._timer_due = deadline
            self.loop.call_at(deadline, self._on_timer)
        if self.ready:
            self._write_request(request)
        elif self._pending_failure:
            self.loop.call_soon(self._report_failure)
        else:
            self.open()

    def _write_request(self, request: Request) -> None:
        """Write the request; overridden where the bytes are not its payload as it is."""
        self._is_written = True
        self.write(request.payload)

    def close_as_broken(self, reason: str) -> None:
        """Close after unsolicited bytes; the next request on this connection fails with `reason`."""
        self.close()
        self._pending_failure = reason

    def fail_soon(self, reason: str) -> None:
        self._pending_failure = reason
        self.loop.call_soon(self._report_failure)

    def _report_failure(self) -> None:
        reason, self._pending_failure = self._pending_failure, ""
        if reason:
            self.fail(reason)

    # Responses

    def complete(self, status: int, headers: Headers, body: bytes, first: int, now: int) -> None:
        """Deliver a complete response: the connection is free for the next request."""
        request, requester = self.request, self._requester
        self.request = None
        self._is_written = False
        if request is not None and requester is not None:
            deliver(request, requester, Response(status, headers, body, None, self._intended, self._sent, first, now))

    def fail(self, reason: str, status: int = 0, headers: Headers = NO_HEADERS, body: bytes = b"") -> None:
        """Close, and deliver a response without content to the request in flight; its `error` is the reason."""
        self.close()
        request, requester = self.request, self._requester
        if request is None or requester is None:
            return
        self.request = None
        is_unsent, self._is_written = not self._is_written, False
        now = perf_counter_ns()
        response = Response(status, headers, body, reason, self._intended, self._sent, now, now)
        deliver(request, requester, response, is_unsent)

    def hold(self, size: int) -> None:
        """Count bytes that wait for the rest of their response; fail if all connections together hold too many."""
        self._held += size
        self.loop.held += size
        if self.loop.held > MAX_HELD and self._held > MAX_HELD // MAX_LARGE_BODIES:
            self.fail("response too long: the load generator has no memory for it")

    def release(self) -> None:
        """The bytes of the response wait no more."""
        self.loop.held -= self._held
        self._held = 0

    def _on_timer(self, when: int) -> None:
        if when != self._timer_due:
            return  # an earlier deadline replaced this timer
        self._timer_due = NEVER
        if self.request is None:
            return
        if perf_counter_ns() >= self._deadline:
            self.fail("timeout" if self._is_written else "timeout while connecting")
        if self.request is not None and self._deadline < self._timer_due:
            self._timer_due = self._deadline
            self.loop.call_at(self._deadline, self._on_timer)

    def on_open(self) -> None:
        """The byte stream is open: send the waiting request. Overridden where a handshake follows."""
        self.connected()

    def connected(self) -> None:
        """Requests can be sent from now on."""
        self.ready = True
        request = self.request
        if request is not None:
            self._sent = self._first_sent = perf_counter_ns()
            request.samples.connects.append(self._sent - self._open_began)
            self._write_request(request)

    def abandon(self) -> None:
        """Close and forget the request in flight: its requester is not resumed, only a hanging request is recorded."""
        if self.request is not None:
            self.request.samples.record_abandoned(self._intended, self._sent)
        self.request = self._requester = None
        self._pending_failure = ""
        self.close()

    def close(self) -> None:
        self.ready = False
        self.release()
        super().close()


def deliver(request: Request, requester: Requester, response: Response, is_unsent: bool = False) -> None:
    """Validate a response that came complete, record it, and resume its requester with it.

    is_unsent: the request was not sent, since no connection could be opened; the requester may want to wait then.
    """
    error = response.error
    if error is None:
        if request.validator is None:
            error = status_error(response.status) if response.status >= 400 else None
        else:
            try:
                error = request.validator(request, response)
            except Exception as exception:  # our mistake, not the target's: the reason names it
                error = f"judge broke: {type(exception).__name__}"
        response.error = error or response.error
    if error is None:
        request.samples.times.append(
            (response.intended, response.sent, response.first, response.done, len(response.body))
        )
    else:
        size = len(response.body)
        request.samples.record_failure(error, response.intended, response.sent, response.done, size, response.status)
        if len(response.body) > MAX_FAILED_BODY:
            response.body = response.body[:MAX_FAILED_BODY]
        pause = requester.request_failed(f"{request.samples.operation}: {error}", is_unsent)
        if pause:
            requester.resume_later(response, pause)
            return
    requester.resume(response)


def status_error(status: int) -> str:
    """The reason of a failure that is a status of 400 or more."""
    return TURNED_AWAY if status == HTTPStatus.TOO_MANY_REQUESTS else f"status {status}"
