"""The system's readiness queue: epoll, or kqueue behind the same methods.

gevent's patching removes `select.epoll` and replaces the selectors by its own, so the originals are used.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol

READ, WRITE = 1, 4  # EPOLLIN and EPOLLOUT; errors and hang-ups are always reported


class Poller(Protocol):
    """The part of a readiness queue that the loop uses; masks are those of epoll, level-triggered."""

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def modify(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...
    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


def _select(name: str) -> Any:
    """Python's own `select.<name>`, even after gevent patched the module; None where the system has none."""
    gevent = sys.modules.get("gevent.monkey")
    try:
        return gevent.get_original("select", name) if gevent else getattr(importlib.import_module("select"), name)
    except AttributeError:
        return None


def poller() -> Poller:
    """The best queue of this system. Raises OSError where there is neither epoll nor kqueue (Windows)."""
    if epoll := _select("epoll"):
        queue: Poller = epoll()
        return queue
    if kqueue := _select("kqueue"):
        return Kqueue(kqueue(), _select("kevent"))
    raise OSError("the load engine needs epoll (Linux) or kqueue (macOS, BSD); run it in a container or under WSL")


class Kqueue:
    """kqueue with the methods of epoll: one filter to read and one to write for each descriptor."""

    FILTERS = ((READ, -1), (WRITE, -2))  # EVFILT_READ, EVFILT_WRITE
    ADD, DELETE = 0x1, 0x2  # EV_ADD, EV_DELETE

    def __init__(self, queue: Any, kevent: Any) -> None:
        self._queue = queue
        self._kevent = kevent
        self._masks: dict[int, int] = {}
        self.fileno = queue.fileno
        self.close = queue.close

    def register(self, fd: int, eventmask: int, /) -> None:
        self._masks[fd] = 0
        self.modify(fd, eventmask)

    def modify(self, fd: int, eventmask: int, /) -> None:
        previous = self._masks[fd]
        changes = [
            self._kevent(fd, name, self.ADD if eventmask & bit else self.DELETE)
            for bit, name in self.FILTERS
            if (previous ^ eventmask) & bit
        ]
        self._masks[fd] = eventmask
        if changes:
            self._queue.control(changes, 0, 0)

    def unregister(self, fd: int, /) -> None:
        self.modify(fd, 0)
        del self._masks[fd]

    def poll(self, timeout: float, maxevents: int, /) -> list[tuple[int, int]]:
        bits = {name: bit for bit, name in self.FILTERS}
        wait = None if timeout < 0 else timeout
        return [(event.ident, bits[event.filter]) for event in self._queue.control(None, maxevents, wait)]
