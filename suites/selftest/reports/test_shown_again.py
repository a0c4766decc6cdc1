"""The command that shows a violation of a load run again: one request where that is enough, else its journey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.load.load_causes import LoadCause
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.shown_again import command_of
from suites.selftest.reports.load_sample import tally

CURL = "curl -sS -i http://127.0.0.1:1/getflow/tasks"
URL = "http://127.0.0.1:1/getflow"
LOCUST = "PYTHONPATH=. locust -f loadtests/getflow.py --headless"
LIST, RECORD = "getflow GET /tasks", "getflow GET /tasks/{id}"


def command(cause_command: str, operation: str, failures: dict[str, dict[str, int]], **plan: Any) -> str:
    """The command for a violation of GETFLOW-ERR-1, where the journeys of these names failed so often by reason."""
    journeys = []
    for name, reasons in failures.items():
        journey = tally(name, [1.0], reasons)
        journey.transport = "getflow"
        journeys.append(journey)
    tags = {"reads": ["reads"], "changes": ["changes", "writes"]}
    plan = {"journey_tags": tags, "users": 7, "targets": {"getflow": URL}, **plan}
    run = LoadRun(Path("run"), plan, LoadResult("evening", 0.0, None, 1, 10.0, journeys=journeys), True, (), ())
    cause = LoadCause("0123456789ab", "getflow", "GETFLOW-ERR-1", "x", operation=operation, command=cause_command)
    return command_of(cause, run)


@pytest.mark.parametrize(
    ("operation", "journeys"),
    [(RECORD, ("reads",)), (RECORD, ("changes", "reads")), (LIST, ("changes",)), (RECORD, ())],
)
def test_one_request_is_enough_unless_its_record_is_gone(operation: str, journeys: tuple[str, ...]) -> None:
    failures = {name: {f"{operation}: GETFLOW-ERR-1": 1} for name in journeys}
    assert command(CURL, operation, failures) == CURL


@pytest.mark.parametrize(("cause_command", "journey"), [("", "reads"), (CURL, "changes")])
def test_otherwise_the_journey_is_run_again(cause_command: str, journey: str) -> None:
    shown = command(cause_command, RECORD, {journey: {f"{RECORD}: GETFLOW-ERR-1": 1}})
    assert shown == f"{LOCUST} --tags {journey} -u 7 -r 7 -t 10s --host {URL}"


def test_the_journey_that_failed_most_often_by_it_is_run() -> None:
    failures = {
        "reads": {f"{LIST}: GETFLOW-ERR-1": 2, f"{LIST}: GETFLOW-ERR-10": 9, f"{RECORD}: GETFLOW-ERR-1": 9},
        "changes": {f"{LIST}: GETFLOW-ERR-1": 3},
    }
    assert " --tags changes " in command("", LIST, failures)


def test_a_journey_is_run_at_the_rate_of_the_run() -> None:
    arrivals = {"Getflow": {"points": [[0.0, 5.0], [9.0, 40.0]]}}
    assert " --rate 40 -u 7 " in command("", LIST, {}, arrivals=arrivals)


def test_our_own_reference_needs_no_host() -> None:
    assert command("", LIST, {}, targets={"getflow": "our reference"}) == f"{LOCUST} -u 7 -r 7 -t 10s"
