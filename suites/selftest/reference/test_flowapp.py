"""The reference of flowapp in this process: what it serves, refuses and stores.

Rule: every test has a server of its own, whose clock stands still.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference.flowapp.routes import ROUTES
from fixtures.reference.protocol import MAX_BODY, Request
from suites.selftest.reference.flowapp_client import (
    EMPTY,
    FUTURE,
    KNOWN,
    NEW_EVENT,
    NOW,
    OTHER,
    PAST,
    PERSON,
    REPORTS,
    SESSIONS,
    Client,
)


@pytest.fixture
def client() -> Client:
    return Client()


def test_every_account_has_events_of_each_period(client: Client) -> None:
    for key in ("TOKEN", "OTHER_TOKEN", "NO_SSO_TOKEN"):
        sizes = [len(client.get(SESSIONS, f"period={period}", key)) for period in ("past", "current", "future")]
        assert min(sizes) >= 2
        assert sum(sizes) == len(client.get(SESSIONS, key=key)) >= 8


def test_the_period_of_an_event_depends_on_its_time_zone(client: Client) -> None:
    start = (NOW - timedelta(minutes=30)).replace(tzinfo=None) + timedelta(hours=9)
    token = client.create(date=str(start.date()), time=str(start.time()), duration=1).json()["data"]["token"]
    assert token in [row["token"] for row in client.get(SESSIONS, "period=current")]


def test_an_event_is_past_from_its_end_on(client: Client) -> None:
    start = (NOW - timedelta(hours=1)).replace(tzinfo=None)
    token = client.create(date=str(start.date()), time=str(start.time()), timezone="UTC", duration=1).json()["data"][
        "token"
    ]
    assert token in [row["token"] for row in client.get(SESSIONS, "period=past")]


def test_analytics_are_shown_on_demand_only(client: Client) -> None:
    assert ["analytics" in client.get(SESSIONS, query)[0] for query in ("", "simple_analytics=1")] == [False, True]


def test_public_view_has_neither_operators_nor_analytics(client: Client) -> None:
    assert {"operators", "analytics", "creator"}.isdisjoint(client.get(f"{SESSIONS}/public/{PAST}", key=None))


def test_created_event_reads_back_as_sent(client: Client) -> None:
    token = client.create(published=False, duration=1.5).json()["data"]["token"]
    event = client.get(f"{SESSIONS}/{token}")
    assert (event["title"], event["time"], event["published"], event["duration"]) == ("New ✓", "10:00:00", 0, 1.5)


@pytest.mark.parametrize(
    "invalid",
    [
        {"date": "2026-02-30"},
        {"date": "20260504"},
        {"time": "24:00:00"},
        {"timezone": "Mars/Olympus"},
        {"creatorID": 1},
        {"creatorID": True},
        {"operators": {}},
        {"operators": [{"id": 1, "role": 10}]},
        {"published": 1},
        {"title": ""},
        {"duration": -1},
        {"duration": 10**400},
        {"earlyAccessPeriod": 1.5},
    ],
    ids=str,
)
def test_an_invalid_event_is_refused(client: Client, invalid: dict[str, Any]) -> None:
    assert client.create(**invalid).status == 400


def test_events_at_the_ends_of_the_calendar_are_listed(client: Client) -> None:
    tokens = [client.create(date=date).json()["data"]["token"] for date in ("0001-01-01", "9999-12-31")]
    assert set(tokens) < {row["token"] for row in client.get(SESSIONS)}


def test_documented_registration_needs_no_key(client: Client) -> None:
    assert client.register(FUTURE, key=None).json()["data"]["isNew"] is True


def test_second_registration_of_an_address_changes_nothing(client: Client) -> None:
    replies = [client.register(EMPTY, email=email) for email in ("jo@example.com", "JO@example.com")]
    assert [reply.json()["data"]["isNew"] for reply in replies] == [True, False]
    assert client.emails(EMPTY) == ["jo@example.com"]


@pytest.mark.parametrize("name", [*PERSON, "eventSessionToken"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {}], ids=str)
def test_an_invalid_registration_is_refused(client: Client, name: str, value: Any) -> None:
    assert (
        client.register(**{"token": EMPTY, name: value} if name != "eventSessionToken" else {"token": value}).status
        == 400
    )
    assert client.emails(EMPTY) == []


def test_redirect_registers_and_leads_to_the_login_link(client: Client) -> None:
    reply = client.register(EMPTY, redirect=True)
    token = client.get(f"{REPORTS}/registrants/{EMPTY}")[0]["token"]
    assert (reply.status, reply.header("location")) == (302, f"http://127.0.0.1/join/{token}")


def test_a_redirect_without_sso_registers_nobody(client: Client) -> None:
    token = KNOWN["NO_SSO_SESSION_TOKEN"]
    before = client.emails(token, "NO_SSO_TOKEN")
    assert client.register(token, key=None, redirect=True).status == 403
    assert client.emails(token, "NO_SSO_TOKEN") == before


def test_csv_preserves_values_that_need_quotes(client: Client) -> None:
    names = {(row[1], row[2]) for row in client.rows("registrants")}
    assert {("Two\nLines", "Break"), ("Siân", 'O\'Neil, "Å"'), ("=SUM(A1:A9)", "Formula"), ("美咲", "佐藤")} < names


def test_csv_of_registrants_agrees_with_the_list(client: Client) -> None:
    columns, *rows = client.rows("registrants")
    listed = client.get(f"{REPORTS}/registrants/{PAST}")
    assert rows == [[person[column] or "" for column in columns] for person in listed]


@pytest.mark.parametrize("kind", ["summary", "registrants", "attendeeChat", "operatorChat", "surveyDetail"])
def test_all_rows_of_a_report_have_the_same_length(client: Client, kind: str) -> None:
    rows = client.rows(kind, f"{PAST}/{KNOWN['SURVEY_ID']}" if kind == "surveyDetail" else PAST)
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


def test_listed_surveys_open_their_report(client: Client) -> None:
    for survey in client.get(f"{REPORTS}/surveys/{PAST}"):
        assert client.rows("surveyDetail", f"{PAST}/{survey['id']}")[1][4] == survey["text"]


def test_session_without_surveys_has_an_empty_array(client: Client) -> None:
    assert client.get(f"{REPORTS}/surveys/{KNOWN['NO_SURVEY_SESSION_TOKEN']}") == []


def operations_of_a_session() -> list[Any]:
    """Every operation on a session of the first account: (method, path, whether it needs a key)."""
    values = {"{token}": PAST, "{survey}": KNOWN["SURVEY_ID"]}
    operations = []
    for route in ROUTES:
        path = "/".join(values.get(part, part) for part in route.path.split("/")).removeprefix("/api/v1")
        operations.append(pytest.param(route.method, path, route.needs_key, id=route.name))
    return operations


@pytest.mark.parametrize(("method", "path", "needs_key"), operations_of_a_session())
def test_operations_that_need_a_key_refuse_without_it(client: Client, method: str, path: str, needs_key: bool) -> None:
    refused = [client.send(method, path, key, body=b"{}").status == 401 for key in (None, "", "nobody's")]
    assert refused == [needs_key, True, True]


@pytest.mark.parametrize(("method", "path", "needs_key"), operations_of_a_session())
def test_other_accounts_sessions_do_not_exist(client: Client, method: str, path: str, needs_key: bool) -> None:
    if PAST in path:
        assert client.send(method, path, "OTHER_TOKEN").status == 404
    assert needs_key or client.register(PAST, "OTHER_TOKEN").status == 404


@pytest.mark.parametrize(
    ("status", "method", "path", "parts"),
    [
        (404, "GET", "/nothing", {}),
        (404, "GET", f"{REPORTS}/registrants/nobody", {}),
        (400, "GET", "/events/sessions/%FF", {}),
        (400, "GET", SESSIONS, {"query": "period=%FF"}),
        (400, "GET", SESSIONS, {"query": "period=never"}),
        (405, "DELETE", f"{SESSIONS}/{PAST}", {}),
        (405, "HEAD", SESSIONS, {}),
        (413, "POST", "/registrants", {"body": b"x" * (MAX_BODY + 1)}),
        (415, "POST", "/registrants", {"body": b"{}", "media_type": "text/plain"}),
        (415, "POST", "/registrants", {"body": b"{}", "media_type": None}),
        (400, "POST", "/registrants", {"body": b'{"email": NaN}'}),
        (400, "POST", "/registrants", {"body": b"\xff"}),
        (400, "POST", "/registrants", {"body": b"[" * 100_000}),
        (400, "POST", "/registrants", {"body": b'"\\ud800"'}),
        (400, "POST", "/registrants", {"body": b"1" * 5_000}),
    ],
)
def test_refusals_have_their_status(client: Client, status: int, method: str, path: str, parts: dict[str, Any]) -> None:
    reply = client.send(method, path, **parts)
    assert (reply.status, reply.json()["code"]) == (status, status)


segments = st.sampled_from(
    [part for route in ROUTES for part in route.path.split("/")] + [PAST, EMPTY, OTHER, "%FF", "%2F", ""]
)
paths = st.lists(segments | st.text(max_size=5), max_size=8).map("/".join) | st.sampled_from(
    [route.path.replace("{token}", PAST).replace("{survey}", "7001") for route in ROUTES]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
members = st.dictionaries(
    st.sampled_from([*PERSON, "eventSessionToken", "redirect", *NEW_EVENT, "creatorID"]), json_values
)
bodies = st.binary(max_size=40) | (members | json_values).map(lambda value: json.dumps(value).encode())
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "BREW"]),
    path=paths,
    query=st.sampled_from(["", "period=%FF", "period=\ud800", "&&=&"]) | st.text(max_size=12),
    headers=st.lists(
        st.tuples(st.just("api-secret"), st.sampled_from([KNOWN["TOKEN"], "", "\xff"]))
        | st.tuples(
            st.just("content-type"), st.sampled_from(["application/json", "", ";;", "application/json;charset=x"])
        ),
        max_size=3,
    ).map(tuple),
    body=bodies,
)
SERVER = Client()


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(requests)
def test_no_request_breaks_the_server(request_: Request) -> None:
    reply = SERVER.handler(request_)
    assert reply.status < 500
    if reply.status >= 400:
        error = reply.json()
        assert (error["code"], reply.header("content-type")) == (reply.status, "application/json")
        assert all(isinstance(error[name], str) for name in ("message", "localDescription"))
