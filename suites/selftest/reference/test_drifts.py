"""Facts about drifts of the references: each shows in the replies to some of a few requests, and can be switched on."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from fixtures.reference import apis, drift_edits, load
from fixtures.reference.bitvis.probe_requests import HOUSE_ID, SWITCH_ID, UNKNOWN_ID, by_frame, by_header, by_query
from fixtures.reference.change_selection import UsageError, selected_changes
from fixtures.reference.protocol import Change, Handler, Reply, Request, World, handler_with_changes, json_reply
from fixtures.reference.websocket_hooks import hook_handlers
from suites.selftest.reference.getflow_requests import NEW_TASK, request_from

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")
FLOWAPP, FLOWBACK, BITVIS = (load(api).KNOWN for api in ("flowapp", "flowback", "bitvis"))
REPORTS = "/api/v1/reports/events/sessions"
SESSION = FLOWAPP["SURVEY_SESSION_TOKEN"]
CSV_REPORTS = ("summary", "registrants", "attendeeChat", "operatorChat")


def flowapp(method: str, path: str, key: str = FLOWAPP["TOKEN"], body: Any = None) -> Request:
    headers = (("api-secret", key), *((("content-type", "application/json"),) if body is not None else ()))
    return Request(method, path, "", headers, json.dumps(body).encode() if body is not None else b"")


def flowback(method: str, path: str, key: str = FLOWBACK["TOKEN"], **fields: str) -> Request:
    form = (("content-type", "application/x-www-form-urlencoded"),) if method == "POST" else ()
    text = urlencode(fields)
    query, body = ("", text.encode()) if form else (text, b"")
    return Request(method, path, query, (("authorization", key), *form), body)


EVENT = {
    "creatorID": 15001,
    "title": "A long title",
    "description": "?",
    "date": "2033-05-04",
    "time": "10:00:00",
    "timezone": "Asia/Tokyo",
    "duration": 1,
    "operators": [{"id": 15001, "role": 10, "micEnabled": True, "camEnabled": True, "screenSharingEnabled": False}],
}
PROBES: dict[str, list[Request]] = {
    "getflow": [
        *(request_from(f"GET /v2/{name}?$&limit=100") for name in ("tasks", "lists", "workspaces", "memberships")),
        *(request_from(f"GET /v2/{name}?$") for name in ("tasks", "accounts", "activities")),
        request_from("GET /v2/tasks?$&view=scheduled", accept_encoding="gzip"),
        request_from("GET /v2/tasks?$&view=OWNED"),
        request_from("GET /v2/tasks"),
        request_from("GET /v2/tasks?$", authorization=None),
        request_from("OPTIONS /v2/tasks?$"),
        request_from(f"POST /v2/tasks?$ {NEW_TASK}"),
        request_from(f"POST /v2/tasks?$ {NEW_TASK.replace('会議', 'x' * 90)}"),
    ],
    "flowapp": [
        flowapp("GET", "/api/v1/events/sessions"),
        flowapp("GET", f"/api/v1/events/sessions/{SESSION}"),
        flowapp("GET", "/api/v1/users"),
        flowapp("OPTIONS", "/api/v1/users"),
        flowapp("GET", "/api/v1/users", key="wrong"),
        flowapp("GET", f"{REPORTS}/registrants/{SESSION}"),
        flowapp("GET", f"{REPORTS}/surveys/{SESSION}"),
        *(flowapp("GET", f"{REPORTS}/csv/{name}/{SESSION}") for name in CSV_REPORTS),
        flowapp("POST", "/api/v1/event", body=EVENT),
        flowapp("GET", "/api/v1/events/sessions"),
    ],
    "flowback": [
        flowback("GET", "/users"),
        flowback("GET", "/users", limit="50"),
        flowback("GET", "/users", limit="x"),
        flowback("GET", "/user"),
        flowback("HEAD", "/user"),
        flowback("GET", "/user", key="wrong"),
        flowback("POST", "/register"),
        flowback("POST", "/register", username="somebody new", email="new@example.com"),
    ],
    "bitvis": [
        *(by_header("LIST", kind) for kind in ("device", "address", "queue")),
        by_header("OPEN", "device", SWITCH_ID),
        by_header("OPEN", "device", UNKNOWN_ID),
        by_header("INDEX", "device", SWITCH_ID),
        by_query("address", method="OPEN", objectid=HOUSE_ID),
        by_query("queue", method="OPEN", objectid="eb5e852d-05b4-5e89-8563-89bfae1136a8"),
        by_frame({"method": "OPEN", "token": BITVIS["TOKEN"], "objectid": SWITCH_ID}),
        by_frame({"method": "SHOUT", "token": BITVIS["TOKEN"]}),
        by_frame({"method": "LIST", "token": BITVIS["TOKEN"], "parameters": {"x": "y" * 400}}),
    ],
}
DRIFTS = [(api, name) for api in apis() for name in load(api).DRIFTS]


def server(api: str, *changes: Change) -> Handler:
    """The handler of a new reference with these changes, at a fixed time."""
    world = World(lambda: datetime(2032, 11, 21, 12, 0, tzinfo=UTC), random.Random(3))
    return handler_with_changes(load(api).create(world), changes)


def replies(handler: Handler, requests: list[Request]) -> list[str]:
    """Everything that can be seen of the replies, as text."""
    return [f"{reply.status} {reply.headers} {reply.body!r} {reply.frames}" for reply in map(handler, requests)]


def handshake(*changes: Change) -> list[tuple[str, str]]:
    """The headers by which a websocket is accepted."""
    return hook_handlers(load("bitvis").create(World(lambda: datetime.now(UTC), random.Random(3))), changes)["open"](
        Request("GET", "/inventory/device")
    ).headers


def can_be_seen(api: str, change: Change) -> bool:
    """Whether the replies to the API's requests differ, or the header of a handshake."""
    if change.hooks == ("open",):
        return handshake(change) != handshake()
    return replies(server(api, change), PROBES[api]) != replies(server(api), PROBES[api])


