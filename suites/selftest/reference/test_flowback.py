"""Facts about the reference of Flowback: the behaviour of its five operations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from fixtures.reference.protocol import MAX_BODY, Handler, Request
from suites.selftest.reference.flowback_requests import (
    FORM,
    ID,
    KEY,
    NEW,
    NEW_PASSWORD,
    NON_INTEGERS,
    OTHER_ID,
    OTHER_KEY,
    PASSWORD,
    REFERENCE,
    USERNAME,
    UUID,
    create_world,
    get,
    ids,
    login,
    names,
    post,
    register,
    verify,
    walk,
)


@pytest.fixture
def handler() -> Handler:
    """The handler of a reference in its initial state, without changes."""
    return REFERENCE.create(create_world()).handle


# --- keys and logins


@pytest.mark.parametrize("path", ["/users", "/user"])
@pytest.mark.parametrize("key", [None, "", "nonsense", KEY.upper(), f"Token {KEY}", KEY[:-1]])
def test_invalid_key_is_refused(handler: Handler, path: str, key: str | None) -> None:
    assert get(handler, path, key).status == 401


def test_each_login_returns_another_valid_key(handler: Handler) -> None:
    first, second = login(handler).json()["token"], login(handler).json()["token"]
    assert first != second
    assert [ids(get(handler, "/user", key)) for key in (first, second, KEY)] == [[ID]] * 3


def test_login_accepts_the_email_in_any_case(handler: Handler) -> None:
    assert login(handler, username=f"USER{ID}@example.com").status == 200


@pytest.mark.parametrize("password", ["", "x", PASSWORD.upper(), PASSWORD + " ", PASSWORD.replace("  ", " ")])
def test_login_with_another_password_is_refused(handler: Handler, password: str) -> None:
    assert login(handler, password=password).status == 400


# --- registrations


def test_registration_mails_a_version_4_code_to_the_new_user(handler: Handler) -> None:
    (mail,) = post(handler, "/register", **NEW).mails
    code = UUID.search(mail.text)
    assert (mail.to, code and code.group()[14]) == (NEW["email"], "4")


def test_response_to_a_registration_does_not_contain_the_code(handler: Handler) -> None:
    reply = post(handler, "/register", **NEW)
    assert reply.status == 201
    assert not UUID.search(reply.body.decode())


@pytest.mark.parametrize("key", [None, "", "nonsense", KEY])
def test_registration_ignores_the_key(handler: Handler, key: str | None) -> None:
    assert post(handler, "/register", key, **NEW).status == 201


def test_verified_user_is_listed_and_logs_in_with_the_password(handler: Handler) -> None:
    verify(handler, register(handler))
    key = login(handler, NEW["username"], NEW_PASSWORD).json()["token"]
    (user,) = get(handler, "/user", key).json()["data"]
    assert (user["username"], user["email"]) == (NEW["username"], NEW["email"])
    assert names(get(handler, "/users", username=NEW["username"])) == [NEW["username"]]


def test_unverified_user_is_not_listed(handler: Handler) -> None:
    register(handler)
    assert names(get(handler, "/users", username=NEW["username"])) == []


def test_unverified_user_cannot_log_in(handler: Handler) -> None:
    code = register(handler)
    assert {login(handler, NEW["username"], password).status for password in (NEW_PASSWORD, code, "x")} == {400}


@pytest.mark.parametrize(
    "changes",
    [
        {"username": USERNAME},
        {"email": f"user{ID}@example.com"},
        {"email": f"USER{ID}@Example.com"},
        {"username": ""},
        {"username": "  "},
        {"username": "a\x00b"},
        {"username": "a\nb"},
        {"username": "a" * 151},
        {"email": ""},
        {"email": "nobody"},
        {"email": "a b@example.com"},
        {"email": "a@b@example.com"},
        {"email": "a@example.com\nBcc: b@example.com"},
        {"email": "ä@example.com"},
        {"email": "a@localhost"},
        {"email": f"{'a' * 65}@example.com"},
    ],
)
def test_invalid_registration_is_refused_without_a_mail(handler: Handler, changes: dict[str, str]) -> None:
    reply = post(handler, "/register", **{**NEW, **changes})
    assert (reply.status, reply.mails) == (400, [])


@pytest.mark.parametrize("left_out", ["username", "email"])
def test_refusal_of_a_registration_names_the_missing_field(handler: Handler, left_out: str) -> None:
    reply = post(handler, "/register", **{name: value for name, value in NEW.items() if name != left_out})
    assert (reply.status, reply.json()["field"]) == (400, left_out)


def test_pending_registration_keeps_its_username_and_email(handler: Handler) -> None:
    register(handler)
    again = [post(handler, "/register", **{**NEW, name: f"other.{NEW[name]}"}) for name in NEW]
    assert [reply.json()["field"] for reply in again] == ["email", "username"]


def test_refused_registration_leaves_username_and_email_free(handler: Handler) -> None:
    post(handler, "/register", username=NEW["username"], email=f"user{ID}@example.com")
    assert post(handler, "/register", **NEW).status == 201


def test_usernames_may_differ_only_in_case(handler: Handler) -> None:
    assert post(handler, "/register", username=USERNAME.upper(), email=NEW["email"]).status == 201


def test_code_is_valid_once(handler: Handler) -> None:
    code = register(handler)
    assert [verify(handler, code).status for _ in range(2)] == [200, 400]


def test_code_stays_valid_after_a_weak_password(handler: Handler) -> None:
    code = register(handler)
    assert [verify(handler, code, password).status for password in ("1234567", "", "12345678")] == [400, 400, 200]


@pytest.mark.parametrize(
    "code", ["", "x", "a3bb189e-8bf9-4888-9912-ace4e6543002", "{code}0", "a3bb189e-8bf9-1888-9912-ace4e6543002"]
)
def test_code_that_was_not_mailed_is_refused(handler: Handler, code: str) -> None:
    assert verify(handler, code.format(code=register(handler))).status == 400


def test_code_may_be_in_upper_case(handler: Handler) -> None:
    assert verify(handler, register(handler).upper()).status == 200


@pytest.mark.parametrize("media_type", [None, "application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_body_that_is_not_a_form_is_refused(handler: Handler, media_type: str | None) -> None:
    headers = (("content-type", media_type),) if media_type else ()
    assert handler(Request("POST", "/register", "", headers, urlencode(NEW).encode())).status == 415


def test_field_that_is_sent_twice_is_refused(handler: Handler) -> None:
    body = urlencode([*NEW.items(), ("email", "other@example.com")]).encode()
    assert handler(Request("POST", "/register", "", (("content-type", FORM),), body)).status == 400


def test_body_above_the_maximum_size_is_refused(handler: Handler) -> None:
    field = b"username="
    bodies = [field + b"a" * (size - len(field)) for size in (MAX_BODY, MAX_BODY + 1)]
    replies = [handler(Request("POST", "/register", "", (("content-type", FORM),), body)) for body in bodies]
    assert [reply.status for reply in replies] == [400, 413]


# --- lists


def test_limit_defaults_to_20(handler: Handler) -> None:
    page = get(handler, "/users").json()
    assert (len(page["data"]), page["count"], page["total_page"], page["previous"]) == (20, 68, 4, False)


def test_row_has_id_username_and_image(handler: Handler) -> None:
    assert list(get(handler, "/users").json()["data"][0]) == ["id", "username", "profile_image"]


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (50, 50), (51, 50), (1000, 50)])
def test_limit_is_clamped_to_50(handler: Handler, limit: int, expected: int) -> None:
    assert len(ids(get(handler, "/users", limit=limit))) == expected


@pytest.mark.parametrize("limit", [7, 17, 34, 50])
def test_next_links_lead_through_every_user_once(handler: Handler, limit: int) -> None:
    assert walk(handler, limit=limit) == list(range(1, 69))


def test_offset_moves_the_start_of_every_page(handler: Handler) -> None:
    assert walk(handler, limit=25, offset=10) == list(range(11, 69))


def test_links_are_absolute_and_have_page_limit_and_offset(handler: Handler) -> None:
    page = get(handler, "/users", page=2, limit=3, offset=1).json()
    assert page["next"] == "http://127.0.0.1/users?page=3&limit=3&offset=1"
    assert page["previous"] == "http://127.0.0.1/users?page=1&limit=3&offset=1"


def test_next_is_false_on_the_last_page(handler: Handler) -> None:
    assert get(handler, "/users", page=4).json()["next"] is False


def test_page_after_the_last_is_empty(handler: Handler) -> None:
    page = get(handler, "/users", page=99).json()
    assert (page["data"], page["next"], page["count"]) == ([], False, 68)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("id", "page", "limit", "offset") for value in NON_INTEGERS]
    + [("page", "0"), ("page", "-1"), ("limit", "0"), ("limit", "-5"), ("offset", "-1")],
)  # fmt: skip
def test_refusal_of_an_invalid_number_names_the_parameter(handler: Handler, name: str, value: str) -> None:
    reply = get(handler, "/users", **{name: value})
    assert (reply.status, reply.json()["field"]) == (400, name)


@pytest.mark.parametrize(("query", "expected"), [
    ({"id": 3}, [3]), ({"id": 999}, []), ({"id": 0}, []), ({"id": -1}, []), ({"id": ""}, list(range(1, 21))),
    ({"username": "anna"}, [2]), ({"username": "ANNA"}, []), ({"username": "ann"}, []), ({"username": "flow"}, [6]),
    ({"username": "a+b"}, [17]), ({"username": "e\u0301clair"}, [26]), ({"username": "\u00e9clair"}, [27]),
    ({"id": 2, "username": "anna"}, [2]), ({"id": 3, "username": "anna"}, []),
])  # fmt: skip
def test_filters_match_exactly(handler: Handler, query: dict[str, Any], expected: list[int]) -> None:
    assert ids(get(handler, "/users", **query)) == expected


def test_empty_list_has_no_page(handler: Handler) -> None:
    page = get(handler, "/users", username="nobody at all").json()
    assert (page["count"], page["total_page"], page["next"], page["previous"]) == (0, 0, False, False)


# --- the single user


@pytest.mark.parametrize(("key", "query", "expected"), [
    (KEY, {}, ID), (KEY, {"id": ""}, ID), (OTHER_KEY, {}, OTHER_ID), (KEY, {"id": OTHER_ID}, OTHER_ID),
    (KEY, {"id": 68}, 68),
])  # fmt: skip
def test_single_user_is_the_one_with_the_id_or_the_caller(
    handler: Handler, key: str, query: dict[str, Any], expected: int
) -> None:
    assert ids(get(handler, "/user", key, **query)) == [expected]


@pytest.mark.parametrize("unknown", ["69", "0", "-1", "999999999999999999"])
def test_unknown_user_is_refused(handler: Handler, unknown: str) -> None:
    assert get(handler, "/user", id=unknown).status == 404


def test_single_user_agrees_with_the_list(handler: Handler) -> None:
    (row,), (user,) = (get(handler, path, id=OTHER_ID).json()["data"] for path in ("/users", "/user"))
    assert row.items() <= user.items()


# --- refusals


@pytest.mark.parametrize(("request_", "status"), [
    (Request("GET", "/"), 404), (Request("GET", ""), 404),
    (Request("GET", "/users/", headers=(("authorization", KEY),)), 404),
    (Request("DELETE", "/users"), 405), (Request("OPTIONS", "/register"), 405), (Request("get", "/users"), 405),
    (Request("GET", "/%ff"), 400), (Request("GET", "/users", "id=%ff", (("authorization", KEY),)), 400),
    (Request("POST", "/register", "", (("content-type", FORM),), b"username=%ff"), 400),
    (Request("POST", "/register", "", (("content-type", FORM),), b"\xff=1"), 400),
])  # fmt: skip
def test_unroutable_or_malformed_request_is_refused(handler: Handler, request_: Request, status: int) -> None:
    assert handler(request_).status == status


def test_refusal_of_an_unknown_method_names_the_allowed_ones(handler: Handler) -> None:
    assert handler(Request("PUT", "/register")).header("allow") == "POST"
