"""Times of earlier load runs, and whether a new run differs from them by more than runs differ from each other.

Rule: the spread between runs is known from three runs on; before, nothing is decided. A new run is compared by a
prediction interval of its logarithm (Student's t, k - 1 degrees of freedom), all rows sharing one rate of false alarms
(Holm). What differs by less than 10 % or 5 ms differs for nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from reports.load.t_distribution import quantile, upper_tail

PERCENTILES = (50, 95, 99)
MIN_RUNS = 3
ERROR_RATE = 0.05  # probability of any false "slower", "faster" or "lower" over all rows
LEAST_SHARE = 0.10
LEAST_MS = 5.0
CAPACITY = "capacity"  # the row of the highest rate that a search has found
SLOWER, FASTER, LOWER, HIGHER, SAME = "slower", "faster", "lower", "higher", "same"
TINY = 1e-9  # spread of logarithms of runs that are equal
Row = tuple[str, str]  # operation over transport, and percentile; of the capacity "" and `capacity`


@dataclass(frozen=True, slots=True)
class TimeRow:
    """A figure of a new run beside those of earlier ones: ms, or journeys a second.

    before: geometric mean of the earlier runs. low, high: what a run like them lies between.
    """

    operation: str
    figure: str
    before: float
    now: float
    low: float
    high: float
    verdict: str


def compare_with_recorded(recorded: Mapping[Row, Sequence[float]], now: Mapping[Row, float]) -> list[TimeRow]:
    """Compare the logarithms of a new run with those of earlier runs, where there are at least three."""
    rows = [row for row in sorted(recorded) if row in now and len(recorded[row]) >= MIN_RUNS]
    differing = _differing([(recorded[row], now[row]) for row in rows])
    return [_row(row, recorded[row], now[row], differs) for row, differs in zip(rows, differing, strict=True)]


def _differing(pairs: Sequence[tuple[Sequence[float], float]]) -> list[bool]:
    """Holm's method: which of the new values are too improbable."""
    probabilities = [_probability(earlier, value) for earlier, value in pairs]
    decided = [False] * len(pairs)
    for rank, index in enumerate(sorted(range(len(pairs)), key=probabilities.__getitem__)):
        if probabilities[index] > ERROR_RATE / (len(pairs) - rank):
            break
        decided[index] = True
    return decided


def _probability(earlier: Sequence[float], value: float) -> float:
    """The two-sided probability of a value at least as far from the mean, in a run like the earlier ones."""
    return 2 * upper_tail(abs(value - fmean(earlier)) / _error(earlier), len(earlier) - 1)


def _error(earlier: Sequence[float]) -> float:
    """The standard error of a new run's value, given the mean of the earlier ones."""
    return max(stdev(earlier), TINY) * math.sqrt(1 + 1 / len(earlier))


def _row(row: Row, earlier: Sequence[float], value: float, differs: bool) -> TimeRow:
    mean = fmean(earlier)
    margin = quantile(ERROR_RATE / 2, len(earlier) - 1) * _error(earlier)
    before, now = math.exp(mean), math.exp(value)
    verdict = _verdict(row, before, now) if differs else SAME
    return TimeRow(*row, before, now, math.exp(mean - margin), math.exp(mean + margin), verdict)


def _verdict(row: Row, before: float, now: float) -> str:
    is_capacity = row[1] == CAPACITY
    if abs(now - before) < LEAST_SHARE * before or (not is_capacity and abs(now - before) < LEAST_MS):
        return SAME
    if is_capacity:
        return LOWER if now < before else HIGHER
    return SLOWER if now > before else FASTER
