"""Open arrivals start when they are due or are counted as dropped; a stall moves no intended start."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import pytest

from loadtests import open_model as open_arrivals
from loadtests.engine.arrivals import SECOND, Plan
from loadtests.engine.health import Health
from loadtests.engine.loop import Loop
from loadtests.open_model import Conductor, open_model, plans


class Clock:
    """A loop and its time: turns when told."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self._timers: list[tuple[int, Callable[[int], None]]] = []

    def at(self, due: int, callback: Callable[[int], None]) -> None:
        self._timers.append((due, callback))

    def advance(self, seconds: float, step: float = 0.001) -> None:
        """Let time pass in turns of `step` seconds."""
        end = self.now + round(seconds * SECOND)
        while self.now < end:
            self.now += round(step * SECOND)
            due, self._timers = (
                [t for t in self._timers if t[0] <= self.now],
                [t for t in self._timers if t[0] > self.now],
            )
            for at, callback in due:
                callback(at)


class User:
    """Plays a journey of no length, or never ends it."""

    def __init__(self, conductor: Conductor, endless: bool = False, stopped: bool = False) -> None:
        self.played: deque[int] = deque()
        self._conductor, self._endless, self._stopped = conductor, endless, stopped

    def arrive(self, intended: int) -> bool:
        if self._stopped:
            return False
        self.played.append(intended)
        if not self._endless:
            self._conductor.rests(self)
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(open_arrivals, "perf_counter_ns", lambda: clock.now)
    return clock


def conducting(clock: Clock, plan: Plan) -> Conductor:
    return Conductor("Getflow", plan, clock, Health())  # type: ignore[arg-type] # all it asks of a loop


def joined(conductor: Conductor, **kind: bool) -> User:
    user = User(conductor, **kind)
    conductor.joins()
    conductor.ready(user)
    return user


def test_the_plan_begins_when_all_spawned_users_are_ready(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    first, second = User(conductor), User(conductor)
    conductor.joins()
    conductor.joins()
    conductor.ready(first)
    clock.advance(1)
    before = conductor.started
    conductor.ready(second)
    clock.advance(1)
    assert (before, conductor.started, conductor.dropped) == (0, 100, 0)


def test_a_user_that_never_gets_ready_holds_nobody_up(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    conductor.joins()
    user = joined(conductor)
    conductor.ready(None)
    clock.advance(1)
    assert len(user.played) == 100


def test_users_take_turns(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    users = [User(conductor) for _ in range(4)]
    for _ in users:
        conductor.joins()
    for user in users:
        conductor.ready(user)
    clock.advance(1)
    assert [len(user.played) for user in users] == [25] * 4


def test_a_stall_moves_no_intended_start(clock: Clock) -> None:
    conductor = conducting(clock, open_model(1000, "even"))
    user = joined(conductor)
    clock.advance(0.1)
    clock.advance(1.0, step=1.0)
    clock.advance(0.1)
    expected = [conductor.begun + offset for _, offset in zip(user.played, conductor.plan.instants(), strict=False)]
    assert (list(user.played), len(user.played)) == (expected, 1200)


def test_catching_up_does_not_keep_the_loop_from_its_turns(clock: Clock) -> None:
    conductor = conducting(clock, open_model(1000, "even"))
    user = joined(conductor)
    clock.advance(1.0, step=1.0)
    assert len(user.played) == open_arrivals.MOST_STARTS


def test_lateness_is_noted(clock: Clock) -> None:
    health = Health()
    conductor = Conductor("Getflow", open_model(1000, "even"), clock, health)  # type: ignore[arg-type] # all it asks
    joined(conductor)
    clock.advance(0.05, step=0.05)
    health.turn(0)
    assert (health.lateness.count, health.lateness.max) == (50, 49_500_000)


def test_an_arrival_that_finds_nobody_idle_is_dropped_and_never_made_up_for(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    joined(conductor, endless=True)
    clock.advance(1)
    late = joined(conductor)
    clock.advance(1)
    assert (len(late.played), conductor.started, conductor.dropped) == (100, 101, 99)


def test_a_user_that_has_stopped_is_passed_over(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    conductor.joins()
    conductor.joins()
    conductor.ready(User(conductor, stopped=True))
    user = User(conductor)
    conductor.ready(user)
    clock.advance(1)
    assert (len(user.played), conductor.dropped) == (100, 0)


def test_shares_of_workers_make_up_the_plan(clock: Clock) -> None:
    conductors = [conducting(clock, open_model([(0, 10), (4, 200)])) for _ in range(3)]
    users = []
    for index, conductor in enumerate(conductors):
        conductor.share(index, 3)
        users.append(joined(conductor))
    clock.advance(4)
    played = sorted(at - conductors[0].begun for user in users for at in user.played)
    planned = [at for at, _ in zip(conductors[0].plan.instants(), played, strict=False)]
    assert (played, len(played) > 300) == (planned, True)


def test_another_rate_counts_from_now(clock: Clock) -> None:
    conductor = conducting(clock, open_model(10, "even"))
    user = joined(conductor)
    clock.advance(2)
    conductor.change(open_model([(0, 0), (2, 100)], "even"))
    clock.advance(2)
    assert (len(user.played), round(conductor.planned())) == (20 + 100, 120)


def test_nothing_starts_once_halted(clock: Clock) -> None:
    conductor = conducting(clock, open_model(100, "even"))
    user = joined(conductor)
    clock.advance(1)
    conductor.halt()
    clock.advance(1)
    assert (len(user.played), round(conductor.planned())) == (100, 100)


def test_who_joins_late_plays_what_is_left_of_the_plan(clock: Clock) -> None:
    plan = open_model([(0, 0), (4, 100)], "even")
    conductor = Conductor("Getflow", plan, clock, Health(), age=2 * SECOND)  # type: ignore[arg-type] # all it asks
    user = joined(conductor)
    clock.advance(2)
    assert (len(user.played), conductor.dropped, round(conductor.planned())) == (150, 0, 200)


class Reader:
    weight = 3
    arrivals = None


class Writer:
    weight = 1
    arrivals = open_model(40)


def test_a_rate_is_shared_out_by_weight() -> None:
    found = plans([Reader, Writer], rate="200", kind="even")
    assert {name: plan.points for name, plan in found.items()} == {"Reader": ((0.0, 150.0),), "Writer": ((0.0, 50.0),)}


def test_without_a_rate_classes_have_their_own_plans() -> None:
    assert {name: plan.points for name, plan in plans([Reader, Writer]).items()} == {"Writer": ((0.0, 40.0),)}


def test_two_classes_do_not_arrive_together() -> None:
    reader, writer = plans([Reader, Writer], rate="200").values()
    scaled = [at * 3 for at, _ in zip(reader.instants(), range(50), strict=False)]
    assert scaled != [at for at, _ in zip(writer.instants(), range(50), strict=False)]


def test_a_conductor_on_the_real_loop_is_on_time() -> None:
    """Bounded by the machine, not by the code: half of the starts within 20 ms even on a busy one."""
    loop, health = Loop(), Health()
    conductor = Conductor("Getflow", open_model(500, "even"), loop, health)
    joined(conductor)
    end = time.monotonic() + 20
    loop.run(lambda: conductor.started >= 100 or time.monotonic() > end)
    loop.close()
    health.turn(0)
    assert (conductor.started >= 100, health.lateness.percentile(50) < 20_000_000) == (True, True)
