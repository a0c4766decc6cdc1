"""Facts about the faults and variants of Flowback's reference: each one is visible.

Rule: every fault has a probe, a few requests whose replies differ when the fault is applied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from fixtures.reference.protocol import Change, Handler, Reply, Request, handler_with_changes
from suites.selftest.reference.flowback_requests import (
    FORM,
    KEY,
    NEW,
    NEW_PASSWORD,
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
    post,
    register,
    verify,
)

Probe = Callable[[Handler], object]
CHANGES = (*REFERENCE.FAULTS.values(), *REFERENCE.VARIANTS.values())


def _visible_parts(reply: Reply) -> object:
    """Everything that a client can see of a reply."""
    return reply.status, reply.headers, reply.body, reply.cut_after, reply.chunks, reply.mails


def _list_probe(**query: Any) -> Probe:
    """GET /users with this query."""
    return lambda handler: _visible_parts(get(handler, "/users", **query))


def _user_probe(**query: Any) -> Probe:
    """GET /user with this query."""
    return lambda handler: _visible_parts(get(handler, "/user", **query))


def _status_probe(path: str, key: str | None) -> Probe:
    """The status of a GET request with that key; None sends none."""
    return lambda handler: get(handler, path, key).status


def _accept_probe(accept: str) -> Probe:
    """The status of GET /users for a client that accepts these media types."""
    headers = (("authorization", KEY), ("accept", accept))
    return lambda handler: handler(Request("GET", "/users", "", headers)).status


def _register_as(handler: Handler, media_type: str) -> int:
    """The status of a registration with a form of that media type."""
    return handler(Request("POST", "/register", "", (("content-type", media_type),), urlencode(NEW).encode())).status


def _post_form(handler: Handler, path: str, form: bytes) -> object:
    """What a client sees after a form that is sent as it stands here."""
    return _visible_parts(handler(Request("POST", path, "", (("content-type", FORM),), form)))


def _registration_probe(key: str | None = None, **changes: str) -> Probe:
    """POST /register with these fields changed; the value - leaves a field out."""
    form = {name: value for name, value in {**NEW, **changes}.items() if value != "-"}
    return lambda handler: _visible_parts(post(handler, "/register", key, **form))


def _second_registration_probe(**changes: str) -> Probe:
    """The statuses of two registrations, the second with these fields changed."""

    def probe(handler: Handler) -> list[int]:
        return [post(handler, "/register", **{**NEW, **fields}).status for fields in ({}, changes)]

    return probe


def _after_a_refusal_probe(**changes: str) -> Probe:
    """The statuses of a registration with these fields changed, and of the unchanged one after it."""

    def probe(handler: Handler) -> list[int]:
        return [post(handler, "/register", **{**NEW, **fields}).status for fields in (changes, {})]

    return probe


def _login_probe(password: str = NEW_PASSWORD, tried: str = NEW_PASSWORD, username: str = NEW["username"]) -> Probe:
    """Register, verify, log in with the password `tried`, and request the current user."""

    def probe(handler: Handler) -> object:
        verify(handler, register(handler, username=username), password)
        reply = login(handler, username, tried)
        return reply.status, _visible_parts(get(handler, "/user", reply.json().get("token")))

    return probe


def _verification_probe(*steps: dict[str, str]) -> Probe:
    """Register and send these verifications, with `{code}` and `{cut}` replaced."""

    def probe(handler: Handler) -> list[int]:
        code = register(handler)
        forms = [{name: value.format(code=code, cut=code[:-1]) for name, value in step.items()} for step in steps]
        return [post(handler, "/register/verify", **form).status for form in forms]

    return probe


def _before_and_after_probe(path: str, **query: Any) -> Probe:
    """A GET request before and after the verification of a registration."""

    def probe(handler: Handler) -> object:
        code = register(handler)
        before = _visible_parts(get(handler, path, **query))
        verify(handler, code)
        return before, _visible_parts(get(handler, path, **query))

    return probe


def _unverified_login(handler: Handler) -> int:
    """The status of a login before the verification."""
    register(handler)
    return login(handler, NEW["username"], NEW_PASSWORD).status


def _current_users(handler: Handler) -> list[list[int]]:
    """The current users of two keys, requested one after the other."""
    return [ids(get(handler, "/user", key)) for key in (KEY, OTHER_KEY)]


def _registration_in_the_query(handler: Handler) -> int:
    """The status of a registration whose fields are in the query."""
    return handler(Request("POST", "/register", urlencode(NEW))).status


def _invalid_utf8(handler: Handler) -> int:
    """The status of a query that is not UTF-8."""
    return handler(Request("GET", "/users", "username=%ff", (("authorization", KEY),))).status


def _login_with_key(key: str, handler: Handler) -> int:
    """The status of a login that carries a key."""
    return post(handler, "/login", key, username=USERNAME, password=PASSWORD).status


def _older_key_after_a_login(handler: Handler) -> list[int]:
    """The current user of the known key after another login."""
    login(handler)
    return ids(get(handler, "/user"))


def _form_by_method(method: str, path: str, handler: Handler) -> int:
    """The status of a request with another method whose form has all fields."""
    fields = {
        "verification_code": register(handler, email="x@example.com"),
        "password": NEW_PASSWORD,
        **NEW,
        "username": "x",
    }
    return handler(Request(method, path, "", (("content-type", FORM),), urlencode(fields).encode())).status


def _verification_of_the_first(handler: Handler) -> Any:
    """The username that the code of the first of two registrations creates."""
    code = register(handler)
    register(handler, username="second", email="second@example.com")
    return verify(handler, code).json()["username"]


def _codes_of_two(handler: Handler) -> list[str]:
    """The codes that two registrations are mailed."""
    return [register(handler), register(handler, username="second", email="second@example.com")]


def _users_of_two(handler: Handler) -> list[Any]:
    """What the verifications of two registrations return."""
    return [verify(handler, code).json() for code in _codes_of_two(handler)]


def _keys_of_two_logins(handler: Handler) -> list[str]:
    """The keys that two logins return."""
    return [login(handler).json()["token"] for _ in range(2)]


def _verification_of_the_first_status(handler: Handler) -> int:
    """The status of the verification of the first of two registrations."""
    first, _ = _codes_of_two(handler)
    return verify(handler, first).status


def _two_probes(first: Probe, second: Probe) -> Probe:
    """What the second probe sees after the first one."""

    def probe(handler: Handler) -> object:
        first(handler)
        return second(handler)

    return probe


def _language_probe(language: str) -> Probe:
    """GET /users by somebody who prefers that language."""
    headers = (("authorization", KEY), ("accept-language", language))
    return lambda handler: _visible_parts(handler(Request("GET", "/users", "", headers)))


VALID_FORM = {"verification_code": "{code}", "password": NEW_PASSWORD}


def _listed_name_probe(username: str) -> Probe:
    """Register that name, verify, and find the user by the list's last page."""

    def probe(handler: Handler) -> object:
        verify(handler, register(handler, username=username))
        return [_visible_parts(get(handler, "/users", username=name)) for name in (username, NEW["username"])]

    return probe


