"""The loop inside gevent's hub, beside Locust's greenlets: one watcher on the loop's descriptor.

A turn runs in the hub and is bounded, so greenlets get their share of the thread between two turns.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import gevent

from loadtests.engine.loop import Loop


class Attached:
    """A loop that turns whenever gevent finds something for it to do, until `detach`."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(loop.fileno(), 1)
        self._timer: Any = None
        loop.wake = self._wake
        self._watcher.start(loop.run_once)
        loop.rearm()

    def detach(self) -> None:
        """Let the hub forget the loop, which stays as it is."""
        self._loop.wake = None
        self._wake(None)
        self._watcher.stop()
        self._watcher.close()

    def _wake(self, due: int | None) -> None:
        """Where the loop has no alarm of its own, gevent's timer serves, to a millisecond."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        if due is not None:
            self._timer = self._hub.loop.timer(max(0.0, (due - perf_counter_ns()) / 1e9))
            self._timer.start(self._loop.run_once)


def attach(loop: Loop) -> Attached:
    """Let gevent's hub of this thread turn `loop`."""
    return Attached(loop)
