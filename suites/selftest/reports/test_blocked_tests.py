"""Blocked tests: which failures are only consequences, what stays, and where that is said."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.openapi import load_contract
from reports import cause_text, summary, summary_json
from reports.allure.staging import staged_result
from reports.history.run_changes import RunChanges
from reports.junit_xml import junit
from reports.pipelines.ctrf import ctrf
from reports.results import verdicts
from reports.results.blocked_tests import separate_blocked
from reports.results.causes import Cause, cause_id, causes_of
from reports.results.finding_record import OF_BEHAVIOUR, FindingRecord, refusal_digest
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.vendor.vendor_page import vendor_page

LIST, USER, KEY = "FLOWBACK-LIST-7", "FLOWBACK-GET-1", "FLOWBACK-AUTH-1"
READING = "FLOWBACK-AMB-3"
WRONG = FindingRecord(
    LIST, "a number", "a text", grade="example", operation="GET /users", status=200, slot="/total", kind="type"
)
REFUSED = FindingRecord(
    USER, "a request is served", "406", grade="stated", operation="GET /user", status=406, kind="refused", answer="a1"
)


def ended(name: str, *findings: FindingRecord, clauses: tuple[str, ...], **members: str) -> ResultRecord:
    """A test of these clauses that ended with these findings."""
    outcome = "warning" if all(finding.is_warning for finding in findings) else "failed"
    blamed = tuple(finding.clause for finding in findings)
    node = f"suites/flowback/test_x.py::{name}"
    return ResultRecord("flowback", node, name, outcome, clauses, blamed, "m", findings=findings, **members)


def outcomes(*tests: ResultRecord) -> list[str]:
    return [test.outcome for test in separate_blocked(tests)]


OWN = ended("test_total", WRONG, clauses=(LIST,))
OTHER = ended("test_user", WRONG, clauses=(USER,))


def test_a_test_of_another_clause_is_blocked() -> None:
    assert outcomes(OWN, OTHER) == ["failed", "blocked"]


def changed_reading(name: str, received: str, reading: str = READING) -> ResultRecord:
    """A test of a clause that failed since it saw a meaning that an earlier run had not."""
    finding = FindingRecord(READING, "refused (GET /users), as recorded", received, operation="GET /users", status=200)
    change = f"{reading}: GET /users: refused before (readings.csv, line 3), {received} now"
    return replace(ended(name, finding, clauses=(USER,)), changes=(change,))


def test_each_test_that_saw_a_reading_change_has_reached_its_subject() -> None:
    assert outcomes(changed_reading("a", "accepted"), changed_reading("b", "ignored")) == ["failed", "failed"]


def test_a_change_of_another_reading_is_no_proof_that_a_test_has_reached_its_subject() -> None:
    assert sorted(outcomes(*(changed_reading(it, "ignored", f"{READING}1") for it in "ab"))) == ["blocked", "failed"]


def test_each_operation_that_behaves_otherwise_than_recorded_fails() -> None:
    finding = replace(WRONG, clause="", kind=OF_BEHAVIOUR)
    assert outcomes(*(ended(name, finding, clauses=()) for name in "ab")) == ["failed", "failed"]


def test_the_order_of_the_tests_does_not_matter() -> None:
    assert outcomes(OTHER, OWN) == ["blocked", "failed"]


def test_every_test_of_the_broken_clause_fails() -> None:
    assert outcomes(OWN, ended("test_pages", WRONG, clauses=(USER, LIST))) == ["failed", "failed"]


def test_one_test_fails_where_none_checks_the_clause() -> None:
    assert outcomes(OTHER, ended("test_login", WRONG, clauses=(KEY,))).count("failed") == 1


def test_a_test_with_a_finding_of_its_own_as_well_fails() -> None:
    both = ended("test_user", WRONG, replace(REFUSED, status=200, kind="", answer=""), clauses=(USER,))
    assert outcomes(OWN, both) == ["failed", "failed"]


def test_a_warning_about_another_clause_is_no_obstacle() -> None:
    mild = replace(WRONG, grade="inferred", is_warning=True)
    assert outcomes(ended("a", mild, clauses=(LIST,)), ended("b", mild, clauses=(USER,))) == ["warning", "warning"]


def test_a_warning_by_something_that_tests_stand_on_blocks() -> None:
    mild = replace(REFUSED, grade="inferred", is_warning=True)
    founding = ended("list", mild, clauses=(USER,), prerequisite="list")
    assert outcomes(founding, ended("b", replace(mild, clause=LIST), clauses=(LIST,))) == ["warning", "blocked"]


def test_what_is_refused_as_a_prerequisite_is_one_cause_with_it() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    elsewhere = replace(REFUSED, clause=LIST, operation="POST /register", status=406)
    (cause,) = causes_of([ended("test_total", elsewhere, clauses=(LIST,)), founding])
    assert (cause.clause, cause.operations) == (USER, ("GET /user", "POST /register"))


def test_equal_refusals_are_two_causes_where_no_prerequisite_is_refused_so() -> None:
    elsewhere = replace(REFUSED, clause=LIST, operation="POST /register")
    assert len(causes_of([ended("a", REFUSED, clauses=(USER,)), ended("b", elsewhere, clauses=(KEY,))])) == 2


def test_a_refusal_of_another_kind_than_the_prerequisites_is_a_cause_of_its_own() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    elsewhere = replace(REFUSED, clause=LIST, operation="POST /register", answer="b2")
    assert len(causes_of([founding, ended("a", elsewhere, clauses=(LIST,))])) == 2


def test_what_all_refusals_lack_is_a_cause_beside_the_prerequisite() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    here = replace(REFUSED, clause=LIST, slot="/code", kind="required")
    tests = [ended("a", here, clauses=(KEY,)), ended("b", replace(here, answer="b2"), clauses=(KEY,))]
    assert outcomes(founding, *tests) == ["failed", "blocked", "failed"]


def test_the_clause_of_a_prerequisite_is_that_of_its_cause() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    others = [ended(str(number), replace(REFUSED, clause=LIST), clauses=(LIST,)) for number in range(3)]
    (cause,) = causes_of([*others, founding])
    assert (cause.clause, cause.example) == (USER, REFUSED)


SKIPPED = ResultRecord(
    "flowback", "suites/flowback/test_x.py::test_mail", "mail", "skipped", (KEY,), (), "no user could be made"
)


def test_a_test_that_another_ones_finding_stopped_is_blocked() -> None:
    stopped = replace(SKIPPED, blocked_by=(cause_id("flowback", WRONG),))
    _, blocked = separate_blocked([OWN, stopped])
    (cause,) = causes_of([OWN])
    assert (blocked.outcome, blocked.blocked_by) == ("blocked", (cause.id,))
    assert blocked.message == f"blocked by {LIST}, cause {cause.id}: no user could be made"


def test_a_test_that_was_stopped_by_nothing_that_is_known_is_skipped() -> None:
    (record,) = separate_blocked([replace(SKIPPED, blocked_by=("0" * 12,))])
    assert (record.outcome, record.blocked_by) == ("skipped", ())


def test_an_accepted_test_stays_known() -> None:
    known = replace(OTHER, outcome="known")
    assert outcomes(OWN, known) == ["failed", "known"]


def test_a_prerequisite_is_no_test_of_the_verdict() -> None:
    works = ResultRecord("flowback", "prerequisites::flowback[key]", "key", "passed", prerequisite="key")
    (judged,) = verdicts.judge(RunRecords((OWN, works), None, ()), [])
    assert (judged.counts, judged.checks) == ({"failed": 1}, 1)


@pytest.fixture
def records() -> RunRecords:
    return RunRecords(tuple(separate_blocked([OWN, OTHER])), None, ())


def blocking(records: RunRecords) -> Cause:
    (cause,) = causes_of(records.tests)
    return cause


def test_a_cause_lists_what_it_blocks(records: RunRecords) -> None:
    cause = blocking(records)
    assert cause.blocked == (OTHER.node,)
    assert "  blocks     1 test: test_user" in cause_text.cause_lines(cause)


def test_a_run_with_nothing_but_blocked_tests_beside_a_warning_is_inconclusive() -> None:
    mild = replace(REFUSED, grade="inferred", is_warning=True)
    founding = ended("list", mild, clauses=(USER,), prerequisite="list")
    tests = separate_blocked([founding, ended("b", replace(mild, clause=LIST), clauses=(LIST,))])
    (judged,) = verdicts.judge(RunRecords(tuple(tests), None, ()), [])
    assert judged.verdict == "inconclusive"


def test_the_reports_name_what_is_blocked(records: RunRecords) -> None:
    judged = verdicts.judge(records, [])
    (cause,) = judged[0].causes
    facts = json.loads(summary_json.to_json(judged, records, "fail"))["apis"]["flowback"]
    assert [entry["blocked"] for entry in facts["causes"]] == [[OTHER.node]]
    assert [(entry["test"], entry["outcome"]) for entry in facts["not_judged"]] == [(OTHER.node, "blocked")]
    (case,) = ElementTree.fromstring(junit(judged, records, "fail", {})).iterfind(f".//testcase[@name='{OTHER.node}']")
    assert [(it.tag, it.get("type")) for it in case if it.tag != "properties"] == [("skipped", "blocked")]
    assert case.find(".//property[@name='cause']").get("value") == cause.id  # type: ignore[union-attr]
    statuses = {it["name"]: it["status"] for it in json.loads(ctrf(judged, records, "fail"))["results"]["tests"]}
    assert statuses == {OWN.node: "failed", OTHER.node: "skipped"}
    console = "\n".join(summary.console_lines(judged, records, "fail"))
    assert (console.count("1 test: test_user"), console.count("blocked")) == (1, 1), "by its cause, and counted"
    page = vendor_page(judged[0], records, RunChanges())
    assert "<dt>Not tested</dt><dd>1 test: test_user</dd>" in page


def test_allure_shows_a_blocked_test_as_skipped_by_its_cause(records: RunRecords) -> None:
    blocked = next(test for test in records.tests if test.outcome == "blocked")
    result = staged_result({"uuid": "0", "name": "", "labels": []}, blocked, {}, blocking(records))
    assert result["status"] == "skipped"
    assert result["statusDetails"]["message"].startswith(f"blocked: blocked by {LIST}, cause ")
    assert {"name": "tag", "value": "blocked"} in result["labels"]


def test_a_prerequisite_that_no_test_has_met_is_no_finding() -> None:
    unmet = ended("mail", replace(REFUSED, answer=""), clauses=(USER,), prerequisite="mail")
    tests = separate_blocked([OWN, unmet])
    assert [test.outcome for test in tests] == ["failed", "skipped"]
    assert [cause.clause for cause in causes_of(tests)] == [LIST]


def test_a_prerequisite_keeps_what_a_test_has_met() -> None:
    founding = ended("list", REFUSED, replace(WRONG, clause=KEY, slot="/other"), clauses=(USER,), prerequisite="list")
    kept, _ = separate_blocked([founding, ended("a", REFUSED, clauses=(USER,))])
    assert (kept.findings, kept.blamed) == ((REFUSED,), (USER,))


def test_a_prerequisite_is_not_counted_among_the_tests_of_its_cause() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    test = ended("a", REFUSED, clauses=(USER,))
    (cause,) = causes_of([founding, test])
    assert (cause.tests, cause.findings) == ((test.node,), 1)


def test_a_blocked_prerequisite_is_not_counted() -> None:
    founding = ended("list", REFUSED, clauses=(USER,), prerequisite="list")
    login = replace(
        ended("login", replace(REFUSED, clause=KEY), clauses=(KEY,)), prerequisite="login", outcome="blocked"
    )
    (judged,) = verdicts.judge(RunRecords((founding, login), None, ()), [])
    assert (judged.counts, judged.not_judged) == ({"failed": 1}, ())


def digest(status: int, text: str) -> str:
    response = Response(status, (("Content-Type", "text/plain"),), text.encode())
    return refusal_digest(load_contract("flowback"), Exchange(Request("GET", "http://127.0.0.1:9/"), response, 0.0))


def test_refusals_with_the_same_words_are_alike() -> None:
    assert digest(406, "no header, request 5b31f577") == digest(401, "no header, request a1") != digest(406, "no key")


def test_refusals_without_words_are_told_apart_by_their_status() -> None:
    assert digest(406, "") != digest(401, "")


@pytest.mark.parametrize(("status", "is_refusal"), [(200, False), (299, False), (300, True), (400, True)])
def test_what_serves_the_request_is_no_refusal(status: int, is_refusal: bool) -> None:
    assert bool(digest(status, "x")) is is_refusal


def test_an_incomplete_response_is_no_refusal() -> None:
    response = Response(500, (), b"x", "cut short")
    exchange = Exchange(Request("GET", "http://127.0.0.1:9/"), response, 0.0)
    assert refusal_digest(load_contract("flowback"), exchange) == ""
