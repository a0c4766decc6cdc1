"""Which operations a kind of bug is tried at: those that its tests choose, else those of their clauses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.asyncapi import Call, load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from suites.generic import bug_kinds
from suites.generic.kind_reasons import REASONS

ROOT = Path(__file__).parents[3]
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


def only_reading_calls(call: Call) -> str:
    return "" if call.safe else "it changes something"


def test_a_test_by_frame_chooses_the_calls_by_its_reasons() -> None:
    rpc = load_rpc_contract("bitvis")
    assert rpc is not None
    by_frame = MarkedTest(pytest.mark.bug_kind("stale", reason_against_call=only_reading_calls))
    chosen = bug_kinds.of_tests([by_frame], ["bitvis"])["stale"]["reasons"]["bitvis"]  # type: ignore[list-item]  # no Item
    assert {label: chosen[label] for label in rpc.calls} == {
        label: only_reading_calls(call) for label, call in rpc.calls.items()
    }


def reason_of_calls(kind: str, *marks: pytest.MarkDecorator) -> set[str]:
    """Why the kind is not tried at any call of bitvis where this is its only test, which sends no frames."""
    rpc = load_rpc_contract("bitvis")
    assert rpc is not None
    chosen = bug_kinds.of_tests([MarkedTest(*marks)], ["bitvis"])[kind]["reasons"]["bitvis"]  # type: ignore[list-item]  # no Item
    return {chosen[label] for label in rpc.calls}


@pytest.mark.parametrize(
    ("kind", "reason_against", "expected"),
    [
        ("stale", only_reads, bug_kinds.OVER_HTTP),
        ("stale", lambda _: "it cannot", "it cannot"),
        ("negotiation", only_reads, bug_kinds.NO_MEDIA_TYPE),
    ],
)
def test_calls_without_tests_by_frame_have_the_reason_of_http(
    kind: str, reason_against: Callable[[Operation], str], expected: str
) -> None:
    assert reason_of_calls(kind, pytest.mark.bug_kind(kind, reason_against=reason_against)) == {expected}


COLLECT = """
import json, pytest
from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from suites.generic import bug_kinds

APIS = ("bitvis", "flowapp", "flowback", "getflow")


def labels(api):
    rpc = load_rpc_contract(api)
    return [*load_contract(api).operations, *(rpc.calls if rpc else ())]


class Plugin:
    def pytest_collection_finish(self, session):
        kinds = bug_kinds.of_tests(session.items, APIS)
        print("cells", json.dumps([
            (kind, api, label, kinds[kind]["reasons"][api].get(label)) if kind in kinds else (kind, "", "", None)
            for kind in bug_kinds.KINDS for api in APIS for label in labels(api)
        ]))


pytest.main(["suites", "--collect-only", "-qq", "-p", "no:cacheprovider", "-p", "no:allure_pytest"], plugins=[Plugin()])
"""


def test_no_operation_or_call_lacks_a_test_and_a_reason() -> None:
    run = subprocess.run(
        [sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True
    )
    cells = json.loads(next(line for line in run.stdout.splitlines() if line.startswith("cells"))[len("cells") :])
    assert len({cell[0] for cell in cells}) == len(bug_kinds.KINDS)
    assert [cell for cell in cells if cell[3] in (None, bug_kinds.NO_CLAUSE)] == []


@pytest.mark.parametrize(
    ("kind", "api", "label", "reason"),
    [
        ("comparison", "flowback", "POST /register", ""),
        ("comparison", "getflow", "GET /tasks", ""),
        (
            "comparison",
            "getflow",
            "GET /tasks/{task_id}",
            "it neither filters nor sorts, and no value has to be unique",
        ),
        ("edges of lists", "flowback", "GET /users", ""),
        ("edges of lists", "flowapp", "GET /api/v1/users", "its list has no pages"),
        ("edges of lists", "getflow", "PUT /tasks/{task_id}", "it shows no list"),
        ("links and mail", "flowback", "POST /register", ""),
        ("links and mail", "flowback", "POST /register/verify", ""),
        ("links and mail", "flowback", "GET /users", ""),
        ("links and mail", "getflow", "GET /v2/lists", ""),
        ("links and mail", "flowback", "POST /login", "it has neither links, nor codes that are mailed"),
        ("clock", "flowapp", "POST /api/v1/event", ""),
        ("clock", "flowback", "GET /users", "neither its requests nor its responses have a time"),
    ],
)
def test_the_contract_says_where_a_kind_cannot_occur(kind: str, api: str, label: str, reason: str) -> None:
    assert REASONS[kind](load_contract(api).operations[label]) == reason


def test_an_operation_of_another_server_is_the_same_one() -> None:
    of_getflow = bug_kinds.of_tests([MarkedTest(pytest.mark.bug_kind("clock"))], ["getflow"])["clock"]["reasons"]  # type: ignore[list-item]  # no Item
    assert of_getflow["getflow"]["POST /tasks"] == "it is the same as POST /v2/tasks at another server"


def test_what_the_contract_does_not_rule_out_is_reported_as_not_tested() -> None:
    chosen = reasons(MarkedTest(pytest.mark.bug_kind("comparison")), kind="comparison")
    assert chosen["GET /users"] == bug_kinds.NO_CLAUSE
    assert chosen["GET /user"] == "it neither filters nor sorts, and no value has to be unique"
