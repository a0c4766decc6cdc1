"""Accepted causes: which findings they cover, what becomes of tests and verdicts, and what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reports import summary, summary_json
from reports.coverage.clause_results import judge_clauses
from reports.junit_xml import junit
from reports.pipelines import github
from reports.pipelines.ctrf import ctrf
from reports.pipelines.gitlab import code_quality
from reports.pipelines.sarif import sarif
from reports.results import run_manifest, verdicts
from reports.results.acceptances import Acceptance, AcceptanceList
from reports.results.causes import causes_of
from reports.results.finding_record import FindingRecord
from reports.results.records import RunRecords, read_records
from reports.results.result_log import ResultLog, ResultRecord
from reports.results.verdicts import ApiVerdict

TODAY = date(2026, 11, 29)
CLAUSE, MILD, OTHER = "FLOWBACK-LIST-7", "FLOWBACK-LIST-19", "FLOWBACK-GET-1"
WRONG = FindingRecord(
    CLAUSE,
    "total_page: an integer",
    "a text",
    grade="example",
    operation="GET /users",
    status=200,
    slot="/total_page",
    kind="type",
    received_kind="string",
    command="curl http://flow.example/users",
)
BARE = replace(WRONG, slot="", kind="", received_kind="")
WARNED = replace(WRONG, clause=MILD, slot="/page", grade="inferred", is_warning=True)


def failed(name: str, *findings: FindingRecord) -> ResultRecord:
    outcome = "warning" if all(finding.is_warning for finding in findings) else "failed"
    clauses = tuple(dict.fromkeys(finding.clause for finding in findings))
    return ResultRecord("flowback", f"suites/flowback/{name}", name, outcome, clauses, clauses, "m", findings=findings)


PASSED = ResultRecord("flowback", "suites/flowback/test_ok", "ok", "passed", (CLAUSE,))


def accepted(*findings: FindingRecord, until: date = TODAY, also: bool = True, clause: str = CLAUSE) -> Acceptance:
    """The acceptance of the cause that these findings have together."""
    (cause,) = causes_of([failed("test_accepted", *findings)])
    return Acceptance(cause.id, "ticket 812", "Ann", until, clause, "total_page is a text", cause.also if also else ())


def read(
    folder: Path, *tests: ResultRecord, entries: tuple[Acceptance, ...] = (), is_strict: bool = False
) -> RunRecords:
    """The records of a run with these tests, of which these entries were accepted, as it is read from its folder."""
    run = run_manifest.begin(folder)
    lists = {"flowback": AcceptanceList("/x/accepted.yaml", TODAY, entries)}
    run_manifest.start(folder, run, {"flowback": len(tests)}, {}, acceptances=lists, is_strict=is_strict)
    for test in tests:
        ResultLog(folder, run, "main").append(test)
    run_manifest.finish(folder, run, int(any(test.outcome == "failed" for test in tests)))
    return read_records(folder)


def judged(records: RunRecords) -> ApiVerdict:
    (verdict,) = verdicts.judge(records, [])
    return verdict


def verdict_of(folder: Path, *tests: ResultRecord, **options: Any) -> ApiVerdict:
    return judged(read(folder, *tests, **options))


def test_an_accepted_cause_fails_nothing(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, PASSED, failed("test_a", WRONG), entries=(accepted(WRONG),))
    assert (verdict.verdict, len(verdict.known), len(verdict.findings), verdict.causes) == ("pass", 1, 0, ())
    assert [entry.cause.clause for entry in verdict.accepted] == [CLAUSE]


def test_a_test_with_accepted_findings_is_a_check(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, failed("test_a", WRONG), entries=(accepted(WRONG),))
    assert (verdict.verdict, verdict.checks, verdict.clauses) == ("pass", 1, (CLAUSE,))


def test_nothing_else_is_accepted(tmp_path: Path) -> None:
    wrong = replace(WRONG, slot="/count")
    verdict = verdict_of(tmp_path, failed("test_a", WRONG), failed("test_b", wrong), entries=(accepted(WRONG),))
    assert (verdict.verdict, len(verdict.known), len(verdict.findings)) == ("fail", 1, 1)
    assert [cause.example.slot for cause in verdict.causes] == ["/count"]


def test_a_test_that_found_something_else_as_well_fails(tmp_path: Path) -> None:
    wrong = replace(WRONG, clause=OTHER, slot="/id")
    verdict = verdict_of(tmp_path, failed("test_a", WRONG, wrong), entries=(accepted(WRONG),))
    assert (verdict.verdict, [cause.clause for cause in verdict.causes]) == ("fail", [OTHER])


def test_a_test_with_a_warning_beside_what_is_accepted_is_a_warning(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, failed("test_a", WRONG, WARNED), entries=(accepted(WRONG),))
    assert (verdict.verdict, len(verdict.warnings)) == ("pass", 1)


def test_a_warning_can_be_accepted(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, failed("test_a", WARNED), entries=(accepted(WARNED, clause=MILD),))
    assert (len(verdict.warnings), len(verdict.known), verdict.causes) == (0, 1, ())


def test_a_finding_that_joins_the_cause_is_accepted_with_it(tmp_path: Path) -> None:
    tests = failed("test_a", WRONG), failed("test_b", BARE)
    assert verdict_of(tmp_path, *tests, entries=(accepted(WRONG, also=False),)).verdict == "pass"


def test_a_smaller_run_knows_a_part_of_the_cause(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, failed("test_b", BARE), entries=(accepted(WRONG, BARE),)).verdict == "pass"


def test_without_further_ids_a_part_of_the_cause_is_not_known(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, failed("test_b", BARE), entries=(accepted(WRONG, BARE, also=False),)).verdict == "fail"


def test_an_overdue_acceptance_fails_again_and_is_told(tmp_path: Path) -> None:
    entry = accepted(WRONG, until=date(2026, 11, 28))
    records = read(tmp_path, PASSED, failed("test_a", WRONG), entries=(entry,))
    assert (judged(records).verdict, judged(records).overdue) == ("fail", (entry,))
    assert f"overdue: {entry.id} {CLAUSE} total_page is a text was accepted until 2026-11-28" in console(records)


@pytest.mark.parametrize(("is_strict", "verdict"), [(False, "pass"), (True, "fail")])
def test_a_vanished_acceptance_is_told_and_fails_a_strict_run(tmp_path: Path, is_strict: bool, verdict: str) -> None:
    records = read(tmp_path, PASSED, entries=(accepted(WRONG),), is_strict=is_strict)
    assert judged(records).verdict == verdict
    assert f"vanished: {accepted(WRONG).id} {CLAUSE} total_page is a text is accepted until" in console(records)


@pytest.mark.parametrize(
    "test",
    [
        replace(PASSED, clauses=(OTHER,)),
        replace(PASSED, outcome="skipped"),
        failed("test_a", WRONG),
    ],
    ids=["its clause was not tested", "its test was skipped", "it was found"],
)
def test_an_acceptance_has_not_vanished_if(tmp_path: Path, test: ResultRecord) -> None:
    assert verdict_of(tmp_path, test, entries=(accepted(WRONG),)).vanished == ()


def test_an_acceptance_has_not_vanished_if_a_test_of_its_clause_was_cut_short(tmp_path: Path) -> None:
    cut = replace(PASSED, node="suites/b", outcome="inconclusive")
    assert verdict_of(tmp_path, PASSED, cut, entries=(accepted(WRONG),)).vanished == ()


def test_an_acceptance_without_a_clause_never_vanishes(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, PASSED, entries=(accepted(WRONG, clause=""),)).vanished == ()


def test_a_pass_says_what_is_accepted(tmp_path: Path) -> None:
    records = read(tmp_path, PASSED, failed("test_a", WRONG), entries=(accepted(WRONG),))
    assert "the contract kept, apart from 1 accepted cause" in console(records)
    assert f"cause {accepted(WRONG).id}; accepted until 2026-11-29: ticket 812 (Ann)" in console(records)


def console(records: RunRecords) -> str:
    return "\n".join(summary.console_lines([judged(records)], records, judged(records).verdict))


def test_a_clause_of_which_a_breach_is_accepted_is_known(tmp_path: Path) -> None:
    records = read(tmp_path, PASSED, failed("test_a", WRONG), entries=(accepted(WRONG),))
    states = {result.clause.id: result.state for result in judge_clauses("flowback", records)}
    assert states[CLAUSE] == "known"


def test_every_format_has_the_acceptance(tmp_path: Path) -> None:
    records = read(tmp_path, PASSED, failed("test_a", WRONG), entries=(accepted(WRONG),))
    verdict, identifier = judged(records), accepted(WRONG).id
    (result,) = json.loads(sarif([verdict], records, "pass"))["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "until 2026-11-29: ticket 812 (Ann)"
    report = json.loads(ctrf([verdict], records, "pass"))["results"]
    assert report["extra"]["accepted"][0]["acceptance"]["reason"] == "ticket 812"
    assert {test["status"] for test in report["tests"]} == {"passed"}
    facts = json.loads(summary_json.to_json([verdict], records, "pass"))["apis"]["flowback"]
    assert facts["accepted"][0]["id"] == identifier
    assert f"accepted {identifier}" in junit([verdict], records, "pass", {})
    assert "ticket 812" in summary.markdown([verdict], records, "pass")
    assert json.loads(code_quality([verdict])) == []
    assert github.messages([verdict], records, {"GITHUB_ACTIONS": "true"}) == []


def test_junit_has_a_failure_where_an_acceptance_vanished_from_a_strict_run(tmp_path: Path) -> None:
    records = read(tmp_path, PASSED, entries=(accepted(WRONG),), is_strict=True)
    text = junit([judged(records)], records, "fail", {})
    assert 'failures="1"' in text
    (message,) = github.messages([judged(records)], records, {"GITHUB_ACTIONS": "true"})
    assert message.startswith("::warning title=flowback%3A accepted.yaml::")


def test_a_manifest_whose_acceptances_are_no_list_is_unreadable(tmp_path: Path) -> None:
    read(tmp_path, PASSED, entries=(accepted(WRONG),))
    path = tmp_path / run_manifest.MANIFEST
    content = json.loads(path.read_text())
    content["acceptances"]["flowback"]["day"] = "today"
    path.write_text(json.dumps(content))
    assert "unreadable run.json" in read_records(tmp_path).problems[0]


def test_what_people_are_told_as_one_cause_is_accepted_by_its_parts_only(tmp_path: Path) -> None:
    new = replace(BARE, clause="FLOWBACK-LIST-9")
    verdict = verdict_of(tmp_path, failed("test_a", BARE), failed("test_b", new), entries=(accepted(BARE),))
    assert (verdict.verdict, [cause.clause for cause in verdict.causes]) == ("fail", ["FLOWBACK-LIST-9"])


def test_all_parts_of_a_cause_that_was_accepted_are(tmp_path: Path) -> None:
    findings = (BARE, replace(BARE, clause="FLOWBACK-LIST-9"))
    verdict = verdict_of(tmp_path, *map(failed, "ab", findings), entries=(accepted(*findings),))
    assert (verdict.verdict, len(verdict.known)) == ("pass", 2)
