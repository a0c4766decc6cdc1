"""What an open stream of requests has to wait for at a server that takes a fixed time and freezes now and then.

Rule: from the model of the server alone, no measurement of a tool. A request is read when it arrives, or when the
freeze ends in which it arrives; its answer is due a fixed delay later, or when the freeze ends in which it is due.
Seconds everywhere.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
Freezes = Sequence[tuple[float, float]]  # start and end, one after the other


def waits(arrivals: Sequence[float], delay: float, freezes: Freezes) -> list[float]:
    """How long each of these arrivals waits for its answer."""
    return [thawed(thawed(arrival, freezes) + delay, freezes) - arrival for arrival in arrivals]


def thawed(moment: float, freezes: Freezes) -> float:
    """That moment, or the end of the freeze that it lies in."""
    place = bisect_right(freezes, (moment, math.inf)) - 1  # of the last one that had begun
    return max(moment, freezes[place][1]) if place >= 0 else moment


def even(first: float, rate: float, seconds: float) -> list[float]:
    """The arrivals of an even stream: `rate` a second for so long, from `first` on."""
    return [first + number / rate for number in range(round(rate * seconds))]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed. Raises ValueError without values."""
    if not ordered:
        raise ValueError("no values, no percentile")
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """The percentiles of the table."""
    ordered = sorted(values)
    return {name: percentile(ordered, share) for name, share in PERCENTILES.items()}


def analytic(share: float, delay: float, freeze: float, period: float) -> float:
    """That percentile for arrivals spread evenly over all moments of the period, with one freeze in each.

    Of a period's arrivals, those within the freeze wait for its end and the delay, and those less than the delay before
    it are answered at its end; so more than x is waited by freeze + 2 delay - x seconds' worth of them up to
    x = freeze, and by 2 (freeze + delay - x) from there on. It holds for delay <= freeze, and periods that do not
    overlap.
    """
    exceeding = (1 - share) * period
    if exceeding >= freeze + delay:
        return delay
    if exceeding >= 2 * delay:
        return freeze + 2 * delay - exceeding
    return freeze + delay - exceeding / 2
