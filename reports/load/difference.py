"""Tests whether two series of batches differ, and computes the smallest difference that could have been seen.

Rule: consecutive responses resemble each other, so single responses or seconds are no independent samples. A run is cut
into a few long batches (non-overlapping batch means, a method of simulation analysis); each gives one logarithm of its
percentile, and these are compared by Welch's t test. Where consecutive batches still correlate, the variance is raised
and the degrees of freedom are lowered. All rows of a comparison share one error rate (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from reports.load.t_distribution import quantile

ERROR_RATE = 0.05  # probability of any false "better" or "worse" over all rows of a comparison
OUTCOME_ERROR_RATE = 0.01  # the part of it for errors, violations and throughput, which differ more clearly than times
POWER = 0.8  # probability with which the smallest difference is seen
MAX_BATCHES = 12  # of a run
MIN_BATCHES = 5
MAX_CORRELATION = 0.5  # of consecutive batches, that is still corrected for; beyond it runs must be longer

BETTER, WORSE, SAME, TOO_FEW, TOO_SHORT = "better", "worse", "not distinguishable", "too few responses", "run too short"


@dataclass(frozen=True, slots=True)
class Difference:
    """B against A, as shares: -0.1 is 10 % less. low, high: the interval; least: the smallest visible difference."""

    verdict: str
    change: float = 0.0
    low: float = 0.0
    high: float = 0.0
    least: float = math.inf

    def of_plain_values(self) -> Difference:
        """The same for series that are no logarithms: differences of the values themselves, not ratios."""
        shifts = (math.log1p(ratio) for ratio in (self.change, self.low, self.high, self.least))
        return Difference(self.verdict, *shifts)


@dataclass(frozen=True, slots=True)
class _Mean:
    value: float
    variance: float  # of the mean
    freedom: float


def compare_batches(
    rows: Sequence[tuple[Sequence[float], Sequence[float]]], error_rate: float = ERROR_RATE
) -> list[Difference]:
    """Compare the logarithms of batches, before and after; the rows of one call share the error rate."""
    usable = [row for row in rows if min(map(len, row)) >= MIN_BATCHES]
    correlation = _correlation([_deviations(series) for row in usable for series in row])
    return [
        _difference(*row, correlation, error_rate / len(usable))
        if min(map(len, row)) >= MIN_BATCHES
        else Difference(TOO_FEW)
        for row in rows
    ]


def _difference(before: Sequence[float], after: Sequence[float], correlation: float, error_rate: float) -> Difference:
    if not any((*_deviations(before), *_deviations(after))):
        shift = after[0] - before[0]
        verdict = SAME if shift == 0 else WORSE if shift > 0 else BETTER
        return Difference(verdict, math.expm1(shift), math.expm1(shift), math.expm1(shift), 0.0)
    if correlation > MAX_CORRELATION:
        return Difference(TOO_SHORT)
    a, b = _mean(before, correlation), _mean(after, correlation)
    error = math.sqrt(a.variance + b.variance)
    shift = b.value - a.value
    freedom = error**4 / (a.variance**2 / a.freedom + b.variance**2 / b.freedom)
    margin = quantile(error_rate / 2, freedom) * error
    verdict = SAME if abs(shift) <= margin else WORSE if shift > 0 else BETTER
    least = margin + quantile(1 - POWER, freedom) * error
    return Difference(
        verdict, math.expm1(shift), math.expm1(shift - margin), math.expm1(shift + margin), math.expm1(least)
    )


def _mean(batches: Sequence[float], common: float) -> _Mean:
    """The mean of batches, with a variance that allows for their correlation; `common` is that of all rows.

    The correlation of so few batches is imprecise, so their own moves the common one only half the way, and only up.
    """
    number = len(batches)
    deviations = _deviations(batches)
    correlation = min(max((_correlation([deviations]) + common) / 2, common), MAX_CORRELATION)
    weight = (1 - correlation) / (1 + correlation)  # of a batch, compared with an independent one
    variance = sum(value * value for value in deviations) / (number - 1)
    # Correlated batches underestimate the variance by the variance of their mean.
    visible = (1 - 1 / (number * weight)) * number / (number - 1)  # 0.5 or more, with 5 batches and a weight of 1/3
    return _Mean(fmean(batches), variance / visible / number / weight, (number - 1) * weight)


def _deviations(series: Sequence[float]) -> list[float]:
    if min(series) == max(series):  # the mean of equal values may be rounded
        return [0.0] * len(series)
    mean = fmean(series)
    return [value - mean for value in series]


def _correlation(series: Sequence[Sequence[float]]) -> float:
    """The correlation of consecutive values over all series of deviations, without the bias of short series.

    That bias is -(1 + 3 r) / n for n values.
    """
    correlations, inverses = [], []
    for deviations in series:
        squares = sum(value * value for value in deviations)
        if squares:
            correlations.append(sum(first * second for first, second in pairwise(deviations)) / squares)
            inverses.append(1 / len(deviations))
    if not correlations:
        return 0.0
    measured, inverse = fmean(correlations), fmean(inverses)
    return min(max((measured + inverse) / (1 - 3 * inverse), 0.0), 0.99)
