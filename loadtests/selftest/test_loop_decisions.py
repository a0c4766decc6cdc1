"""What the event loop handles when, and what it sets its timer to: with a scripted poller, timer and clock."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fixtures import network_guard
from loadtests.engine import loop as looping
from loadtests.engine import resolver
from loadtests.engine.loop import BUSY, MAX_EVENTS, MIN_EVENTS, MIN_TIMER_DELAY, UNKNOWN_DUE, Loop
from loadtests.engine.poller import READ, WRITE

TIMER = 9  # file descriptor


class Poller:
    """Returns the scripted events; remembers what is registered, and each call of `poll`."""

    def __init__(self) -> None:
        self.script: list[list[tuple[int, int]]] = []
        self.polls: list[tuple[float, int]] = []
        self.masks: dict[int, int] = {}
        self.is_closed = False

    def register(self, fd: int, mask: int) -> None:
        assert fd not in self.masks
        self.masks[fd] = mask

    def modify(self, fd: int, mask: int) -> None:
        assert fd in self.masks
        self.masks[fd] = mask

    def unregister(self, fd: int) -> None:
        del self.masks[fd]

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        self.polls.append((timeout, most))
        return self.script.pop(0) if self.script else []

    def fileno(self) -> int:
        return 3

    def close(self) -> None:
        self.is_closed = True


class Timer:
    """Remembers what it is set to."""

    def __init__(self) -> None:
        self.times: list[int | None] = []

    def fileno(self) -> int:
        return TIMER

    def set(self, when: int | None) -> None:
        self.times.append(when)


class Socket:
    """Has a number, until it is closed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number

    def close(self) -> None:
        self.number = -1


