"""Runs at servers with habits: they are paced, wait when asked to, lock no account, and say what was left out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import reference
from reports.results.records import read_records
from reports.results.verdicts import EXIT_CODES, judge
from suites.selftest.python_runs import run_module
from suites.selftest.suites.server_with_habits import as_a_date, in_seconds, locks_after, serve, settings, throttles

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow
SLICES = {
    "getflow": ["suites/getflow/test_constraints.py"],
    "flowapp": ["suites/flowapp/test_operator_list.py", "suites/flowapp/test_surveys.py"],
}
ACCESS = {
    "getflow": [
        "suites/getflow/test_credentials.py",
        "suites/generic/test_operations.py",
        "-k",
        "getflow and credentials",
    ],
    "flowapp": [
        "suites/flowapp/test_authentication.py",
        "suites/generic/test_operations.py",
        "-k",
        "flowapp and (credentials or authentication)",
    ],
}
HEADERS = {"getflow": "authorization", "flowapp": "api-secret"}


def run(folder: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest with these settings; its results go to `folder`."""
    inherited = {name: value for name, value in os.environ.items() if not re.match(r"(GETFLOW|FLOWAPP)_", name)}
    options = ["-q", "-p", "no:cacheprovider", "--alluredir", str(folder), *arguments]
    return run_module("pytest", options, {**inherited, **environ}, 300)


def verdict_of(api: str, folder: Path) -> str:
    return judge(read_records(folder), [api])[0].verdict


@pytest.mark.parametrize(
    ("api", "status", "retry_after"), [("getflow", 429, in_seconds), ("flowapp", 503, as_a_date)], ids=["429", "503"]
)
def test_a_throttled_run_has_no_finding(api: str, status: int, retry_after: Callable[[], str], tmp_path: Path) -> None:
    with serve(api, throttles(5, status, retry_after)) as (url, log):
        result = run(tmp_path, settings(api, url, RATE="20"), *SLICES[api])
    assert log.throttled > 0, "the run was too slow to be throttled"
    assert (result.returncode, verdict_of(api, tmp_path)) == (0, "pass"), result.stdout


def test_a_target_that_asks_for_too_long_makes_the_run_inconclusive(tmp_path: Path) -> None:
    with serve("flowapp", throttles(5, 429, lambda: "3600")) as (url, log):
        result = run(tmp_path, settings("flowapp", url, RATE="200"), *SLICES["flowapp"])
    assert log.throttled == 1, "nothing is sent before the time that the target asked for"
    assert (result.returncode, verdict_of("flowapp", tmp_path)) == (0, "inconclusive"), result.stdout
    assert "the target asks to wait 3600 s, and a run waits at most 60 s at once" in result.stdout


@pytest.mark.parametrize("api", ACCESS)
def test_no_account_is_locked(api: str, tmp_path: Path) -> None:
    valid = {value for name, value in reference.load(api).KNOWN.items() if name.endswith("TOKEN")}
    with serve(api, locks_after(10, HEADERS[api], valid)) as (url, log):
        result = run(tmp_path, settings(api, url, RATE="1000", WRITES="0"), *ACCESS[api])
    assert (result.returncode, log.is_locked) == (0, False), result.stdout
    assert 0 < len(log.wrong) <= 5, "at most five a minute, and not none"
    assert f"{api}: " in result.stdout
    assert re.search(r"\d+ tests not tested: more than 5 requests a minute with wrong credentials", result.stdout)


def test_a_budget_is_never_exceeded(tmp_path: Path) -> None:
    with serve("getflow", lambda *_: None) as (url, log):
        environ = settings("getflow", url, RATE="1000", BUDGET="60", WRITES="0")
        result = run(tmp_path, environ, "suites/getflow/test_constraints.py", "suites/getflow/test_names.py", "-n", "2")
    assert len(log.times) == 60, result.stdout
    assert log.identity_requests == 1, "its processes tell each other whose server it is"
    assert "getflow: at most 60 requests (GETFLOW_BUDGET), 1000 a second" in result.stdout
    assert re.search(r"getflow: \d+ tests not tested: GETFLOW_BUDGET=60 requests are used up", result.stdout)
    assert re.search(r"getflow: clauses not tested for that: GETFLOW-", result.stdout)
    assert EXIT_CODES[verdict_of("getflow", tmp_path)] == 3


def test_a_budget_is_spent_on_every_operation_first(tmp_path: Path) -> None:
    with serve("flowapp", lambda *_: None) as (url, _):
        environ = settings("flowapp", url, RATE="0", BUDGET="100000")
        result = run(tmp_path, environ, "suites", "-k", "flowapp and not mail", "--collect-only")
    ids = [line for line in result.stdout.splitlines() if "::" in line]
    operations = {line.partition("[")[2] for line in ids if "test_operations.py" in line}
    assert {line.partition("[")[2] for line in ids[: len(operations)]} >= operations


def test_at_our_reference_nothing_is_announced(tmp_path: Path) -> None:
    result = run(tmp_path, {}, "suites/flowapp/test_operator_list.py")
    assert "requests" not in result.stdout
