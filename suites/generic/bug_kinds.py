"""The kinds of bugs that vendors ship, whatever a document is about; each is tested wherever it can occur.

A test of a kind has the mark `bug_kind(name, reason_against)`: it is collected for every operation for which
`reason_against(operation)` is "". Any other text says why the kind cannot occur there. Without `reason_against` the
clauses that the tests check decide where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import pytest

from contracts.openapi import load_contract
from contracts.operation import Operation
from reports.results.run_manifest import BugKind
from suites.reporting.pytest_plugin import clauses_of

KINDS = {
    "ways in": "each way to the same thing has the same permission and the same validation",
    "stale": "what was written is read back at once, everywhere",
    "identity": "an id is the whole id: what only looks like it names no record, another spelling no other one",
    "values keep": "difficult values come back as they were sent",
    "only what was named": "a request changes nothing but what it names, and a refused one nothing at all",
    "comparison": "filters and uniqueness compare whole values, and alike",
    "edges of lists": "full, empty and partial pages show every record once",
    "together": "requests at the same time do what they do one after the other",
    "leaking state": "nothing of one request shows in the response to another",
    "two mistakes": "each error of a request is reported, with its own code and attribute",
    "negotiation": "media types are read as HTTP defines them",
    "spelling": "a request that is written otherwise means the same",
    "links and mail": "what a link or a mail holds works as it stands",
    "clock": "nothing changes at a second, day, month or change of summer time that should not",
}


NO_CLAUSE = "no test of the kind is about it"


def reasons_against(operation: Operation, marks: Iterable[pytest.Mark]) -> list[str]:
    """Why the kinds that these marks name cannot occur at the operation, [] if they can."""
    reasons = [_reason(mark.kwargs["reason_against"], operation) for mark in marks if "reason_against" in mark.kwargs]
    return [reason for reason in reasons if reason]


@cache
def _reason(reason_against: Callable[[Operation], str], operation: Operation) -> str:
    return reason_against(operation)


def of_tests(items: Iterable[pytest.Item], apis: Iterable[str]) -> dict[str, BugKind]:
    """The kinds that these tests look for, in the order of KINDS, with the operations of these APIs."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        for mark in item.iter_markers("bug_kind"):
            tests.setdefault(mark.args[0], []).append(item)
    operations = [operation for api in apis for operation in load_contract(api).operations.values()]
    return {kind: _of_kind(kind, rule, operations, tests[kind]) for kind, rule in KINDS.items() if kind in tests}


def _of_kind(kind: str, rule: str, operations: Iterable[Operation], tests: Iterable[pytest.Item]) -> BugKind:
    """The kind, with why no test of it can look at each operation, "" if one can."""
    clauses, deciding = set(), {}
    for test in tests:
        clauses |= set(clauses_of(test))
        for mark in test.iter_markers("bug_kind"):
            if mark.args[0] == kind and "reason_against" in mark.kwargs:
                deciding[mark.kwargs["reason_against"]] = mark
    reasons: dict[str, dict[str, str]] = {}
    for operation in operations:
        against = reasons_against(operation, deciding.values())
        if deciding:
            reason = against[0] if len(against) == len(deciding) else ""
        else:
            reason = "" if clauses & set(operation.clauses) else NO_CLAUSE
        reasons.setdefault(operation.api, {})[operation.label] = reason
    return BugKind(rule=rule, reasons=reasons)
