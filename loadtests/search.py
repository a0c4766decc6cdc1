"""Looks for the highest rate that keeps the objectives: brackets it, closes in, and measures both ends again.

Rule: it knows neither Locust nor time: it is told what came of a rate, and says which rate is next. One good or bad
step by chance decides nothing: the rates at both ends must have most of `confirm` measurements on their side.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Bracket:
    """The search. start: the first rate; most: where to give up; precision: how near the two ends must come.

    tried: for each rate what came of it, in order; `rate` is the next one, None when it is over.
    """

    start: float
    most: float
    precision: float = 0.05
    confirm: int = 3
    tried: dict[float, list[bool]] = field(default_factory=lambda: defaultdict(list))
    rate: float | None = 0.0

    def __post_init__(self) -> None:
        self.rate = min(self.start, self.most)

    @property
    def good(self) -> float:
        """The highest rate that keeps the objectives as far as is known, below every rate that does not; 0 if none."""
        bad = self.bad
        return max((rate for rate in self.tried if self._keeps(rate) and (bad is None or rate < bad)), default=0.0)

    @property
    def bad(self) -> float | None:
        """The lowest rate that does not keep them, None if none is known."""
        return min((rate for rate in self.tried if not self._keeps(rate)), default=None)

    def came(self, kept: bool) -> None:
        """What came of `rate`."""
        if self.rate is None:
            raise RuntimeError("the search is over")
        self.tried[self.rate].append(kept)
        self.rate = self._next()

    def _next(self) -> float | None:
        good, bad = self.good, self.bad
        if bad is None:
            return None if good >= self.most and self._is_sure(good) else good if good >= self.most else self._up(good)
        if len(self.tried[bad]) == 1:
            return bad  # once is by chance
        if not good:
            return bad / 2 if bad > self.start / 64 else None
        if bad / good > 1 + self.precision:
            return math.sqrt(good * bad)
        return next((rate for rate in (good, bad) if not self._is_sure(rate)), None)

    def _up(self, good: float) -> float:
        return min(good * 2, self.most)

    def _keeps(self, rate: float) -> bool:
        """Whether most of its measurements kept the objectives; as many as did not is no majority."""
        tried = self.tried[rate]
        return 2 * sum(tried) > len(tried)

    def _is_sure(self, rate: float) -> bool:
        """Whether no more measurements, up to `confirm`, could turn the majority."""
        tried = self.tried[rate]
        most = max(sum(tried), len(tried) - sum(tried))
        return 2 * most > max(self.confirm, len(tried))
