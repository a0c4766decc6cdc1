"""When journeys start in an open model: planned beforehand, whether or not earlier ones have ended.

A plan is a rate over time and a kind: `even` spaces arrivals exactly, `poisson` as independent people come. The same
seed gives the same instants, on one process or shared out over many, so that all shares together are the plan.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

SECOND = 1_000_000_000
NEVER = 1e9  # seconds: no run lasts 30 years
KINDS = ("poisson", "even")

Point = tuple[float, float]  # seconds since the start, arrivals a second


@dataclass(frozen=True)
class Plan:
    """Arrivals to come: the rate goes in straight lines from point to point and stays at the last one.

    Two points at the same second are a step. Raises ValueError when the points are no such course.
    """

    points: tuple[Point, ...]
    kind: str = "poisson"
    seed: str = "1"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"arrivals are one of {', '.join(KINDS)}, not {self.kind!r}")
        if not self.points or self.points[0][0] != 0:
            raise ValueError("a course of rates begins at second 0, such as 0:10,30:200")
        if any(later[0] < earlier[0] for earlier, later in zip(self.points, self.points[1:], strict=False)):
            raise ValueError("the seconds of a course of rates go forward, such as 0:10,30:200")
        if not all(math.isfinite(number) and number >= 0 for point in self.points for number in point):
            raise ValueError("seconds and rates are finite numbers, 0 or more")

    @classmethod
    def of(cls, rate: float | Sequence[Point], kind: str = "poisson", seed: str = "1") -> Plan:
        """A plan of a constant rate (arrivals a second) or of points (seconds, rate)."""
        points = (
            ((0.0, float(rate)),) if isinstance(rate, int | float) else tuple((float(s), float(r)) for s, r in rate)
        )
        return cls(points, kind, seed)

    def times(self, factor: float) -> Plan:
        """The plan at another scale of rate."""
        return Plan(tuple((second, rate * factor) for second, rate in self.points), self.kind, self.seed)

    def expected(self, seconds: float) -> float:
        """How many arrivals the plan means to have in its first `seconds`: the area below the course of rates."""
        legs = (leg for leg in self._legs() if leg[0] < seconds)
        return sum(_area(min(seconds, end) - begin, rate, slope) for begin, end, rate, slope in legs)

    def instants(self) -> Iterator[int]:
        """All arrivals of the plan in ns since its start, ascending; without end unless the last rate is 0."""
        wanted = self._areas()
        area = next(wanted)
        done = 0.0  # arrivals due before this leg
        for begin, end, rate, slope in self._legs():
            leg = _area(end - begin, rate, slope)
            while area - done < leg:
                at = begin + _moment(area - done, rate, slope)
                if at > NEVER:
                    return
                yield round(at * SECOND)
                area = next(wanted)
            done += leg

    def _areas(self) -> Iterator[float]:
        """Under how much of the area below the course each arrival lies: in the middle of its share, or by chance."""
        if self.kind == "even":
            yield from (number + 0.5 for number in count())
        gap, area = random.Random(self.seed).expovariate, 0.0
        while True:
            area += gap(1.0)
            yield area

    def _legs(self) -> Iterator[tuple[float, float, float, float]]:
        """Begin, end (s), rate at the begin and its change a second, of each piece of the course."""
        for (begin, rate), (end, then) in zip(self.points, self.points[1:], strict=False):
            if end > begin:
                yield begin, end, rate, (then - rate) / (end - begin)
        yield self.points[-1][0], math.inf, self.points[-1][1], 0.0


def _area(seconds: float, rate: float, slope: float) -> float:
    """The arrivals of a course that begins at `rate` and changes by `slope` a second, within `seconds`."""
    if not slope:
        return seconds * rate if rate else 0.0  # for ever, too
    return seconds * (rate + slope * seconds / 2)


def _moment(area: float, rate: float, slope: float) -> float:
    """After how many seconds a course that begins at `rate` and changes by `slope` has covered that area."""
    if not slope:
        return area / rate
    return 2 * area / (rate + math.sqrt(max(rate * rate + 2 * slope * area, 0.0)))


def course(text: str) -> tuple[Point, ...]:
    """The points in `200` or `0:10,30:200` (seconds:rate). Raises ValueError, which says what was expected."""
    try:
        if ":" not in text:
            points: tuple[Point, ...] = ((0.0, float(text)),)
        else:
            pairs = (each.split(":") for each in text.split(","))
            points = tuple((float(second), float(rate)) for second, rate in pairs)
        return Plan(points).points
    except ValueError as wrong:
        raise ValueError(f"{text!r} is no rate: write 200, or seconds:rate such as 0:10,30:200 ({wrong})") from None
