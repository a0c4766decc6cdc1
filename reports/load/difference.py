"""Whether two series of batches differ, and how large a difference could have been seen.

Rule: answers that follow each other are alike, so single answers or seconds are no independent evidence. A run is cut
into a few long batches (non-overlapping batch means, as simulation output is analysed), each gives one logarithm of
its percentile, and these are compared by Welch's t test. Where batches still follow each other, the variance is raised
and the degrees of freedom are lowered by their correlation. All rows of a comparison share one error rate (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from reports.load.student import quantile

RISK = 0.05  # that anything is called better or worse when nothing changed, over all rows of a comparison
POWER = 0.8  # the chance with which the smallest difference is seen
BATCHES = 12  # of a run
FEWEST = 5
MOST_ALIKE = 0.5  # correlation of neighbours that is still corrected for; longer runs are the cure for more

BETTER, WORSE, SAME, FEW, SHORT = "better", "worse", "not distinguishable", "too few answers", "run too short"


@dataclass(frozen=True, slots=True)
class Difference:
    """B against A, as shares: -0.1 is 10 % less. low, high: the interval; least: what would have been seen."""

    verdict: str
    change: float = 0.0
    low: float = 0.0
    high: float = 0.0
    least: float = math.inf


@dataclass(frozen=True, slots=True)
class _Mean:
    value: float
    variance: float  # of the mean
    freedom: float


def differences(rows: Sequence[tuple[Sequence[float], Sequence[float]]]) -> list[Difference]:
    """Compares logarithms of batches, before and after, of all rows that are looked at together."""
    enough = [row for row in rows if min(map(len, row)) >= FEWEST]
    alike = _alike([_apart(series) for row in enough for series in row])
    return [_difference(*row, alike, len(enough)) if row in enough else Difference(FEW) for row in rows]


def _difference(before: Sequence[float], after: Sequence[float], alike: float, rows: int) -> Difference:
    if alike > MOST_ALIKE:
        return Difference(SHORT)
    a, b = _mean(before, alike), _mean(after, alike)
    error = math.sqrt(a.variance + b.variance)
    shift = b.value - a.value
    if error == 0:
        verdict = SAME if shift == 0 else WORSE if shift > 0 else BETTER
        return Difference(verdict, math.expm1(shift), math.expm1(shift), math.expm1(shift), 0.0)
    freedom = max(1.0, error**4 / (a.variance**2 / a.freedom + b.variance**2 / b.freedom))
    far = quantile(RISK / 2 / rows, freedom) * error
    verdict = SAME if abs(shift) <= far else WORSE if shift > 0 else BETTER
    least = far + quantile(1 - POWER, freedom) * error
    return Difference(verdict, math.expm1(shift), math.expm1(shift - far), math.expm1(shift + far), math.expm1(least))


def _mean(batches: Sequence[float], floor: float) -> _Mean:
    """The mean, whose variance knows how much batches follow from each other: their own share, or all rows'."""
    number = len(batches)
    apart = _apart(batches)
    own = _alike([apart])  # by chance far too high or too low in so few batches, so it moves half the way
    alike = min(max((own + floor) / 2, floor), MOST_ALIKE)
    worth = (1 - alike) / (1 + alike)  # of a batch, against one that does not follow from the one before
    squares = sum(value * value for value in apart)
    # what batches that are alike show of their variance is too little by the variance of their mean
    shown = max(1 - 1 / (number * worth), 0.2) * number / (number - 1)
    return _Mean(fmean(batches), squares / (number - 1) / shown / number / worth, max(1.0, (number - 1) * worth))


def _apart(series: Sequence[float]) -> list[float]:
    middle = fmean(series)
    return [value - middle for value in series]


def _alike(series: Sequence[Sequence[float]]) -> float:
    """How much neighbours are alike: the correlation of all series, raised by what so few batches hide of it."""
    found = weight = hidden = 0.0
    for apart in series:
        squares = sum(value * value for value in apart)
        if squares:
            found += sum(one * two for one, two in pairwise(apart)) / squares
            hidden += 1 / len(apart)
            weight += 1
    if not weight:
        return 0.0
    measured, few = found / weight, hidden / weight
    return min(max((measured + few) / (1 - 3 * few), 0.0), 0.99)  # the known bias: -(1 + 3 r) / number
