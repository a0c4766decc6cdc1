"""Watches what a run exchanges: how many exchanges each test made, and what they exercised of each contract.

Rule: what is watched is what travelled. It is written when the session ends; of a run that was killed nothing is
left, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contracts.coverage import Coverage
from contracts.exchange import Exchange
from contracts.operation import Operation
from contracts.refusals import Mutation
from fixtures.api import Api
from reports import counters


@dataclass
class Watch:
    """What this process has seen."""

    coverages: dict[str, Coverage] = field(default_factory=dict)
    count: int = 0

    def on(self, api: Api) -> None:
        """From now on every exchange of that API is seen."""
        coverage = self.coverages.setdefault(api.target.api, Coverage(api.contract, api.target.url))

        def observe(exchange: Exchange, operation: Operation | None, mutation: Mutation | None) -> None:
            self.count += 1
            coverage.add(exchange, operation, mutation)

        api.observe = observe

    def taken(self) -> int:
        """The exchanges since this was asked last."""
        count, self.count = self.count, 0
        return count

    def leave(self, results: Path, worker: str) -> None:
        """Writes all that was seen; a process that has no API yet, as xdist's controller, leaves nothing."""
        if self.coverages:
            counters.write(results, worker, self.coverages)
