"""What all connections share: when they open and close, deadlines, one request in flight, what becomes of its answer.

A connection opens when it is first asked, and again when it is asked after a close. A request whose bytes may have
reached the server is never sent a second time: it fails as "closed before answer".
"""

from __future__ import annotations

from time import perf_counter_ns

from loadtests.engine.call import Address, Answer, Headers, Judge, Owner, Request
from loadtests.engine.loop import Loop
from loadtests.engine.transport import Transport

NEVER = 1 << 62
NO_HEADERS: Headers = []


class Connection(Transport):
    """One connection to `address` with at most one request in flight; HTTP and websocket derive from it.

    request: what is in flight, None while idle. ready: whether a request can be written at once.
    """

    __slots__ = ("_alarm", "_asked", "_broken", "_deadline", "_intended", "_owner", "_sent", "ready", "request")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self.ready = False
        self.request: Request | None = None
        self._owner: Owner | None = None
        self._intended = self._sent = 0
        self._deadline = self._alarm = NEVER
        self._asked = False  # the request's bytes may have reached the server
        self._broken = ""  # what the server did between two requests, for the next one to report

    # Asking

    def call(self, request: Request, owner: Owner, intended: int = 0) -> None:
        """Send `request` as soon as possible; `owner.resume(answer)` follows in a later turn of the loop.

        intended: when it should have gone out; 0 for now.
        """
        now = perf_counter_ns()
        self.request = request
        self._owner = owner
        self._intended = intended or now
        self._sent = now
        deadline = now + request.timeout_ns
        self._deadline = deadline
        if deadline < self._alarm:
            self._alarm = deadline
            self.loop.at(deadline, self._on_alarm)
        if self.ready:
            self._ask(request)
        elif self._broken:
            self.loop.soon(self._report)
        else:
            self.open()

    def _ask(self, request: Request) -> None:
        """Write the request; overridden where it is not the payload as it is."""
        self._asked = True
        self.write(request.payload)

    def refuse(self, reason: str) -> None:
        """Nobody asked for what came: close, and let the next request on this connection fail with `reason`."""
        self.close()
        self._broken = reason

    def fail_soon(self, reason: str) -> None:
        self._broken = reason
        self.loop.soon(self._report)

    def _report(self) -> None:
        broken, self._broken = self._broken, ""
        if broken:
            self.fail(broken)

    # Answering

    def finish(self, status: int, headers: Headers, body: bytes, first: int, now: int) -> None:
        """The answer is whole: the connection is free for the next request."""
        request, owner = self.request, self._owner
        self.request = None
        self._asked = False
        if request is not None and owner is not None:
            settle(request, owner, Answer(status, headers, body, None, self._intended, self._sent, first, now))

    def fail(self, reason: str, status: int = 0, headers: Headers = NO_HEADERS, body: bytes = b"") -> None:
        """Close, and give the request in flight an answer that says why there is none."""
        self.close()
        request, owner = self.request, self._owner
        if request is None or owner is None:
            return
        self.request = None
        self._asked = False
        now = perf_counter_ns()
        settle(request, owner, Answer(status, headers, body, reason, self._intended, self._sent, now, now))

    def _on_alarm(self, due: int) -> None:
        if due != self._alarm:
            return  # a nearer alarm took its place, and rang
        self._alarm = NEVER
        if self.request is None:
            return
        if perf_counter_ns() >= self._deadline:
            self.fail("timeout" if self._asked else "timeout while connecting")
        if self.request is not None and self._deadline < self._alarm:
            self._alarm = self._deadline
            self.loop.at(self._deadline, self._on_alarm)

    def on_open(self) -> None:
        """The transport is there: send what waits. Overridden where a handshake follows."""
        self.connected()

    def connected(self) -> None:
        """Requests can be sent from now on."""
        self.ready = True
        request = self.request
        if request is not None:
            self._sent = perf_counter_ns()
            request.slot.connects.append(self._sent - self._opened)
            self._ask(request)

    def drop(self) -> None:
        """Close and forget the request in flight: nobody is told, and only what hangs is recorded."""
        if self.request is not None:
            self.request.slot.given_up(self._intended, self._sent)
        self.request = self._owner = None
        self._broken = ""
        self.close()

    def close(self) -> None:
        self.ready = False
        super().close()


def settle(request: Request, owner: Owner, answer: Answer) -> None:
    """Judge an answer that came whole, record it, and hand it to whoever waits."""
    error = answer.error
    if error is None:
        if request.judge is None:
            error = f"status {answer.status}" if answer.status >= 400 else None
        else:
            error = _judged(request.judge, request, answer)
        answer.error = error
    if error is None:
        request.slot.times.append((answer.intended, answer.sent, answer.first, answer.done, len(answer.body)))
    else:
        request.slot.failed(error, answer.intended, answer.sent, answer.done, len(answer.body))
        owner.failed(f"{request.slot.operation}: {error}")
    owner.resume(answer)


def _judged(judge: Judge, request: Request, answer: Answer) -> str | None:
    """What the judge says. One that raises is our fault, and says so."""
    try:
        return judge(request, answer)
    except Exception as broken:
        return f"judge broke: {type(broken).__name__}"
