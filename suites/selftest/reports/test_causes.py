"""Causes: which findings are one, which are not, their order, their ids and their text."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from reports import cause_text
from reports.allure.staging import staged_result
from reports.results.causes import Cause, causes_of
from reports.results.finding_record import FindingRecord, parse_finding
from reports.results.result_log import ResultRecord, parse_record

TYPE = FindingRecord(
    "FLOWBACK-LIST-7",
    "total_page: type integer",
    '"4" is not of type "integer"',
    grade="example",
    operation="GET /users",
    status=200,
    slot="/total_page",
    kind="type",
    received_kind="string",
    command="curl -sS -i http://flow.example/users",
    exchange="GET http://flow.example/users",
)
BARE = FindingRecord(
    "FLOWBACK-LIST-4", "the count of all rows", "3", grade="example", operation="GET /users", status=200
)
REFUSED = FindingRecord(
    "FLOWBACK-LIST-1",
    "the request is served",
    "404",
    grade="stated",
    operation="GET /users",
    status=404,
    kind="refused",
)


def failed_test(name: str, *findings: FindingRecord, clauses: tuple[str, ...] = ()) -> ResultRecord:
    """A test that failed with these findings."""
    return ResultRecord("flowback", f"suites/{name}", name, "failed", clauses=clauses, findings=findings)


def causes(*findings: FindingRecord) -> list[Cause]:
    """The causes of these findings, each of a test of its own."""
    return causes_of(failed_test(f"test_{number}", finding) for number, finding in enumerate(findings))


def test_one_wrong_type_in_many_tests_is_one_cause() -> None:
    (cause,) = causes(*[TYPE] * 45)
    assert (cause.findings, len(cause.tests), cause.operations) == (45, 45, ("GET /users",))


def test_a_member_that_several_operations_show_is_one_cause() -> None:
    (cause,) = causes(TYPE, replace(TYPE, operation="GET /user", slot="/data/*/total_page"))
    assert cause.operations == ("GET /user", "GET /users")


def test_another_member_under_the_same_clause_is_another_cause() -> None:
    assert len(causes(TYPE, replace(TYPE, slot="/count", expected="count: type integer"))) == 2


def test_the_same_discrepancy_under_another_clause_is_one_cause() -> None:
    (cause,) = causes(TYPE, replace(TYPE, clause="FLOWBACK-SHAPE-1"))
    assert set(cause.clauses) == {"FLOWBACK-LIST-7", "FLOWBACK-SHAPE-1"}


def test_a_finding_about_the_exchange_as_a_whole_joins_its_clause() -> None:
    (cause,) = causes(replace(BARE, clause=TYPE.clause), TYPE)
    assert cause.example == TYPE


def test_findings_of_two_clauses_are_two_causes() -> None:
    assert [cause.clause for cause in causes(BARE, TYPE)] == ["FLOWBACK-LIST-4", "FLOWBACK-LIST-7"]


def test_tests_that_stand_on_a_refused_request_share_its_cause() -> None:
    (cause,) = causes(REFUSED, replace(BARE, clause="FLOWBACK-REG-3", status=404))
    assert cause.clauses == ("FLOWBACK-LIST-1", "FLOWBACK-REG-3")


UNSTATED = replace(REFUSED, clause="FLOWBACK-SHAPE-3", grade="public")  # of a request that the document does not have


def test_operations_that_nothing_promises_are_causes_of_their_own() -> None:
    first, second = causes(UNSTATED, replace(UNSTATED, operation="GET /user"))
    assert first.id != second.id


def test_an_operation_that_nothing_promises_is_one_cause() -> None:
    (cause,) = causes(UNSTATED, replace(UNSTATED, received="404: no such page"))
    assert cause.clause == "FLOWBACK-SHAPE-3"


def test_a_refusal_with_another_status_is_another_cause() -> None:
    assert len(causes(REFUSED, replace(BARE, clause="FLOWBACK-REG-3", status=400))) == 2


def test_all_requests_whose_credentials_are_refused_are_one_cause_about_credentials() -> None:
    refused = replace(REFUSED, status=401, slot="credentials")
    other = replace(refused, operation="GET /user", clause="FLOWBACK-GET-1")
    (cause,) = causes(refused, refused, other, replace(refused, clause="FLOWBACK-AUTH-1"))
    assert (cause.clause, cause.operations) == ("FLOWBACK-AUTH-1", ("GET /user", "GET /users"))


def test_a_broken_parameter_is_the_cause_of_what_sends_it() -> None:
    limit = replace(BARE, clause="FLOWBACK-LIST-13", depends_on=("FLOWBACK-LIST-13 FLOWBACK-LIST-14",))
    pages = [
        replace(BARE, clause=f"FLOWBACK-LIST-{number}", depends_on=("FLOWBACK-LIST-12", *limit.depends_on))
        for number in (4, 5, 12)
    ]
    (cause,) = causes(*pages, limit)
    assert cause.clause == "FLOWBACK-LIST-13"


def test_a_parameter_that_is_not_broken_alone_joins_nothing() -> None:
    both = ("FLOWBACK-LIST-12", "FLOWBACK-LIST-13")
    findings = [replace(BARE, clause=clause, depends_on=both) for clause in both]
    assert len(causes(*findings)) == 2


AS_A_WHOLE = [replace(BARE, clause=f"FLOWBACK-LIST-{number}") for number in (4, 6, 7)]


def test_what_is_wrong_with_the_responses_of_one_operation_as_a_whole_is_one_cause() -> None:
    (cause,) = causes(*AS_A_WHOLE)
    assert (cause.clauses, cause.findings) == (("FLOWBACK-LIST-4", "FLOWBACK-LIST-6", "FLOWBACK-LIST-7"), 3)


@pytest.mark.parametrize(
    "other",
    [
        {"operation": "GET /user"},
        {"status": 400},
        {"slot": "/count"},
        {"grade": ""},
        {"depends_on": ("FLOWBACK-LIST-13",)},
    ],
)
def test_what_is_wrong_elsewhere_is_another_cause(other: dict[str, Any]) -> None:
    assert len(causes(BARE, replace(BARE, clause="FLOWBACK-LIST-13", **other))) == 2


def filtered(clause: str, member: str, operation: str = "GET /users") -> FindingRecord:
    return replace(BARE, clause=clause, depends_on=(clause,), uses=(f"{operation} {member}",))


BY_ID, BY_NAME = filtered("FLOWBACK-LIST-10", "id"), filtered("FLOWBACK-LIST-11", "username")


@pytest.mark.parametrize(
    ("findings", "number"),
    [
        ((BARE, BY_ID), 2),  # the filter
        ((BARE, BY_ID, BY_NAME), 1),  # the list
        ((BARE, BY_ID, filtered("FLOWBACK-LIST-11", "username", "GET /user")), 3),  # of values that it does not show
        ((BARE, replace(BY_ID, uses=()), replace(BY_NAME, uses=())), 3),
    ],
)
def test_a_list_whose_filters_all_do_wrong_is_the_cause(findings: tuple[FindingRecord, ...], number: int) -> None:
    assert len(causes(*findings)) == number


def test_what_becomes_of_a_right_request_stands_before_how_a_wrong_one_is_refused() -> None:
    refusal = replace(
        REFUSED, clause="FLOWBACK-ERR-2", slot="media type", kind="undocumented", request="missing: body username"
    )
    listed = causes(refusal, replace(REFUSED, clause="FLOWBACK-SPELL-1", operation="POST /login", kind=""))
    assert [cause.clause for cause in listed] == ["FLOWBACK-SPELL-1", "FLOWBACK-ERR-2"]


@pytest.mark.parametrize(("status", "number"), [(404, 1), (400, 2), (406, 2)])
def test_a_record_that_the_list_shows_and_is_not_there_is_of_the_list(status: int, number: int) -> None:
    gone = replace(BARE, clause="FLOWBACK-GET-1", operation="GET /user", status=status, uses=("GET /users id",))
    assert len(causes(BARE, gone)) == number


@pytest.mark.parametrize(("names", "number"), [(("a", "b"), 2), (("a", "b", "c"), 1), (("a", "b", "c", "d"), 1)])
def test_an_object_that_lacks_many_members_is_another_object(names: tuple[str, ...], number: int) -> None:
    missing = [replace(TYPE, slot=f"/data/*/{name}", kind="required", expected=name) for name in names]
    assert len(causes(*missing)) == number


def test_members_that_objects_of_two_operations_lack_are_causes_of_their_own() -> None:
    missing = [replace(TYPE, slot=f"/{name}", kind="required", operation=f"GET /{name}") for name in "abc"]
    assert len(causes(*missing)) == 3


def test_other_clauses_of_a_cause_are_shown_with_their_sentences() -> None:
    lines = cause_text.cause_lines(causes(*AS_A_WHOLE)[0])
    start = next(number for number, line in enumerate(lines) if line.startswith("  also "))
    assert [line[:28] for line in lines[start : start + 2]] == [
        "  also       FLOWBACK-LIST-6",
        "             FLOWBACK-LIST-7",
    ]
    assert all(line[28:30] == ": " for line in lines[start : start + 2])


def test_causes_of_two_apis_are_never_one() -> None:
    other = replace(failed_test("test_b", BARE), api="flowapp")
    assert len(causes_of([failed_test("test_a", BARE), other])) == 2


def test_a_cause_is_named_after_the_clause_that_its_test_checks() -> None:
    on_the_way = [failed_test(f"test_{number}", REFUSED, clauses=("FLOWBACK-GET-1",)) for number in range(3)]
    own = failed_test("test_own", replace(REFUSED, clause="FLOWBACK-LIST-17"), clauses=("FLOWBACK-LIST-17",))
    (cause,) = causes_of([*on_the_way, own])
    assert cause.clause == "FLOWBACK-LIST-17"


def test_failures_stand_before_warnings_and_clauses_before_readings() -> None:
    warning = replace(BARE, clause="FLOWBACK-LIST-23", grade="inferred", is_warning=True)
    reading = replace(BARE, clause="FLOWBACK-AMB-16", grade="")
    names = [cause.clause for cause in causes(warning, warning, reading, reading, TYPE)]
    assert names == ["FLOWBACK-LIST-7", "FLOWBACK-AMB-16", "FLOWBACK-LIST-23"]


def test_what_the_document_demands_stands_first_in_a_strict_run_too() -> None:
    inferred = replace(BARE, clause="FLOWBACK-LIST-23", grade="inferred")
    assert [cause.clause for cause in causes(inferred, inferred, TYPE)] == ["FLOWBACK-LIST-7", "FLOWBACK-LIST-23"]


def test_a_cause_with_a_failure_is_no_warning() -> None:
    (cause,) = causes(replace(TYPE, clause="FLOWBACK-SHAPE-1", grade="inferred", is_warning=True), TYPE)
    assert (cause.is_warning, cause.clause) == (False, "FLOWBACK-LIST-7")


def test_the_example_is_the_smallest_exchange() -> None:
    (cause,) = causes(replace(TYPE, exchange="x" * 900), TYPE, replace(TYPE, exchange="x" * 90))
    assert cause.example == TYPE


def test_the_id_depends_on_no_wording_host_or_value() -> None:
    reworded = replace(TYPE, expected="an integer", received="5", command="curl https://other.example", account="X")
    assert [cause.id for cause in causes(TYPE)] == [cause.id for cause in causes(replace(reworded, operation="GET /u"))]


def test_the_id_depends_on_no_order() -> None:
    other = replace(BARE, clause=TYPE.clause)
    assert [cause.id for cause in causes(TYPE, other)] == [cause.id for cause in causes(other, TYPE)]


def test_the_id_stays_as_it_is() -> None:
    assert [cause.id for cause in causes(TYPE)] == ["ee2372badfb0"]


def test_a_record_with_findings_is_read_as_it_was_written() -> None:
    record = failed_test("test_a", replace(TYPE, depends_on=("FLOWBACK-LIST-13",)))
    assert parse_record(json.loads(json.dumps(asdict(record)))) == record


def test_a_finding_with_an_unknown_member_is_unreadable() -> None:
    content: dict[str, Any] = {"clause": "X-1", "expected": "", "received": "", "colour": "red"}
    with pytest.raises(TypeError, match="colour"):
        parse_finding(content)


def test_the_text_says_how_often_where_and_how_to_try_it() -> None:
    (cause,) = causes(TYPE, replace(TYPE, account="FLOWBACK_TOKEN", exchange=""))
    assert cause_text.cause_lines(cause) == [
        "FLOWBACK-LIST-7: A page has total_page, an integer.",
        "  document   line 131, example",
        "  cause      ee2372badfb0",
        "  how often  2 findings in 2 tests",
        "  where      GET /users",
        "  account    FLOWBACK_TOKEN",
        "  expected   total_page: type integer",
        '  received   "4" is not of type "integer"',
        "  try it     curl -sS -i http://flow.example/users",
    ]


def test_of_many_causes_the_last_ones_are_shown_by_their_heading() -> None:
    many = causes(*(replace(TYPE, slot=f"/member{number:02}", expected=f"{number}") for number in range(20)))
    lines = cause_text.console_lines(many)
    assert sum(line.startswith("  try it") for line in lines) == cause_text.MAX_SHOWN
    assert lines[-2].startswith("20. FLOWBACK-LIST-7")


def test_the_message_in_allure_is_the_finding() -> None:
    record = replace(failed_test("test_a", TYPE), blamed=(TYPE.clause,))
    written = {"uuid": "1", "statusDetails": {"message": "AssertionError: assert not True", "trace": "…"}}
    (cause,) = causes_of([record])
    staged = staged_result(written, record, {}, cause)
    assert staged["statusDetails"]["message"].splitlines() == [
        "FLOWBACK-LIST-7: A page has total_page, an integer.",
        "  document   line 131, example",
        "  expected   total_page: type integer",
        '  received   "4" is not of type "integer"',
        "  try it     curl -sS -i http://flow.example/users",
    ]
    (label,) = [label["value"] for label in staged["labels"] if label["name"] == "cause"]
    assert label == f"FLOWBACK-LIST-7: A page has total_page, an integer. (1 finding in 1 test, {cause.id})"


SHOWN = replace(TYPE, clause="FLOWBACK-LIST-3", grade="public", slot="/data/*/id", kind="type")
USING = replace(REFUSED, clause="FLOWBACK-GET-1", operation="GET /user", uses=("GET /users id",))


def test_a_request_with_a_wrong_value_of_another_response_is_a_consequence() -> None:
    (cause,) = causes(USING, USING, SHOWN)
    assert (cause.clause, cause.clauses) == ("FLOWBACK-LIST-3", ("FLOWBACK-LIST-3", "FLOWBACK-GET-1"))


@pytest.mark.parametrize(
    "other",
    [
        replace(USING, uses=("GET /users name",)),
        replace(USING, uses=("GET /user id",)),
        replace(USING, kind="accepted"),
        replace(USING, status=200),
    ],
)
def test_a_request_without_the_wrong_value_is_none(other: FindingRecord) -> None:
    assert len(causes(SHOWN, other)) == 2


def test_values_of_another_api_are_not_used() -> None:
    others = ResultRecord("getflow", "suites/x", "x", "failed", findings=(USING,))
    assert len(causes_of([failed_test("a", SHOWN), others])) == 2


def test_a_prerequisite_with_a_wrong_value_is_a_consequence_as_well() -> None:
    founding = replace(failed_test("prerequisites", USING), prerequisite="record")
    (cause,) = causes_of([founding, failed_test("a", SHOWN), failed_test("b", USING)])
    assert cause.clause == "FLOWBACK-LIST-3"


def test_a_cause_with_consequences_that_the_document_demands_stands_before_others() -> None:
    tests = [failed_test("a", SHOWN), failed_test("b", USING), failed_test("c", TYPE)]
    assert [cause.clause for cause in causes_of(tests)] == ["FLOWBACK-LIST-3", "FLOWBACK-LIST-7"]
