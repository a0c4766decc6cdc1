"""What the adapter asks of gevent's hub: with a hub that only remembers."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from loadtests.engine import gevent_adapter
from loadtests.engine.gevent_adapter import attach


class Watcher:
    """A watcher of gevent; `arguments` are those it was made with."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.events: list[Any] = []

    def start(self, callback: Any) -> None:
        self.events.append(callback)

    def stop(self) -> None:
        self.events.append("stop")

    def close(self) -> None:
        self.events.append("close")


class Hub:
    """Makes watchers; is its own `loop`."""

    def __init__(self) -> None:
        self.loop = self
        self.sockets: list[Watcher] = []
        self.timers: list[Watcher] = []

    def io(self, *arguments: int) -> Watcher:
        self.sockets.append(Watcher(*arguments))
        return self.sockets[-1]

    def timer(self, *arguments: float) -> Watcher:
        self.timers.append(Watcher(*arguments))
        return self.timers[-1]


class Loop:
    """A loop whose descriptor is 3; it wakes when it is armed again, as one without a timer."""

    def __init__(self) -> None:
        self.wake: Any = None
        self.events: list[str] = []

    def fileno(self) -> int:
        return 3

    def run_once(self) -> None: ...

    def rearm(self) -> None:
        self.events.append("rearm")
        self.wake(None)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(gevent, "get_hub", lambda: hub)
    monkeypatch.setattr(gevent_adapter, "perf_counter_ns", lambda: 1_000_000_000)
    return hub


def test_hub_runs_the_loop_when_its_descriptor_is_readable(hub: Hub) -> None:
    loop: Any = Loop()
    attach(loop)
    (watcher,) = hub.sockets
    assert (watcher.arguments, watcher.events, hub.timers) == ((3, 1), [loop.run_once], [])
    assert loop.events == ["rearm"]


@pytest.mark.parametrize(("when", "seconds"), [(3_500_000_000, 2.5), (1_000_000_500, 5e-7), (0, 0.0)])
def test_deadline_is_a_timer_of_the_hub(hub: Hub, when: int, seconds: float) -> None:
    loop: Any = Loop()
    attach(loop)
    loop.wake(when)
    (timer,) = hub.timers
    assert (timer.arguments, timer.events) == ((seconds,), [loop.run_once])


def test_timer_is_replaced_and_removed(hub: Hub) -> None:
    loop: Any = Loop()
    attach(loop)
    for when in (2_000_000_000, 3_000_000_000, None, None):
        loop.wake(when)
    assert [timer.events for timer in hub.timers] == [[loop.run_once, "stop", "close"]] * 2


def test_detached_hub_leaves_the_loop_alone(hub: Hub) -> None:
    loop: Any = Loop()
    adapter = attach(loop)
    loop.wake(2_000_000_000)
    adapter.detach()
    assert loop.wake is None
    assert [watcher.events[1:] for watcher in (*hub.sockets, *hub.timers)] == [["stop", "close"]] * 2
