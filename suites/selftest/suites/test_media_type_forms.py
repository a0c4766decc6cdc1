"""The forms of media types that are tried: which operations, and how many with little effort."""

from __future__ import annotations

from collections import Counter

import pytest

import contracts
from contracts.openapi import load_contract
from fixtures.corpus import EFFORTS, corpus
from suites.generic.test_negotiation import ACCEPT_FORMS, CONTENT_TYPE_FORMS, cases_of, check_form, reason_against
from suites.mutation.reference_apis import in_process_api

TITLES = {f"Accept with {name}" for name in ACCEPT_FORMS} | {f"Content-Type with {name}" for name in CONTENT_TYPE_FORMS}
READ, REGISTER = "GET /users", "POST /register"


def titles(api: str, effort: str, label: str) -> list[str]:
    return [case.title for case in cases_of(corpus(api, EFFORTS[effort], 0), load_contract(api).operations[label])]


def test_a_request_without_a_body_has_an_accept_in_every_form() -> None:
    assert titles("flowback", "default", READ) == [f"Accept with {name}" for name in ACCEPT_FORMS]


def test_a_request_with_a_body_has_a_content_type_in_every_form() -> None:
    assert {f"Content-Type with {name}" for name in CONTENT_TYPE_FORMS} <= set(titles("flowback", "default", REGISTER))


@pytest.mark.parametrize("api", contracts.apis())
def test_little_effort_tries_every_form_at_some_operation(api: str) -> None:
    operations = [it for it in load_contract(api).operations.values() if not reason_against(it)]
    tried = Counter(title for operation in operations for title in titles(api, "quick", operation.label))
    everything = {title for operation in operations for title in titles(api, "default", operation.label)}
    assert set(tried) == everything <= TITLES
    assert max(tried.values()) < len(operations)


def test_another_form_that_is_refused_is_a_finding_about_media_types() -> None:
    api = in_process_api("flowback", ("takes_any_type_for_no_type",))
    operation = api.contract.operations[READ]
    findings = [
        finding.clause
        for case in cases_of(corpus("flowback", EFFORTS["default"], 0), operation)
        for finding in check_form(api, operation, case, set())
    ]
    assert findings == ["FLOWBACK-MEDIA-1"]
