"""The event loop: each iteration handles ready sockets, expired timers and deferred calls. A process has one loop.

Nothing blocks but `run_once`, and that at most for its timeout. Works alone or inside gevent's hub (`gevent_adapter`).
"""

from __future__ import annotations

import os
from _socket import socket  # the C socket: gevent's patching does not reach it
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from time import perf_counter_ns

from loadtests.engine.poller import READ, poller
from loadtests.engine.resolver import Resolver, SocketAddress
from loadtests.engine.timer import create_timer

LONG_ITERATION = 5_000_000  # ns of event handling after which the next iterations take fewer events, so that others run
ITERATION_SLICE = 1_000_000  # ns: a busy iteration polls for more events until so many are over
BUSY = 8  # more events than these make an iteration busy
MIN_TIMER_DELAY = 50_000  # ns: timers due within it fire in one iteration; re-arming costs more than firing 50 µs late
UNKNOWN_DUE = -1  # the timer fired, or may have
MIN_EVENTS, MAX_EVENTS = 16, 512  # events of one poll

Handler = Callable[[int], None]


class Loop:
    """Sockets, timers and deferred calls of one thread.

    wake: for systems without a timer descriptor: called with the time of the next iteration (None: never) when that
        changes.
    iterations, iteration_ended: how many there were, and when the last one was over (ns).
    """

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self.wake: Callable[[int | None], None] | None = None
        self.iterations = 0
        self.held = 0  # bytes of incomplete responses that all connections hold
        self.iteration_ended = 0
        self._poller = poller()
        self._timer = create_timer()
        if self._timer is not None:
            self.handlers[self._timer.fileno()] = lambda _: None  # its firing started an iteration: that is enough
            self._poller.register(self._timer.fileno(), READ)
        self._timer_due: int | None = None  # what the timer is set to
        self._is_iterating = False
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        self._deferred: deque[Callable[[], None]] = deque()
        self._closing: list[socket] = []
        self._max_events = MIN_EVENTS
        self._resolver = Resolver()

    def fileno(self) -> int:
        """The descriptor that becomes readable when an iteration has something to do."""
        return self._poller.fileno()

    def resolve(self, host: str, port: int) -> list[SocketAddress]:
        """The addresses of `host` in the order in which to try them. The first look-up blocks: make it before a run.

        Raises OSError if the name is unknown.
        """
        return self._resolver.addresses(host, port)

    def register(self, sock: socket, mask: int, handler: Handler) -> None:
        """Call `handler(mask)` in each iteration in which `sock` is ready for what `mask` asks."""
        self.handlers[sock.fileno()] = handler
        self._poller.register(sock.fileno(), mask)

    def modify(self, sock: socket, mask: int, handler: Handler) -> None:
        self.handlers[sock.fileno()] = handler
        self._poller.modify(sock.fileno(), mask)

    def unregister(self, sock: socket) -> None:
        """Forget `sock` now and close it after this iteration, within which its number must not be reused."""
        del self.handlers[sock.fileno()]
        self._poller.unregister(sock.fileno())
        self._closing.append(sock)
        self._arm()

    def call_at(self, when: int, callback: Callable[[int], None]) -> None:
        """Call `callback(when)` in the first iteration that begins at `when` (ns) or later."""
        self._order += 1
        heappush(self._timers, (when, self._order, callback))
        if self._timers[0][0] == when:
            self._arm()

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call `callback()` in this iteration after the events, or in the next one."""
        self._deferred.append(callback)
        self._arm()

    def next_deadline(self) -> int | None:
        """When the next iteration is needed even if no socket is ready (ns; 0: at once), None if never."""
        if self._deferred or self._closing:
            return 0
        return self._timers[0][0] if self._timers else None

    def run_once(self, timeout: float = 0.0) -> None:
        """One iteration, waiting at most `timeout` seconds for something to do."""
        if timeout > 0:
            when = self.next_deadline()
            if when is not None:
                timeout = min(timeout, max(0.0, (when - perf_counter_ns()) / 1e9))
        events = self._poller.poll(timeout, self._max_events)
        began = now = perf_counter_ns()
        self._is_iterating = True
        try:
            self._handle(events, began)
            while len(events) > BUSY and (now := perf_counter_ns()) - began < ITERATION_SLICE:
                events = self._poller.poll(0.0, self._max_events)
                self._handle(events, now)
        finally:
            self._is_iterating = False
            if self._closing:
                self._close_unregistered()
            self._arm()
        self.iterations += 1
        self.iteration_ended = perf_counter_ns()
        if self.iteration_ended - now > LONG_ITERATION:
            self._max_events = max(self._max_events // 2, MIN_EVENTS)
        elif len(events) == self._max_events:
            self._max_events = min(self._max_events * 2, MAX_EVENTS)

    def _handle(self, events: list[tuple[int, int]], now: int) -> None:
        """Handle these events, then due timers and deferred calls."""
        handler_of = self.handlers.get
        for fd, mask in events:
            handler = handler_of(fd)
            if handler is not None:
                handler(mask)
        if self._timers and self._timers[0][0] <= now:
            self._run_timers(now)
        if self._deferred:
            self._run_deferred()

    def _run_timers(self, now: int) -> None:
        timers = self._timers
        for _ in range(self._max_events):
            if not timers or timers[0][0] > now:
                return
            when, _, callback = heappop(timers)
            self._timer_due = UNKNOWN_DUE
            callback(when)

    def _run_deferred(self) -> None:
        deferred = self._deferred
        for _ in range(min(len(deferred), self._max_events)):
            deferred.popleft()()

    def _close_unregistered(self) -> None:
        for sock in self._closing:
            sock.close()
        self._closing.clear()

    def rearm(self) -> None:
        """Set the timer, or call `wake`, again."""
        self._timer_due = UNKNOWN_DUE
        self._arm()

    def _arm(self) -> None:
        """Set the timer to the next deadline if that changed; within an iteration, after it."""
        if self._is_iterating:
            return
        when = self.next_deadline()
        if when == self._timer_due:
            return
        self._timer_due = when
        if self._timer is not None:
            self._timer.set(None if when is None else max(when, perf_counter_ns() + MIN_TIMER_DELAY))
        elif self.wake is not None:
            self.wake(when)

    def run(self, until: Callable[[], bool], timeout: float = 60.0) -> None:
        """Iterate until `until()` is true. Raises TimeoutError after `timeout` seconds."""
        end = perf_counter_ns() + int(timeout * 1e9)
        while not until():
            if perf_counter_ns() > end:
                raise TimeoutError(f"expected the condition within {timeout} s: the loop waited in vain")
            self.run_once(0.05)

    def close(self) -> None:
        """Close unregistered sockets, the timer and the poller. Close all connections before."""
        self._close_unregistered()
        if self._timer is not None:
            os.close(self._timer.fileno())
        self._poller.close()
