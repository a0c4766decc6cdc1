"""Records what a run exchanges: how many exchanges each test made, and what they covered of each contract.

Rule: only what was sent and received counts, and of generated cases only those that could have failed. Coverage is
written when the session ends; a killed run leaves none, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from contracts.coverage.coverage_counter import CoverageCounter
from contracts.exchange import Exchange
from contracts.judge.refusal_judge import InvalidCase
from contracts.operation import Operation
from fixtures.target_api import Api
from reports.coverage import counter_files
from suites.reporting.response_evidence import ResponseEvidence

RECORDER = pytest.StashKey["ExchangeRecorder"]()  # of this process


@dataclass
class ExchangeRecorder:
    """Counts and coverage of this process: `count` exchanges since the last `take_count`.

    `evidence`: by API, what its target was seen to serve. `operations`: labels of the operations and calls that the
    exchanges since then belong to.
    """

    coverages: dict[str, CoverageCounter] = field(default_factory=dict)
    evidence: dict[str, ResponseEvidence] = field(default_factory=dict)
    count: int = 0
    operations: set[str] = field(default_factory=set)
    _of_case: list[Callable[[], object]] | None = None  # what to count when the generated case counts; None outside one

    def observe(self, api: Api) -> None:
        """Records every exchange of that API from now on."""
        coverage = self.coverages.setdefault(api.target.api, CoverageCounter(api.contract, api.target.url))
        evidence = self.evidence.setdefault(api.target.api, ResponseEvidence(api))

        def record(exchange: Exchange, operation: Operation | None, invalid_case: InvalidCase | None) -> None:
            self.count += 1
            label = coverage.label_of(exchange, operation)
            self.operations.add(label)
            evidence.add(exchange, label)
            if self._of_case is None:
                coverage.add(exchange, operation, invalid_case)
            else:
                self._of_case.append(partial(coverage.add, exchange, operation, invalid_case))

        api.observer = record
        api.on_websocket = evidence.add_connection

    def begin_case(self) -> None:
        """A generated case begins: what it exchanges covers something only if the case could have failed."""
        self._of_case = []

    def end_case(self, *, is_counted: bool) -> None:
        """A generated case ends."""
        counted, self._of_case = self._of_case or [], None
        for add in counted if is_counted else ():
            add()

    def take_count(self) -> int:
        """The number of exchanges since the last call of this."""
        count, self.count = self.count, 0
        self.operations.clear()
        return count

    def write(self, results: Path, worker: str) -> None:
        """Writes the coverage; a process without an API, such as the controller of xdist, writes nothing."""
        if self.coverages:
            counter_files.write_counters(results, worker, self.coverages)
