"""Open arrivals: journeys that start when the plan says, whether or not earlier ones have ended.

The users of the class that are idle are who can start one, so `--users` bounds how many journeys are played at once.
An arrival that finds nobody idle is dropped: counted, shown, never played later, for a late start would be another
plan.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile
from time import perf_counter_ns
from typing import Protocol

from loadtests.engine.arrivals import KINDS, Plan, Point, course
from loadtests.engine.health import Health
from loadtests.engine.loop import Loop

MOST_STARTS = 64  # in one turn, so that catching up after a stall does not stop the answers from being read

SECOND = 1_000_000_000
NEVER = 1 << 62

logger = logging.getLogger(__name__)


def open_model(rate: float | Sequence[Point], kind: str = "poisson", seed: int | str = 1) -> Plan:
    """A plan for `arrivals` of a user class.

    rate: journeys a second, of all workers together, or points (seconds, rate) joined by straight lines.
    kind: `poisson` as independent people come, or `even`. Raises ValueError for what is no plan.
    """
    return Plan.of(rate, kind, str(seed))


class Player(Protocol):
    """A user that waits for an arrival."""

    def arrive(self, intended: int) -> bool:
        """Play a journey that was to start at `intended`; False from a user that has stopped."""


class PlayerClass(Protocol):
    """What is asked of a class of users."""

    __name__: str
    weight: float
    arrivals: Plan | None


def plans(classes: Iterable[PlayerClass], rate: str = "", kind: str = KINDS[0], seed: int | str = 1) -> dict[str, Plan]:
    """The plan of each class, by its name: what `rate` shares out by weight, else the class's own `arrivals`.

    Raises ValueError for a rate that is none.
    """
    known = list(classes)
    if not rate:
        return {each.__name__: _own(each.arrivals, each.__name__) for each in known if each.arrivals is not None}
    whole = Plan(course(rate), kind, str(seed))
    weights = sum(each.weight for each in known)
    return {each.__name__: _own(whole.times(each.weight / weights), each.__name__) for each in known if each.weight}


def _own(plan: Plan, name: str) -> Plan:
    """The plan with chances of its own, so that two classes do not arrive together."""
    return Plan(plan.points, plan.kind, f"{plan.seed}/{name}")


class Conductor:
    """Starts the arrivals of one class in this process: of all instants of the plan those of its share.

    The plan begins when the first users are ready; for a process that joins others it is `age` ns old already.
    begun: ns, 0 before; started, dropped: counted since the run began.
    """

    def __init__(self, name: str, plan: Plan, loop: Loop, health: Health, age: int = 0) -> None:
        self.name = name
        self.plan = plan
        self._origin = perf_counter_ns() - age if age else 0  # when the plan began; 0: it does with us
        self.begun = 0
        self.started = self.dropped = 0
        self._loop = loop
        self._health = health
        self._share = (0, 1)
        self._idle: deque[Player] = deque()
        self._starting = 0
        self._instants: Iterator[tuple[int, int]] = iter(())
        self._next = self._timer = 0  # when the next arrival is due, and for when the loop was asked to call
        self._halted_at = 0
        self._before = 0.0  # arrivals planned under plans that were given up

    def planned(self) -> float:
        """How many arrivals the plan meant to have until now, of all workers together."""
        if not self.begun:
            return 0.0
        until = self._halted_at or perf_counter_ns()
        return self._before + self.plan.expected((until - self.begun) / SECOND)

    def share(self, index: int, of: int) -> None:
        """Play the arrivals whose number, divided by `of`, leaves `index`."""
        self._share = (index, of)

    def joins(self) -> None:
        """A user was spawned; it is not ready yet."""
        self._starting += 1

    def ready(self, player: Player | None) -> None:
        """A user that joined is ready, or (None) never will be. When all are, the plan begins."""
        self._starting -= 1
        if player is not None:
            self._idle.append(player)
        if not self.begun and not self._starting and self._idle:
            self._begin()

    def rests(self, player: Player) -> None:
        """A user has ended its journey and waits for another arrival."""
        self._idle.append(player)

    def change(self, plan: Plan) -> None:
        """Go over to another plan, whose second 0 is now."""
        self._before = self.planned()
        self.plan = plan
        self._origin = 0
        if self.begun and not self._halted_at:
            self._begin()

    def halt(self) -> None:
        """Start nothing any more."""
        self._halted_at = self._halted_at or perf_counter_ns()

    def _begin(self) -> None:
        now = perf_counter_ns()
        self.begun = begun = self._origin or now
        self._instants = dropwhile(lambda instant: begun + instant[1] < now, enumerate(self.plan.instants()))
        self._advance()
        self._wait()

    def _advance(self) -> None:
        index, of = self._share
        for number, offset in self._instants:
            if number % of == index:
                self._next = self.begun + offset
                return
        self._next = NEVER

    def _wait(self) -> None:
        self._timer = self._next
        if self._next != NEVER:
            self._loop.at(self._next, self._due)

    def _due(self, due: int) -> None:
        if due != self._timer or self._halted_at:  # of a plan that was given up
            return
        for _ in range(MOST_STARTS):
            now = perf_counter_ns()
            if self._next > now:
                break
            self._start(self._next, now)
            self._advance()
        self._wait()

    def _start(self, intended: int, now: int) -> None:
        while self._idle:
            if self._idle.popleft().arrive(intended):
                self.started += 1
                self._health.late.append(now - intended)
                return
        if not self.dropped:
            logger.warning(
                "%s: an arrival found all users busy and was dropped; use more --users, or a higher --spawn-rate",
                self.name,
            )
        self.dropped += 1
