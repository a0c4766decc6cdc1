"""A run at a server that lacks addresses of the API: what was not there was not tested, and never passes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import contracts
from contracts.exchange import Request, Response
from reports.results.records import read_records
from reports.results.result_log import ResultRecord
from suites.selftest.python_runs import run_module
from suites.selftest.suites.server_with_habits import Log, serve, settings

ROOT = Path(__file__).parents[3]
ABOUT_CLIENTS = (
    "test_nothing_that_we_print_shows_the_key",
    "test_our_requests_use_views",
    "test_the_key_is_in_no_file_of_the_project",
)
NOT_FOUND = Response(404, (("Content-Type", "application/json"),), b'{"message": "no such address"}')


def run(folder: Path, api: str, url: str, *arguments: str) -> list[ResultRecord]:
    """The results of a run at that server, in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not re.match(rf"PYTEST|{api.upper()}_", name)}
    options = ["-q", "-p", "no:cacheprovider", "--alluredir", str(folder), "--effort", "quick"]
    environ = {**inherited, **settings(api, url, RATE="0")}
    ended = run_module("pytest", [*options, *(arguments or ["suites", "-k", api])], environ, 570)
    results = [record for record in read_records(folder).tests if not record.prerequisite]
    assert results, ended.stdout[-2000:] + ended.stderr[-2000:]
    return results


@pytest.mark.slow(seconds=80)
@pytest.mark.parametrize("api", contracts.apis())
def test_nothing_passes_where_no_address_is_served(api: str, tmp_path: Path) -> None:
    with serve(api, lambda *_: NOT_FOUND) as (url, _):
        results = run(tmp_path, api, url)
    passed = [result.node for result in results if result.outcome == "passed"]
    passed = [node for node in passed if node.rpartition("::")[2] not in ABOUT_CLIENTS]
    broken = [(result.node, result.message) for result in results if result.outcome in ("broken", "misuse")]
    assert (passed, broken) == ([], [])


@pytest.mark.slow
def test_refusals_of_an_operation_that_is_not_there_are_not_tested(tmp_path: Path) -> None:
    def has_no_user(_: Log, request: Request) -> Response | None:
        return NOT_FOUND if re.search(r"/user\b", request.url) else None

    with serve("flowback", has_no_user) as (url, _):
        results = run(tmp_path, "flowback", url, "suites/generic/test_operations.py", "-k", "flowback and GET")
    outcomes = {result.node.rpartition("::")[2]: result.outcome for result in results}
    assert outcomes["test_documented_requests[flowback GET /user]"] == "failed"
    assert outcomes["test_credentials[flowback GET /users]"] == "passed"
    (refusals,) = [result for result in results if "test_misused_methods[flowback GET /user]" in result.node]
    assert (refusals.outcome, "a refusal shows nothing" in refusals.message) == ("blocked", True)


def test_a_missing_websocket_is_one_finding(tmp_path: Path) -> None:
    with serve("bitvis", lambda *_: None) as (url, _):  # a server of HTTP alone
        results = run(tmp_path, "bitvis", url, "suites/bitvis/test_endpoints.py", "suites/bitvis/test_websocket.py")
    failed = [result for result in results if result.outcome == "failed"]
    assert [result.blamed for result in failed] == [("BITVIS-ARCH-1",)]
    assert "a websocket that answers calls to inventory/device, address/address, scheduler/queue" in failed[0].message
    assert {result.outcome for result in results if result not in failed} == {"skipped"}
