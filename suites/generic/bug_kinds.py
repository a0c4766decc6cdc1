"""The kinds of bugs that vendors ship, whatever a document is about; each is tested wherever it can occur.

A test of a kind has the mark `bug_kind(name, reason_against)`: it is collected for every operation for which
`reason_against(operation)` is "". Any other text says why the kind cannot occur there.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from contracts.openapi import load_contract
from contracts.operation import Operation
from reports.results.run_manifest import BugKind

KINDS = {
    "ways in": "each way to the same thing has the same permission and the same validation",
    "stale": "what was written is read back at once, everywhere",
    "identity": "an id is the whole id, and no other spelling of it is one",
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


def reasons_against(operation: Operation, marks: Iterable[pytest.Mark]) -> list[str]:
    """Why the kinds that these marks name cannot occur at the operation, [] if they can."""
    reasons = [mark.kwargs["reason_against"](operation) for mark in marks]
    return [reason for reason in reasons if reason]


def of_tests(items: Iterable[pytest.Item], apis: Iterable[str]) -> dict[str, BugKind]:
    """The kinds that these tests look for, in the order of KINDS, with the operations of these APIs."""
    marks: dict[str, dict[str, pytest.Mark]] = {}
    for item in items:
        for mark in item.iter_markers("bug_kind"):
            marks.setdefault(mark.args[0], {})[getattr(item, "originalname", item.name)] = mark
    operations = {api: list(load_contract(api).operations.values()) for api in apis}
    return {
        kind: BugKind(
            rule=rule,
            reasons={
                api: {operation.label: _reason(operation, list(marks[kind].values())) for operation in of_api}
                for api, of_api in operations.items()
            },
        )
        for kind, rule in KINDS.items()
        if kind in marks
    }


def _reason(operation: Operation, marks: list[pytest.Mark]) -> str:
    """Why no test of the kind can look at the operation, "" if one can."""
    reasons = reasons_against(operation, marks)
    return reasons[0] if len(reasons) == len(marks) else ""
