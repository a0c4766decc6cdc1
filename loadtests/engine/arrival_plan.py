"""Plans when journeys start in an open model: before the run, and whether or not earlier journeys have ended.

A plan is a rate over time and a kind of arrival process: `even` spaces arrivals exactly, `poisson` randomly, as
independent users arrive. Each of several workers draws a stream of its own, and all streams together are the plan: even
arrivals in turn; random ones at a share of the rate, since such streams add up to one of the whole rate. The same seed
and number of workers give the same times.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

SECOND = 1_000_000_000
MAX_SECONDS = 1e9  # no run lasts 30 years
KINDS = ("poisson", "even")

RatePoint = tuple[float, float]  # seconds since the start, arrivals a second
Share = tuple[int, int]  # index and number of the workers that share a plan
ALL_ARRIVALS: Share = (0, 1)


@dataclass(frozen=True)
class ArrivalPlan:
    """Arrivals to come: the rate changes linearly from point to point and stays at that of the last point.

    Two points at the same second are a step. Raises ValueError for points that are no valid course of rates.
    """

    points: tuple[RatePoint, ...]
    kind: str = "poisson"
    seed: str = "1"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"arrivals are one of {', '.join(KINDS)}, not {self.kind!r}")
        if not self.points or self.points[0][0] != 0:
            raise ValueError("a course of rates begins at second 0, such as 0:10,30:200")
        if any(later[0] < earlier[0] for earlier, later in pairwise(self.points)):
            raise ValueError("the seconds of a course of rates go forward, such as 0:10,30:200")
        if not all(math.isfinite(number) and number >= 0 for point in self.points for number in point):
            raise ValueError("seconds and rates are finite numbers, 0 or more")

    @classmethod
    def from_rates(cls, rate: float | Sequence[RatePoint], kind: str = "poisson", seed: str = "1") -> ArrivalPlan:
        """A plan of a constant rate (arrivals a second) or of points (seconds, rate)."""
        points = (
            ((0.0, float(rate)),)
            if isinstance(rate, int | float)
            else tuple((float(second), float(point_rate)) for second, point_rate in rate)
        )
        return cls(points, kind, seed)

    def scaled(self, factor: float) -> ArrivalPlan:
        """The plan with every rate multiplied by `factor`."""
        return ArrivalPlan(tuple((second, rate * factor) for second, rate in self.points), self.kind, self.seed)

    def expected_arrivals(self, seconds: float) -> float:
        """The mean number of arrivals in the first `seconds`: the area below the rate."""
        segments = (segment for segment in self._segments() if segment[0] < seconds)
        return sum(_area(min(seconds, end) - begin, rate, slope) for begin, end, rate, slope in segments)

    def arrival_times(self, share: Share = ALL_ARRIVALS, after: float = 0.0) -> Iterator[int]:
        """The arrivals in ns since the start of the plan, ascending; endless unless the last rate is 0.

        share: index and number of the workers, of which one has these arrivals; after: seconds, to leave out earlier
        ones, which takes no longer the more they are.
        """
        areas = self._arrival_areas(share, self.expected_arrivals(after))
        area = next(areas)
        area_before = 0.0  # area below the rate before this segment
        for begin, end, rate, slope in self._segments():
            segment_area = _area(end - begin, rate, slope)
            while area - area_before < segment_area:
                seconds = begin + _seconds_to_area(area - area_before, rate, slope)
                if seconds > MAX_SECONDS:
                    return
                yield round(seconds * SECOND)
                area = next(areas)
            area_before += segment_area

    def _arrival_areas(self, share: Share, area: float) -> Iterator[float]:
        """The areas below the rate, from `area` on, at which arrivals happen: every 1 from 0.5 on, or at random."""
        index, workers = share
        if self.kind == "even":
            first = max(0, math.ceil((area - 0.5 - index) / workers))
            yield from (index + number * workers + 0.5 for number in count(first))
        seed = self.seed if share == ALL_ARRIVALS else f"{self.seed}/{index} of {workers}"
        gap = random.Random(seed).expovariate
        while True:
            area += workers * gap(1.0)
            yield area

    def _segments(self) -> Iterator[tuple[float, float, float, float]]:
        """Begin, end (s), rate at the beginning and its change per second, of each linear segment of the course."""
        for (begin, rate), (end, end_rate) in pairwise(self.points):
            if end > begin:
                yield begin, end, rate, (end_rate - rate) / (end - begin)
        yield self.points[-1][0], math.inf, self.points[-1][1], 0.0


def _area(seconds: float, rate: float, slope: float) -> float:
    """The arrivals within `seconds` if the rate begins at `rate` and changes by `slope` per second."""
    if not slope:
        return seconds * rate if rate else 0.0  # also for an endless segment
    return seconds * (rate + slope * seconds / 2)


def _seconds_to_area(area: float, rate: float, slope: float) -> float:
    """The seconds within which a rate that begins at `rate` and changes by `slope` per second covers that area."""
    if not slope:
        return area / rate
    return 2 * area / (rate + math.sqrt(max(rate * rate + 2 * slope * area, 0.0)))


def parse_rates(text: str) -> tuple[RatePoint, ...]:
    """The points in `200` or `0:10,30:200` (seconds:rate). Raises ValueError, which says what was expected."""
    try:
        if ":" not in text:
            points: tuple[RatePoint, ...] = ((0.0, float(text)),)
        else:
            pairs = (pair.split(":") for pair in text.split(","))
            points = tuple((float(second), float(rate)) for second, rate in pairs)
        return ArrivalPlan(points).points
    except ValueError as error:
        raise ValueError(f"{text!r} is no rate: write 200, or seconds:rate such as 0:10,30:200 ({error})") from None
