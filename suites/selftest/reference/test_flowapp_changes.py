"""Facts about the faults and variants of flowapp's reference: each one is visible.

Rule: every fault has a probe, a few requests whose replies differ when the fault is applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fixtures.reference.protocol import Reply, Request
from suites.selftest.reference.flowapp_client import (
    EMPTY,
    FUTURE,
    KNOWN,
    NEW_EVENT,
    NOW,
    PAST,
    PERSON,
    REPORTS,
    SESSIONS,
    Client,
    flowapp,
)

# Each of these probes sends requests; for each fault, the replies to one of them differ from the honest server's.


def listings(client: Client) -> None:
    for period in ("current", "past", "future", "never"):
        client.send("GET", SESSIONS, query=f"period={period}")
    for query in ("", "%70eriod=past", "simple_analytics=1", "simple_analytics=2"):
        client.send("GET", SESSIONS, query=query)
    for accept in ("application/json;q=0.9", "APPLICATION/JSON", "text/html"):
        client.send("GET", SESSIONS, accept=accept)


def strangers(client: Client) -> None:
    survey = f"/csv/surveyDetail/{PAST}/{KNOWN['SURVEY_ID']}"
    ends = (f"/registrants/{PAST}", f"/surveys/{PAST}", f"/csv/registrants/{PAST}", f"/csv/operatorChat/{PAST}", survey)
    paths = [SESSIONS, f"{SESSIONS}/{PAST}", "/users", *(REPORTS + end for end in ends)]
    for key in (None, "", "nobody's", "OTHER_TOKEN", KNOWN["TOKEN"].upper()):
        for path in paths:
            client.send("GET", path, key)
    client.create(key=None)


def readings(client: Client) -> None:
    for token in (PAST, EMPTY, FUTURE, "nobody"):
        for path in (f"{SESSIONS}/{token}", f"{REPORTS}/registrants/{token}", f"{REPORTS}/surveys/{token}"):
            client.send("GET", path)
        for kind in ("summary", "registrants", "attendeeChat", "operatorChat", "surveyDetail"):
            client.send("GET", f"{REPORTS}/csv/{kind}/{token}" + ("/1" if kind == "surveyDetail" else ""))
    for token in (PAST, FUTURE):
        client.send("GET", f"{SESSIONS}/public/{token}", None)
    client.send("GET", "/users")


def other_ids(client: Client) -> None:
    client.send("GET", f"{REPORTS}/csv/summary/{PAST.swapcase()}")
    client.send("GET", f"{SESSIONS}/public/{PAST[:8]}", None)
    client.send("GET", f"{SESSIONS}/{PAST}%20")
    survey, number = KNOWN["SURVEY_SESSION_TOKEN"], int(KNOWN["SURVEY_ID"]) + (1 << 32)
    client.send("GET", f"{REPORTS}/csv/surveyDetail/{survey}/{number}")
    client.register(f"{FUTURE}abc")


def other_ways(client: Client) -> None:
    client.send("GET", f"{REPORTS}/csv/summary/{PAST};a=1", None)
    for path in ("//api/v1/users", "/api/v1/events/%73essions", f"/./api/v1{REPORTS}/surveys/{PAST}"):
        client.replies.append(client.handler(Request("GET", path)))
    headers = (("api-secret", KNOWN["TOKEN"]), ("x-http-method-override", "GET"))
    client.replies.append(client.handler(Request("POST", f"/api/v1{SESSIONS}", headers=headers)))


def creations(client: Client) -> None:
    token = client.create(duration=1.5, published=False).json()["data"]["token"]
    client.create(timezone=None)
    client.create(onDemandReplays=True)
    client.send("GET", f"{SESSIONS}/{token}")
    client.send("GET", SESSIONS)


def neighbours(client: Client) -> None:
    long_running = {"date": NOW.date().isoformat(), "time": "20:00:00", "timezone": "UTC", "duration": 9}
    client.create(**long_running)
    token = client.create(**long_running).json()["data"]["token"]
    for email in ("one@example.com", "two@example.com"):
        client.register(token, email=email)
    for path in (SESSIONS, f"{REPORTS}/registrants/{token}", f"{REPORTS}/csv/registrants/{token}"):
        client.send("GET", path)
    client.send("GET", SESSIONS, query="period=current")
    client.send("GET", f"{REPORTS}/registrants/{PAST.swapcase()}")


def registrations(client: Client) -> None:
    with_charset = {**PERSON, "email": "charset@example.com", "eventSessionToken": FUTURE}
    client.send("POST", "/registrants", body=with_charset, media_type="application/json; charset=utf-8")
    client.send("POST", "/registrants", body=dict(reversed(with_charset.items())))
    redirected = {"email": "a@example.com", "redirect": True}
    people: list[dict[str, Any]] = [
        {},
        {},
        {"email": None},
        {"email": 7},
        {"email": "jo"},
        {"firstName": None},
        {"firstName": None, "lastName": None},
        {"email": "amp@example.com", "lastName": "A & B"},
        redirected,
    ]
    for members in people:
        client.register(EMPTY, **members)
        client.send("GET", f"{REPORTS}/registrants/{EMPTY}")
    client.send("GET", f"{REPORTS}/csv/registrants/{EMPTY}")
    client.send("POST", "/registrants", body=b"{")


def open_registrations(client: Client) -> None:
    client.register(EMPTY, None)
    client.send("GET", f"{REPORTS}/registrants/{EMPTY}")
    client.register(KNOWN["NO_SSO_SESSION_TOKEN"], None, redirect=True)
    client.send("GET", f"{REPORTS}/registrants/{KNOWN['NO_SSO_SESSION_TOKEN']}", "NO_SSO_TOKEN")


def difficult_values(client: Client) -> None:
    token = client.create(title="a  b\\c", description="“x” <b>y</b>").json()["data"]["token"]
    client.send("GET", f"{SESSIONS}/public/{token}", None)
    client.register(token, firstName="007", lastName="null")
    client.register(token, firstName="-1", lastName="x", email="minus@example.com")
    client.register(token, firstName="a\nb", lastName="x", email="lines@example.com")
    for path in (
        f"{REPORTS}/registrants/{token}",
        f"{REPORTS}/csv/registrants/{token}",
        f"{REPORTS}/csv/summary/{token}",
    ):
        client.send("GET", path)


def reads_around_writes(client: Client) -> None:
    client.send("GET", SESSIONS)
    token = client.create().json()["data"]["token"]
    client.send("GET", SESSIONS)
    reports = (f"{REPORTS}/csv/summary/{token}", f"{REPORTS}/csv/registrants/{token}", f"{REPORTS}/registrants/{token}")
    for path in reports:
        client.send("GET", path)
    client.register(token)
    for path in reports:
        client.send("GET", path)


def other_spellings(client: Client) -> None:
    client.send("POST", "/event", body=b" {}")
    host = client.get("/users")[0]["id"]
    event = {"creatorID": host, "operators": [{"id": host, "role": 10}], **NEW_EVENT, "title": "TITLE"}
    client.send("POST", "/event", body=json.dumps(event).replace("TITLE", r"\u0061").encode())
    client.send("GET", SESSIONS)


def creations_of_others(client: Client) -> None:
    client.create(title="a\u200bb")
    client.create(token=FUTURE)
    client.create(time="never")
    client.send("GET", SESSIONS)


def what_is_kept(client: Client) -> None:
    client.send("GET", SESSIONS, language="de")
    client.send("GET", SESSIONS, query="period=past")
    client.send("GET", SESSIONS)
    for key in ("TOKEN", None):
        client.send("GET", f"{SESSIONS}/{PAST}", key)


def times_of_events(client: Client) -> None:
    for zone in ("Asia/Kolkata", "America/New_York", "Australia/Sydney"):
        start = (NOW - timedelta(minutes=10)).astimezone(ZoneInfo(zone))
        client.create(date=str(start.date()), time=str(start.time()), timezone=zone, duration=0.5)
    for time in ("12:30:00", "00:00:00"):
        client.create(date="2031-01-31", time=time)
    for query in ("period=current", "period=past", "period=future", ""):
        client.send("GET", SESSIONS, query=query)
    client.register(client.create(timezone="Asia/Kolkata").json()["data"]["token"])


def similar_people(client: Client) -> None:
    for email in ("ab@example.com", "a.b@example.com", "ab+x@example.com", "ab@example.org"):
        client.register(FUTURE, email=email)
    client.send("GET", f"{REPORTS}/registrants/{FUTURE}")


PROBES: dict[Callable[[Client], None], str] = {
    what_is_kept: """keeps_the_language_of_a_connection keeps_the_key_of_a_connection
        keeps_the_period_of_a_connection""",
    times_of_events: """noon_becomes_midnight midnight_becomes_the_end_of_the_day
        the_last_day_of_a_month_becomes_the_30th periods_know_no_summer_time periods_know_full_hours_of_offset
        registrations_show_the_start_in_utc""",
    similar_people: """people_are_told_apart_by_the_local_part what_follows_a_plus_sign_is_not_compared
        dots_in_an_address_are_not_compared""",
    difficult_values: """titles_have_single_spaces descriptions_have_plain_quotes public_titles_escape_backslashes
        descriptions_lose_their_tags csv_values_have_one_line
        csv_guards_against_signs csv_numbers_lose_their_zeros registrations_read_words_as_json""",
    reads_around_writes: """a_new_event_misses_the_next_list a_summary_is_made_once registrants_are_listed_once
        the_report_of_registrants_is_one_behind""",
    other_spellings: "json_begins_with_its_brace escapes_in_titles_stay",
    creations_of_others: "a_creation_takes_the_token_of_another_event events_without_a_time_are_kept",
    listings: """past_events_lose_their_token past_durations_are_text analytics_turn_the_duration_into_text
        list_ends_after_five list_repeats_an_event events_with_a_comma_are_left_out current_holds_future_events
        period_is_ignored past_is_refused future_lists_everything analytics_are_refused
        encoded_parameters_are_refused weights_are_not_acceptable accept_is_read_with_its_case
        current_starts_at_the_wall_clock analytics_drop_events_without_people
        event_list_holds_other_accounts unknown_period_lists_nothing""",
    strangers: """event_list_needs_no_key registrant_list_needs_no_key operator_list_needs_no_key
        survey_list_needs_no_key operator_chat_needs_no_key survey_answers_need_no_key creation_needs_no_key
        wrong_key_is_accepted empty_key_is_accepted key_has_no_case other_account_reads_registrants
        other_account_reads_an_event other_account_reads_a_report operator_list_is_the_first_accounts
        unauthorized_is_empty""",
    neighbours: """events_of_one_title_are_listed_once current_lasts_an_hour namesakes_are_listed_once
        session_tokens_have_no_case csv_holds_the_account""",
    readings: """event_info_has_no_token link_of_the_envelope_is_a_number
        absent_registrants_lose_their_email no_surveys_are_null surveys_lack_their_id survey_ids_open_nothing
        operators_are_labelled_as_text a_remark_follows_the_json registrants_come_in_latin_1 info_is_of_another_event
        public_info_shows_operators public_info_needs_the_key empty_list_shows_others unknown_session_shows_the_first
        reports_read_another_header surveys_live_elsewhere event_carries_the_key file_name_carries_the_key
        refusals_are_pages unknown_event_redirects_to_login unknown_session_is_a_success any_survey_id_is_served
        unknown_event_is_told_in_a_success operators_repeat operators_have_their_users_ids csv_has_semicolons
        public_info_is_of_another_event
        csv_is_labelled_as_html summary_is_json csv_commas_are_bare csv_line_ends_are_bare
        csv_quotes_are_escaped_with_backslashes csv_is_mojibake csv_has_question_marks csv_drops_the_last_row
        csv_rows_have_no_empty_end csv_disarms_formulas csv_trims_values csv_disagrees_with_the_list
        operator_chat_is_missing reports_of_past_events_are_gone summary_is_of_another_event""",
    other_ids: """reports_find_tokens_in_any_case an_event_is_found_by_the_beginning_of_its_token
        survey_ids_wrap_around_at_32_bits registers_for_what_begins_with_a_token""",
    other_ways: """a_parameter_behind_the_path_opens_reports two_slashes_open_the_operators
        an_encoded_letter_opens_the_events a_dot_segment_opens_the_surveys""",
    creations: """creates_events_with_one_token event_with_replays_is_refused
        creation_answers_with_a_number_for_its_token
        creation_is_not_kept creation_is_not_listed creation_keeps_utc creation_cuts_the_title
        creation_swaps_day_and_month creation_lands_in_another_account creation_rounds_the_duration
        creation_publishes_everything refused_creation_is_kept""",
    registrations: """registers_people_with_one_token registers_people_with_one_link
        registration_answers_with_a_text_for_its_id charset_is_not_understood
        two_invalid_members_are_an_error wants_the_session_last
        registration_is_not_kept newest_registrant_is_hidden registration_lands_elsewhere
        names_are_swapped missing_email_is_accepted numeric_email_is_accepted
        address_without_at_is_accepted foreign_names_are_an_error repeated_registration_doubles
        registration_is_a_put redirect_without_registration redirect_goes_nowhere redirect_is_ignored
        login_link_carries_the_key refusals_lack_a_code refused_registration_is_a_success
        broken_json_is_an_error json_registration_is_unsupported csv_is_stale
        names_are_escaped_for_html refused_registration_is_kept""",
    open_registrations: "registration_without_a_key_is_lost sso_needs_no_access refused_sso_registers_anyway",
}
PROBE_OF = {name: probe for probe, names in PROBES.items() for name in names.split()}


def replies_to(probe: Callable[[Client], None], *changes: str) -> list[Reply]:
    """All replies of a fresh server with these changes to that probe."""
    client = Client(*changes)
    probe(client)
    return client.replies


@cache
def honest(probe: Callable[[Client], None]) -> list[Reply]:
    """All replies of the honest server to that probe."""
    return replies_to(probe)


def test_every_fault_has_a_probe() -> None:
    assert PROBE_OF.keys() == flowapp.FAULTS.keys()


def test_every_fault_can_be_seen() -> None:
    unseen = [name for name, probe in PROBE_OF.items() if replies_to(probe, name) == honest(probe)]
    assert unseen == []


def test_the_honest_server_replies_the_same_again() -> None:
    assert [replies_to(probe) for probe in PROBES] == [honest(probe) for probe in PROBES]


@pytest.mark.parametrize("name", [name for name in flowapp.VARIANTS if not name.startswith("minimal")])
def test_a_variant_can_be_seen_and_never_fails(name: str) -> None:
    replies = [replies_to(probe, name) for probe in PROBES]
    assert replies != [honest(probe) for probe in PROBES]
    assert max(reply.status for probe_replies in replies for reply in probe_replies) < 500


def test_minimal_serves_the_documents_examples_under_its_own_names() -> None:
    client = Client("minimal")
    listed = client.send("GET", SESSIONS, query="period=current&simple_analytics=1")
    assert all(set(row) == {"session"} for row in listed.json()["result"])
    assert client.register(FUTURE, key=None, lastName="Pinkman").json() == {"result": {}}
    assert [client.send("GET", path).status for path in ("/users", "/operators")] == [404, 200]
