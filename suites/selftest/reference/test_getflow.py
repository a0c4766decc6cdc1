"""Facts about the reference of getflow: what the vendor's document says, and hostile requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference.protocol import Reply, Request
from suites.selftest.reference.getflow_requests import (
    CODES,
    LIST_SIZES,
    NEW_TASK,
    OTHER_TOKEN,
    TOKEN,
    UUID,
    V2,
    request_from,
    server,
)


@pytest.fixture
def send() -> Callable[..., Reply]:
    """Sends the requests that lines describe to one reference without changes."""
    handler = server()
    return lambda line, **headers: handler(request_from(line, **headers))


def walk(send: Callable[..., Reply], line: str, plural: str) -> list[Any]:
    """The rows on all pages of a list, following its links."""
    rows: list[Any] = []
    while line:
        reply = send(line)
        rows += reply.json()[plural]
        link = re.fullmatch(r'<http://flow\.example([^>]*)>; rel="next"', reply.header("link") or "")
        line = f"GET {link[1]}" if link else ""
    return rows


@pytest.mark.parametrize(("plural", "size"), LIST_SIZES.items())
def test_links_lead_through_every_record_once(send: Callable[..., Reply], plural: str, size: int) -> None:
    ids = [row["id"] for row in walk(send, f"GET /v2/{plural}?$&limit=7&view=default", plural)]
    assert (len(ids), len(set(ids))) == (size, size)


@pytest.mark.parametrize("plural", LIST_SIZES)
def test_limit_defaults_to_25(send: Callable[..., Reply], plural: str) -> None:
    assert len(send(f"GET /v2/{plural}?$").json()[plural]) == 25


def test_limit_is_clamped_to_100(send: Callable[..., Reply]) -> None:
    assert len(send("GET /v2/tasks?$&limit=101").json()["tasks"]) == 100


def test_cursor_is_an_offset(send: Callable[..., Reply]) -> None:
    rows = send("GET /v2/tasks?$&limit=30&cursor=60").json()["tasks"]
    assert [row["id"] for row in rows] == list(range(61, 91))


def test_link_keeps_all_other_parameters(send: Callable[..., Reply]) -> None:
    link = send("GET /tasks?$&view=upcoming&include=accounts,lists&limit=2", accept=V2).header("link") or ""
    url = urlsplit(link.removeprefix("<").partition(">")[0])
    assert (url.path, parse_qs(url.query)) == (
        "/tasks",
        {
            "organization_id": ["52"],
            "view": ["upcoming"],
            "include": ["accounts,lists"],
            "limit": ["2"],
            "cursor": ["2"],
        },
    )


def test_last_page_has_no_link(send: Callable[..., Reply]) -> None:
    assert send("GET /v2/accounts?$&limit=30").header("link") is None


def test_activities_are_newest_first(send: Callable[..., Reply]) -> None:
    send('POST /v2/workspaces?$ {"workspace":{"name":"Neu"}}')
    rows = walk(send, "GET /v2/activities?$", "activities")
    assert rows[0]["payload"] == {"name": "Neu"}
    assert rows == sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)


VIEWS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "default": bool,
    "upcoming": lambda task: task["due_on"] is not None,
    "scheduled": lambda task: bool(task["due_on"] or task["starts_on"]),
    "unscheduled": lambda task: not (task["due_on"] or task["starts_on"]),
    "unassigned": lambda task: task["owner_id"] is None,
    "owned": lambda task: task["owner_id"] == 1,
    "delegated": lambda task: task["account_id"] == 1 and task["owner_id"] not in (None, 1),
}


@pytest.mark.parametrize("view", VIEWS)
def test_view_shows_exactly_its_tasks(send: Callable[..., Reply], view: str) -> None:
    everything = walk(send, "GET /v2/tasks?$", "tasks")
    shown = walk(send, f"GET /v2/tasks?$&view={view}", "tasks")
    assert len(shown) > 0
    assert {row["id"] for row in shown} == {row["id"] for row in everything if VIEWS[view](row)}


def test_include_adds_every_account_that_the_tasks_refer_to(send: Callable[..., Reply]) -> None:
    body = send("GET /v2/tasks?$&include=accounts,memberships").json()
    account_ids = {
        account_id
        for task in body["tasks"]
        for account_id in [task["account_id"], task["owner_id"], *task["subscriber_ids"]]
    }
    assert {account["id"] for account in body["accounts"]} == account_ids - {None}
    assert {row["account_id"] for row in body["memberships"]} == account_ids - {None}


def test_version_in_path_and_in_accept_return_the_same_record(send: Callable[..., Reply]) -> None:
    prefixed, accepted = send("GET /v2/lists/1234?$").json(), send("GET /lists/1234?$", accept=V2).json()
    assert prefixed["list"] == accepted["list"]
    assert prefixed["request_id"] != accepted["request_id"]


def test_created_task_is_stored_as_sent(send: Callable[..., Reply]) -> None:
    created = send(f"POST /v2/tasks?$ {NEW_TASK}").json()["task"]
    read = send(f"GET /v2/tasks/{created['id']}?$").json()["task"]
    assert read == created
    assert json.loads(NEW_TASK)["task"].items() <= read.items()


def test_update_changes_only_the_sent_attributes(send: Callable[..., Reply]) -> None:
    before = send("GET /v2/tasks/1?$").json()["task"]
    send('PUT /v2/tasks/1?$ {"task":{"completed":true}}')
    after = send("GET /v2/tasks/1?$").json()["task"]
    assert {name for name in after if after[name] != before[name]} == {"completed", "completed_at", "updated_at"}


def test_deleted_task_is_gone_and_its_id_is_not_used_again(send: Callable[..., Reply]) -> None:
    created = send(f"POST /v2/tasks?$ {NEW_TASK}").json()["task"]["id"]
    assert send(f"DELETE /v2/tasks/{created}?$").status == 200
    assert send(f"GET /v2/tasks/{created}?$").status == 404
    assert send(f"POST /v2/tasks?$ {NEW_TASK}").json()["task"]["id"] == created + 1


def test_foreign_record_is_refused_like_an_unknown_one(send: Callable[..., Reply]) -> None:
    foreign, unknown = send("GET /v2/tasks/5001?$").json(), send("GET /v2/tasks/999999?$").json()
    assert foreign["errors"] == unknown["errors"]


REFUSED: dict[str, tuple[str, dict[str, str | None], int, str, str | None]] = {
    "no organization": ("GET /v2/tasks", {}, 400, "missing_param", "organization_id"),
    "empty organization": ("GET /v2/tasks?organization_id=", {}, 400, "missing_param", "organization_id"),
    "organization of another type": (
        "GET /v2/tasks?organization_id=abc",
        {},
        400,
        "invalid_attribute",
        "organization_id",
    ),
    "foreign organization": ("GET /v2/tasks?organization_id=90", {}, 404, "record_not_found", "organization_id"),
    "limit below 1": ("GET /v2/lists?$&limit=0", {}, 400, "invalid_attribute", "limit"),
    "unknown parameter": ("GET /v2/lists?$&limits=5", {}, 400, "unsupported_param", "limits"),
    "unknown view": ("GET /v2/tasks?$&view=none", {}, 400, "invalid_attribute", "view"),
    "unknown include": ("GET /v2/tasks?$&include=accounts,x", {}, 400, "invalid_attribute", "include"),
    "date that is none": ("GET /v2/tasks?$&created_after=tomorrow", {}, 400, "invalid_attribute", "created_after"),
    "missing attribute": ('POST /v2/tasks?$ {"task":{"name":"x"}}', {}, 400, "missing_param", "workspace_id"),
    "unknown attribute": ('PUT /v2/tasks/1?$ {"task":{"nam":"x"}}', {}, 400, "unsupported_param", "nam"),
    "attribute of another type": ('PUT /v2/tasks/1?$ {"task":{"name":5}}', {}, 400, "invalid_attribute", "name"),
    "american date": ('PUT /v2/tasks/1?$ {"task":{"due_on":"05/15/2017"}}', {}, 400, "invalid_attribute", "due_on"),
    "day that does not exist": (
        'PUT /v2/tasks/1?$ {"task":{"due_on":"2017-02-30"}}',
        {},
        400,
        "invalid_attribute",
        "due_on",
    ),
    "unknown list": ('PUT /v2/tasks/1?$ {"task":{"list_id":701}}', {}, 404, "record_not_found", "list_id"),
    "not nested": ('POST /v2/workspaces?$ {"name":"x"}', {}, 400, "missing_param", "workspace"),
    "broken JSON": ("POST /v2/tasks?$ {", {}, 400, "invalid_attribute", None),
    "deep JSON": ("POST /v2/tasks?$ " + "[" * 100_000, {}, 400, "invalid_attribute", None),
    "lone surrogate": (r'PUT /v2/tasks/1?$ {"task":{"name":"\ud800"}}', {}, 400, "invalid_attribute", None),
    "no content type": (f"POST /v2/tasks?$ {NEW_TASK}", {"content_type": None}, 415, "missing_param", "Content-Type"),
    "another content type": (
        f"POST /v2/tasks?$ {NEW_TASK}",
        {"content_type": "text/plain"},
        415,
        "invalid_attribute",
        "Content-Type",
    ),
    "large body": ("POST /v2/tasks?$ " + " " * 1_000_001, {}, 413, "invalid_attribute", None),
    "cleared task updated": ('PUT /v2/tasks/31?$ {"task":{"name":"x"}}', {}, 409, "not_modified", None),
    "cleared task deleted": ("DELETE /v2/tasks/31?$", {}, 409, "not_modified", None),
    "list with tasks deleted": ("DELETE /v2/lists/1?$", {}, 409, "not_modified", None),
    "workspace with lists deleted": ("DELETE /v2/workspaces/1?$", {}, 409, "not_modified", None),
    "owner's membership deleted": ("DELETE /v2/memberships/1?$", {}, 409, "not_modified", None),
    "unknown record": ("GET /v2/accounts/0?$", {}, 404, "record_not_found", None),
    "id of another type": ("GET /v2/accounts/x?$", {}, 400, "invalid_attribute", "id"),
    "unknown path": ("GET /v2/projects?$", {}, 404, "record_not_found", None),
    "method that is not served": ("PATCH /v2/tasks/1?$", {}, 405, "record_not_found", None),
    "no version": ("GET /tasks?$", {}, 406, "missing_param", "Accept"),
    "version 1 in Accept": (
        "GET /tasks?$",
        {"accept": "application/vnd.flow.v1+json"},
        406,
        "invalid_attribute",
        "Accept",
    ),
    "version 1 in the path": ("GET /v1/tasks?$", {"accept": V2}, 404, "record_not_found", None),
    "no credentials": ("GET /v2/tasks?$", {"authorization": None}, 401, "missing_param", "Authorization"),
    "wrong credentials": ("GET /v2/tasks?$", {"authorization": "Bearer x"}, 401, "invalid_attribute", "Authorization"),
    "another account's organization": (
        "GET /v2/tasks?$",
        {"authorization": OTHER_TOKEN},
        404,
        "record_not_found",
        "organization_id",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_has_status_code_and_attribute(send: Callable[..., Reply], case: str) -> None:
    line, headers, status, code, attribute = REFUSED[case]
    reply = send(line, **headers)
    problem = reply.json()["errors"][0]
    assert (reply.status, problem["code"], problem.get("attribute")) == (status, code, attribute)


def test_message_of_a_missing_parameter_is_the_documented_one(send: Callable[..., Reply]) -> None:
    problem = send("GET /v2/tasks").json()["errors"][0]
    assert problem["message"] == problem["description"] == "param is missing or the value is empty: organization_id"


def test_refusal_of_an_unknown_method_names_the_allowed_ones(send: Callable[..., Reply]) -> None:
    assert send("PATCH /v2/tasks/1?$").header("allow") == "GET, PUT, DELETE"


def test_refusal_names_every_problem_of_a_request(send: Callable[..., Reply]) -> None:
    problems = send("GET /v2/tasks?limit=x&bogus=1").json()["errors"]
    assert {problem["attribute"] for problem in problems} == {"organization_id", "limit", "bogus"}


METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE"] * 5 + ["PATCH", "HEAD", "OPTIONS", "TRACE", "get", "X"])
SEGMENT = st.sampled_from(
    ["v2", "v1", "tasks", "lists", "workspaces", "memberships", "accounts", "activities", "1", "2"]
)
UNUSUAL = st.sampled_from(
    ["", "%ff", "%00", "0", "-1", "9" * 30, "ü", "²", "%C3%BC", "..", "%2F", "+", "null", "[]", "1e9", "=", ";", "NaN"]
)
NAMES = st.sampled_from(
    ["organization_id", "limit", "cursor", "view", "include", "order", "cleared", "created_after", "x[]"]
)
TEXT_SAMPLES = ["52", "default", "true", "2017-05-15", "0001-01-01T00:00:00%2B14:00"]
TEXTS = (
    UNUSUAL
    | st.text(max_size=8)
    | st.sampled_from(["52", "default", "true", "2017-05-15", "0001-01-01T00:00:00%2B14:00"])
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["\ud800", 1, 52, "2017-05-15"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["name", "workspace_id", "list_id", "due_on", "tags", "completed", "x"]), VALUES
)
OBJECTS = st.dictionaries(st.sampled_from(["task", "list", "workspace", "organization_id"]), ATTRIBUTES | VALUES)
BODIES = st.binary(max_size=30) | (OBJECTS | VALUES).map(lambda value: json.dumps(value).encode())
HEADERS = {
    "authorization": st.sampled_from([TOKEN, TOKEN, TOKEN, OTHER_TOKEN, "Bearer ", "bearer x", "Basic eDp5", "\xff"]),
    "accept": st.sampled_from([V2, "*/*", f"text/html, {V2};q=0.5", f"{V2};q=0", ",;=", "\xff"]),
    "content-type": st.sampled_from([V2, "application/json; charset=x", "text/plain", "", ";", "\xff"]),
}
PLURAL = st.sampled_from(list(LIST_SIZES))
SERVED = st.builds("/v2/{}".format, PLURAL) | st.builds("/v2/{}/{}".format, PLURAL, st.integers(0, 60))
PATHS = SERVED | SERVED | st.lists(SEGMENT | UNUSUAL, max_size=4).map(lambda parts: "/" + "/".join(parts))
PAIRS = st.lists(st.tuples(NAMES | UNUSUAL, TEXTS), max_size=3).map(
    lambda pairs: [f"{name}={text}" for name, text in pairs]
)
QUERIES = st.builds(
    lambda pairs, known: "&".join([*pairs, *known]), PAIRS | st.just([]), st.sampled_from([["organization_id=52"], []])
)
USUAL = st.just({"authorization": TOKEN, "content-type": V2})
HEADER_LINES = (USUAL | USUAL | st.fixed_dictionaries({}, optional=HEADERS)).map(lambda headers: tuple(headers.items()))
REQUESTS = st.builds(Request, METHODS, PATHS, QUERIES, HEADER_LINES, BODIES)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.lists(REQUESTS, min_size=1, max_size=3))
def test_hostile_request_is_served_or_refused(requests: list[Request]) -> None:
    handler = server()
    for request in requests:
        reply = handler(request)
        body = reply.json()
        assert reply.header("content-type") == V2
        if reply.status == 200:
            assert UUID.fullmatch(body["request_id"])
            continue
        assert 400 <= reply.status < 500
        assert (set(body), body["status"]) == ({"request_uuid", "status", "errors"}, "error")
        assert UUID.fullmatch(body["request_uuid"])
        assert {problem["code"] for problem in body["errors"]} <= CODES
        assert all(problem["message"] and problem["description"] and problem["link"] for problem in body["errors"])