PROBES: dict[str, Probe] = {
    # faults.lost_values
    "names_lose_their_leading_zeros": _listed_name_probe("0012345678"),
    "names_lose_repeated_dots": _listed_name_probe("..dotted.."),
    "names_lose_their_accents": _listed_name_probe("ÀÉÎ-accents"),
    "the_list_transliterates_names": _listed_name_probe("ÿ-is-y-with-dots"),
    # faults.stale_reads
    "names_asked_for_in_vain_stay_unknown": _before_and_after_probe("/users", username=NEW["username"]),
    "the_list_by_name_is_one_write_behind": _before_and_after_probe("/users", username=NEW["username"]),
    # faults.wide_effects
    "refused_registrations_take_the_name": _after_a_refusal_probe(email="x"),
    "refused_registrations_take_the_address": _after_a_refusal_probe(username=" "),
    "shows_a_user_without_a_key": _status_probe("/user", None),
    "takes_any_key_for_the_list": _status_probe("/users", "nonsense"),
    "takes_an_empty_key": _status_probe("/users", ""),
    "looks_at_the_start_of_a_key_only": _status_probe("/users", KEY[:-1] + "f"),
    "refuses_a_wrong_key_with_the_list": lambda handler: _visible_parts(get(handler, "/users", "nonsense")),
    "wants_a_scheme_word": _status_probe("/users", KEY),
    "wants_a_key_to_register": _registration_probe(),
    "wants_a_key_to_verify": _verification_probe(VALID_FORM),
    "checks_a_key_that_registration_does_not_need": _registration_probe("your_token_here"),
    "refuses_a_registration_with_a_key": _registration_probe(KEY),
    "remembers_the_first_current_user": _current_users,
    "gives_a_key_that_opens_nothing": _login_probe(),
    "gives_everybody_the_same_key": _login_probe(),
    "takes_any_password": _login_probe(tried="wrong password"),
    "logs_in_before_verifying": _unverified_login,
    "trims_the_password_at_login": _login_probe(),
    "refuses_in_html": _list_probe(page="abc"),
    "refuses_in_plain_words_called_json": lambda handler: _visible_parts(get(handler, "/users", "nonsense")),
    "refuses_with_an_empty_object": _registration_probe(email="-"),
    "breaks_on_broken_bytes": _invalid_utf8,
    "reads_keys_from_the_query": _status_probe("/users", KEY),
    "ignores_the_case_of_keys": _status_probe("/users", KEY.upper()),
    "ignores_what_follows_a_key": _status_probe("/users", f"{KEY}0"),
    "remembers_the_caller_of_a_connection": _current_users,
    "refuses_a_login_with_another_key": lambda handler: _login_with_key("nonsense", handler),
    "gives_an_older_key_to_the_newest_user": _older_key_after_a_login,
    "serves_unknown_paths": _status_probe("/nothing", KEY),
    "registers_by_delete": lambda handler: _form_by_method("DELETE", "/register", handler),
    "verifies_by_put": lambda handler: _form_by_method("PUT", "/register/verify", handler),
    "lists_at_another_path": _status_probe("/users", KEY),
    "has_no_path_for_the_current_user": _user_probe(),
    "registers_at_another_path": _registration_probe(),
    "takes_a_username_twice": _second_registration_probe(email="other@example.com"),
    "sees_a_taken_name_too_late": _second_registration_probe(email="other@example.com"),
    "takes_an_email_twice": _second_registration_probe(username="other"),
    "forgets_addresses_with_capitals": _second_registration_probe(username="other"),
    "breaks_on_a_name_beyond_ascii": _registration_probe(),
    "lowers_the_case_of_names": _registration_probe(),
    "keeps_an_address_without_its_tag": _registration_probe(),
    "registers_without_an_email": _registration_probe(email="-"),
    "makes_up_a_username": _registration_probe(username=""),
    "composes_the_letters_of_names": _registration_probe(username="e\u0301mile"),
    "links_to_the_verification": lambda handler: post(handler, "/register", **NEW).header("location"),
    "reads_registrations_from_the_query": _registration_in_the_query,
    "wants_json": _registration_probe(),
    "answers_with_the_code": _registration_probe(),
    "sends_no_mail": _registration_probe(),
    "sends_each_mail_twice": _registration_probe(),
    "mails_a_code_that_opens_nothing": _verification_probe(VALID_FORM),
    "mails_the_first_user": _registration_probe(),
    "verifies_at_another_path": _verification_probe(VALID_FORM),
    "wants_json_to_verify": _verification_probe(VALID_FORM),
    "mails_a_code_of_version_1": _registration_probe(),
    "takes_a_code_without_its_last_digit": _verification_probe({**VALID_FORM, "verification_code": "{cut}"}),
    "takes_any_code": _verification_probe({**VALID_FORM, "verification_code": "a3bb189e-8bf9-4888-9912-ace4e6543002"}),
    "verifies_whoever_came_last": _verification_of_the_first,
    "forgets_a_verified_user": _before_and_after_probe("/users", limit=50, page=2),
    "keeps_no_more_than_ten_characters": _login_probe("correct horse", "correct house"),
    "verifies_without_a_password": _verification_probe({"verification_code": "{code}"}),
    "loses_letters_of_a_password_beyond_ascii": _login_probe(),
    "takes_a_code_twice": _verification_probe(VALID_FORM, VALID_FORM),
    "burns_a_code_too_late": _verification_probe(VALID_FORM, VALID_FORM),
    "burns_the_code_of_a_weak_password": _verification_probe({**VALID_FORM, "password": "weak"}, VALID_FORM),
    "lists_as_plain_text": _list_probe(),
    "writes_latin_1": _list_probe(),
    "ends_long_pages_too_early": _list_probe(limit=50),
    "gives_a_single_row_bare": _list_probe(id=1),
    "gives_null_for_no_rows": _list_probe(id=999),
    "drops_the_username_of_a_row": _list_probe(),
    "makes_one_image_relative": _list_probe(),
    "gives_false_for_no_image": _list_probe(),
    "gives_ids_as_text_when_filtered": _list_probe(username="anna"),
    "shows_emails_in_the_list": _list_probe(),
    "escapes_names_for_html": _list_probe(),
    "hides_users_without_an_image": _list_probe(),
    "lists_the_unverified": _before_and_after_probe("/users", username=NEW["username"]),
    "ignores_the_id_filter": _list_probe(id=3),
    "matches_ids_by_their_digits": _list_probe(id=1),
    "ignores_the_username_filter": _list_probe(username="anna"),
    "matches_names_by_their_first_letters": _list_probe(username="annabel"),
    "decodes_names_twice": _list_probe(username="a+b"),
    "refuses_a_filter_that_finds_nothing": _list_probe(id=999),
    "forgets_the_name_beside_an_id": _list_probe(id=3, username="anna"),
    "takes_an_id_filter_that_is_no_number": _list_probe(id="abc"),
    "takes_an_offset_that_is_no_number": _list_probe(offset="abc"),
    "takes_a_page_that_is_no_number": _list_probe(page="abc"),
    "takes_a_limit_that_is_no_number": _list_probe(limit="abc"),
    "wants_a_limit_with_a_page": _list_probe(page=1),
    "refuses_a_page_with_an_offset": _list_probe(page=1, limit=1, offset=0),
    "counts_everybody_when_filtered": _list_probe(id=3),
    "counts_the_rows_of_the_page": _list_probe(limit=2),
    "gives_null_for_a_count_of_none": _list_probe(id=999),
    "rounds_the_pages_down": _list_probe(limit=7),
    "adds_a_page_when_the_last_is_full": _list_probe(limit=34),
    "loses_the_limit_in_next": _list_probe(limit=7),
    "loses_the_offset_in_next": _list_probe(offset=3),
    "points_next_at_another_host": _list_probe(),
    "makes_next_relative": _list_probe(),
    "points_next_at_the_same_page": _list_probe(),
    "ends_the_links_a_page_too_early": _list_probe(page=3),
    "links_on_from_the_last_page": _list_probe(page=4),
    "gives_the_first_page_a_previous": _list_probe(),
    "points_previous_at_the_first_page": _list_probe(page=3),
    "gives_null_before_the_first_page": _list_probe(),
    "gives_previous_as_text_when_filtered": _list_probe(username="anna"),
    "gives_the_first_page_always": _list_probe(page=2),
    "counts_pages_from_zero": _list_probe(page=1),
    "repeats_a_row_on_the_next_page": _list_probe(page=2),
    "skips_a_row_between_pages": _list_probe(page=2),
    "orders_even_pages_by_name": _list_probe(page=2),
    "loses_a_last_row_that_is_alone": _list_probe(limit=1, page=68),
    "gives_two_users_one_id": _list_probe(page=2),
    "ignores_the_offset": _list_probe(offset=3),
    "counts_the_offset_from_one": _list_probe(offset=3),
    "counts_the_offset_in_pages": _list_probe(offset=3),
    "serves_more_than_fifty": _list_probe(limit=60),
    "serves_everybody_without_a_limit": _list_probe(),
    "refuses_a_limit_of_fifty": _list_probe(limit=50),
    "serves_one_row_more": _list_probe(limit=5),
    "ignores_the_limit": _list_probe(limit=5),
    "redirects_past_the_end": _list_probe(page=99),
    "gives_total_page_as_text": _list_probe(),
    "tells_forty_users_of_a_limit_of_fifty_one": _list_probe(limit=51, page=2),
    "links_from_a_full_last_page_to_an_empty_one": _list_probe(limit=34, page=2),
    "begins_with_the_second_row_without_parameters": _list_probe(),
    "takes_a_page_left_out_for_the_last": _list_probe(offset=1),
    "logs_in_at_another_path": _login_probe(),
    "takes_an_empty_username": lambda handler: post(handler, "/register", **{**NEW, "username": ""}).status,
    "shows_the_first_user_as_current": _user_probe(),
    "shows_the_first_user_for_a_blank_id": _user_probe(id=""),
    "shows_the_caller_for_any_id": _user_probe(id=OTHER_ID),
    "finds_only_the_first_fifty": _user_probe(id=60),
    "shows_the_caller_for_an_unknown_id": _user_probe(id=999),
    "breaks_on_an_unknown_id": _user_probe(id=999),
    "takes_an_id_that_is_no_number": _user_probe(id="abc"),
    "shows_two_users": _user_probe(),
    "shows_an_older_image": _user_probe(id=OTHER_ID),
    "hides_the_own_email": _user_probe(),
    "splits_a_bio_into_lines": _user_probe(),
    "leaves_the_count_out": _user_probe(),
    "mails_one_code_to_everybody": _codes_of_two,
    "verifies_users_with_one_id": _users_of_two,
    "a_path_in_capitals_needs_no_key": _status_probe("/USERS", None),
    "callers_who_say_they_are_inside_need_no_key": lambda handler: (
        handler(Request("GET", "/user", headers=(("x-forwarded-for", "127.0.0.1"),))).status
    ),
    "two_slashes_at_the_end_need_no_key": _status_probe("/user//", None),
    "an_extension_takes_any_number": lambda handler: get(handler, "/users.json", page="abc").status,
    "user_0_is_the_caller": _user_probe(id=0),
    "user_ids_wrap_around_at_32_bits": _user_probe(id=(1 << 32) + 1),
    "a_filter_by_user_0_is_none": _list_probe(id=0),
    "filters_by_the_first_digits_of_an_id": _list_probe(id="1abc"),
    "gives_one_key_to_everybody": _keys_of_two_logins,
    "registers_without_any_field": lambda handler: post(handler, "/register").status,
    "breaks_without_code_and_password": lambda handler: post(handler, "/register/verify").status,
    "the_limit_comes_before_the_page": _list_probe(limit=2, page=1),
    "decodes_capital_digits_only": lambda handler: _post_form(
        handler, "/register", b"username=new&email=n%6fw@example.com"
    ),
    "decodes_no_letters": lambda handler: _post_form(handler, "/register", b"username=new&email=n%65w@example.com"),
    "wants_the_username_first": lambda handler: _post_form(handler, "/login", b"password=x&username=anna"),
    "reads_no_form_with_a_charset": lambda handler: _register_as(handler, f"{FORM}; charset=utf-8"),
    "takes_any_type_for_no_type": _accept_probe("application/json,*/*;q=0.1"),
    "refuses_a_filter_with_a_limit": lambda handler: get(handler, "/users", username="anna", limit=1).status,
    "keeps_the_language_of_a_connection": _two_probes(_language_probe("de"), _list_probe()),
    "keeps_the_limit_of_a_connection": _two_probes(_list_probe(limit=3), _list_probe()),
    "keeps_the_first_refusal_of_a_connection": _two_probes(_list_probe(page="x"), _list_probe(limit=0)),
    "shows_the_user_of_the_request_before": _two_probes(_user_probe(id=OTHER_ID), _user_probe()),
    "filters_names_by_a_pattern": _list_probe(username="ann%"),
    "filters_names_without_accents": _two_probes(_login_probe(username="andré"), _list_probe(username="andre")),
    "finds_a_code_by_its_first_group": _verification_probe({**VALID_FORM, "verification_code": "{cut}0"}),
    "rounds_the_offset_to_full_pages": _list_probe(offset=3),
    "a_page_after_the_last_repeats_it": _list_probe(page=99),
    "counts_the_pages_of_the_whole_list": _list_probe(username="anna"),
    "mails_a_code_before_the_name_is_looked_at": lambda handler: [
        _visible_parts(post(handler, "/register", **{**NEW, **fields}))
        for fields in ({}, {"email": "second@example.com"})
    ],
    "a_registration_ends_the_code_before_it": _verification_of_the_first_status,
    "any_code_completes_the_latest_registration": _verification_of_the_first,
}


