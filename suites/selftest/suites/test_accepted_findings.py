"""Runs of pytest in which findings are accepted, by real processes: exit codes, what is printed, what reports say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.targets import embedded_references
from reports.results.acceptances import Acceptance, AcceptanceList, write_acceptances
from reports.results.causes import cause_id, causes_of
from reports.results.finding_record import FindingRecord
from reports.results.result_log import ResultRecord
from suites.harden import departures_matrix
from suites.reporting.accepted_findings import ACCEPTED, exit_status
from suites.selftest.free_port import free_address
from suites.selftest.python_runs import run_module

TODAY = date.today()
FAULT, CLAUSE, SUITE = "counts_the_rows_of_the_page", "FLOWBACK-LIST-4", "suites/flowback/test_page_envelope.py"
CAUSE = cause_id("flowback", FindingRecord(CLAUSE, "", ""))
ELSE = "aaaaaaaaaaaa"
FINDING = FindingRecord(CLAUSE, "3", "2", grade="example", operation="GET /users", status=200)
RECORD = ResultRecord("flowback", "node", "title", "failed", (CLAUSE,), (CLAUSE,), findings=(FINDING,))


@pytest.fixture(scope="module")
def faulty_url() -> Iterator[str]:
    """A server whose page envelope counts wrongly."""
    with embedded_references(["flowback"], "", [f"--fault=flowback.{FAULT}"]) as started:
        yield started["flowback"].url


def accept(folder: Path, url: str, identifier: str, until: date) -> None:
    """A target file for that server, and beside it one acceptance."""
    (folder / "target.yaml").write_text(f"url: {url}\n")
    entry = Acceptance(identifier, "ticket 812", "Ann", until, CLAUSE)
    write_acceptances(folder / "accepted.yaml", [entry], TODAY)


def run(folder: Path, *options: str) -> tuple[CompletedProcess[str], CompletedProcess[str]]:
    """pytest on the suite, and then the reports of what it left."""
    target = {"FLOWBACK_TARGET": str(folder / "target.yaml"), "FLOWBACK_SMTP": free_address()}
    environ = {**departures_matrix.inherited(), **target}
    plain = [SUITE, "-q", "-p", "no:cacheprovider", f"--alluredir={folder / 'results'}", *options]
    tested = run_module("pytest", plain, environ)
    return tested, run_module("reports", reporting(folder), environ)


def reporting(folder: Path) -> list[str]:
    """The arguments of the reports of what a run has left."""
    return ["--results", str(folder / "results"), "--out", str(folder / "out"), "--no-html"]


@pytest.mark.parametrize("options", [("-x",), ("-n", "1")], ids=["alone", "in a worker"])
def test_an_accepted_finding_does_not_fail_the_run(tmp_path: Path, faulty_url: str, options: tuple[str, ...]) -> None:
    accept(tmp_path, faulty_url, CAUSE, TODAY)
    tested, reported = run(tmp_path, *options)
    assert (tested.returncode, reported.returncode) == (0, 0), tested.stdout + reported.stdout
    assert "8 passed, 1 known in" in tested.stdout
    for output in (tested.stdout, reported.stdout):
        assert f"accepted: {CLAUSE}: " in output
        assert f"cause {CAUSE}; accepted until {TODAY}: ticket 812 (Ann)" in output
    assert "FAILED" not in tested.stdout


def test_a_failure_that_only_its_cause_shows_to_be_accepted_does_not_count() -> None:
    both = replace(RECORD, findings=(FINDING, replace(FINDING, slot="/count", kind="type")))
    (cause,) = causes_of([both])
    entry = Acceptance(cause.id, "ticket 812", "Ann", TODAY)
    config: Any = SimpleNamespace(stash={ACCEPTED: {"flowback": AcceptanceList("", TODAY, (entry,))}})
    part = replace(RECORD, node="part")
    assert exit_status(config, 1, {"part"}, [both, part]) == 0
    assert exit_status(config, 1, {"part"}, [part]) == 1
    assert exit_status(config, 1, {"part", "crashed"}, [both, part]) == 1
    assert exit_status(config, 2, {"part"}, [both, part]) == 2


def test_a_finding_fails_the_run_after_the_last_day(tmp_path: Path, faulty_url: str) -> None:
    accept(tmp_path, faulty_url, CAUSE, TODAY - timedelta(1))
    tested, reported = run(tmp_path)
    assert (tested.returncode, reported.returncode) == (1, 1), tested.stdout + reported.stdout
    for output in (tested.stdout, reported.stdout):
        assert f"overdue: {CAUSE} {CLAUSE} was accepted until {TODAY - timedelta(1)}: ticket 812 (Ann)" in output


def test_reports_made_later_say_the_same(tmp_path: Path, faulty_url: str) -> None:
    accept(tmp_path, faulty_url, CAUSE, TODAY)
    run(tmp_path)
    (tmp_path / "accepted.yaml").unlink()
    assert run_module("reports", reporting(tmp_path), departures_matrix.inherited()).returncode == 0


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 1)], ids=["plain", "strict"])
def test_an_acceptance_of_which_nothing_is_found_fails_a_strict_run(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    with embedded_references(["flowback"]) as started:
        accept(tmp_path, started["flowback"].url, ELSE, TODAY)
        tested, reported = run(tmp_path, *options)
    assert (tested.returncode, reported.returncode) == (code, code), tested.stdout + reported.stdout
    for output in (tested.stdout, reported.stdout):
        assert f"vanished: {ELSE} {CLAUSE} is accepted until {TODAY}: ticket 812 (Ann), and was not found" in output


def test_a_file_that_is_not_understood_is_misuse(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("url: http://127.0.0.1:9/flowback\n")
    (tmp_path / "accepted.yaml").write_text("- {id: x}")
    tested, reported = run(tmp_path)
    assert (tested.returncode, reported.returncode) == (2, 2)
    for output in (tested.stdout + tested.stderr, reported.stdout + reported.stderr):
        assert "accepted.yaml, line 1: id: got 'x', expected the id that the report shows" in output
        assert "Traceback" not in output
