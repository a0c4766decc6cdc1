"""Computes how much of each contract a run exercised, from its counters and all coverage points of the contract.

Rule: a point that nobody counted is not exercised. When counters are missing the report says so; missing counters are
never shown as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import contracts
from contracts.asyncapi import Call, load_rpc_contract
from contracts.coverage import rpc_plan
from contracts.coverage.coverage_counter import EXCHANGES
from contracts.coverage.operation_plan import REQUEST, RESPONSE, CoveragePoint, coverage_points
from contracts.openapi import load_contract
from contracts.operation import Operation
from contracts.yaml_reader import UsageError
from reports.coverage import clause_results, counter_files
from reports.coverage.clause_results import ClauseResult, ReadingResult
from reports.coverage.counter_files import ApiCounters, Counters
from reports.coverage.kind_coverage import KindCoverage, kinds_of
from reports.results.records import RunRecords


@dataclass(frozen=True, slots=True)
class Share:
    """How many of all coverage points were exercised."""

    exercised: int
    total: int

    def __str__(self) -> str:
        return f"{self.percent} %" if self.total else "nothing to exercise"

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means every point."""
        return 100 * self.exercised // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """A REST operation, or an RPC call over websocket: each point with the number of exchanges that exercised it."""

    operation: Operation | Call
    exchanges: int
    points: tuple[tuple[CoveragePoint, int], ...]

    def share(self, side: str | None = None) -> Share:
        """The share of one side (REQUEST or RESPONSE), or of both."""
        counts = [count for point, count in self.points if side in (None, point.side)]
        return Share(sum(count > 0 for count in counts), len(counts))


@dataclass(frozen=True, slots=True)
class ApiCoverage:
    """The clauses, readings, operations and kinds of bugs of one API, with the counts of a run.

    observations: what tests recorded where every outcome is allowed. unmatched: exchanges of no operation and no call.
    missing: why the counters are incomplete or the contract cannot be read, or "".
    """

    api: str
    clauses: tuple[ClauseResult, ...]
    readings: tuple[ReadingResult, ...]
    operations: tuple[OperationCoverage, ...]
    observations: int
    exchanges: int
    unmatched: int
    missing: str
    kinds: tuple[KindCoverage, ...] = ()

    def states(self) -> dict[str, int]:
        """How many clauses are in each state, in the order of STATES."""
        return {state: sum(clause.state == state for clause in self.clauses) for state in clause_results.STATES}

    def share(self, side: str | None = None) -> Share:
        """The share over all operations and calls that every target has to serve."""
        return sum_shares(it.share(side) for it in self.operations if it.operation.served_if is None)


def sum_shares(shares: Iterable[Share]) -> Share:
    """Add up shares."""
    parts = list(shares)
    return Share(sum(part.exercised for part in parts), sum(part.total for part in parts))


def coverage_of(results: Path, apis: Iterable[str], records: RunRecords) -> list[ApiCoverage]:
    """The coverage of those of `apis` that have a contract, in the same order."""
    counters = counter_files.read_counters(results)
    known = contracts.apis()
    return [_coverage_or_reason(api, counters, records) for api in apis if api in known]


def _coverage_or_reason(api: str, counters: Counters, records: RunRecords) -> ApiCoverage:
    """The coverage of an API; for a contract that cannot be read, nothing but the reason."""
    reason = records.broken_contracts.get(api)
    if reason is None:
        try:
            return _api_coverage(api, counters, records)
        except (UsageError, FileNotFoundError) as error:
            reason = str(error)
    return ApiCoverage(api, (), (), (), 0, 0, 0, reason)


def _api_coverage(api: str, counters: Counters, records: RunRecords) -> ApiCoverage:
    counted = counters.apis.get(api, ApiCounters())
    rpc_contract = load_rpc_contract(api)
    operations = [
        *load_contract(api).operations.values(),
        *(rpc_contract.calls.values() if rpc_contract else ()),
    ]
    return ApiCoverage(
        api=api,
        clauses=tuple(clause_results.judge_clauses(api, records)),
        readings=tuple(clause_results.judge_readings(api, records)),
        operations=tuple(
            _operation_coverage(operation, counted.operations.get(operation.label, {})) for operation in operations
        ),
        observations=sum(test.observations for test in records.tests if test.api == api),
        exchanges=counted.exchanges,
        unmatched=counted.unmatched,
        missing=_missing_counters(api, counted, counters, records),
        kinds=tuple(kinds_of(api, records)),
    )