def test_every_fault_has_a_probe() -> None:
    assert set(PROBES) == set(REFERENCE.FAULTS)


def changes_what_is_seen(fault: Change) -> bool:
    """Whether the probe of that fault sees other replies than those of an honest server."""
    honest_api, faulty_api = REFERENCE.create(create_world()), REFERENCE.create(create_world())
    probe = PROBES[fault.name]
    return probe(honest_api.handle) != probe(handler_with_changes(faulty_api, [fault]))


def test_every_fault_changes_what_its_probe_sees() -> None:
    assert [name for name, fault in REFERENCE.FAULTS.items() if not changes_what_is_seen(fault)] == []


def test_every_change_has_a_summary_and_clauses_of_this_api() -> None:
    assert [change.name for change in CHANGES if not change.summary.endswith(".")] == []
    assert {clause.partition("-")[0] for change in CHANGES for clause in change.clauses} == {"FLOWBACK"}


@pytest.mark.parametrize("name", [name for name in REFERENCE.VARIANTS if name != "minimal"])
def test_variant_still_registers_and_logs_in(name: str) -> None:
    handler = handler_with_changes(REFERENCE.create(create_world()), [REFERENCE.VARIANTS[name]])
    code = UUID.search(post(handler, "/register", **NEW).mails[0].text.lower())
    assert code
    assert verify(handler, code.group()).status < 300
    assert login(handler, NEW["username"], NEW_PASSWORD).status == 200


def test_minimal_registers_only_as_the_examples_do() -> None:
    handler = handler_with_changes(REFERENCE.create(create_world()), [REFERENCE.VARIANTS["minimal"]])
    registration = post(handler, "/register", username="flowback", email="flowback@example.com")
    code = UUID.search(registration.mails[0].text.lower())
    assert code
    form = {"verification_code": code.group(), "password": "a long secret with spaces"}
    assert post(handler, "/register/verify", **form).status == 400
    assert post(handler, "/register/verify", KEY, **form).status == 204
    assert login(handler, "flowback", form["password"]).status == 404
