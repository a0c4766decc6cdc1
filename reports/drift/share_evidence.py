"""Whether two shares differ by more than chance: Fisher's exact test, for all shares of a run together.

Rule: all shares that are compared together have one rate of false alarms (Holm's method).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, lgamma

ERROR_RATE = 0.01  # probability of any false alarm over all shares of a run
PRECISION = 1e-7  # probabilities that differ by a smaller share are the same
Counts = tuple[int, int, int, int]  # count and total before, count and total after


def fisher(before: int, before_total: int, after: int, after_total: int) -> float:
    """The two-sided probability of shares that differ at least as much, if there is no difference."""
    seen = before + after
    low, high = max(0, seen - after_total), min(seen, before_total)
    ways = _log_comb(before_total + after_total, seen)
    logs = [_log_comb(before_total, it) + _log_comb(after_total, seen - it) - ways for it in range(low, high + 1)]
    limit = logs[before - low] + PRECISION
    return min(1.0, fsum(exp(log) for log in logs if log <= limit))


def _log_comb(total: int, chosen: int) -> float:
    """The logarithm of how many ways there are to choose so many; the number itself may be beyond any float."""
    return lgamma(total + 1) - lgamma(chosen + 1) - lgamma(total - chosen + 1)


def significant(shares: Sequence[Counts], error_rate: float = ERROR_RATE) -> list[bool]:
    """Which of these differ, with that probability of naming any that does not."""
    probabilities = [fisher(*counts) for counts in shares]
    decided = [False] * len(shares)
    for rank, index in enumerate(sorted(range(len(shares)), key=probabilities.__getitem__)):
        if probabilities[index] > error_rate / (len(shares) - rank):
            break
        decided[index] = True
    return decided
