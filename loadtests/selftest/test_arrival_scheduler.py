"""Open arrivals start at their intended time or are counted as dropped; a stall moves no intended start."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import pytest

from loadtests.engine.arrival_plan import SECOND, ArrivalPlan
from loadtests.engine.health import GeneratorHealth
from loadtests.engine.loop import Loop
from loadtests.profiles import arrival_scheduler
from loadtests.profiles.arrival_scheduler import ArrivalScheduler, arrival_plans, open_model


class Clock:
    """A loop and its time, which advances when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self._timers: list[tuple[int, Callable[[int], None]]] = []

    def call_at(self, when: int, callback: Callable[[int], None]) -> None:
        self._timers.append((when, callback))

    def advance(self, seconds: float, step: float = 0.001) -> None:
        """Let time pass in steps of `step` seconds."""
        end = self.now + round(seconds * SECOND)
        while self.now < end:
            self.now += round(step * SECOND)
            due_timers, self._timers = (
                [t for t in self._timers if t[0] <= self.now],
                [t for t in self._timers if t[0] > self.now],
            )
            for at, callback in due_timers:
                callback(at)


class User:
    """Runs journeys of no length, or never ends one."""

    def __init__(self, scheduler: ArrivalScheduler, endless: bool = False, stopped: bool = False) -> None:
        self.started: deque[int] = deque()
        self._scheduler, self._endless, self._stopped = scheduler, endless, stopped

    def start_journey(self, intended: int) -> bool:
        if self._stopped:
            return False
        self.started.append(intended)
        if not self._endless:
            self._scheduler.user_idle(self)
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(arrival_scheduler, "perf_counter_ns", lambda: clock.now)
    return clock


def scheduler_for(clock: Clock, plan: ArrivalPlan) -> ArrivalScheduler:
    return ArrivalScheduler("Getflow", plan, clock, GeneratorHealth())  # type: ignore[arg-type] # all it asks of a loop


def joined(scheduler: ArrivalScheduler, **kind: bool) -> User:
    user = User(scheduler, **kind)
    scheduler.user_spawned()
    scheduler.user_ready(user)
    return user


