"""Facts about the reference of Flowback: what it does, that each of its faults shows, that nothing upsets it.

Rule: asked in process, with a clock that stands still and chance that repeats; no test needs another one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference import flowback
from fixtures.reference.protocol import MAX_BODY, Answer, Reply, Request, World, changed

KEY = flowback.KNOWN["TOKEN"]
OTHER_KEY = flowback.KNOWN["OTHER_TOKEN"]
USERNAME, PASSWORD = flowback.KNOWN["USERNAME"], flowback.KNOWN["PASSWORD"]
ID, OTHER_ID = int(flowback.KNOWN["USER_ID"]), int(flowback.KNOWN["OTHER_USER_ID"])
FORM = "application/x-www-form-urlencoded"
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
NEW = {"username": "Nyå Namn", "email": "Ny.Namn+tag@example.com"}
NO_NUMBERS = ("abc", "1.5", "1e2", "1_0", "٣", "+1", "9" * 5000)
SECRET = "  pässword with ends  "


def world() -> World:
    return World(lambda: datetime(2026, 1, 2, tzinfo=UTC), random.Random(7))


@pytest.fixture
def answer() -> Answer:
    """An honest server in its first state."""
    return flowback.create(world()).handle


def get(answer: Answer, path: str, key: str | None = KEY, **query: Any) -> Reply:
    headers = (("authorization", key),) if key is not None else ()
    return answer(Request("GET", path, urlencode(query), headers))


def post(answer: Answer, path: str, key: str | None = None, **form: str) -> Reply:
    headers = (("content-type", FORM), *((("authorization", key),) if key is not None else ()))
    return answer(Request("POST", path, "", headers, urlencode(form).encode()))


def names(reply: Reply) -> list[str]:
    return [user["username"] for user in reply.json()["data"]]


def ids(reply: Reply) -> list[int]:
    return [user["id"] for user in reply.json()["data"]]


def register(answer: Answer, **changes: str) -> str:
    """Registers and gives the code that the mail holds."""
    found = UUID.search(post(answer, "/register", **{**NEW, **changes}).mails[0].text)
    assert found
    return found.group()


def verify(answer: Answer, code: str, password: str = SECRET) -> Reply:
    return post(answer, "/register/verify", verification_code=code, password=password)


def login(answer: Answer, username: str = USERNAME, password: str = PASSWORD) -> Reply:
    return post(answer, "/login", username=username, password=password)


def walk(answer: Answer, **query: Any) -> list[int]:
    """The ids of every page, by the links."""
    found: list[int] = []
    link: str | bool = f"/users?{urlencode(query)}"
    while isinstance(link, str) and len(found) < 500:
        reply = answer(Request("GET", "/users", urlsplit(link).query, (("authorization", KEY),)))
        found += ids(reply)
        link = reply.json()["next"]
    return found


# --- keys


@pytest.mark.parametrize("path", ["/users", "/user"])
@pytest.mark.parametrize("key", [None, "", "nonsense", KEY.upper(), f"Token {KEY}", KEY[:-1]])
def test_what_is_no_valid_key_is_refused(answer: Answer, path: str, key: str | None) -> None:
    assert get(answer, path, key).status == 401


def test_login_gives_a_key_of_its_own_each_time(answer: Answer) -> None:
    first, second = login(answer).json()["token"], login(answer).json()["token"]
    assert first != second
    assert [ids(get(answer, "/user", key)) for key in (first, second, KEY)] == [[ID]] * 3


def test_login_takes_the_email_in_any_case(answer: Answer) -> None:
    assert login(answer, username=f"USER{ID}@example.com").status == 200


@pytest.mark.parametrize("password", ["", "x", PASSWORD.upper(), PASSWORD + " ", PASSWORD.replace("  ", " ")])
def test_login_with_another_password_is_refused(answer: Answer, password: str) -> None:
    assert login(answer, password=password).status == 400


# --- registration


def test_registration_mails_a_version_4_code_to_the_new_user(answer: Answer) -> None:
    (mail,) = post(answer, "/register", **NEW).mails
    code = UUID.search(mail.text)
    assert (mail.to, code and code.group()[14]) == (NEW["email"], "4")


def test_the_answer_of_a_registration_does_not_hold_the_code(answer: Answer) -> None:
    reply = post(answer, "/register", **NEW)
    assert reply.status == 201
    assert not UUID.search(reply.body.decode())


@pytest.mark.parametrize("key", [None, "", "nonsense", KEY])
def test_registration_does_not_look_at_a_key(answer: Answer, key: str | None) -> None:
    assert post(answer, "/register", key, **NEW).status == 201


def test_a_verified_user_is_listed_and_logs_in_with_that_very_password(answer: Answer) -> None:
    verify(answer, register(answer))
    key = login(answer, NEW["username"], SECRET).json()["token"]
    (user,) = get(answer, "/user", key).json()["data"]
    assert (user["username"], user["email"]) == (NEW["username"], NEW["email"])
    assert names(get(answer, "/users", username=NEW["username"])) == [NEW["username"]]


def test_an_unverified_user_is_not_listed(answer: Answer) -> None:
    register(answer)
    assert names(get(answer, "/users", username=NEW["username"])) == []


def test_an_unverified_user_cannot_log_in(answer: Answer) -> None:
    code = register(answer)
    assert {login(answer, NEW["username"], word).status for word in (SECRET, code, "x")} == {400}


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
def test_what_cannot_be_registered_is_refused_without_a_mail(answer: Answer, changes: dict[str, str]) -> None:
    reply = post(answer, "/register", **{**NEW, **changes})
    assert (reply.status, reply.mails) == (400, [])


@pytest.mark.parametrize("left_out", ["username", "email"])
def test_a_registration_that_lacks_a_field_names_it(answer: Answer, left_out: str) -> None:
    reply = post(answer, "/register", **{name: value for name, value in NEW.items() if name != left_out})
    assert (reply.status, reply.json()["field"]) == (400, left_out)


def test_a_waiting_registration_keeps_its_name_and_its_address(answer: Answer) -> None:
    register(answer)
    again = [post(answer, "/register", **{**NEW, name: f"other.{NEW[name]}"}) for name in NEW]
    assert [reply.json()["field"] for reply in again] == ["email", "username"]


def test_a_refused_registration_takes_nothing(answer: Answer) -> None:
    post(answer, "/register", username=NEW["username"], email=f"user{ID}@example.com")
    assert post(answer, "/register", **NEW).status == 201


def test_names_may_differ_in_case_only(answer: Answer) -> None:
    assert post(answer, "/register", username=USERNAME.upper(), email=NEW["email"]).status == 201


def test_a_code_works_once(answer: Answer) -> None:
    code = register(answer)
    assert [verify(answer, code).status for _ in range(2)] == [200, 400]


def test_a_weak_password_leaves_the_code_as_it_was(answer: Answer) -> None:
    code = register(answer)
    assert [verify(answer, code, word).status for word in ("1234567", "", "12345678")] == [400, 400, 200]


@pytest.mark.parametrize(
    "code", ["", "x", "a3bb189e-8bf9-4888-9912-ace4e6543002", "{code}0", "a3bb189e-8bf9-1888-9912-ace4e6543002"]
)
def test_another_code_than_the_mailed_one_is_refused(answer: Answer, code: str) -> None:
    assert verify(answer, code.format(code=register(answer))).status == 400


def test_a_code_is_read_in_capitals_too(answer: Answer) -> None:
    assert verify(answer, register(answer).upper()).status == 200


@pytest.mark.parametrize("media_type", [None, "application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_body_that_is_no_form_is_refused(answer: Answer, media_type: str | None) -> None:
    headers = (("content-type", media_type),) if media_type else ()
    assert answer(Request("POST", "/register", "", headers, urlencode(NEW).encode())).status == 415


def test_a_field_sent_twice_is_refused(answer: Answer) -> None:
    body = urlencode([*NEW.items(), ("email", "other@example.com")]).encode()
    assert answer(Request("POST", "/register", "", (("content-type", FORM),), body)).status == 400


def test_a_body_may_have_as_many_bytes_as_allowed_and_no_more(answer: Answer) -> None:
    field = b"username="
    bodies = [field + b"a" * (size - len(field)) for size in (MAX_BODY, MAX_BODY + 1)]
    replies = [answer(Request("POST", "/register", "", (("content-type", FORM),), body)) for body in bodies]
    assert [reply.status for reply in replies] == [400, 413]


# --- lists


def test_the_list_has_20_rows_by_default(answer: Answer) -> None:
    page = get(answer, "/users").json()
    assert (len(page["data"]), page["count"], page["total_page"], page["previous"]) == (20, 68, 4, False)


def test_a_row_is_id_username_and_image(answer: Answer) -> None:
    assert list(get(answer, "/users").json()["data"][0]) == ["id", "username", "profile_image"]


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (50, 50), (51, 50), (1000, 50)])
def test_a_limit_is_clamped_to_50(answer: Answer, asked: int, given: int) -> None:
    assert len(ids(get(answer, "/users", limit=asked))) == given


@pytest.mark.parametrize("limit", [7, 17, 34, 50])
def test_the_links_lead_through_every_user_once(answer: Answer, limit: int) -> None:
    assert walk(answer, limit=limit) == list(range(1, 69))


def test_an_offset_moves_the_start_of_every_page(answer: Answer) -> None:
    assert walk(answer, limit=25, offset=10) == list(range(11, 69))


def test_links_are_absolute_and_carry_all_there_is(answer: Answer) -> None:
    page = get(answer, "/users", page=2, limit=3, offset=1).json()
    assert page["next"] == "http://127.0.0.1/users?page=3&limit=3&offset=1"
    assert page["previous"] == "http://127.0.0.1/users?page=1&limit=3&offset=1"


def test_the_last_page_has_no_next(answer: Answer) -> None:
    assert get(answer, "/users", page=4).json()["next"] is False


def test_a_page_behind_the_last_is_empty(answer: Answer) -> None:
    page = get(answer, "/users", page=99).json()
    assert (page["data"], page["next"], page["count"]) == ([], False, 68)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("id", "page", "limit", "offset") for value in NO_NUMBERS]
    + [("page", "0"), ("page", "-1"), ("limit", "0"), ("limit", "-5"), ("offset", "-1")],
)  # fmt: skip
def test_what_is_no_number_in_range_is_refused_by_name(answer: Answer, name: str, value: str) -> None:
    reply = get(answer, "/users", **{name: value})
    assert (reply.status, reply.json()["field"]) == (400, name)


@pytest.mark.parametrize(("query", "found"), [
    ({"id": 3}, [3]), ({"id": 999}, []), ({"id": 0}, []), ({"id": -1}, []), ({"id": ""}, list(range(1, 21))),
    ({"username": "anna"}, [2]), ({"username": "ANNA"}, []), ({"username": "ann"}, []), ({"username": "flow"}, [6]),
    ({"username": "a+b"}, [17]), ({"username": "e\u0301clair"}, [26]), ({"username": "\u00e9clair"}, [27]),
    ({"id": 2, "username": "anna"}, [2]), ({"id": 3, "username": "anna"}, []),
])  # fmt: skip
def test_filters_want_the_very_value(answer: Answer, query: dict[str, Any], found: list[int]) -> None:
    assert ids(get(answer, "/users", **query)) == found


def test_a_list_that_finds_nothing_has_no_page(answer: Answer) -> None:
    page = get(answer, "/users", username="nobody at all").json()
    assert (page["count"], page["total_page"], page["next"], page["previous"]) == (0, 0, False, False)


# --- the single user


@pytest.mark.parametrize(("key", "query", "found"), [
    (KEY, {}, ID), (KEY, {"id": ""}, ID), (OTHER_KEY, {}, OTHER_ID), (KEY, {"id": OTHER_ID}, OTHER_ID),
    (KEY, {"id": 68}, 68),
])  # fmt: skip
def test_the_single_user_is_the_one_asked_for_or_the_caller(
    answer: Answer, key: str, query: dict[str, Any], found: int
) -> None:
    assert ids(get(answer, "/user", key, **query)) == [found]


@pytest.mark.parametrize("unknown", ["69", "0", "-1", "999999999999999999"])
def test_an_unknown_user_is_refused(answer: Answer, unknown: str) -> None:
    assert get(answer, "/user", id=unknown).status == 404


def test_the_single_user_agrees_with_the_list(answer: Answer) -> None:
    (row,), (user,) = (get(answer, path, id=OTHER_ID).json()["data"] for path in ("/users", "/user"))
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
def test_a_request_that_fits_nothing_is_refused(answer: Answer, request_: Request, status: int) -> None:
    assert answer(request_).status == status


def test_an_unknown_method_is_told_the_known_ones(answer: Answer) -> None:
    assert answer(Request("PUT", "/register")).header("allow") == "POST"


# --- faults and variants

Probe = Callable[[Answer], object]


def _shown(reply: Reply) -> object:
    """All that a client sees of a reply."""
    return reply.status, reply.headers, reply.body, reply.cut, reply.pieces, reply.mails


def _list(**query: Any) -> Probe:
    return lambda answer: _shown(get(answer, "/users", **query))


def _user(**query: Any) -> Probe:
    return lambda answer: _shown(get(answer, "/user", **query))


def _keyed(path: str, key: str | None) -> Probe:
    return lambda answer: get(answer, path, key).status


def _registering(key: str | None = None, **changes: str) -> Probe:
    form = {name: value for name, value in {**NEW, **changes}.items() if value != "-"}
    return lambda answer: _shown(post(answer, "/register", key, **form))


def _twice(**changes: str) -> Probe:
    def probe(answer: Answer) -> list[int]:
        return [post(answer, "/register", **{**NEW, **one}).status for one in ({}, changes)]

    return probe


def _logged_in(password: str = SECRET, tried: str = SECRET, username: str = NEW["username"]) -> Probe:
    """Registers, verifies, logs in with what is tried, and asks who that is."""

    def probe(answer: Answer) -> object:
        verify(answer, register(answer, username=username), password)
        reply = login(answer, username, tried)
        return reply.status, _shown(get(answer, "/user", reply.json().get("token")))

    return probe


def _verifying(*steps: dict[str, str]) -> Probe:
    """Registers and sends these verifications, `{code}` filled in."""

    def probe(answer: Answer) -> list[int]:
        code = register(answer)
        forms = [{name: value.format(code=code, cut=code[:-1]) for name, value in step.items()} for step in steps]
        return [post(answer, "/register/verify", **form).status for form in forms]

    return probe


def _after_registering(path: str, **query: Any) -> Probe:
    def probe(answer: Answer) -> object:
        code = register(answer)
        before = _shown(get(answer, path, **query))
        verify(answer, code)
        return before, _shown(get(answer, path, **query))

    return probe


def _unverified_login(answer: Answer) -> int:
    register(answer)
    return login(answer, NEW["username"], SECRET).status


def _two_callers(answer: Answer) -> list[list[int]]:
    return [ids(get(answer, "/user", key)) for key in (KEY, OTHER_KEY)]


def _by_query(answer: Answer) -> int:
    return answer(Request("POST", "/register", urlencode(NEW))).status


def _broken_bytes(answer: Answer) -> int:
    return answer(Request("GET", "/users", "username=%ff", (("authorization", KEY),))).status


def _login_with(key: str, answer: Answer) -> int:
    return post(answer, "/login", key, username=USERNAME, password=PASSWORD).status


def _older_key(answer: Answer) -> list[int]:
    login(answer)
    return ids(get(answer, "/user"))


def _by_method(method: str, path: str, answer: Answer) -> int:
    fields = {"verification_code": register(answer, email="x@example.com"), "password": SECRET, **NEW, "username": "x"}
    return answer(Request(method, path, "", (("content-type", FORM),), urlencode(fields).encode())).status


def _first_of_two(answer: Answer) -> Any:
    code = register(answer)
    register(answer, username="second", email="second@example.com")
    return verify(answer, code).json()["username"]


GOOD = {"verification_code": "{code}", "password": SECRET}
SEEN_BY: dict[str, Probe] = {
    "shows_a_user_without_a_key": _keyed("/user", None),
    "takes_any_key_for_the_list": _keyed("/users", "nonsense"),
    "takes_an_empty_key": _keyed("/users", ""),
    "looks_at_the_start_of_a_key_only": _keyed("/users", KEY[:-1] + "f"),
    "refuses_a_wrong_key_with_the_list": lambda answer: _shown(get(answer, "/users", "nonsense")),
    "wants_a_scheme_word": _keyed("/users", KEY),
    "wants_a_key_to_register": _registering(),
    "wants_a_key_to_verify": _verifying(GOOD),
    "checks_a_key_that_registration_does_not_need": _registering("your_token_here"),
    "remembers_the_first_current_user": _two_callers,
    "gives_a_key_that_opens_nothing": _logged_in(),
    "gives_everybody_the_same_key": _logged_in(),
    "takes_any_password": _logged_in(tried="wrong password"),
    "logs_in_before_verifying": _unverified_login,
    "trims_the_password_at_login": _logged_in(),
    "refuses_in_html": _list(page="abc"),
    "refuses_in_plain_words_called_json": lambda answer: _shown(get(answer, "/users", "nonsense")),
    "refuses_with_an_empty_object": _registering(email="-"),
    "breaks_on_broken_bytes": _broken_bytes,
    "reads_keys_from_the_query": _keyed("/users", KEY),
    "ignores_the_case_of_keys": _keyed("/users", KEY.upper()),
    "ignores_what_follows_a_key": _keyed("/users", f"{KEY}0"),
    "remembers_the_caller_of_a_connection": _two_callers,
    "refuses_a_login_with_another_key": lambda answer: _login_with("nonsense", answer),
    "gives_an_older_key_to_the_newest_user": _older_key,
    "serves_unknown_paths": _keyed("/nothing", KEY),
    "registers_by_delete": lambda answer: _by_method("DELETE", "/register", answer),
    "verifies_by_put": lambda answer: _by_method("PUT", "/register/verify", answer),
    "lists_at_another_path": _keyed("/users", KEY),
    "has_no_path_for_the_current_user": _user(),
    "takes_a_username_twice": _twice(email="other@example.com"),
    "sees_a_taken_name_too_late": _twice(email="other@example.com"),
    "takes_an_email_twice": _twice(username="other"),
    "forgets_addresses_with_capitals": _twice(username="other"),
    "breaks_on_a_name_beyond_ascii": _registering(),
    "lowers_the_case_of_names": _registering(),
    "keeps_an_address_without_its_tag": _registering(),
    "registers_without_an_email": _registering(email="-"),
    "makes_up_a_username": _registering(username=""),
    "composes_the_letters_of_names": _registering(username="e\u0301mile"),
    "links_to_the_verification": lambda answer: post(answer, "/register", **NEW).header("location"),
    "reads_registrations_from_the_query": _by_query,
    "wants_json": _registering(),
    "answers_with_the_code": _registering(),
    "sends_no_mail": _registering(),
    "sends_each_mail_twice": _registering(),
    "mails_a_code_that_opens_nothing": _verifying(GOOD),
    "mails_the_first_user": _registering(),
    "verifies_at_another_path": _verifying(GOOD),
    "wants_json_to_verify": _verifying(GOOD),
    "mails_a_code_of_version_1": _registering(),
    "takes_a_code_without_its_last_digit": _verifying({**GOOD, "verification_code": "{cut}"}),
    "takes_any_code": _verifying({**GOOD, "verification_code": "a3bb189e-8bf9-4888-9912-ace4e6543002"}),
    "verifies_whoever_came_last": _first_of_two,
    "forgets_a_verified_user": _after_registering("/users", limit=50, page=2),
    "keeps_no_more_than_ten_characters": _logged_in("correct horse", "correct house"),
    "verifies_without_a_password": _verifying({"verification_code": "{code}"}),
    "loses_letters_of_a_password_beyond_ascii": _logged_in(),
    "takes_a_code_twice": _verifying(GOOD, GOOD),
    "burns_a_code_too_late": _verifying(GOOD, GOOD),
    "burns_the_code_of_a_weak_password": _verifying({**GOOD, "password": "weak"}, GOOD),
    "lists_as_plain_text": _list(),
    "writes_latin_1": _list(),
    "ends_long_pages_too_early": _list(limit=50),
    "gives_a_single_row_bare": _list(id=1),
    "gives_null_for_no_rows": _list(id=999),
    "drops_the_username_of_a_row": _list(),
    "makes_one_image_relative": _list(),
    "gives_false_for_no_image": _list(),
    "gives_ids_as_text_when_filtered": _list(username="anna"),
    "shows_emails_in_the_list": _list(),
    "escapes_names_for_html": _list(),
    "hides_users_without_an_image": _list(),
    "lists_the_unverified": _after_registering("/users", username=NEW["username"]),
    "ignores_the_id_filter": _list(id=3),
    "matches_ids_by_their_digits": _list(id=1),
    "ignores_the_username_filter": _list(username="anna"),
    "matches_names_by_their_first_letters": _list(username="annabel"),
    "decodes_names_twice": _list(username="a+b"),
    "refuses_a_filter_that_finds_nothing": _list(id=999),
    "forgets_the_name_beside_an_id": _list(id=3, username="anna"),
    "takes_an_id_filter_that_is_no_number": _list(id="abc"),
    "takes_an_offset_that_is_no_number": _list(offset="abc"),
    "takes_a_page_that_is_no_number": _list(page="abc"),
    "takes_a_limit_that_is_no_number": _list(limit="abc"),
    "wants_a_limit_with_a_page": _list(page=1),
    "refuses_a_page_with_an_offset": _list(page=1, limit=1, offset=0),
    "counts_everybody_when_filtered": _list(id=3),
    "counts_the_rows_of_the_page": _list(limit=2),
    "gives_null_for_a_count_of_none": _list(id=999),
    "rounds_the_pages_down": _list(limit=7),
    "adds_a_page_when_the_last_is_full": _list(limit=34),
    "loses_the_limit_in_next": _list(limit=7),
    "loses_the_offset_in_next": _list(offset=3),
    "points_next_at_another_host": _list(),
    "makes_next_relative": _list(),
    "points_next_at_the_same_page": _list(),
    "ends_the_links_a_page_too_early": _list(page=3),
    "links_on_from_the_last_page": _list(page=4),
    "gives_the_first_page_a_previous": _list(),
    "points_previous_at_the_first_page": _list(page=3),
    "gives_null_before_the_first_page": _list(),
    "gives_previous_as_text_when_filtered": _list(username="anna"),
    "gives_the_first_page_always": _list(page=2),
    "counts_pages_from_zero": _list(page=1),
    "repeats_a_row_on_the_next_page": _list(page=2),
    "skips_a_row_between_pages": _list(page=2),
    "orders_even_pages_by_name": _list(page=2),
    "loses_a_last_row_that_is_alone": _list(limit=1, page=68),
    "gives_two_users_one_id": _list(page=2),
    "ignores_the_offset": _list(offset=3),
    "counts_the_offset_from_one": _list(offset=3),
    "counts_the_offset_in_pages": _list(offset=3),
    "serves_more_than_fifty": _list(limit=60),
    "serves_everybody_without_a_limit": _list(),
    "refuses_a_limit_of_fifty": _list(limit=50),
    "serves_one_row_more": _list(limit=5),
    "ignores_the_limit": _list(limit=5),
    "redirects_past_the_end": _list(page=99),
    "shows_the_first_user_as_current": _user(),
    "shows_the_first_user_for_a_blank_id": _user(id=""),
    "shows_the_caller_for_any_id": _user(id=OTHER_ID),
    "finds_only_the_first_fifty": _user(id=60),
    "shows_the_caller_for_an_unknown_id": _user(id=999),
    "breaks_on_an_unknown_id": _user(id=999),
    "takes_an_id_that_is_no_number": _user(id="abc"),
    "shows_two_users": _user(),
    "shows_an_older_image": _user(id=OTHER_ID),
    "hides_the_own_email": _user(),
    "splits_a_bio_into_lines": _user(),
    "leaves_the_count_out": _user(),
}


def test_every_fault_has_a_probe() -> None:
    assert set(SEEN_BY) == set(flowback.FAULTS)


@pytest.mark.parametrize("name", flowback.FAULTS)
def test_a_fault_shows(name: str) -> None:
    honest, faulty = flowback.create(world()), flowback.create(world())
    probe = SEEN_BY[name]
    assert probe(honest.handle) != probe(changed(faulty, [flowback.FAULTS[name]]))


@pytest.mark.parametrize(
    "change", [*flowback.FAULTS.values(), *flowback.VARIANTS.values()], ids=lambda change: change.name
)
def test_a_change_says_what_it_does_and_to_which_clause(change: Any) -> None:
    assert change.summary.endswith(".")
    assert all(clause.startswith("FLOWBACK-") for clause in change.clauses)


@pytest.mark.parametrize("name", flowback.VARIANTS)
def test_a_variant_still_registers_and_logs_in(name: str) -> None:
    answer = changed(flowback.create(world()), [flowback.VARIANTS[name]])
    code = UUID.search(post(answer, "/register", **NEW).mails[0].text.lower())
    assert code
    assert verify(answer, code.group()).status < 300
    assert login(answer, NEW["username"], SECRET).status == 200


# --- hostile requests

WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "-1", "1", "50", "51", "9" * 400, "1.5", "null", "\x00", "\ud800", "é", "a@b.example", "%ff"]
    ),
)
FIELDS = st.sampled_from(
    ["id", "username", "page", "limit", "offset", "email", "password", "verification_code", "x", ""]
)
PAIRS = st.lists(st.tuples(FIELDS, WORDS), max_size=5).map(lambda pairs: urlencode(pairs, errors="replace"))
PATHS = ["/users", "/user", "/register", "/register/verify", "/login"]
HEADERS = [(("authorization", KEY),), (("content-type", FORM),)]
HOSTILE = st.builds(
    Request,
    st.sampled_from(["GET", "POST"] * 4 + ["HEAD", "PUT", "OPTIONS", "", "x y"]),
    st.one_of(st.sampled_from(PATHS * 4 + ["/users/", "", "*", "/%ff"]), st.text(max_size=9)),
    st.one_of(PAIRS, st.text(max_size=30)),
    st.one_of(
        st.sampled_from(HEADERS),
        st.lists(st.tuples(st.sampled_from(["authorization", "content-type"]), st.text(max_size=9)), max_size=3).map(
            tuple
        ),
    ),
    st.one_of(PAIRS.map(str.encode), st.binary(max_size=40)),
)
SERVER = flowback.create(world())


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(HOSTILE)
def test_nothing_upsets_the_server(request_: Request) -> None:
    reply = SERVER.handle(request_)
    assert reply.status in (200, 201, 400, 401, 404, 405, 413, 415)
    if reply.status >= 400:
        assert reply.header("content-type") == "application/json"
        assert {"detail", "code"} <= set(reply.json()) <= {"detail", "code", "field"}


@pytest.mark.parametrize(
    "change", [*flowback.FAULTS.values(), *flowback.VARIANTS.values()], ids=lambda change: change.name
)
@settings(derandomize=True, deadline=None, database=None, max_examples=4)
@given(st.data())
def test_a_change_copes_with_anything(change: Any, data: st.DataObject) -> None:
    server = changed(flowback.create(world()), [change])
    statuses = [server(request).status for request in data.draw(st.lists(HOSTILE, max_size=5))]
    assert all(200 <= status <= 500 for status in statuses)
