"""Computes how long requests of an open model wait at a server with a fixed delay that freezes at times.

Rule: only the model of the server is used, no measurement of a tool. A request is read when it arrives, or at the end
of the freeze in which it arrives; its response is sent a fixed delay later, or at the end of the freeze in which it is
due. All times are in seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
Freezes = Sequence[tuple[float, float]]  # start and end, one after the other


def true_waits(arrivals: Sequence[float], delay: float, freezes: Freezes) -> list[float]:
    """How long each of these arrivals waits for its response."""
    return [after_freeze(after_freeze(arrival, freezes) + delay, freezes) - arrival for arrival in arrivals]


def after_freeze(moment: float, freezes: Freezes) -> float:
    """That moment, or the end of the freeze in which it lies."""
    last = bisect_right(freezes, (moment, math.inf)) - 1  # index of the last freeze that had begun
    return max(moment, freezes[last][1]) if last >= 0 else moment


def even_arrivals(first: float, rate: float, seconds: float) -> list[float]:
    """Evenly spaced arrivals: `rate` per second for `seconds`, starting at `first`."""
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


def analytic_percentile(share: float, delay: float, freeze: float, period: float) -> float:
    """That percentile in closed form, for arrivals spread evenly over periods with one freeze each.

    Of a period's arrivals, those within the freeze wait for its end and the delay, and those less than the delay before
    it get their responses at its end; so more than x is waited by freeze + 2 delay - x seconds' worth of them up to
    x = freeze, and by 2 (freeze + delay - x) from there on. It holds for delay <= freeze, and periods that do not
    overlap.
    """
    exceeding = (1 - share) * period
    if exceeding >= freeze + delay:
        return delay
    if exceeding >= 2 * delay:
        return freeze + 2 * delay - exceeding
    return freeze + delay - exceeding / 2