def test_the_plan_begins_when_all_spawned_users_are_ready(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    first, second = User(scheduler), User(scheduler)
    scheduler.user_spawned()
    scheduler.user_spawned()
    scheduler.user_ready(first)
    clock.advance(1)
    before = scheduler.started
    scheduler.user_ready(second)
    clock.advance(1)
    assert (before, scheduler.started, scheduler.dropped) == (0, 100, 0)


def test_a_plan_that_awaits_spawning_begins_when_all_users_are_spawned(clock: Clock) -> None:
    plan = open_model(100, "even")
    scheduler = ArrivalScheduler("Getflow", plan, clock, GeneratorHealth(), awaits_spawning=True)  # type: ignore[arg-type] # all it asks
    joined(scheduler, endless=True)
    clock.advance(1)
    for _ in range(199):
        joined(scheduler, endless=True)
    scheduler.all_spawned()
    clock.advance(1)
    assert (scheduler.started, scheduler.dropped) == (100, 0)


def test_drops_before_all_users_are_spawned_are_counted_apart(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    joined(scheduler, endless=True)
    clock.advance(1)
    scheduler.all_spawned()
    clock.advance(1)
    assert (scheduler.dropped, scheduler.dropped_while_spawning) == (199, 99)


def test_a_user_that_never_gets_ready_delays_no_other(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    scheduler.user_spawned()
    user = joined(scheduler)
    scheduler.user_ready(None)
    clock.advance(1)
    assert len(user.started) == 100


def test_users_are_used_in_round_robin(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    users = [User(scheduler) for _ in range(4)]
    for _ in users:
        scheduler.user_spawned()
    for user in users:
        scheduler.user_ready(user)
    clock.advance(1)
    assert [len(user.started) for user in users] == [25] * 4


def test_a_stall_moves_no_intended_start(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(1000, "even"))
    user = joined(scheduler)
    clock.advance(0.1)
    clock.advance(1.0, step=1.0)
    clock.advance(0.1)
    expected = [
        scheduler.began + offset for _, offset in zip(user.started, scheduler.plan.arrival_times(), strict=False)
    ]
    assert (list(user.started), len(user.started)) == (expected, 1200)


def test_catching_up_leaves_the_loop_its_iterations(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(1000, "even"))
    user = joined(scheduler)
    clock.advance(1.0, step=1.0)
    assert len(user.started) == arrival_scheduler.MAX_STARTS


def test_start_delays_are_recorded(clock: Clock) -> None:
    health = GeneratorHealth()
    scheduler = ArrivalScheduler("Getflow", open_model(1000, "even"), clock, health)  # type: ignore[arg-type] # all it asks
    joined(scheduler)
    clock.advance(0.05, step=0.05)
    health.record_delays(0)
    assert (health.start_delay_histogram.count, health.start_delay_histogram.max) == (50, 49_500_000)


def test_an_arrival_that_finds_no_idle_user_is_dropped_for_good(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    joined(scheduler, endless=True)
    clock.advance(1)
    late = joined(scheduler)
    clock.advance(1)
    assert (len(late.started), scheduler.started, scheduler.dropped) == (100, 101, 99)


def test_a_user_that_has_stopped_is_passed_over(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    scheduler.user_spawned()
    scheduler.user_spawned()
    scheduler.user_ready(User(scheduler, stopped=True))
    user = User(scheduler)
    scheduler.user_ready(user)
    clock.advance(1)
    assert (len(user.started), scheduler.dropped) == (100, 0)


def test_shares_of_workers_make_up_the_plan(clock: Clock) -> None:
    schedulers = [scheduler_for(clock, open_model([(0, 10), (4, 200)], "even")) for _ in range(3)]
    users = []
    for index, scheduler in enumerate(schedulers):
        scheduler.set_share(index, 3)
        users.append(joined(scheduler))
    clock.advance(4)
    started = sorted(at - schedulers[0].began for user in users for at in user.started)
    planned = [at for at, _ in zip(schedulers[0].plan.arrival_times(), started, strict=False)]
    assert (started, len(started) > 300) == (planned, True)


def test_another_share_counts_from_now(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    user = joined(scheduler)
    clock.advance(1)
    scheduler.set_share(1, 4)
    clock.advance(1)
    assert (len(user.started), round(scheduler.planned())) == (100 + 25, 200)


def test_another_share_loses_no_arrival_that_is_due(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    user = joined(scheduler)
    clock.advance(1)
    clock.now += SECOND
    scheduler.set_share(0, 2)
    clock.advance(1)
    assert len(user.started) == 100 + 100


@pytest.mark.parametrize("halted", [False, True])
def test_a_share_before_the_begin_or_after_the_end_starts_nothing(clock: Clock, halted: bool) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    user = User(scheduler)
    if halted:
        user = joined(scheduler)
        scheduler.halt()
    scheduler.set_share(0, 2)
    clock.advance(1)
    assert (len(user.started), scheduler.dropped) == (0, 0)


def test_another_rate_counts_from_now(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(10, "even"))
    user = joined(scheduler)
    clock.advance(2)
    scheduler.change_plan(open_model([(0, 0), (2, 100)], "even"))
    clock.advance(2)
    assert (len(user.started), round(scheduler.planned())) == (20 + 100, 120)


def test_nothing_starts_after_halt(clock: Clock) -> None:
    scheduler = scheduler_for(clock, open_model(100, "even"))
    user = joined(scheduler)
    clock.advance(1)
    scheduler.halt()
    clock.advance(1)
    assert (len(user.started), round(scheduler.planned())) == (100, 100)


def test_a_late_process_starts_the_rest_of_the_plan(clock: Clock) -> None:
    plan = open_model([(0, 0), (4, 100)], "even")
    scheduler = ArrivalScheduler("Getflow", plan, clock, GeneratorHealth(), age=2 * SECOND)  # type: ignore[arg-type] # all it asks
    user = joined(scheduler)
    clock.advance(2)
    assert (len(user.started), scheduler.dropped, round(scheduler.planned())) == (150, 0, 200)


class Reader:
    weight = 3
    arrivals = None


class Writer:
    weight = 1
    arrivals = open_model(40)


def test_a_rate_is_shared_out_by_weight() -> None:
    plans = arrival_plans([Reader, Writer], rate="200", kind="even")
    assert {name: plan.points for name, plan in plans.items()} == {"Reader": ((0.0, 150.0),), "Writer": ((0.0, 50.0),)}


def test_without_a_rate_classes_have_their_own_plans() -> None:
    assert {name: plan.points for name, plan in arrival_plans([Reader, Writer]).items()} == {"Writer": ((0.0, 40.0),)}


def test_two_classes_do_not_arrive_together() -> None:
    reader, writer = arrival_plans([Reader, Writer], rate="200").values()
    scaled = [at * 3 for at, _ in zip(reader.arrival_times(), range(50), strict=False)]
    assert scaled != [at for at, _ in zip(writer.arrival_times(), range(50), strict=False)]


def test_a_scheduler_on_the_real_loop_is_on_time() -> None:
    """Bounded by the machine, not by the code: half of the starts within 20 ms even on a busy one."""
    loop, health = Loop(), GeneratorHealth()
    scheduler = ArrivalScheduler("Getflow", open_model(500, "even"), loop, health)
    joined(scheduler)
    end = time.monotonic() + 20
    loop.run(lambda: scheduler.started >= 100 or time.monotonic() > end)
    loop.close()
    health.record_delays(0)
    assert (scheduler.started >= 100, health.start_delay_histogram.percentile(50) < 20_000_000) == (True, True)
