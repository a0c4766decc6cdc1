"""The kinds of bugs that vendors ship, whatever a document is about; each is tested wherever it can occur.

A test of a kind has the mark `bug_kind(name, reason_against)`: it is collected for every operation for which
`reason_against(operation)` is "". Any other text says why the kind cannot occur there. `reason_against_call` says the
same of the calls of a test by frame. Without either the clauses that the tests check decide where it can. Every
operation and every call has a reason, or "", for every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from contracts.asyncapi import Call, load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from reports.results.run_manifest import BugKind
from suites.generic.kind_reasons import REASONS
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


OF_OPERATIONS, OF_CALLS = "reason_against", "reason_against_call"
ReasonAgainst = Callable[[Any], str]  # takes an operation, or a call
NO_CLAUSE = "no test of the kind is about it"
OVER_HTTP = "calls get the same responses by frame as over HTTP, where the kind is tried"
NO_MEDIA_TYPE = "a frame has no media type"


def reasons_against(subject: Operation | Call, marks: Iterable[pytest.Mark]) -> list[str]:
    """Why the kinds that these marks name cannot occur at the operation or call, [] if they can."""
    name = OF_CALLS if isinstance(subject, Call) else OF_OPERATIONS
    reasons = [_reason(mark.kwargs[name], subject) for mark in marks if name in mark.kwargs]
    return [reason for reason in reasons if reason]


@cache
def _reason(reason_against: ReasonAgainst, subject: Operation | Call) -> str:
    return reason_against(subject)


def of_tests(items: Iterable[pytest.Item], apis: Iterable[str]) -> dict[str, BugKind]:
    """The kinds that these tests look for, in the order of KINDS, with the operations of these APIs."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        for mark in item.iter_markers("bug_kind"):
            tests.setdefault(mark.args[0], []).append(item)
    names = list(apis)
    operations = [operation for api in names for operation in load_contract(api).operations.values()]
    calls = [call for api in names if (rpc := load_rpc_contract(api)) for call in rpc.calls.values()]
    return {kind: _of_kind(kind, rule, operations, calls, tests[kind]) for kind, rule in KINDS.items() if kind in tests}


def _of_kind(
    kind: str, rule: str, operations: Iterable[Operation], calls: Iterable[Call], tests: Sequence[pytest.Item]
) -> BugKind:
    """The kind, with why no test of it can look at each operation and call, "" if one can."""
    clauses = {clause for test in tests for clause in clauses_of(test)}
    marks = [mark for test in tests for mark in test.iter_markers("bug_kind") if mark.args[0] == kind]
    reasons: dict[str, dict[str, str]] = {}
    for operation in operations:
        reason = _reason_of_all(operation, _deciding(marks, OF_OPERATIONS))
        if reason is None:
            reason = _reason_of_contract(kind, operation, is_checked=bool(clauses & set(operation.clauses)))
        reasons.setdefault(operation.api, {})[operation.label] = reason
    for call in calls:
        reason = _reason_of_all(call, _deciding(marks, OF_CALLS))
        of_api = reasons.setdefault(call.api, {})
        of_api[call.label] = _reason_over_http(kind, of_api) if reason is None else reason
    return BugKind(rule=rule, reasons=reasons)


def _reason_over_http(kind: str, reasons: Mapping[str, str]) -> str:
    """Why a kind without tests by frame is not tried at a call, by the reasons of the operations of the same API."""
    if kind == "negotiation":
        return NO_MEDIA_TYPE
    return OVER_HTTP if "" in reasons.values() else next(iter(reasons.values()))


def _reason_of_contract(kind: str, operation: Operation, is_checked: bool) -> str:
    """Why the kind cannot occur there by its contract; else "" if a test checks a clause of it, or why none does."""
    against = _reason(REASONS[kind], operation) if kind in REASONS else ""
    if against or is_checked:
        return against
    others = (it for it in load_contract(operation.api).operations.values() if it.id == operation.id)
    same = next((it.label for it in others if it is not operation), "")
    return f"it is the same as {same} at another server" if same else NO_CLAUSE


def _deciding(marks: Iterable[pytest.Mark], name: str) -> list[pytest.Mark]:
    """One of the marks for each reason that they have by that name."""
    return list({mark.kwargs[name]: mark for mark in marks if name in mark.kwargs}.values())


def _reason_of_all(subject: Operation | Call, deciding: Sequence[pytest.Mark]) -> str | None:
    """Why none of these marks lets the kind occur there, "" if one does; None without marks."""
    against = reasons_against(subject, deciding)
    if not deciding:
        return None
    return against[0] if len(against) == len(deciding) else ""
