"""Tests of which test is tried first against a fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fixtures.reference.protocol import Change
from reports.mutation.kill_table import Complaint, KillTable, MutationResult, Provenance, catching_tests
from suites.mutation.trial import CLAUSES, SECONDS, own_tests_first

FAULT = Change("a", "fault", ("T-1", "T-2"), "It is broken.", lambda _api, request, handler: handler(request))


def item(name: str, seconds: float, *clauses: str) -> Any:
    """A test as it stands in a session after the honest run."""
    return SimpleNamespace(originalname=name, stash={CLAUSES: frozenset(clauses), SECONDS: seconds})


def names(items: list[Any]) -> str:
    return "".join(it.originalname for it in items)


def test_tests_of_the_first_clause_come_before_those_of_others_and_the_rest() -> None:
    assert names(own_tests_first([item("d", 1), item("s", 1, "T-2"), item("f", 1, "T-1")], FAULT)) == "fsd"


def test_of_equal_tests_the_quickest_comes_first() -> None:
    assert names(own_tests_first([item("s", 2, "T-1"), item("q", 1, "T-1")], FAULT)) == "qs"


def test_what_caught_the_fault_before_comes_first() -> None:
    assert names(own_tests_first([item("f", 1, "T-1"), item("c", 9)], FAULT, "c")) == "cf"


def test_the_function_that_caught_a_fault_is_that_of_the_killing_complaint() -> None:
    complaints = (
        Complaint("suites/x.py::test_other[a]", ("T-9",), ""),
        Complaint("suites/x.py::test_it[b::c]", ("T-2",), ""),
    )
    results = (
        MutationResult("todo", "a", "fault", ("T-1", "T-2"), "", complaints),
        MutationResult("todo", "missed", "fault", ("T-1",), ""),
        MutationResult("todo", "v", "variant", ("T-2",), "", complaints),
    )
    table = KillTable(Provenance("2026-01-01T00:00:00+00:00", "", 1, 1, ""), 1.0, 1, {}, (), results, 0)
    assert catching_tests(table) == {("todo", "a"): "test_it"}
