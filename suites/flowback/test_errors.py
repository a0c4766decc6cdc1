"""Refusals of Flowback: the document names a page about errors but does not contain it (line 11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.exchange import Exchange
from fixtures.cases import FORM
from fixtures.target_api import Api
from suites.flowback.client import (
    EXAMPLES,
    NON_INTEGERS,
    check_exchange,
    is_refused,
    post_form,
    registered_person,
    unused_email,
    verify,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
UNKNOWN_CODE = "1f0e9a52-6f0b-4c57-9a3d-0c8f2b7d4e61"
REFUSED: dict[str, tuple[str, Callable[[Api], Exchange]]] = {  # description -> (operation id, request)
    "a list without a key": ("listUsers", lambda api: api.request("GET", "/users", credentials="none")),
    "a user with a wrong key": ("getUser", lambda api: api.request("GET", "/user", credentials="wrong")),
    "an id that is not an integer": ("getUser", lambda api: api.request("GET", "/user", query={"id": "abc"})),
    "an unknown id": ("getUser", lambda api: api.request("GET", "/user", query={"id": 2147483646})),
    "a page that is not an integer": ("listUsers", lambda api: api.request("GET", "/users", query={"page": "abc"})),
    "an empty registration": ("registerUser", lambda api: post_form(api, "/register", {})),
    "an empty verification": ("verifyRegistration", lambda api: post_form(api, "/register/verify", {})),
    "an unknown code": (
        "verifyRegistration",
        lambda api: post_form(
            api, "/register/verify", {"verification_code": UNKNOWN_CODE, "password": "a long secret indeed"}
        ),
    ),
}


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("description", REFUSED)
def test_refusal_is_a_json_object_with_members(api: Api, readings: ObservedReadings, description: str) -> None:
    """A request that must be refused gets status 4xx and a JSON object that has members but no rows of users."""
    operation_id, send = REFUSED[description]
    response = check_exchange(api, operation_id, send(api)).response
    assert 400 <= response.status < 500, f"{description} was answered with status {response.status}"
    is_problem = response.media_type() == "application/problem+json"
    readings.observe("FLOWBACK-AMB-17", problem=is_problem, object=not is_problem)


@clause("FLOWBACK-ERR-3")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/register", "/register/verify"])
def test_another_writing_method_is_refused(api: Api, path: str, method: str) -> None:
    """PUT, PATCH and DELETE of the paths of a registration are refused, and leave its code valid."""
    person = registered_person(api)
    form = {"username": api.unique_text("flow.user"), "email": unused_email(api)}
    if path == "/register/verify":
        form = {"verification_code": person.code, "password": person.password}
    response = api.request(method, path, form=form).response
    assert 400 <= response.status < 500, f"{method} {path} was answered with status {response.status}"
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the code was then refused with status {exchange.response.status}"


@clause("FLOWBACK-ERR-4")
@pytest.mark.parametrize(
    ("operation_id", "path", "name"),
    [("getUser", "/user", "id"), *(("listUsers", "/users", name) for name in ("id", "page", "limit", "offset"))],
)
def test_value_that_is_not_an_integer_is_refused(api: Api, operation_id: str, path: str, name: str) -> None:
    """An id, page, limit or offset that is not an integer is refused, because the document calls it one."""

    def check_refused(text: str) -> None:
        exchange = check_exchange(api, operation_id, api.request("GET", path, query={name: text}))
        assert is_refused(exchange), f"{name}={text} was served with status {exchange.response.status}"

    for_all(check_refused, EXAMPLES, text=NON_INTEGERS)


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("path", ["/nothing", "/users/nothing", "/register/nothing"])
def test_unknown_path_is_refused(api: Api, path: str) -> None:
    """An undocumented path is answered with status 4xx."""
    response = api.request("GET", path).response
    assert 400 <= response.status < 500, f"{path} was answered with status {response.status}"


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_invalid_utf8_is_no_server_error(api: Api, method: str) -> None:
    """A value that is not UTF-8 is served or refused, never answered with status 5xx."""
    if method == "GET":
        exchanges = [("listUsers", api.request("GET", f"/users?{name}=%ff%fe")) for name in ("username", "id", "page")]
    else:
        headers, body = {"Content-Type": FORM}, b"username=%ff%fe&email=\xff&password=%c3"
        paths = {"registerUser": "/register", "verifyRegistration": "/register/verify", "login": "/login"}
        exchanges = [
            (operation_id, api.request("POST", path, credentials="none", headers=headers, body=body))
            for operation_id, path in paths.items()
        ]
    for operation_id, exchange in exchanges:
        assert exchange.response.status < 500, f"{operation_id} was answered with status {exchange.response.status}"
    for operation_id, exchange in exchanges:
        check_exchange(api, operation_id, exchange)


@clause("FLOWBACK-ERR-2")
def test_statuses_tell_served_from_refused(api: Api, readings: ObservedReadings) -> None:
    """Served requests have a status of the class 2xx and refused ones a status of the class 4xx."""
    served = [
        check_exchange(api, operation_id, api.request("GET", path))
        for path, operation_id in (("/users", "listUsers"), ("/user", "getUser"))
    ]
    refused = [check_exchange(api, operation_id, send(api)) for operation_id, send in REFUSED.values()]
    statuses = [{exchange.response.status for exchange in exchanges} for exchanges in (served, refused)]
    by_class = not any(map(is_refused, served)) and all(map(is_refused, refused))
    readings.one_of("FLOWBACK-AMB-16", plain=statuses == [{200}, {400}], by_class=by_class)
