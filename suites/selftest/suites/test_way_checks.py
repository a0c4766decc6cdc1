"""Facts about the checks of ways in: which ways there are, what a faulty server is blamed for, what passes."""

from __future__ import annotations

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.openapi import load_contract
from fixtures.corpus import EFFORTS, corpus
from fixtures.target_api import Api
from suites.generic.request_ways import Way, ways_of
from suites.generic.test_ways_in import (
    invalid_of_each_kind,
    needs_no_credentials,
    refuses_no_value,
    test_no_way_in_needs_fewer_credentials,
    test_no_way_in_validates_less,
)
from suites.generic.way_checks import WayChecker
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

test_no_way_in_needs_fewer_credentials.__test__ = False  # type: ignore[attr-defined]
test_no_way_in_validates_less.__test__ = False  # type: ignore[attr-defined]


def titles(api: str, operation: str) -> list[str]:
    contract = load_contract(api)
    return [way.title for way in ways_of(contract, contract.find(operation))]


def request_by(api: Api, operation: str, title: str) -> Request:
    """The minimal request of the operation, sent by the way of that title."""
    documented = api.contract.find(operation)
    checker = WayChecker.of(api, documented, corpus(api.target.api, EFFORTS["quick"], 0).minimal(documented))
    way = next(way for way in ways_of(api.contract, documented) if way.title == title)
    request = checker.request(way, checker.case)
    assert request is not None
    return request


def check_all(api: Api) -> None:
    """Runs both tests on every operation where the kind can occur."""
    cases = corpus(api.target.api, EFFORTS["default"], 0)
    for operation in api.contract.operations.values():
        if not needs_no_credentials(operation):
            test_no_way_in_needs_fewer_credentials(api, cases, operation)
        if not refuses_no_value(operation):
            test_no_way_in_validates_less(api, cases, operation)


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("a slash at the end of the path, or none", "/users/"),
        ("two slashes at the start of the path", "//users"),
        ("a percent-encoded letter in the path", "/%75sers"),
        ("the path in upper case", "/USERS"),
        ("a dot segment in the path", "/./users"),
        ("a parameter behind the path", "/users;a=1"),
        ("an extension behind the path", "/users.json"),
    ],
)
def test_a_way_writes_the_path_otherwise(title: str, path: str) -> None:
    api = in_process_api("flowback")
    assert request_by(api, "listUsers", title).url == f"{api.target.url}{path}"


def test_the_values_in_a_path_are_as_sent() -> None:
    api = in_process_api("getflow")
    url = request_by(api, "getTask", "the path in upper case").url
    assert url.partition("?")[0].rpartition("/")[0] == f"{api.target.url}/TASKS"


def test_a_deletion_is_named_as_a_read_and_sent_as_one() -> None:
    ways = titles("getflow", "deleteTask")
    assert {"headers that override the method by GET", "GET and headers that override it"} <= set(ways)


def test_a_method_that_is_open_to_anybody_overrides_nothing() -> None:
    assert "GET and headers that override it" not in titles("flowapp", "getPublicEvent")


def test_head_is_no_way_where_the_body_says_what_is_refused() -> None:
    assert (
        "HEAD" in titles("getflow", "listTasks"),
        "HEAD" in titles("bitvis", "deviceCollectionGet LIST by header"),
    ) == (
        True,
        False,
    )


def test_the_other_form_of_the_version_is_a_way() -> None:
    contract = load_contract("getflow")
    by_prefix = contract.operations["GET /v2/tasks"]
    assert "the headers of another server too" in [way.title for way in ways_of(contract, by_prefix)]


@pytest.mark.parametrize(
    ("response", "is_served"),
    [
        (Response(200, (("Content-Type", "application/json"),), b'{"data": []}'), True),
        (Response(200, (("Content-Type", "text/html"),), b"<h1>Welcome</h1>"), False),
        (Response(301, (("Location", "/users"),), b""), False),
        (Response(404, (), b""), False),
    ],
)
def test_a_page_or_a_redirect_is_no_way_in(response: Response, is_served: bool) -> None:
    api = in_process_api("flowback")
    operation = api.contract.find("listUsers")
    checker = WayChecker.of(api, operation, corpus("flowback", EFFORTS["quick"], 0).minimal(operation))
    request = Request("GET", f"{api.target.url}/users", (), b"")
    assert checker.is_served(Exchange(request, response, 0.0)) is is_served


def test_a_way_that_changes_nothing_is_not_sent() -> None:
    api = in_process_api("flowback")
    operation = api.contract.find("listUsers")
    checker = WayChecker.of(api, operation, corpus("flowback", EFFORTS["quick"], 0).minimal(operation))
    assert checker.request(Way("the documented one"), checker.case) is None


def test_an_operation_whose_values_are_all_left_open_is_not_checked() -> None:
    operation = load_contract("flowapp").find("listEvents")
    assert refuses_no_value(operation) != ""
    assert invalid_of_each_kind(corpus("flowapp", EFFORTS["quick"], 0), operation) == []


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ("getflow.a_slash_at_the_end_needs_no_token", "GETFLOW-AUTH-1"),
        ("flowback.callers_who_say_they_are_inside_need_no_key", "FLOWBACK-AUTH-3"),
        ("flowback.an_extension_takes_any_number", "FLOWBACK-ERR-4"),
        ("flowapp.two_slashes_open_the_operators", "FLOWAPP-AUTH-1"),
    ],
)
def test_a_way_in_is_reported(change: str, clause: str) -> None:
    name, _, fault = change.partition(".")
    with pytest.raises(ContractViolation) as raised:
        check_all(in_process_api(name, faults=(fault,)))
    assert raised.value.clauses == (clause,)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("flowback", "paths_have_no_case"),
        ("flowapp", "obeys_an_override_of_the_method"),
        ("getflow", "a_slash_at_the_end_has_no_meaning"),
        ("getflow", "head_is_served_like_get"),
    ],
)
def test_a_server_that_knows_other_ways_passes(name: str, variant: str) -> None:
    check_all(in_process_api(name, variants=(variant,)))
