"""Which operations a kind of bug is tried at: those that its tests choose, else those of their clauses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.openapi import load_contract
from contracts.operation import Operation
from suites.generic import bug_kinds

OPERATIONS = load_contract("flowback").operations


class MarkedTest:
    """A test with these marks, as far as pytest's own class has what is read of it."""

    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        self.name, self.marks = "test", [decorator.mark for decorator in marks]

    def iter_markers(self, name: str) -> Iterator[pytest.Mark]:
        return (mark for mark in self.marks if mark.name == name)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next(self.iter_markers(name), None)


def only_reads(operation: Operation) -> str:
    return "" if operation.safe else "it writes"


def reasons(*tests: MarkedTest, kind: str = "stale") -> dict[str, str]:
    return bug_kinds.of_tests(tests, ["flowback"])[kind]["reasons"]["flowback"]  # type: ignore[arg-type]  # no Items


def test_a_test_chooses_the_operations_by_its_reasons() -> None:
    chosen = reasons(MarkedTest(pytest.mark.bug_kind("stale", reason_against=only_reads)))
    assert chosen == {label: only_reads(operation) for label, operation in OPERATIONS.items()}


def test_an_operation_that_one_test_of_the_kind_chooses_has_no_reason() -> None:
    every = pytest.mark.bug_kind("stale", reason_against=lambda _: "")
    chosen = reasons(MarkedTest(every), MarkedTest(pytest.mark.bug_kind("stale", reason_against=only_reads)))
    assert set(chosen.values()) == {""}


def test_without_reasons_the_clauses_of_the_tests_choose() -> None:
    chosen = reasons(MarkedTest(pytest.mark.bug_kind("stale"), pytest.mark.clause("FLOWBACK-VER-1")))
    assert [label for label, reason in chosen.items() if not reason] == ["POST /register/verify"]


def test_a_kind_without_tests_is_left_out() -> None:
    assert list(bug_kinds.of_tests([MarkedTest(pytest.mark.bug_kind("clock"))], ["flowback"])) == ["clock"]  # type: ignore[list-item]
