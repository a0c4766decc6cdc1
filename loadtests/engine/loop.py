"""One turn after another: what is readable, what is due, what was put off. All sockets of a process share one loop.

Nothing here blocks but `run_once`, and that no longer than told. Works alone or inside gevent's hub (`hub.py`).
"""

from __future__ import annotations

import os
import ssl
from _socket import SOCK_STREAM, getaddrinfo, socket  # the C socket: gevent's patching does not reach it
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from time import perf_counter_ns
from typing import Any

from loadtests.engine.alarm import alarm
from loadtests.engine.poller import READ, poller

TURN = 5_000_000  # events that take longer than these ns are followed by fewer at once: others want to run too
SLICE, MANY = 1_000_000, 8  # after more events than that a turn looks for more of them, until so many ns are over
APART = 50_000  # ns until the alarm rings, at least: what is due within them shares a turn, and a late alarm is dear
STALE = -1  # an alarm that rang, or may have
FEWEST, MOST = 16, 512  # events in one turn

Handler = Callable[[int], None]
Target = tuple[int, Any]  # address family, and what connect() takes


class Loop:
    """Sockets, timers and deferred calls of one thread.

    cafile: a PEM file of certificate authorities to trust instead of the system's.
    wake: only asked on systems without `alarm`: called with the time of the next turn (None: never) when it changes.
    """

    def __init__(self, cafile: str | None = None) -> None:
        self.handlers: dict[int, Handler] = {}
        self.wake: Callable[[int | None], None] | None = None
        self.turns = 0
        self.turned = 0  # when the last turn was over
        self._poller = poller()
        self._alarm = alarm()
        if self._alarm is not None:
            self.handlers[self._alarm.fileno()] = lambda _: None  # it has done its part: there is a turn
            self._poller.register(self._alarm.fileno(), READ)
        self._armed: int | None = None  # what the alarm is set to
        self._turning = False
        self._timers: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        self._soon: deque[Callable[[], None]] = deque()
        self._closing: list[socket] = []
        self._batch = FEWEST
        self._cafile = cafile
        self._tls: ssl.SSLContext | None = None
        self._known: dict[tuple[str, int], list[Target]] = {}

    def fileno(self) -> int:
        """The descriptor that turns readable when a turn has something to read or write."""
        return self._poller.fileno()

    def tls(self) -> ssl.SSLContext:
        """The one TLS context: certificates and host names are verified."""
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._cafile)
        return self._tls

    def resolve(self, host: str, port: int) -> list[Target]:
        """Where `host` is. Asked of the system once for a run, and that blocks: do it before the clock counts.

        Raises OSError if the name is not known.
        """
        key = (host, port)
        if key not in self._known:
            found = getaddrinfo(host, port, 0, SOCK_STREAM)
            self._known[key] = [(family, where) for family, _, _, _, where in found]
        return self._known[key]

    def add(self, sock: socket, mask: int, handler: Handler) -> None:
        """Call `handler(mask)` in each turn in which `sock` is ready for what `mask` asks."""
        self.handlers[sock.fileno()] = handler
        self._poller.register(sock.fileno(), mask)

    def change(self, sock: socket, mask: int, handler: Handler) -> None:
        self.handlers[sock.fileno()] = handler
        self._poller.modify(sock.fileno(), mask)

    def remove(self, sock: socket) -> None:
        """Forget `sock` now and close it after this turn, so that its number is not given away within the turn."""
        del self.handlers[sock.fileno()]
        self._poller.unregister(sock.fileno())
        self._closing.append(sock)
        self._arm()

    def at(self, due: int, callback: Callable[[int], None]) -> None:
        """Call `callback(due)` in the first turn that begins at `due` or later."""
        self._order += 1
        heappush(self._timers, (due, self._order, callback))
        if self._timers[0][0] == due:
            self._arm()

    def soon(self, callback: Callable[[], None]) -> None:
        """Call `callback()` in this turn after the events, or in the next one."""
        self._soon.append(callback)
        self._arm()

    def due(self) -> int | None:
        """When the next turn is needed even if no socket is ready (0: at once), or None if never."""
        if self._soon or self._closing:
            return 0
        return self._timers[0][0] if self._timers else None

    def run_once(self, timeout: float = 0.0) -> None:
        """One turn, waiting at most `timeout` seconds for something to do."""
        if timeout > 0:
            due = self.due()
            if due is not None:
                timeout = min(timeout, max(0.0, (due - perf_counter_ns()) / 1e9))
        events = self._poller.poll(timeout, self._batch)
        began = now = perf_counter_ns()
        self._turning = True
        try:
            self._see_to(events, began)
            while len(events) > MANY and (now := perf_counter_ns()) - began < SLICE:
                events = self._poller.poll(0.0, self._batch)
                self._see_to(events, now)
        finally:
            self._turning = False
            if self._closing:
                self._close_removed()
            self._arm()
        self.turns += 1
        self.turned = perf_counter_ns()
        if self.turned - now > TURN:
            self._batch = max(self._batch // 2, FEWEST)
        elif len(events) == self._batch:
            self._batch = min(self._batch * 2, MOST)

    def _see_to(self, events: list[tuple[int, int]], now: int) -> None:
        """These events, then what is due and what was put off."""
        handler_of = self.handlers.get
        for fd, mask in events:
            handler = handler_of(fd)
            if handler is not None:
                handler(mask)
        if self._timers and self._timers[0][0] <= now:
            self._run_timers(now)
        if self._soon:
            self._run_soon()

    def _run_timers(self, now: int) -> None:
        timers = self._timers
        for _ in range(self._batch):
            if not timers or timers[0][0] > now:
                return
            due, _, callback = heappop(timers)
            self._armed = STALE
            callback(due)

    def _run_soon(self) -> None:
        soon = self._soon
        for _ in range(min(len(soon), self._batch)):
            soon.popleft()()

    def _close_removed(self) -> None:
        for sock in self._closing:
            sock.close()
        self._closing.clear()

    def rearm(self) -> None:
        """Tell the alarm, or whoever serves as one, again."""
        self._armed = STALE
        self._arm()

    def _arm(self) -> None:
        """Set the alarm to the next thing due, if that changed. Within a turn: after it."""
        if self._turning:
            return
        due = self.due()
        if due == self._armed:
            return
        self._armed = due
        if self._alarm is not None:
            self._alarm.set(None if due is None else max(due, perf_counter_ns() + APART))
        elif self.wake is not None:
            self.wake(due)

    def run(self, until: Callable[[], bool], timeout: float = 60.0) -> None:
        """Turn until `until()` is true. Raises TimeoutError after `timeout` seconds."""
        end = perf_counter_ns() + int(timeout * 1e9)
        while not until():
            if perf_counter_ns() > end:
                raise TimeoutError(f"the loop waited {timeout} s in vain")
            self.run_once(0.05)

    def close(self) -> None:
        """Close what was removed, the alarm and the queue. Whoever has connections closes them before."""
        self._close_removed()
        if self._alarm is not None:
            os.close(self._alarm.fileno())
        self._poller.close()
