"""Whether two shares differ by more than chance: Fisher's exact test, for all shares of a run together.

Rule: all shares that are compared together have one rate of false alarms (Holm's method).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

ERROR_RATE = 0.01  # probability of any false alarm over all shares of a run
PRECISION = 10**7  # probabilities that differ by a smaller share are the same
Counts = tuple[int, int, int, int]  # count and total before, count and total after


def fisher(before: int, before_total: int, after: int, after_total: int) -> float:
    """The two-sided probability of shares that differ at least as much, if there is no difference."""
    seen, total = before + after, before_total + after_total
    ways = comb(total, seen)
    low, high = max(0, seen - after_total), min(seen, before_total)
    counts = [comb(before_total, count) * comb(after_total, seen - count) for count in range(low, high + 1)]
    limit = counts[before - low] + counts[before - low] // PRECISION  # whole numbers: floats end at 10^308
    return min(1.0, sum(count for count in counts if count <= limit) / ways)


def significant(shares: Sequence[Counts], error_rate: float = ERROR_RATE) -> list[bool]:
    """Which of these differ, with that probability of naming any that does not."""
    probabilities = [fisher(*counts) for counts in shares]
    decided = [False] * len(shares)
    for rank, index in enumerate(sorted(range(len(shares)), key=probabilities.__getitem__)):
        if probabilities[index] > error_rate / (len(shares) - rank):
            break
        decided[index] = True
    return decided
