"""Tests of the formats for CI servers: each is valid by its schema, points at the clause, and tells the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reports.pipelines import github
from reports.pipelines.clause_location import location_of
from reports.pipelines.ctrf import ctrf
from reports.pipelines.gitlab import code_quality
from reports.pipelines.sarif import sarif
from reports.results.finding_record import FindingRecord
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import RunManifest
from reports.results.verdicts import judge, overall
from suites.selftest.reports.format_schemas import validators

ROOT = Path(__file__).parents[3]
CLAUSE, MILD = "GETFLOW-ERR-10", "GETFLOW-VIEW-13"  # stated; public
COMMAND = "curl -sS http://127.0.0.1/tasks"


def finding(clause: str = CLAUSE, **more: Any) -> FindingRecord:
    return FindingRecord(clause, "missing_param", "limit", operation="GET /tasks", command=COMMAND, **more)


def record_of(outcome: str, name: str = "test_x", **more: Any) -> ResultRecord:
    return ResultRecord("getflow", f"suites/getflow/test_errors.py::{name}", "X", outcome, (CLAUSE,), **more)


FAILED = record_of("failed", findings=(finding(),), blamed=(CLAUSE,), message="limit, not missing_param", seconds=0.25)
WARNED = record_of("warning", "test_w", findings=(finding(MILD, grade="public", is_warning=True),), message="not so")
ENDS: dict[str, tuple[list[ResultRecord], dict[str, Any]]] = {
    "pass": ([record_of("passed")], {}),
    "fail": ([FAILED, WARNED, record_of("skipped", "test_s", message="set GETFLOW_OTHER_TOKEN")], {}),
    "inconclusive": ([record_of("passed")], {"expected": {"getflow": 2}}),
    "broken": ([record_of("broken", message="KeyError: 'x'")], {}),
    "unreachable": ([record_of("unreachable", message="GETFLOW_URL: connection refused")], {}),
    "misuse": ([record_of("misuse", message="GETFLOW_TOKEN is not set")], {}),
}


@dataclass(frozen=True)
class Run:
    """A run in memory, in each format."""

    verdict: str
    sarif: Any
    ctrf: Any
    issues: Any
    annotations: Sequence[str]


def run_that(end: str) -> Run:
    tests, more = ENDS[end]
    manifest = RunManifest(
        **{"expected": {"getflow": len(tests)}, "complete": True, "exit_status": 0, "began": 5.0, "ended": 7.5} | more
    )
    records = RunRecords(tuple(tests), manifest, ())
    verdicts = judge(records, ["getflow"])
    verdict = overall(verdicts, records)
    assert verdict == end
    return Run(
        verdict,
        json.loads(sarif(verdicts, records, verdict)),
        json.loads(ctrf(verdicts, records, verdict)),
        json.loads(code_quality(verdicts)),
        github.messages(verdicts, records, {"GITHUB_ACTIONS": "true"}),
    )


FORMATS = {"sarif": "sarif", "ctrf": "ctrf", "code quality": "issues"}  # and the member of a run


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("form", FORMATS)
def test_report_is_valid_by_its_schema(form: str, end: str) -> None:
    errors = [error.message for error in validators()[form].iter_errors(getattr(run_that(end), FORMATS[form]))]
    assert errors == []


def test_schema_of_sarif_refuses_another_level() -> None:
    report = run_that("fail").sarif
    report["runs"][0]["results"][0]["level"] = "worst"
    assert not validators()["sarif"].is_valid(report)


def test_schema_of_ctrf_refuses_another_status() -> None:
    report = run_that("fail").ctrf
    report["results"]["tests"][0]["status"] = "warning"
    assert not validators()["ctrf"].is_valid(report)


@pytest.mark.parametrize("end", ENDS)
def test_sarif_and_ctrf_say_the_verdict(end: str) -> None:
    run = run_that(end)
    (invocation,) = run.sarif["runs"][0]["invocations"]
    assert (invocation["exitCodeDescription"], run.ctrf["results"]["extra"]["verdict"]) == (end, end)
    assert invocation["executionSuccessful"] == (end in ("pass", "fail"))


def test_location_is_the_line_of_the_clause() -> None:
    path, line = location_of("getflow", CLAUSE)
    assert (ROOT / path).read_text().split("\n")[line - 1] == f"- id: {CLAUSE}"


def test_location_of_a_reading_is_in_the_readings() -> None:
    assert location_of("getflow", "GETFLOW-AMB-12").path == "contracts/getflow/readings.yaml"


def test_location_of_no_clause_is_the_file_of_the_clauses() -> None:
    assert location_of("getflow", "") == ("contracts/getflow/clauses.yaml", 1)


def test_sarif_has_a_result_for_each_cause_with_its_id() -> None:
    run = run_that("fail")
    results = run.sarif["runs"][0]["results"]
    assert [(it["ruleId"], it["level"]) for it in results] == [(CLAUSE, "error"), (MILD, "warning")]
    causes = run.ctrf["results"]["extra"]["causes"]
    assert [it["partialFingerprints"]["flowproofCause/v1"] for it in results] == [cause["id"] for cause in causes]
    assert [rule["id"] for rule in run.sarif["runs"][0]["tool"]["driver"]["rules"]] == [CLAUSE, MILD]
    assert COMMAND in results[0]["message"]["text"]


def test_sarif_has_a_reason_for_a_run_without_evidence() -> None:
    (notification,) = run_that("inconclusive").sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "getflow: 1 of 2 collected tests left no result"


def test_ctrf_counts_tests_and_times_them() -> None:
    results = run_that("fail").ctrf["results"]
    summary = {name: results["summary"][name] for name in ("tests", "passed", "failed", "skipped", "start", "stop")}
    assert summary == {"tests": 3, "passed": 1, "failed": 1, "skipped": 1, "start": 5000, "stop": 7500}
    assert [(it["rawStatus"], it["duration"]) for it in results["tests"]] == [
        ("failed", 250),
        ("warning", 0),
        ("skipped", 0),
    ]


def test_schema_of_code_quality_refuses_another_severity() -> None:
    issues = run_that("fail").issues
    issues[0]["severity"] = "worst"
    assert not validators()["code quality"].is_valid(issues)


def test_gitlab_has_an_issue_for_each_cause() -> None:
    issues = run_that("fail").issues
    assert [(it["check_name"], it["severity"]) for it in issues] == [(CLAUSE, "major"), (MILD, "minor")]
    assert issues[0]["location"] == {
        "path": "contracts/getflow/clauses.yaml",
        "lines": {"begin": location_of("getflow", CLAUSE).line},
    }
    assert run_that("pass").issues == []


def test_github_shows_each_cause_beside_its_clause() -> None:
    first, second = run_that("fail").annotations
    line = location_of("getflow", CLAUSE).line
    assert first.startswith(f"::error file=contracts/getflow/clauses.yaml,line={line},title=getflow%3A {CLAUSE}::")
    assert "%0A  try it" in first
    assert second.startswith("::warning file=")


def test_github_shows_why_a_run_has_no_verdict() -> None:
    assert run_that("inconclusive").annotations == ["::error::getflow: 1 of 2 collected tests left no result"]


def test_annotations_are_for_github_alone() -> None:
    records = RunRecords((FAILED,), None, ())
    assert github.messages(judge(records, ["getflow"]), records, {}) == []


def test_page_is_appended_to_that_of_the_job(tmp_path: Path) -> None:
    page = tmp_path / "step.md"
    page.write_text("before\n")
    github.append_page("# flowproof\n", {"GITHUB_STEP_SUMMARY": str(page)})
    assert page.read_text() == "before\n# flowproof\n"


def test_page_of_the_job_is_cut_where_github_would_refuse_it(tmp_path: Path) -> None:
    page = tmp_path / "step.md"
    github.append_page("é" * github.MAX_PAGE, {"GITHUB_STEP_SUMMARY": str(page)})
    assert len(page.read_bytes()) <= github.MAX_PAGE
    assert page.read_text().endswith(github.CUT)