def _operation_coverage(operation: Operation | Call, counts: dict[str, int]) -> OperationCoverage:
    return OperationCoverage(
        operation, counts.get(EXCHANGES, 0), tuple((point, counts.get(point.key, 0)) for point in _points(operation))
    )


@cache
def _points(operation: Operation | Call) -> Sequence[CoveragePoint]:
    """Everything that can be exercised in an operation of a contract that was loaded."""
    if isinstance(operation, Call):
        rpc_contract = load_rpc_contract(operation.api)
        assert rpc_contract is not None, f"{operation} is of an AsyncAPI document"
        return rpc_plan.coverage_points(rpc_contract, operation)
    return coverage_points(load_contract(operation.api), operation)


def _missing_counters(api: str, counted: ApiCounters, counters: Counters, records: RunRecords) -> str:
    """Why the counters are incomplete, or "". The tests' own exchange counts survive a killed run, so they decide."""
    exchanges = sum(test.exchanges for test in records.tests if test.api == api)
    if counters.problems:
        return "; ".join(counters.problems)
    if not counters.files:
        return "the run left no counters: it was killed before its end, or is still running"
    if counted.exchanges < exchanges:
        return (
            f"the counters of {exchanges - counted.exchanges} of {exchanges} exchanges are missing: a worker was lost"
        )
    return ""


def to_facts(coverage: ApiCoverage) -> dict[str, Any]:
    """The entry of one API in `coverage.json`."""
    return {
        "counters_lack": coverage.missing,
        "observations": coverage.observations,
        "exchanges": coverage.exchanges,
        "exchanges_of_no_operation": coverage.unmatched,
        "clause_states": coverage.states(),
        "clauses": [
            {"id": result.clause.id, "state": result.state, "why": result.why, "exchanges": result.exchanges}
            for result in coverage.clauses
        ],
        "readings": {
            result.reading.id: {
                "in_force": result.in_force,
                "fixed": result.is_fixed,
                "seen": list(result.seen),
                "observed": result.is_observed,
            }
            for result in coverage.readings
            if result.reading.meanings
        },
        "requests": _share_facts(coverage.share(REQUEST)),
        "answers": _share_facts(coverage.share(RESPONSE)),
        "bug_kinds": {kind.name: {"tried": kind.tried, "not_tried": kind.reasons} for kind in coverage.kinds},
        "operations": {operation.operation.label: _operation_facts(operation) for operation in coverage.operations},
    }


def _operation_facts(coverage: OperationCoverage) -> dict[str, Any]:
    served_if = coverage.operation.served_if
    return {
        **({"served_if": served_if.reading} if served_if else {}),
        "exchanges": coverage.exchanges,
        "requests": _share_facts(coverage.share(REQUEST)),
        "answers": _share_facts(coverage.share(RESPONSE)),
        "not_exercised": [
            f"{point.side} {point.display_path}: {point.description}" for point, count in coverage.points if not count
        ],
    }


def _share_facts(share: Share) -> dict[str, int]:
    return {"exercised": share.exercised, "of": share.total}


def markdown_table(coverages: Sequence[ApiCoverage]) -> list[str]:
    """A Markdown table with one row per API: clauses by state, and how much was exercised."""
    if not coverages:
        return []
    states = [state for state in clause_results.STATES if any(coverage.states()[state] for coverage in coverages)]
    columns = ["API", *states, "observations", "exchanges", "requests exercised", "responses seen"]
    return [
        f"| {' | '.join(columns)} |",
        "|---|" + "--:|" * (len(columns) - 1),
        *(f"| {' | '.join(_cells(coverage, states))} |" for coverage in coverages),
    ]


def _cells(coverage: ApiCoverage, states: Sequence[str]) -> list[str]:
    counts = [coverage.states()[state] for state in states]
    shares = (coverage.exchanges, coverage.share(REQUEST), coverage.share(RESPONSE))
    cells = ["missing"] * len(shares) if coverage.missing else list(map(str, shares))
    return [coverage.api, *map(str, (*counts, coverage.observations)), *cells]
