"""Refusals of Flowback: its document names an error page and does not have it, line 11."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.exchange import Exchange
from fixtures.api import Api
from fixtures.cases import FORM
from suites.flowback.dialect import is_refused, kept, post
from suites.readings import Observed

clause = pytest.mark.clause
NOBODY = "1f0e9a52-6f0b-4c57-9a3d-0c8f2b7d4e61"
REFUSED: dict[str, tuple[str, Callable[[Api], Exchange]]] = {
    "a list without a key": ("listUsers", lambda api: api.request("GET", "/users", credentials="none")),
    "a user with a wrong key": ("getUser", lambda api: api.request("GET", "/user", credentials="wrong")),
    "an id that is no number": ("getUser", lambda api: api.request("GET", "/user", query={"id": "abc"})),
    "an id that nobody has": ("getUser", lambda api: api.request("GET", "/user", query={"id": 2147483646})),
    "a page that is no number": ("listUsers", lambda api: api.request("GET", "/users", query={"page": "abc"})),
    "a registration of nothing": ("registerUser", lambda api: post(api, "/register", {})),
    "a verification of nothing": ("verifyRegistration", lambda api: post(api, "/register/verify", {})),
    "a code that nobody got": (
        "verifyRegistration",
        lambda api: post(api, "/register/verify", {"verification_code": NOBODY, "password": "a long secret indeed"}),
    ),
}


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("what", REFUSED)
def test_refusal_is_an_object_that_says_something(api: Api, readings: Observed, what: str) -> None:
    """What must be refused is answered with 4xx and a JSON object, which has no rows of users."""
    operation, send = REFUSED[what]
    answer = kept(api, operation, send(api)).answer
    assert 400 <= answer.status < 500, f"{what} was answered with {answer.status}"
    problem = answer.media_type() == "application/problem+json"
    readings.one_of("FLOWBACK-AMB-17", problem=problem, object=not problem)


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("path", ["/nothing", "/users/nothing", "/register/nothing"])
def test_unknown_path_is_refused(api: Api, path: str) -> None:
    """A path that is not documented is answered with 4xx."""
    answer = api.request("GET", path).answer
    assert 400 <= answer.status < 500, f"{path} was answered with {answer.status}"


@clause("FLOWBACK-ERR-2")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bytes_that_are_no_text_are_answered(api: Api, method: str) -> None:
    """A value that is not UTF-8 is served or refused; the server does not break."""
    if method == "GET":
        sent = [("listUsers", api.request("GET", f"/users?{name}=%ff%fe")) for name in ("username", "id", "page")]
    else:
        form = {"headers": {"Content-Type": FORM}, "body": b"username=%ff%fe&email=\xff&password=%c3"}
        paths = {"registerUser": "/register", "verifyRegistration": "/register/verify", "login": "/login"}
        sent = [(name, api.request("POST", path, credentials="none", **form)) for name, path in paths.items()]
    for _, exchange in sent:
        assert exchange.answer.status < 500, f"answered with {exchange.answer.status}"
    for operation, exchange in sent:
        kept(api, operation, exchange)


@clause("FLOWBACK-ERR-2")
def test_statuses_tell_served_from_refused(api: Api, readings: Observed) -> None:
    """What is served has a status of the class 2xx and what is refused one of 4xx."""
    good = [kept(api, name, api.request("GET", path)) for path, name in (("/users", "listUsers"), ("/user", "getUser"))]
    bad = [kept(api, operation, send(api)) for operation, send in REFUSED.values()]
    statuses = {one.answer.status for one in good}, {one.answer.status for one in bad}
    by_class = not any(map(is_refused, good)) and all(map(is_refused, bad))
    readings.one_of("FLOWBACK-AMB-16", plain=statuses == ({200}, {400}), by_class=by_class)
