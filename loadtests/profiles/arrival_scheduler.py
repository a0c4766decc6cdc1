"""Starts open arrivals: journeys that begin when the plan says, whether or not earlier ones have ended.

Only an idle user of the class can start a journey, so `--users` bounds how many journeys run at once. An arrival that
finds no idle user is dropped: it is counted and shown, and never started late, which would change the plan.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter_ns
from typing import Protocol

from loadtests.engine.arrival_plan import ALL_ARRIVALS, KINDS, ArrivalPlan, RatePoint, Share, parse_rates
from loadtests.engine.health import GeneratorHealth
from loadtests.engine.loop import Loop

MAX_STARTS = (
    64  # in one iteration of the loop, so that catching up after a stall does not keep responses from being read
)

SECOND = 1_000_000_000
NEVER = 1 << 62

logger = logging.getLogger(__name__)


def open_model(rate: float | Sequence[RatePoint], kind: str = "poisson", seed: int | str = 1) -> ArrivalPlan:
    """A plan for `arrivals` of a user class.

    rate: journeys a second, of all workers together, or points (seconds, rate) joined by straight lines; kind:
    `poisson`, as independent users arrive, or `even`. Raises ValueError for an invalid plan.
    """
    return ArrivalPlan.from_rates(rate, kind, str(seed))


class ArrivingUser(Protocol):
    """A user that waits for an arrival."""

    def start_journey(self, intended: int) -> bool:
        """Start a journey whose intended start is `intended` (ns); False from a user that has stopped."""


class UserClass(Protocol):
    """The attributes of a class of users that the plans use."""

    __name__: str
    weight: float
    arrivals: ArrivalPlan | None


def arrival_plans(
    classes: Iterable[UserClass], rate: str = "", kind: str = KINDS[0], seed: int | str = 1
) -> dict[str, ArrivalPlan]:
    """The plan of each class, by its name: its share of `rate` by weight, or without a rate its own `arrivals`.

    Raises ValueError for an invalid rate.
    """
    user_classes = list(classes)
    if not rate:
        own = {user_class.__name__: user_class.arrivals for user_class in user_classes}
        return {name: _seeded(plan, name) for name, plan in own.items() if plan is not None}
    total = ArrivalPlan(parse_rates(rate), kind, str(seed))
    weights = {user_class.__name__: user_class.weight for user_class in user_classes if user_class.weight}
    sum_of_weights = sum(weights.values())
    return {name: _seeded(total.scaled(weight / sum_of_weights), name) for name, weight in weights.items()}


def _seeded(plan: ArrivalPlan, name: str) -> ArrivalPlan:
    """The plan with a seed of its own, so that the arrivals of two classes do not coincide."""
    return ArrivalPlan(plan.points, plan.kind, f"{plan.seed}/{name}")


class ArrivalScheduler:
    """Starts the arrivals of one class in this process: its share of all arrivals of the plan.

    The plan begins when the first users are ready; in a process that joins a running test it began `age` ns ago.
    awaits_spawning: whether the plan begins only when all users of the run are spawned, not with the first ones.
    began: ns, 0 before that; started, dropped: numbers of arrivals since the run began; dropped_while_spawning: those
    that were dropped before all users were there, which is nobody's fault but the run's own.
    """

    def __init__(
        self,
        name: str,
        plan: ArrivalPlan,
        loop: Loop,
        health: GeneratorHealth,
        age: int = 0,
        awaits_spawning: bool = False,
    ) -> None:
        self.name = name
        self.plan = plan
        self._origin = (
            perf_counter_ns() - age if age else 0
        )  # ns, when the plan began; 0: when the first users are ready
        self.began = 0
        self.started = self.dropped = self.dropped_while_spawning = 0
        self._awaits_spawning = awaits_spawning
        self._is_spawned = False
        self._loop = loop
        self._health = health
        self._share: Share = ALL_ARRIVALS
        self._idle: deque[ArrivingUser] = deque()
        self._starting = 0
        self._arrivals: Iterator[int] = iter(())
        self._next = self._timer = 0  # ns: of the next arrival, and of the timer that was set
        self._halted_at = 0
        self._planned_before = 0.0  # arrivals under earlier plans

    def planned(self) -> float:
        """How many arrivals were planned until now, of all workers together."""
        if not self.began:
            return 0.0
        until = self._halted_at or perf_counter_ns()
        return self._planned_before + self.plan.expected_arrivals((until - self.began) / SECOND)

    def set_share(self, index: int, of: int) -> None:
        """Start only the arrivals of that worker (from 0) among so many, from now on."""
        if (index, of) == self._share:
            return
        self._share = (index, of)
        if self.began and not self._halted_at:
            self._draw_arrivals(min(self._next, perf_counter_ns()))  # those that are due and not started yet, too

    def user_spawned(self) -> None:
        """A user was spawned; it is not ready yet."""
        self._starting += 1

    def user_ready(self, user: ArrivingUser | None) -> None:
        """A spawned user is ready, or (None) never will be. When all are, the plan begins."""
        self._starting -= 1
        if user is not None:
            self._idle.append(user)
        self._begin_if_ready()

    def all_spawned(self) -> None:
        """All users of the run are spawned, in every process."""
        self._is_spawned = True
        self._begin_if_ready()

    def _begin_if_ready(self) -> None:
        if self._awaits_spawning and not self._is_spawned:
            return
        if not self.began and not self._starting and self._idle:
            self._begin()

    def user_idle(self, user: ArrivingUser) -> None:
        """A user has ended its journey and waits for another arrival."""
        self._idle.append(user)

    def change_plan(self, plan: ArrivalPlan) -> None:
        """Follow another plan, whose second 0 is now."""
        self._planned_before = self.planned()
        self.plan = plan
        self._origin = 0
        if self.began and not self._halted_at:
            self._begin()

    def halt(self) -> None:
        """Start no more arrivals."""
        self._halted_at = self._halted_at or perf_counter_ns()

    def _begin(self) -> None:
        now = perf_counter_ns()
        self.began = self._origin or now
        self._draw_arrivals(now)

    def _draw_arrivals(self, begin: int) -> None:
        """Draw the arrivals from `begin` (ns) on."""
        self._arrivals = self.plan.arrival_times(self._share, (begin - self.began) / SECOND)
        self._advance()
        self._set_timer()

    def _advance(self) -> None:
        offset = next(self._arrivals, None)
        self._next = NEVER if offset is None else self.began + offset

    def _set_timer(self) -> None:
        self._timer = self._next
        if self._next != NEVER:
            self._loop.call_at(self._next, self._start_due)

    def _start_due(self, when: int) -> None:
        if when != self._timer or self._halted_at:  # the timer belongs to an earlier plan
            return
        for _ in range(MAX_STARTS):
            now = perf_counter_ns()
            if self._next > now:
                break
            self._start(self._next, now)
            self._advance()
        self._set_timer()

    def _start(self, intended: int, now: int) -> None:
        while self._idle:
            if self._idle.popleft().start_journey(intended):
                self.started += 1
                self._health.start_delays.append(now - intended)
                return
        if not self.dropped:
            logger.warning(
                "%s: an arrival found all users busy and was dropped; use more --users, or a higher --spawn-rate",
                self.name,
            )
        self.dropped += 1
        if not self._is_spawned:
            self.dropped_while_spawning += 1
