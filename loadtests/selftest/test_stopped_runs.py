"""Load runs that end before their first journey, and links that lead away: what Locust and the report say of them."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from loadtests import flowback, getflow
from loadtests.engine.exchange_types import Response
from loadtests.selftest.locust_run import PATIENCE, clean_environment, finished_run, server
from loadtests.validation.invariants import PaginationWalk
from reports.results import run_manifest
from reports.results.result_log import ResultLog, ResultRecord

OPTIONS = "--headless --loglevel WARNING --profile smoke --scale 0.1"


@pytest.fixture
def dead_url() -> Iterator[str]:
    """A URL whose port refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/getflow"


def judged_again(results: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`python -m reports --load` on that run."""
    arguments = ["--load", str(results), "--out", str(out), "--no-html", *options]
    return server().run("reports", arguments, clean_environment(), PATIENCE)


def test_a_dead_host_is_unreachable_in_one_line_then_and_later(tmp_path: Path, dead_url: str) -> None:
    run = finished_run(tmp_path, dead_url, "from loadtests.getflow import Getflow\n", OPTIONS)
    again = judged_again(run.results, tmp_path / "out", "--results", str(tmp_path / "none"))
    assert (run.process.returncode, again.returncode) == (4, 4)
    assert "Traceback" not in run.output + again.stdout + again.stderr
    for text in (run.output, again.stdout):
        (line,) = [line for line in text.splitlines() if line.startswith("load: ")]
        assert line.startswith(f"load: unreachable: {dead_url} does not answer (")
    facts = json.loads((run.results / "verdict.json").read_text())
    assert (facts["verdict"], facts["exit_code"], len(facts["reasons"])) == ("unreachable", 4, 1)
    assert 'type="unreachable"' in (run.results / "junit.xml").read_text()


def test_a_run_that_validated_nothing_is_inconclusive(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "", "from loadtests.flowapp import Flowapp\n", f"{OPTIONS} --judge status")
    assert run.process.returncode == 3, run.output[-3000:]
    assert "run violations: no response was validated by its contract; leave out --judge status" in run.output


def leave_results(folder: Path, **outcomes: str) -> Path:
    """Leaves a pytest run with a test of each of these APIs that ended so."""
    run = run_manifest.begin(folder)
    run_manifest.start(folder, run, dict.fromkeys(outcomes, 1), {}, is_selection=True)
    for api, outcome in outcomes.items():
        ResultLog(folder, run, "main").append(ResultRecord(api, f"suites/{api}/test_x.py::test_x", "X", outcome))
    run_manifest.finish(folder, run, 0)
    return folder


def test_only_what_pytest_tested_and_reached_is_loaded(tmp_path: Path) -> None:
    results = leave_results(tmp_path / "results", flowapp="passed", bitvis="unreachable")
    text = "from loadtests.all import *\n"
    run = finished_run(tmp_path, "", text, f"{OPTIONS} --tested-in {results} --results {tmp_path / 'run'}")
    assert json.loads((run.results / "verdict.json").read_text())["apis"] == ["flowapp"], run.output[-3000:]
    assert set(json.loads((run.results / "left-out.json").read_text())) == {"bitvis", "flowback", "getflow"}


def test_without_an_api_to_load_the_verdict_is_that_of_pytest(tmp_path: Path) -> None:
    results = leave_results(tmp_path / "results", bitvis="unreachable")
    text = "from loadtests.all import *\n"
    run = finished_run(tmp_path, "", text, f"{OPTIONS} --tested-in {results} --results {tmp_path / 'run'}")
    assert (run.process.returncode, "Traceback" in run.output) == (0, False), run.output[-3000:]
    again = judged_again(run.results, tmp_path / "out", "--results", str(results), "--expect", "all")
    assert again.returncode == 4, again.stdout + again.stderr
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["problems"] == []


def test_a_load_run_that_left_nothing_is_broken(tmp_path: Path) -> None:
    results = leave_results(tmp_path / "results", flowapp="passed")
    again = judged_again(tmp_path / "nowhere", tmp_path / "out", "--results", str(results), "--expect", "all")
    assert again.returncode == 2, again.stdout + again.stderr
    assert "broken: " in again.stdout


def response(body: bytes, *headers: tuple[bytes, bytes]) -> Response:
    return Response(200, headers, body, None, 0, 0, 0, 0)


FOREIGN = "http://flow.example/tasks?cursor=2"


def test_a_link_header_to_another_host_violates_the_clause_of_paging() -> None:
    walk = PaginationWalk("id", "GETFLOW-PAGE-7", "GETFLOW-PAGE-7")
    check = partial(getflow.check_page, walk, "tasks", "http://127.0.0.1:1/getflow")
    linked = response(b"{}", (b"link", f"<{FOREIGN}>; rel=next".encode()))
    assert check({"tasks": []}, linked) == ("GETFLOW-PAGE-6", "a link to http://127.0.0.1:1/getflow", FOREIGN)
    assert check({"tasks": []}, response(b"{}")) is None


def test_a_next_page_on_another_host_violates_the_clause_of_paging() -> None:
    walk = PaginationWalk("id", "FLOWBACK-LIST-18", "FLOWBACK-LIST-18")
    check = partial(flowback.check_page, walk, "http://127.0.0.1:1/flowback")
    expected = ("FLOWBACK-LIST-5", "a link to http://127.0.0.1:1/flowback", FOREIGN)
    assert check({"data": [], "next": FOREIGN}, response(b"{}")) == expected
    assert check({"data": [], "next": False}, response(b"{}")) is None


def test_a_next_page_without_users_violates_the_clause_of_the_last_page() -> None:
    walk = PaginationWalk("id", "FLOWBACK-LIST-18", "FLOWBACK-LIST-18")
    check = partial(flowback.check_page, walk, "http://127.0.0.1:1/flowback")
    assert check({"data": [{"id": 1}], "next": "http://127.0.0.1:1/flowback/users?page=2"}, response(b"{}")) is None
    assert check({"data": [], "next": False}, response(b"{}")) == ("FLOWBACK-LIST-20", "a next page with users", "none")


def test_a_page_without_records_that_names_another_one_violates_the_clause_of_the_last_page() -> None:
    walk = PaginationWalk("id", "GETFLOW-PAGE-7", "GETFLOW-PAGE-7")
    check = partial(getflow.check_page, walk, "tasks", "http://127.0.0.1:1/getflow")
    linked = response(b"{}", (b"link", b"<http://127.0.0.1:1/getflow/tasks?cursor=2>; rel=next"))
    assert check({"tasks": [{"id": 1}]}, linked) is None
    assert check({"tasks": []}, linked) == ("GETFLOW-PAGE-10", "a last page", "no tasks, and a link to a next page")
    assert check({"tasks": []}, response(b"{}")) is None  # the last one may have been deleted meanwhile
