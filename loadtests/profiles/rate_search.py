"""Searches for the highest rate that meets the objectives: brackets it, closes in, and measures both ends again.

Rule: it knows neither Locust nor time; it receives the result of a rate, and returns the next rate. No single result
decides: at each end of the bracket, most of `confirmations` measurements must agree.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class RateSearch:
    """A search for the highest rate that passes.

    start: the first rate; max_rate: where the search ends; precision: how near the two ends of the bracket must come,
    as a share; measurements: for each rate, whether it passed, in order; rate: the next one, None when it is over.
    """

    start: float
    max_rate: float
    precision: float = 0.05
    confirmations: int = 3
    measurements: dict[float, list[bool]] = field(default_factory=lambda: defaultdict(list))
    rate: float | None = 0.0

    def __post_init__(self) -> None:
        self.rate = min(self.start, self.max_rate)

    @property
    def highest_passing(self) -> float:
        """The highest rate that passes, below every rate that fails; 0 if none is known."""
        bad = self.lowest_failing
        return max(
            (rate for rate in self.measurements if self._passes(rate) and (bad is None or rate < bad)), default=0.0
        )

    @property
    def lowest_failing(self) -> float | None:
        """The lowest rate that fails, None if none is known."""
        return min((rate for rate in self.measurements if not self._passes(rate)), default=None)

    def record(self, passed: bool) -> None:
        """Record whether `rate` has passed. Raises RuntimeError when the search is over."""
        if self.rate is None:
            raise RuntimeError("the search is over")
        self.measurements[self.rate].append(passed)
        self.rate = self._next_rate()

    def _next_rate(self) -> float | None:
        good, bad = self.highest_passing, self.lowest_failing
        if bad is None:
            return (
                None
                if good >= self.max_rate and self._is_sure(good)
                else good
                if good >= self.max_rate
                else self._doubled(good)
            )
        if len(self.measurements[bad]) == 1:
            return bad  # a single failure may be chance
        if not good:
            return bad / 2 if bad > self.start / 64 else None
        if bad / good > 1 + self.precision:
            return math.sqrt(good * bad)
        return next((rate for rate in (good, bad) if not self._is_sure(rate)), None)

    def _doubled(self, good: float) -> float:
        return min(good * 2, self.max_rate)

    def _passes(self, rate: float) -> bool:
        """Whether most of its measurements passed; half of them is no majority."""
        tried = self.measurements[rate]
        return 2 * sum(tried) > len(tried)

    def _is_sure(self, rate: float) -> bool:
        """Whether further measurements, up to `confirmations`, cannot change the majority."""
        tried = self.measurements[rate]
        most = max(sum(tried), len(tried) - sum(tried))
        return 2 * most > max(self.confirmations, len(tried))
