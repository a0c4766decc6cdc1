"""Findings name whose credentials the request at fault had, and what its request stands on."""

from __future__ import annotations

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.judge.http_judge import Finding
from fixtures.target_api import Api
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import account_of, finding_text, is_warning, violation
from suites.reporting.finding_records import bearing_clauses, parameter_clauses, used_members


@pytest.fixture(scope="module")
def flowback() -> Api:
    return in_process_api("flowback")


def users(api: Api, **headers: str) -> Exchange:
    """A request for a page of users with these headers."""
    return api.request("GET", "/users", query={"page": "1", "limit": "2"}, headers=headers)


def test_a_request_with_the_key_names_its_variable(flowback: Api) -> None:
    exchange = users(flowback, Authorization=flowback.setting("TOKEN"))
    text = finding_text(Finding("FLOWBACK-LIST-1", "a success", "401", exchange), flowback)
    assert "  account    FLOWBACK_TOKEN\n" in text
    assert '-H "Authorization: $FLOWBACK_TOKEN"' in text
    assert flowback.setting("TOKEN") not in text


def test_a_request_of_another_account_names_the_variable_of_that_one() -> None:
    api = in_process_api("flowapp")
    other = api.with_settings(TOKEN=api.setting("OTHER_TOKEN"))
    exchange = other.request("GET", "/events/sessions", headers={"api-secret": other.setting("TOKEN")})
    assert account_of(exchange, api) == account_of(exchange, other) == "FLOWAPP_OTHER_TOKEN"


def test_a_request_without_credentials_has_no_account(flowback: Api) -> None:
    exchange = Exchange(Request("GET", f"{flowback.target.url}/users"), Response(401))
    assert account_of(exchange, flowback) == "none"


def test_credentials_that_no_variable_holds_are_others(flowback: Api) -> None:
    assert account_of(users(flowback, Authorization="0" * 40), flowback) == "other credentials"


def test_a_violation_is_about_the_exchange_that_it_is_given(flowback: Api) -> None:
    first, _ = users(flowback), users(flowback, Authorization="0" * 40)
    error = violation(flowback, "FLOWBACK-LIST-1", "a success", "401", first)
    assert error.exchanges[0] is error.findings[0][0].exchange is first


def test_a_parameter_without_a_clause_of_its_own_has_those_of_its_line(flowback: Api) -> None:
    limit = "FLOWBACK-LIST-13 FLOWBACK-LIST-14"
    assert parameter_clauses(flowback, users(flowback)) == ("FLOWBACK-LIST-12", limit)


def test_the_values_that_a_request_sends_are_of_the_operation_that_shows_them(flowback: Api) -> None:
    filtered = flowback.request("GET", "/users", query={"id": "1"})
    assert [used_members(flowback, it) for it in (filtered, users(flowback))] == [("GET /users id",), ()]


def test_no_line_bears_no_clause() -> None:
    assert bearing_clauses("flowback", "") == []


@pytest.mark.parametrize(
    ("blamed", "is_mild"),
    [
        (["FLOWBACK-LIST-23"], True),
        (["FLOWBACK-LIST-23", "FLOWBACK-LIST-4"], False),
        (["FLOWBACK-LIST-13"], False),
        (["FLOWBACK-AMB-16"], False),
        ([], False),
    ],
)
def test_only_what_no_line_of_the_document_demands_is_a_warning(blamed: list[str], is_mild: bool) -> None:
    assert is_warning(blamed) == is_mild
