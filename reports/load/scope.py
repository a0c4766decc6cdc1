"""Selects the statistics that an objective applies to, names them and adds them up.

Rule: an operation is found by its name, or by name and transport; a journey by its name and its API or user class. The
statistics of an operation with a contract have the API before its name: several APIs may have the same paths.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from reports.load.load_run import LoadRun
from reports.load.operation_statistics import AS_STEP, BY_TAG, SERIES, OperationStatistics
from reports.load.slo import API, JOURNEY, OPERATION, RUN, STEP, TAG, Scope
from reports.results.records import CLAUSE_ID

OWNERS = {STEP: AS_STEP, TAG: BY_TAG}  # in place of the API of a journey, where steps and tags stand beside journeys


def statistics_name(scope: Scope, statistics: OperationStatistics) -> str:
    """The operation with its transport, the journey with its API, or the name of a step or tag."""
    if scope.kind in OWNERS or statistics.transport in OWNERS.values():
        kind = STEP if statistics.transport == AS_STEP else TAG
        return f"{kind} {statistics.operation}"
    return f"{statistics.operation} {'of' if scope.kind == JOURNEY else 'over'} {statistics.transport}"


def statistics_in(scope: Scope, run: LoadRun) -> list[OperationStatistics]:
    """The statistics within a scope."""
    if scope.kind == RUN:
        return run.judged_operations
    if scope.kind == JOURNEY:
        journeys = [journey for journey in run.judged_journeys if journey.operation == scope.operation]
        others = {*run.apis, *OWNERS.values()}
        owners = {scope.api} if scope.api else {journey.transport for journey in journeys} - others
        return [journey for journey in journeys if journey.transport in owners]
    if scope.kind in OWNERS:
        groups = [group for group in run.judged_journeys if group.transport == OWNERS[scope.kind]]
        return [group for group in groups if group.operation == scope.operation]
    if scope.kind == API:
        return [operation for operation in run.judged_operations if run.api_of(operation.operation) == scope.api]
    by_name = [operation for operation in run.judged_operations if operation.operation == str(scope)]
    return by_name or [
        operation for operation in run.judged_operations if statistics_name(scope, operation) == str(scope)
    ]


def name_hint(scope: Scope, run: LoadRun) -> str:
    """A suggestion when the run has no operation or journey of that name, or ""."""
    if scope.kind in (RUN, API):
        return ""
    statistics = run.judged_operations if scope.kind == OPERATION else run.judged_journeys
    statistics = [entry for entry in statistics if OWNERS.get(scope.kind, entry.transport) == entry.transport]
    names = sorted({entry.operation.removeprefix(f"{scope.api} ") for entry in statistics})
    similar = get_close_matches(scope.operation, names, 3)
    return f"; did you mean {' or '.join(similar)}?" if similar else ""


def merge_statistics(parts: Iterable[OperationStatistics], detailed: Collection[str] = SERIES) -> OperationStatistics:
    """Add them up; of series that are not `detailed`, only number, sum and extremes, which is much faster."""
    total = OperationStatistics("", "")
    for part in parts:
        total.add(part, detailed)
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