def test_every_drift_shows_in_the_replies_to_its_requests() -> None:
    assert [(api, name) for api, name in DRIFTS if not can_be_seen(api, load(api).DRIFTS[name])] == []


@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback", "getflow"])
def test_drifts_can_be_combined(api: str) -> None:
    answered = replies(server(api, *load(api).DRIFTS.values()), PROBES[api])
    assert len(answered) == len(PROBES[api])


def test_every_drift_says_in_a_sentence_what_it_changes() -> None:
    summaries = [load(api).DRIFTS[name].summary for api, name in DRIFTS]
    assert [summary for summary in summaries if not re.fullmatch(r"\S+ .+\.", summary)] == []


def test_a_drift_is_switched_on_by_its_name() -> None:
    (change,) = selected_changes(["getflow"], "drift", ["getflow.tasks_have_no_note"])["getflow"]
    assert (change.kind, change.name) == ("drift", "tasks_have_no_note")


def test_an_unknown_drift_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="task_have_no_note'; nearest: tasks_have_no_note"):
        selected_changes(["getflow"], "drift", ["getflow.task_have_no_note"])


# Edits


BODY = {"rows": [{"a": 1, "b": None}, {"a": 2, "b": 5}, {"a": 3, "b": 6}]}


@pytest.mark.parametrize(
    ("edit", "rows"),
    [
        (drift_edits.gone("/rows/*/a"), [{"b": None}, {"b": 5}, {"b": 6}]),
        (drift_edits.gone("/rows/*/a", 2), [{"a": 1, "b": None}, {"b": 5}, {"a": 3, "b": 6}]),
        (drift_edits.gone_where_null("/rows/*/b"), [{"a": 1}, {"a": 2, "b": 5}, {"a": 3, "b": 6}]),
        (drift_edits.renamed("/rows/*/a", "c"), [{"c": 1, "b": None}, {"c": 2, "b": 5}, {"c": 3, "b": 6}]),
        (drift_edits.added("/rows/*", "c", 0, 3), [*BODY["rows"][:2], {"a": 3, "b": 6, "c": 0}]),
        (drift_edits.at("/rows/*/a", str), [{"a": "1", "b": None}, {"a": "2", "b": 5}, {"a": "3", "b": 6}]),
        (drift_edits.at("/nothing/*/a", str), BODY["rows"]),
    ],
)
def test_an_edit_changes_what_its_pointer_leads_to(edit: drift_edits.Edit, rows: list[Any]) -> None:
    reply = json_reply(200, BODY)
    edit(reply)
    assert reply.json() == {"rows": rows}


def test_an_edit_leaves_what_is_not_json() -> None:
    reply = Reply(200, [], b"a,b\r\n")
    drift_edits.at("/rows", str)(reply)
    assert reply.body == b"a,b\r\n"


def test_a_renamed_member_keeps_its_place() -> None:
    reply = json_reply(200, {"a": 1, "b": 2})
    drift_edits.renamed("/a", "c")(reply)
    assert list(reply.json()) == ["c", "b"]


def test_a_name_may_stand_once() -> None:
    change = drift_edits.drift("same", "It is the same.", lambda _, request, handler: handler(request))
    with pytest.raises(ValueError, match="expected 2 names of drifts, got 1"):
        drift_edits.drift_table(change, change)
