"""Records what a run exchanges: how many exchanges each test made, and what they covered of each contract.

Rule: only what was sent and received counts. Coverage is written when the session ends; a killed run
leaves none, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from contracts.coverage.coverage_counter import CoverageCounter
from contracts.exchange import Exchange
from contracts.judge.refusal_judge import InvalidCase
from contracts.operation import Operation
from fixtures.target_api import Api
from reports.coverage import counter_files


@dataclass
class ExchangeRecorder:
    """Counts and coverage of this process: `count` exchanges since the last `take_count`."""

    coverages: dict[str, CoverageCounter] = field(default_factory=dict)
    count: int = 0

    def observe(self, api: Api) -> None:
        """Records every exchange of that API from now on."""
        coverage = self.coverages.setdefault(api.target.api, CoverageCounter(api.contract, api.target.url))

        def record(exchange: Exchange, operation: Operation | None, invalid_case: InvalidCase | None) -> None:
            self.count += 1
            coverage.add(exchange, operation, invalid_case)

        api.observer = record

    def take_count(self) -> int:
        """The number of exchanges since the last call of this."""
        count, self.count = self.count, 0
        return count

    def write(self, results: Path, worker: str) -> None:
        """Writes the coverage; a process without an API, such as the controller of xdist, writes nothing."""
        if self.coverages:
            counter_files.write_counters(results, worker, self.coverages)
