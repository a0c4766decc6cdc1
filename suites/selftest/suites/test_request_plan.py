"""What a run announces: how many requests at most, measured at our reference, and how long that takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import contracts
from suites.reporting import request_plan
from suites.reporting.request_plan import api_of_node, plan_text, planned_requests, requests_of_test
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
SLICES = {
    "bitvis": "suites/bitvis/test_parameters.py",
    "flowapp": "suites/flowapp/test_registration.py",
    "flowback": "suites/flowback/test_pages.py",
    "getflow": "suites/getflow/test_views.py",
}
TEST = "suites/getflow/test_views.py::test_x"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_plan, "request_counts", lambda _: {"getflow/test_views.py::test_x": (10, 25)})


@pytest.mark.parametrize(
    ("node_id", "api"),
    [
        ("suites/getflow/test_views.py::test_x[flowapp]", "getflow"),
        ("suites/generic/test_operations.py::test_x[getflow GET /tasks]", "getflow"),
        ("suites/generic/test_rpc.py::test_x[websocket-bitvis inventory/device LIST]", "bitvis"),
        ("suites/generic/test_operations.py::test_x[flowapp GET /getflow]", "flowapp"),
        ("suites/selftest/test_house.py::test_x", ""),
    ],
)
def test_a_node_is_of_an_api(node_id: str, api: str) -> None:
    assert api_of_node(node_id) == api


@pytest.mark.usefixtures("counts")
def test_some_tests_of_a_function_are_planned_with_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_plan, "MARGIN", 1)
    monkeypatch.setattr(request_plan, "PER_WORKER", 2)
    plans = [planned_requests("getflow", [f"{TEST}[{n}]" for n in range(number)], 1)[0] for number in (1, 2, 3, 9)]
    assert plans == [12, 22, 27, 27]


@pytest.mark.usefixtures("counts")
def test_a_test_that_nobody_measured_is_counted() -> None:
    assert planned_requests("getflow", [f"{TEST}_new", "suites/flowapp/test_y.py::test_y"], 1) == (0, 1)
    assert requests_of_test("getflow", f"{TEST}_new") == 0


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ((12000, 0, 20.0, None), "getflow: about 12,000 requests at most, 20 a second, which takes about 10 minutes"),
        ((100, 0, 20.0, None), "getflow: about 100 requests at most, 20 a second, which takes about 5 seconds"),
        ((100, 0, 0.0, None), "getflow: about 100 requests at most, as fast as they are answered"),
        ((100, 3, 0.0, None), "getflow: about 100 requests at most and those of 3 tests that nobody has measured, "
         "as fast as they are answered"),
        ((0, 3, 20.0, None), "getflow: a number of requests that nobody has measured, 20 a second"),
        ((0, 3, 20.0, 40), "getflow: at most 40 requests (GETFLOW_BUDGET), 20 a second, which takes about 2 seconds"),
        ((100, 0, 20.0, 40), "getflow: at most 40 requests (GETFLOW_BUDGET), 20 a second, which takes about 2 seconds"),
        ((100, 0, 20.0, 400), "getflow: about 100 requests at most, 20 a second, which takes about 5 seconds"),
    ],
)  # fmt: skip
def test_the_plan_is_a_sentence(plan: tuple[int, int, float, int | None], text: str) -> None:
    assert plan_text("getflow", *plan) == text


def test_a_greater_effort_than_the_measured_one_sends_more() -> None:
    text = plan_text("getflow", 12000, 0, 20.0, None, is_measured_effort=False)
    assert text == "getflow: more than 12,000 requests, 20 a second, which takes more than 10 minutes"


def test_a_budget_bounds_a_greater_effort() -> None:
    text = plan_text("getflow", 100, 0, 20.0, 400, is_measured_effort=False)
    assert text == "getflow: at most 400 requests (GETFLOW_BUDGET), 20 a second, which takes about 20 seconds"


def test_every_test_is_measured() -> None:
    """A test that was added, or renamed, needs `python -m suites.request_counts`."""
    command = ["suites", "--collect-only", "-q", "-p", "no:cacheprovider"]
    listed = run_module("pytest", command, os.environ).stdout.splitlines()
    node_ids = [line for line in listed if line.startswith("suites/")]
    assert node_ids, "no test was collected"
    missing = {api: planned_requests(api, node_ids, 1)[1] for api in contracts.apis()}
    assert {api: number for api, number in missing.items() if number} == {}


@pytest.mark.slow
@pytest.mark.parametrize("api", SLICES)
def test_at_most_what_was_announced_is_sent_and_at_least_half_of_it(api: str) -> None:
    command = [sys.executable, "-m", "suites.request_counts", "--check", SLICES[api]]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert f"{api}: announced " in result.stdout
    assert result.returncode == 0, result.stdout
