"""Selects the statistics that an objective applies to, names them and adds them up.

Rule: an operation is found by its name, or by name and transport; a journey by its name and its API or user class. The
statistics of an operation with a contract have the API before its name: several APIs may have the same paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from reports.load.load_run import LoadRun
from reports.load.operation_statistics import OperationStatistics
from reports.load.slo import API, JOURNEY, OPERATION, RUN, Scope
from reports.results.records import CLAUSE_ID


def statistics_name(scope: Scope, statistics: OperationStatistics) -> str:
    """The operation with its transport, or the journey with its API."""
    return f"{statistics.operation} {'of' if scope.kind == JOURNEY else 'over'} {statistics.transport}"


def statistics_in(scope: Scope, run: LoadRun) -> list[OperationStatistics]:
    """The statistics within a scope."""
    if scope.kind == RUN:
        return run.judged_operations
    if scope.kind == JOURNEY:
        journeys = [journey for journey in run.judged_journeys if journey.operation == scope.operation]
        owners = {scope.api} if scope.api else {journey.transport for journey in journeys} - set(run.apis)
        return [journey for journey in journeys if journey.transport in owners]
    if scope.kind == API:
        return [operation for operation in run.judged_operations if run.api_of(operation.operation) == scope.api]
    by_name = [operation for operation in run.judged_operations if operation.operation == str(scope)]
    return by_name or [
        operation for operation in run.judged_operations if statistics_name(scope, operation) == str(scope)
    ]


def name_hint(scope: Scope, run: LoadRun) -> str:
    """A suggestion when the run has no operation or journey of that name, or ""."""
    if scope.kind not in (OPERATION, JOURNEY):
        return ""
    statistics = run.judged_operations if scope.kind == OPERATION else run.judged_journeys
    names = sorted({entry.operation.removeprefix(f"{scope.api} ") for entry in statistics})
    similar = get_close_matches(scope.operation, names, 3)
    return f"; did you mean {' or '.join(similar)}?" if similar else ""


def merge_statistics(parts: Iterable[OperationStatistics]) -> OperationStatistics:
    """Add them up."""
    total = OperationStatistics("", "")
    for part in parts:
        total.add(part)
    return total


def violation_count(statistics: OperationStatistics) -> int:
    """The number of failures that name a clause."""
    return clause_failures(statistics.failures)


def clause_failures(failures: Mapping[str, int]) -> int:
    """How many of these failures, counted by reason, name a clause."""
    return sum(number for reason, number in failures.items() if CLAUSE_ID.match(reason))


def broken_clauses(operations: Sequence[OperationStatistics]) -> dict[str, int]:
    """How often each clause was broken, the most frequent first."""
    counts: dict[str, int] = {}
    for operation in operations:
        for reason, number in operation.failures.items():
            if clause := re.match(CLAUSE_ID, reason):
                counts[clause.group()] = counts.get(clause.group(), 0) + number
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
