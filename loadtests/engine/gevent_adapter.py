"""Runs the event loop inside gevent's hub, beside Locust's greenlets: one watcher on the loop's descriptor.

An iteration runs in the hub and is bounded, so that greenlets get their share of the thread between two iterations.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import gevent

from loadtests.engine.loop import Loop


class GeventAdapter:
    """A loop that gevent runs whenever it has something to do, until `detach`."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._hub = gevent.get_hub()
        self._watcher = self._hub.loop.io(loop.fileno(), 1)
        self._timer: Any = None
        loop.wake = self._wake
        self._watcher.start(loop.run_once)
        loop.rearm()

    def detach(self) -> None:
        """Stop running the loop in the hub; the loop itself stays as it is."""
        self._loop.wake = None
        self._wake(None)
        self._watcher.stop()
        self._watcher.close()

    def _wake(self, when: int | None) -> None:
        """Set gevent's timer, precise to a millisecond, for a loop without a timer of its own."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
        if when is not None:
            self._timer = self._hub.loop.timer(max(0.0, (when - perf_counter_ns()) / 1e9))
            self._timer.start(self._loop.run_once)


def attach(loop: Loop) -> GeventAdapter:
    """Run `loop` in gevent's hub of this thread."""
    return GeventAdapter(loop)