class Scripted:
    """A loop, what it works with, and its clock (ns)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, has_timer: bool) -> None:
        self.poller, self.timer, self.now = Poller(), Timer(), 1_000_000
        monkeypatch.setattr(looping, "poller", lambda: self.poller)
        monkeypatch.setattr(looping, "create_timer", lambda: self.timer if has_timer else None)
        monkeypatch.setattr(looping, "perf_counter_ns", lambda: self.now)
        self.loop = Loop()

    def pass_time(self, nanoseconds: int) -> None:
        self.now += nanoseconds


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return Scripted(monkeypatch, has_timer=True)


@pytest.fixture
def without_timer(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return Scripted(monkeypatch, has_timer=False)


# ------------------------------------------------------------------------------------------------ sockets


def test_loop_waits_for_its_timer_and_sets_it_to_nothing(scripted: Scripted) -> None:
    loop = scripted.loop
    assert (scripted.poller.masks, scripted.timer.times, loop.fileno()) == ({TIMER: READ}, [], 3)
    assert (loop.iterations, loop.iteration_ended, loop.wake, loop.next_deadline()) == (0, 0, None, None)
    assert loop.held == 0
    scripted.poller.script = [[(TIMER, READ)]]
    loop.run_once()  # its handler does nothing
    assert (loop.iterations, loop.iteration_ended, scripted.timer.times) == (1, 1_000_000, [])


def test_socket_is_handled_when_it_is_ready(scripted: Scripted) -> None:
    handled: list[Any] = []
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda mask: handled.append(("first", mask)))
    assert scripted.poller.masks[4] == READ
    scripted.poller.script = [[(4, READ), (5, READ)], [(4, WRITE)]]
    scripted.loop.run_once()
    scripted.loop.modify(sock, WRITE, lambda mask: handled.append(("second", mask)))
    assert scripted.poller.masks[4] == WRITE
    scripted.loop.run_once()
    assert handled == [("first", READ), ("second", WRITE)]


def test_unregistered_socket_is_closed_after_an_iteration_that_begins_at_once(scripted: Scripted) -> None:
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: None)
    scripted.loop.unregister(sock)
    assert (scripted.poller.masks, sock.number, scripted.loop.next_deadline()) == ({TIMER: READ}, 4, 0)
    assert (list(scripted.loop.handlers), scripted.timer.times) == ([TIMER], [1_000_000 + MIN_TIMER_DELAY])
    scripted.loop.run_once(10.0)
    assert (sock.number, scripted.poller.polls) == (-1, [(0.0, MIN_EVENTS)])
    assert (scripted.loop.next_deadline(), scripted.timer.times[-1]) == (None, None)


def test_addresses_of_a_host_are_looked_up_and_admitted_once(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[Any] = []
    admitted: list[Any] = []

    def getaddrinfo(*arguments: Any) -> list[Any]:
        lookups.append(arguments)
        return [(2, 1, 6, "", ("127.0.0.1", 80)), (10, 1, 6, "", ("::1", 80, 0, 0))]

    monkeypatch.setattr(resolver, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(network_guard, "admit", lambda host, port, those: admitted.append((host, port, list(those))))
    for _ in range(2):
        assert scripted.loop.resolve("h", 80) == [(2, ("127.0.0.1", 80)), (10, ("::1", 80, 0, 0))]
    assert lookups == [("h", 80, 0, resolver.SOCK_STREAM)]
    assert admitted == [("h", 80, ["127.0.0.1", "::1"])]
    scripted.loop.resolve("h", 81)
    assert len(lookups) == 2


# ------------------------------------------------------------------------------------------------ timers


def test_timer_is_set_to_the_next_deadline_when_that_changes(scripted: Scripted) -> None:
    loop, later = scripted.loop, 1_000_000 + MIN_TIMER_DELAY
    for when in (later + 20, later + 30, later + 20, later + 10, 7):
        loop.call_at(when, lambda _: None)
    assert scripted.timer.times == [later + 20, later + 10, later]
    assert loop.next_deadline() == 7


def test_calls_happen_at_their_times_in_order(scripted: Scripted) -> None:
    ran: list[Any] = []
    for name, when in (("c", 1_000_001), ("a", 999_999), ("b", 1_000_000), ("B", 1_000_000)):
        scripted.loop.call_at(when, lambda when, name=name: ran.append((name, when)))  # type: ignore[misc]
    scripted.loop.run_once()
    assert ran == [("a", 999_999), ("b", 1_000_000), ("B", 1_000_000)]
    assert scripted.loop.next_deadline() == 1_000_001


def test_fired_timer_is_set_again_also_to_the_same_time(scripted: Scripted) -> None:
    later = 2_000_000
    scripted.loop.call_at(later, lambda _: None)
    scripted.loop.call_at(later, lambda _: None)
    scripted.loop._max_events = 1
    scripted.now = later - MIN_TIMER_DELAY
    scripted.loop.run_once()
    assert scripted.timer.times == [later]
    scripted.now = later
    scripted.loop.run_once()
    assert scripted.timer.times == [later, later + MIN_TIMER_DELAY]
    scripted.loop.rearm()
    assert (len(scripted.timer.times), scripted.loop._timer_due) == (3, later)


def test_within_an_iteration_the_timer_is_set_once(scripted: Scripted) -> None:
    def schedule() -> None:
        for when in (9_000_000, 8_000_000):
            scripted.loop.call_at(when, lambda _: None)

    scripted.loop.call_soon(schedule)
    scripted.loop.run_once()
    assert scripted.timer.times == [1_000_000 + MIN_TIMER_DELAY, 8_000_000]


def test_without_timer_wake_gets_the_deadline(without_timer: Scripted) -> None:
    loop, wakes = without_timer.loop, list[int | None]()
    assert (loop.handlers, without_timer.poller.masks, loop._timer_due) == ({}, {}, None)
    loop.call_at(5, lambda _: None)
    loop.wake = wakes.append
    loop.rearm()
    loop.run_once()
    assert (wakes, loop._timer_due) == ([5, None], None)
    loop.rearm()
    assert wakes == [5, None, None]


def test_deferred_calls_happen_in_an_iteration_of_then(scripted: Scripted) -> None:
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        scripted.loop.call_soon(lambda: ran.append("third"))

    scripted.loop.call_soon(first)
    scripted.loop.call_soon(lambda: ran.append("second"))
    assert (scripted.loop.next_deadline(), ran) == (0, [])
    scripted.loop.run_once(5.0)
    assert (ran, scripted.poller.polls) == (["first", "second"], [(0.0, MIN_EVENTS)])
    scripted.loop.run_once()
    assert (ran, scripted.loop.next_deadline()) == (["first", "second", "third"], None)


def test_deferred_calls_beyond_the_events_of_an_iteration_wait(scripted: Scripted) -> None:
    ran: list[int] = []
    for number in range(MIN_EVENTS + 1):
        scripted.loop.call_soon(lambda number=number: ran.append(number))  # type: ignore[misc]
    scripted.loop.run_once()
    assert len(ran) == MIN_EVENTS


# ------------------------------------------------------------------------------------------------ iterations


@pytest.mark.parametrize(
    ("timeout", "when", "waits"),
    [
        (2.0, None, 2.0),
        (2.0, 1_001_000_000, 1.0),
        (0.5, 1_001_000_000, 0.5),
        (0.5, 101_000_000, 0.1),
        (2.0, 1_000, 0.0),
        (1.0, 1_501_000_000, 1.0),
        (0.0, 1_001_000_000, 0.0),
        (-1.0, 1_001_000_000, -1.0),
    ],
)
def test_iteration_waits_until_its_timeout_or_deadline(
    scripted: Scripted, timeout: float, when: int | None, waits: float
) -> None:
    if when is not None:
        scripted.loop.call_at(when, lambda _: None)
    scripted.loop.run_once(timeout)
    assert scripted.poller.polls == [(waits, MIN_EVENTS)]


def test_iteration_does_not_wait_unless_it_is_to(scripted: Scripted) -> None:
    scripted.loop.run_once()
    assert scripted.poller.polls == [(0.0, MIN_EVENTS)]


@pytest.mark.parametrize(
    ("events", "nanoseconds", "polls"),
    [
        (BUSY, 0, 1),
        (BUSY + 1, 0, 3),
        (BUSY + 2, looping.ITERATION_SLICE // (BUSY + 2) - 1, 2),
        (BUSY + 1, looping.ITERATION_SLICE, 1),
        (BUSY + 2, looping.ITERATION_SLICE // (BUSY + 2), 1),
    ],
)
def test_busy_iteration_polls_again_until_its_time_is_over(
    scripted: Scripted, events: int, nanoseconds: int, polls: int
) -> None:
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: scripted.pass_time(nanoseconds))
    scripted.poller.script = [[(4, READ)] * events] * 2
    scripted.loop.run_once(7.0)
    assert scripted.poller.polls == [(7.0, MIN_EVENTS), (0.0, MIN_EVENTS), (0.0, MIN_EVENTS)][:polls]


def test_time_that_passes_in_a_busy_iteration_counts_for_its_timers(scripted: Scripted) -> None:
    fired: list[int] = []
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: scripted.pass_time(10))
    scripted.loop.call_at(1_000_050, fired.append)
    scripted.poller.script = [[(4, READ)] * (BUSY + 1)]
    scripted.loop.run_once()
    assert (fired, scripted.loop.iteration_ended) == ([1_000_050], 1_000_090)


@pytest.mark.parametrize(
    ("most", "events", "nanoseconds", "then"),
    [
        (MIN_EVENTS, MIN_EVENTS, 0, 2 * MIN_EVENTS),
        (MIN_EVENTS, MIN_EVENTS - 1, 0, MIN_EVENTS),
        (MAX_EVENTS, MAX_EVENTS, 0, MAX_EVENTS),
        (MAX_EVENTS - 12, MAX_EVENTS - 12, 0, MAX_EVENTS),
        (64, 1, looping.LONG_ITERATION, 64),
        (64, 1, looping.LONG_ITERATION + 1, 32),
        (MIN_EVENTS + 2, 1, looping.LONG_ITERATION + 1, MIN_EVENTS),
        (65, 1, looping.LONG_ITERATION + 1, 32),
    ],
)
def test_long_iterations_take_fewer_events_and_full_ones_more(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, most: int, events: int, nanoseconds: int, then: int
) -> None:
    monkeypatch.setattr(looping, "ITERATION_SLICE", 0)
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: scripted.pass_time(nanoseconds))
    scripted.loop._max_events = most
    scripted.poller.script = [[(4, READ)] * events]
    scripted.loop.run_once()
    assert scripted.loop._max_events == then
    assert isinstance(scripted.loop._max_events, int)


def test_timers_beyond_the_events_of_an_iteration_wait(scripted: Scripted) -> None:
    fired: list[int] = []
    for _ in range(MIN_EVENTS + 1):
        scripted.loop.call_at(5, fired.append)
    scripted.loop.run_once()
    assert (len(fired), scripted.loop.next_deadline()) == (MIN_EVENTS, 5)


def test_loop_goes_on_after_a_handler_that_raises(scripted: Scripted) -> None:
    socks: list[Any] = [Socket(4), Socket(5)]

    def broken(_: int) -> None:
        scripted.loop.unregister(socks[1])
        raise LookupError

    scripted.loop.register(socks[0], READ, broken)
    scripted.loop.register(socks[1], READ, lambda _: None)
    scripted.poller.script = [[(4, READ)]]
    with pytest.raises(LookupError):
        scripted.loop.run_once()
    assert (socks[1].number, scripted.loop.iterations) == (-1, 0)
    scripted.loop.call_at(5_000_000, lambda _: None)
    assert scripted.timer.times[-1] == 5_000_000


def test_loop_runs_until_a_condition(scripted: Scripted) -> None:
    scripted.loop.run(lambda: scripted.loop.iterations == 3)
    assert scripted.poller.polls == [(0.05, MIN_EVENTS)] * 3


@pytest.mark.parametrize(("timeout", "message"), [((), "within 60.0 s"), ((2.0,), "within 2.0 s")])
def test_loop_runs_at_most_for_its_timeout(scripted: Scripted, timeout: tuple[float, ...], message: str) -> None:
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: scripted.pass_time(1_000_000_000))
    scripted.poller.script = [[(4, READ)]] * 200
    with pytest.raises(TimeoutError, match=message):
        scripted.loop.run(lambda: False, *timeout)
    assert scripted.loop.iterations == (timeout or (60.0,))[0] + 1


def test_closed_loop_closes_sockets_timer_and_poller(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    sock: Any = Socket(4)
    scripted.loop.register(sock, READ, lambda _: None)
    scripted.loop.unregister(sock)
    scripted.loop.close()
    assert (sock.number, closed, scripted.poller.is_closed) == (-1, [TIMER], True)


def test_time_of_a_timer_that_fires_is_unknown_until_it_is_set(scripted: Scripted) -> None:
    seen: list[int | None] = []
    scripted.loop.call_at(5, lambda _: seen.append(scripted.loop._timer_due))
    scripted.loop.run_once()
    assert (seen, scripted.loop._timer_due) == ([UNKNOWN_DUE], None)
