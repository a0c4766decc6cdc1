"""Targets that keep the document and nothing else: no finding about them is blamed on the document."""

from __future__ import annotations

import pytest

from contracts.clauses import clauses
from contracts.exchange import Exchange
from contracts.openapi import load_contract
from contracts.reader.document_lines import OF_THE_DOCUMENT
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.reference import load
from fixtures.target_api import Api
from reports.mutation.kill_table import Complaint
from suites.generic.http_conformance import check_accepted, check_refused, findings_of
from suites.getflow.client import LISTS, TASKS, accepted_body, page_records, refusal_problems, require_known, send
from suites.getflow.known_requests import fair_clause
from suites.mutation.reference_apis import in_process_api
from suites.mutation.trial import is_about_the_document
from suites.reporting.failures import ContractViolation
from suites.reporting.response_body import MissingMember
from suites.selftest.contracts.test_lines import lined_apis

MINIMAL = [name for name, variant in load("getflow").VARIANTS.items() if variant.minimal]
LISTING = ("listTasks", "listActivities")
NEEDING_IDS = ("getList", "createTask", "updateList", "deleteWorkspace")
RENAMED = "minimal_with_other_names"  # a target whose ids nobody knows by name


def target(variant: str) -> Api:
    """A client of the reference of getflow in this process, with that variant."""
    return in_process_api("getflow", (), (variant,))


def is_of_the_document(clause: str) -> bool:
    """Whether the clause says what the document says."""
    known = clauses("getflow").get(clause)
    return known is None or known.grade in OF_THE_DOCUMENT


@lined_apis
def test_a_contract_with_lines_has_a_minimal_variant(api: str) -> None:
    assert any(variant.minimal for variant in load(api).VARIANTS.values())


@pytest.mark.parametrize(
    ("variant", "identifier"),
    [(name, identifier) for name in MINIMAL for identifier in (*LISTING, *(NEEDING_IDS if name != RENAMED else ()))],
)
def test_no_request_is_blamed_on_the_document(variant: str, identifier: str) -> None:
    api, cases = target(variant), corpus("getflow", EFFORTS["quick"], 0)
    operation = load_contract("getflow").find(identifier, 1)
    valid = [*cases.examples(operation), *cases.boundaries(operation), *cases.valid(operation)]
    findings = [
        *findings_of(api, operation, valid, check_accepted),
        *findings_of(api, operation, invalid_requests(cases, operation), check_refused),
    ]
    assert [finding for finding, _ in findings if is_of_the_document(finding.clause)] == []


def test_a_refused_bound_of_ours_is_noted() -> None:
    api, cases = target("minimal_with_all_members"), corpus("getflow", EFFORTS["quick"], 0)
    operation = load_contract("getflow").find("listTasks", 1)
    at_bound = [case for case in cases.boundaries(operation) if case.title == "query cursor: maximum"]
    assert len(at_bound) == 1
    assert findings_of(api, operation, at_bound, check_accepted) == []
    assert api.notes == ["refused, which nothing forbids: GET /v2/tasks, query cursor: maximum"]


@pytest.mark.parametrize(
    ("blamed", "broken", "expected"),
    [
        (("GETFLOW-PAGE-1",), False, True),
        (("GETFLOW-VER-8",), False, True),
        (("GETFLOW-SHAPE-1",), False, False),
        (("GETFLOW-REC-1", "GETFLOW-PAGE-1"), False, False),
        (("GETFLOW-AMB-7",), False, True),
        ((), True, True),
    ],
)
def test_a_minimal_variant_is_blamed_by_clauses_of_the_document(
    blamed: tuple[str, ...], broken: bool, expected: bool
) -> None:
    assert is_about_the_document(Complaint("a test", blamed, "", broken)) is expected


def refused(api: Api, view: str) -> Exchange:
    """The response to a request for that view of tasks."""
    return send(api, TASKS, "list", query={"view": view})


def test_a_refused_view_of_public_clients_is_not_blamed_on_the_document() -> None:
    api = target("minimal")
    assert fair_clause(api, refused(api, "scheduled"), "GETFLOW-VIEW-1") == "GETFLOW-SHAPE-2"


def test_a_refused_view_of_the_document_is_blamed_on_it() -> None:
    api = target("minimal")
    assert fair_clause(api, refused(api, "upcoming"), "GETFLOW-VIEW-1") == "GETFLOW-VIEW-1"


def test_a_view_that_the_target_has_accepted_is_blamed_on_the_document() -> None:
    api = in_process_api("getflow")
    assert fair_clause(api, refused(api, "scheduled"), "GETFLOW-VIEW-1") == "GETFLOW-VIEW-1"


@pytest.mark.parametrize(("limit", "clause"), [(30, "GETFLOW-PAGE-1"), (51, "GETFLOW-SHAPE-2")])
def test_a_number_beyond_those_of_the_document_is_not_blamed_on_it(limit: int, clause: str) -> None:
    api = target("minimal")
    exchange = send(api, TASKS, "list", query={"limit": limit})
    assert fair_clause(api, exchange, "GETFLOW-PAGE-1") == clause


def test_a_public_clause_is_blamed_whatever_the_request() -> None:
    api = target("minimal")
    assert fair_clause(api, refused(api, "scheduled"), "GETFLOW-VIEW-14") == "GETFLOW-VIEW-14"


def test_a_member_that_a_record_lacks_is_missing_in_the_response() -> None:
    api = in_process_api("getflow")
    body = accepted_body(api, send(api, LISTS, "list"), "GETFLOW-PAGE-1")
    with pytest.raises(MissingMember, match="/lists/0/no_such_member"):
        body["lists"][0]["no_such_member"]


def test_what_the_document_does_not_say_waits_for_the_end_of_the_test() -> None:
    api = in_process_api("getflow", ("drops_the_workspace_of_a_task",))
    assert page_records(api, send(api, TASKS, "list"), TASKS, "GETFLOW-PAGE-1")
    assert {finding.clause for finding in api.postponed} == {"GETFLOW-REC-6"}


def test_what_the_document_says_of_a_response_is_reported_at_once() -> None:
    api = in_process_api("getflow", ("error_status_is_a_number",))
    with pytest.raises(ContractViolation) as raised:
        refusal_problems(api, send(api, TASKS, "list", query={"organization_id": None}), "GETFLOW-ERR-10")
    assert (raised.value.clauses, api.postponed) == (("GETFLOW-ERR-4",), [])


def test_an_attribute_of_public_clients_that_is_unsupported_is_no_finding_of_the_document() -> None:
    api = target("minimal_with_other_names")
    exchange = send(api, LISTS, "update", 1234, attributes={"name": "n"})
    with pytest.raises(ContractViolation) as raised:
        require_known(api, exchange, "name")
    assert raised.value.clauses == ("GETFLOW-SHAPE-2",)
