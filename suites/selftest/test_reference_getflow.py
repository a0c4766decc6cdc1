"""The reference of getflow does what its document says, and every fault and variant of it shows.

Rule: in process and without sockets; requests are written as one line, where `$` stands for organization_id=52.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference import getflow
from fixtures.reference.protocol import Answer, Change, Reply, Request, World, changed

V2 = "application/vnd.flow.v2+json"
TOKEN, OTHER = (f"Bearer {getflow.KNOWN[name]}" for name in ("TOKEN", "OTHER_TOKEN"))
CODES = {"unsupported_param", "missing_param", "invalid_attribute", "record_not_found", "not_modified"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def server(*applied: Change) -> Answer:
    """A fresh reference, with these changes in front."""
    world = World(lambda: datetime(2026, 11, 21, 12, 0, tzinfo=UTC), random.Random(3))
    return changed(getflow.create(world), applied)


def sent(line: str, **headers: str | None) -> Request:
    """The request that a line describes: method, target, and after a blank the JSON body; None leaves a header out."""
    method, target, *body = line.replace("$", "organization_id=52").split(" ", 2)
    path, _, query = target.partition("?")
    given = {"authorization": TOKEN} | ({"content-type": V2} if body else {}) | headers_of(headers)
    present = tuple((name, value) for name, value in given.items() if value is not None)
    return Request(method, path, query, present, body[0].encode() if body else b"", base="http://flow.example")


def headers_of(named: dict[str, str | None]) -> dict[str, str | None]:
    """Header names of keyword arguments."""
    return {name.replace("_", "-"): value for name, value in named.items()}


@pytest.fixture
def ask() -> Callable[..., Reply]:
    """Sends lines to one honest server."""
    answer = server()
    return lambda line, **headers: answer(sent(line, **headers))


def walk(ask: Callable[..., Reply], line: str, plural: str) -> list[Any]:
    """All rows of a list, by its links."""
    rows: list[Any] = []
    while line:
        reply = ask(line)
        rows += reply.json()[plural]
        link = re.fullmatch(r'<http://flow\.example([^>]*)>; rel="next"', reply.header("link") or "")
        line = f"GET {link[1]}" if link else ""
    return rows


LISTS = {"tasks": 130, "lists": 36, "workspaces": 30, "memberships": 120, "accounts": 30, "activities": 130}


@pytest.mark.parametrize(("plural", "size"), LISTS.items())
def test_links_lead_through_every_record_once(ask: Callable[..., Reply], plural: str, size: int) -> None:
    ids = [row["id"] for row in walk(ask, f"GET /v2/{plural}?$&limit=7&view=default", plural)]
    assert (len(ids), len(set(ids))) == (size, size)


@pytest.mark.parametrize("plural", LISTS)
def test_limit_defaults_to_25(ask: Callable[..., Reply], plural: str) -> None:
    assert len(ask(f"GET /v2/{plural}?$").json()[plural]) == 25


def test_limit_is_clamped_to_100(ask: Callable[..., Reply]) -> None:
    assert len(ask("GET /v2/tasks?$&limit=101").json()["tasks"]) == 100


def test_cursor_is_an_offset(ask: Callable[..., Reply]) -> None:
    rows = ask("GET /v2/tasks?$&limit=30&cursor=60").json()["tasks"]
    assert [row["id"] for row in rows] == list(range(61, 91))


def test_link_keeps_all_other_parameters(ask: Callable[..., Reply]) -> None:
    link = ask("GET /tasks?$&view=upcoming&include=accounts,lists&limit=2", accept=V2).header("link") or ""
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


def test_last_page_has_no_link(ask: Callable[..., Reply]) -> None:
    assert ask("GET /v2/accounts?$&limit=30").header("link") is None


def test_activities_are_newest_first(ask: Callable[..., Reply]) -> None:
    ask('POST /v2/workspaces?$ {"workspace":{"name":"Neu"}}')
    rows = walk(ask, "GET /v2/activities?$", "activities")
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
def test_view_shows_exactly_its_tasks(ask: Callable[..., Reply], view: str) -> None:
    everything = walk(ask, "GET /v2/tasks?$", "tasks")
    shown = walk(ask, f"GET /v2/tasks?$&view={view}", "tasks")
    assert len(shown) > 0
    assert {row["id"] for row in shown} == {row["id"] for row in everything if VIEWS[view](row)}


def test_include_answers_every_account_that_is_named(ask: Callable[..., Reply]) -> None:
    body = ask("GET /v2/tasks?$&include=accounts,memberships").json()
    named = {key for task in body["tasks"] for key in [task["account_id"], task["owner_id"], *task["subscriber_ids"]]}
    assert {account["id"] for account in body["accounts"]} == named - {None}
    assert {row["account_id"] for row in body["memberships"]} == named - {None}


def test_both_ways_to_give_the_version_answer_alike(ask: Callable[..., Reply]) -> None:
    prefixed, accepted = ask("GET /v2/lists/1234?$").json(), ask("GET /lists/1234?$", accept=V2).json()
    assert prefixed["list"] == accepted["list"]
    assert prefixed["request_id"] != accepted["request_id"]


NEW = '{"task":{"name":"会議 🚀","workspace_id":2,"due_on":"2017-05-15T16:58:39Z"}}'


def test_created_task_is_read_back_as_sent(ask: Callable[..., Reply]) -> None:
    made = ask(f"POST /v2/tasks?$ {NEW}").json()["task"]
    read = ask(f"GET /v2/tasks/{made['id']}?$").json()["task"]
    assert read == made
    assert json.loads(NEW)["task"].items() <= read.items()


def test_update_changes_what_it_names_only(ask: Callable[..., Reply]) -> None:
    before = ask("GET /v2/tasks/1?$").json()["task"]
    ask('PUT /v2/tasks/1?$ {"task":{"completed":true}}')
    after = ask("GET /v2/tasks/1?$").json()["task"]
    assert {name for name in after if after[name] != before[name]} == {"completed", "completed_at", "updated_at"}


def test_deleted_task_is_gone_and_its_id_is_not_given_again(ask: Callable[..., Reply]) -> None:
    made = ask(f"POST /v2/tasks?$ {NEW}").json()["task"]["id"]
    assert ask(f"DELETE /v2/tasks/{made}?$").status == 200
    assert ask(f"GET /v2/tasks/{made}?$").status == 404
    assert ask(f"POST /v2/tasks?$ {NEW}").json()["task"]["id"] == made + 1


def test_foreign_record_is_told_like_an_unknown_one(ask: Callable[..., Reply]) -> None:
    foreign, unknown = ask("GET /v2/tasks/5001?$").json(), ask("GET /v2/tasks/999999?$").json()
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
    "no content type": (f"POST /v2/tasks?$ {NEW}", {"content_type": None}, 415, "missing_param", "Content-Type"),
    "another content type": (
        f"POST /v2/tasks?$ {NEW}",
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
        {"authorization": OTHER},
        404,
        "record_not_found",
        "organization_id",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_has_status_code_and_attribute(ask: Callable[..., Reply], case: str) -> None:
    line, headers, status, code, attribute = REFUSED[case]
    reply = ask(line, **headers)
    problem = reply.json()["errors"][0]
    assert (reply.status, problem["code"], problem.get("attribute")) == (status, code, attribute)


def test_message_of_a_missing_parameter_is_the_documented_one(ask: Callable[..., Reply]) -> None:
    problem = ask("GET /v2/tasks").json()["errors"][0]
    assert problem["message"] == problem["description"] == "param is missing or the value is empty: organization_id"


def test_unknown_method_names_the_allowed_ones(ask: Callable[..., Reply]) -> None:
    assert ask("PATCH /v2/tasks/1?$").header("allow") == "GET, PUT, DELETE"


def test_every_problem_of_a_request_is_told(ask: Callable[..., Reply]) -> None:
    problems = ask("GET /v2/tasks?limit=x&bogus=1").json()["errors"]
    assert {each["attribute"] for each in problems} == {"organization_id", "limit", "bogus"}


METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE"] * 5 + ["PATCH", "HEAD", "OPTIONS", "TRACE", "get", "X"])
SEGMENT = st.sampled_from(
    ["v2", "v1", "tasks", "lists", "workspaces", "memberships", "accounts", "activities", "1", "2"]
)
ODD = st.sampled_from(
    ["", "%ff", "%00", "0", "-1", "9" * 30, "ü", "²", "%C3%BC", "..", "%2F", "+", "null", "[]", "1e9", "=", ";", "NaN"]
)
NAMES = st.sampled_from(
    ["organization_id", "limit", "cursor", "view", "include", "order", "cleared", "created_after", "x[]"]
)
TEXTS = (
    ODD | st.text(max_size=8) | st.sampled_from(["52", "default", "true", "2017-05-15", "0001-01-01T00:00:00%2B14:00"])
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
    "authorization": st.sampled_from([TOKEN, TOKEN, TOKEN, OTHER, "Bearer ", "bearer x", "Basic eDp5", "\xff"]),
    "accept": st.sampled_from([V2, "*/*", f"text/html, {V2};q=0.5", f"{V2};q=0", ",;=", "\xff"]),
    "content-type": st.sampled_from([V2, "application/json; charset=x", "text/plain", "", ";", "\xff"]),
}
PLURAL = st.sampled_from(list(LISTS))
SERVED = st.builds("/v2/{}".format, PLURAL) | st.builds("/v2/{}/{}".format, PLURAL, st.integers(0, 60))
PATHS = SERVED | SERVED | st.lists(SEGMENT | ODD, max_size=4).map(lambda parts: "/" + "/".join(parts))
PAIRS = st.lists(st.tuples(NAMES | ODD, TEXTS), max_size=3).map(
    lambda pairs: [f"{name}={text}" for name, text in pairs]
)
QUERIES = st.builds(
    lambda pairs, known: "&".join([*pairs, *known]), PAIRS | st.just([]), st.sampled_from([["organization_id=52"], []])
)
USUAL = st.just({"authorization": TOKEN, "content-type": V2})
SENT = (USUAL | USUAL | st.fixed_dictionaries({}, optional=HEADERS)).map(lambda headers: tuple(headers.items()))
REQUESTS = st.builds(Request, METHODS, PATHS, QUERIES, SENT, BODIES)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.lists(REQUESTS, min_size=1, max_size=3))
def test_no_request_breaks_the_server(requests: list[Request]) -> None:
    answer = server()
    for request in requests:
        reply = answer(request)
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


# A story of requests that shows the change: a line, or a line and its headers.
Step = str | tuple[str, dict[str, str | None]]
VERSION_1: dict[str, str | None] = {"accept": "application/vnd.flow.v1+json"}
ACCEPT: dict[str, str | None] = {"accept": V2}
RENAME = '{"list":{"name":"Grüße","workspace_id":1}}'
SHOWN: dict[str, list[Step]] = {
    # faults.errors
    "error_without_its_id": ["GET /v2/tasks/0?$"],
    "error_ids_repeat": ["GET /v2/tasks", "GET /v2/tasks"],
    "error_ids_are_numbers": ["GET /v2/tasks"],
    "error_status_is_a_number": ["GET /v2/tasks"],
    "one_error_is_no_list": ["GET /v2/tasks"],
    "error_list_is_empty": [("GET /v2/tasks?$", {"authorization": None})],
    "message_is_a_stack_trace": ["GET /v2/tasks?$&limit=x"],
    "message_is_empty": ["GET /v2/tasks/0?$"],
    "code_is_a_number": ["DELETE /v2/tasks/31?$"],
    "unknown_code": ["GET /v2/tasks/0?$"],
    "unknown_parameter_is_a_wrong_value": ["GET /v2/tasks?$&x=1"],
    "missing_parameter_is_a_wrong_value": ["GET /v2/tasks"],
    "wrong_type_is_a_missing_parameter": ["GET /v2/tasks?$&limit=x"],
    "tells_foreign_records_apart": ["GET /v2/tasks/5001?$"],
    "documentation_link_is_a_path": ["GET /v2/tasks"],
    "description_is_missing": ["GET /v2/tasks"],
    "description_is_cut": ["GET /v2/tasks?$&x=1"],
    "names_the_wrong_attribute": ["GET /v2/tasks"],
    "names_no_attribute": ["GET /v2/tasks?$&limit=x"],
    "empty_value_is_a_wrong_type": ["GET /v2/tasks?organization_id="],
    "unknown_path_is_a_web_page": ["GET /v2/nothing?$"],
    "malformed_body_crashes": ["POST /v2/tasks?$ {"],
    "refuses_with_status_200": ["GET /v2/tasks/0?$"],
    "redirects_an_unknown_record": ["GET /v2/lists/0?$"],
    # faults.access
    "answers_lists_as_projects": ["GET /v2/lists?$"],
    "serves_teams": ["GET /v2/teams?$"],
    "names_a_project": ["GET /v2/tasks/1?$"],
    "drops_the_workspace_of_a_task": ["GET /v2/tasks?$"],
    "serves_no_lists": ["GET /v2/lists?$"],
    "completed_at_is_epoch_seconds": ["GET /v2/tasks/4?$"],
    "included_account_id_is_text": ["GET /v2/tasks?$&include=accounts"],
    "update_answers_a_bare_record": ['PUT /v2/lists/1?$ {"list":{"name":"x"}}'],
    "answers_html_media_type": ["GET /v2/workspaces?$"],
    "answers_version_1": ["GET /v2/tasks/1?$"],
    "token_opens_version_1": ["GET /v1/tasks?$"],
    "any_version_in_accept": [("GET /tasks?$", VERSION_1)],
    "crashes_without_a_version": ["GET /tasks?$"],
    "accept_drops_the_tags": [("GET /tasks?$", ACCEPT)],
    "accept_does_not_select_on_memberships": [("GET /memberships?$", ACCEPT)],
    "prefix_is_not_served_on_activities": ["GET /v2/activities?$"],
    "prefix_wants_accept_too": ["GET /v2/tasks?$"],
    "reads_no_single_list": ["GET /v2/lists/1234?$"],
    "sends_no_request_id": ["GET /v2/tasks?$"],
    "reads_lists_without_credentials": [("GET /v2/lists/1?$", {"authorization": None})],
    "creates_lists_with_any_token": [(f"POST /v2/lists?$ {RENAME}", {"authorization": "Bearer x"})],
    "opens_any_organisation": ["GET /v2/tasks?organization_id=90"],
    "reads_any_task_by_id": ["GET /v2/tasks/7001?$"],
    "assumes_an_organisation": ["GET /v2/workspaces"],
    # faults.lists
    "upcoming_lets_undated_tasks_through": ["GET /v2/tasks?$&view=upcoming"],
    "upcoming_hides_completed_tasks": ["GET /v2/tasks?$&view=upcoming"],
    "view_is_ignored": ["GET /v2/tasks?$&view=upcoming"],
    "no_default_view_on_accounts": ["GET /v2/accounts?$&view=default"],
    "no_view_hides_completed_tasks": ["GET /v2/tasks?$"],
    "default_view_hides_the_last_record": [
        "GET /v2/workspaces?$",
        'POST /v2/workspaces?$ {"workspace":{"name":"x"}}',
        "GET /v2/workspaces?$&limit=99",
    ],
    "a_view_shows_another_organisation": ["GET /v2/tasks?$&view=unscheduled"],
    "owner_filter_is_ignored": ["GET /v2/tasks?$&owner_id=2"],
    "limit_is_ignored_on_workspaces": ["GET /v2/workspaces?$&limit=3"],
    "cursor_is_ignored_on_lists": ["GET /v2/lists?$&cursor=3"],
    "default_limit_is_20": ["GET /v2/tasks?$"],
    "page_skips_a_record": ["GET /v2/tasks?$&cursor=25"],
    "page_repeats_a_record": ["GET /v2/activities?$"],
    "link_loses_the_view": ["GET /v2/tasks?$&view=upcoming&limit=2"],
    "link_loses_the_organisation": ["GET /v2/tasks?$&limit=2"],
    "links_never_end": ["GET /v2/lists?$&limit=99"],
    "newest_workspaces_come_first": ["GET /v2/workspaces?$"],
    "activities_want_a_cursor": ["GET /v2/activities?$"],
    "activities_are_oldest_first": ["GET /v2/activities?$"],
    "latest_activity_is_late": [f"POST /v2/lists?$ {RENAME}", "GET /v2/activities?$"],
    "memberships_have_no_link": ["GET /v2/memberships?$"],
    "link_is_relative": ["GET /v2/tasks?$"],
    "link_has_another_relation": ["GET /v2/tasks?$"],
    "limit_has_no_maximum": ["GET /v2/tasks?$&limit=101"],
    # faults.related
    "include_is_ignored_on_memberships": ["GET /v2/memberships?$&include=accounts"],
    "include_takes_the_first_name_only": ["GET /v2/tasks?$&include=accounts,memberships"],
    "include_leaves_out_an_account": ["GET /v2/tasks?$&include=accounts&limit=1"],
    "included_records_are_nested": ["GET /v2/tasks?$&include=accounts"],
    "include_thins_the_tasks": ["GET /v2/tasks?$&include=accounts"],
    "include_wants_the_alphabet": ["GET /v2/tasks?$&include=memberships,accounts"],
    "included_accounts_have_their_names_cut": ["GET /v2/tasks?$&include=accounts"],
    # faults.writes
    "parses_without_content_type": [(f"POST /v2/tasks?$ {NEW}", {"content_type": None})],
    "vendor_media_type_is_refused": ['POST /v2/workspaces?$ {"workspace":{"name":"x"}}'],
    "garbles_non_ascii_names": [f"POST /v2/tasks?$ {NEW}"],
    "crashes_on_non_ascii_names": [f"POST /v2/lists?$ {RENAME}"],
    "delete_wants_a_content_type": ["DELETE /v2/tasks/1?$"],
    "prefix_creates_no_tasks": [f"POST /v2/tasks?$ {NEW}"],
    "creates_a_list_nowhere": ['POST /v2/lists?$ {"list":{"name":"x"}}'],
    "names_the_object_of_an_unknown_attribute": ['PUT /v2/tasks/1?$ {"task":{"x":1}}'],
    "takes_a_limit_that_is_no_number": ["GET /v2/lists?$&limit=x"],
    "takes_text_as_a_flag": ['PUT /v2/tasks/1?$ {"task":{"completed":"yes"}}'],
    "takes_any_list_id": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"list_id":999999}}'],
    "changes_a_cleared_task": ['PUT /v2/tasks/31?$ {"task":{"name":"x"}}'],
    "deletes_a_workspace_with_lists": ["DELETE /v2/workspaces/1?$"],
    "refused_change_is_not_found": ["DELETE /v2/tasks/31?$"],
    "created_list_is_not_kept": [f"POST /v2/lists?$ {RENAME}", "GET /v2/lists/1235?$"],
    "created_note_is_lost": [
        'POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"note_content":"n"}}',
        "GET /v2/tasks/7013?$",
    ],
    "update_is_not_kept": ['PUT /v2/tasks/1?$ {"task":{"name":"x"}}', "GET /v2/tasks/1?$"],
    "update_clears_what_it_does_not_name": ['PUT /v2/tasks/1?$ {"task":{"name":"x"}}'],
    "delete_deletes_nothing": ["DELETE /v2/tasks/1?$", "GET /v2/tasks/1?$"],
    "deleted_list_is_still_listed": ["DELETE /v2/lists/35?$", "GET /v2/lists?$&limit=99"],
    "created_task_is_not_listed": [f"POST /v2/tasks?$ {NEW}", "GET /v2/tasks?$&cursor=120"],
    "writes_leave_no_activity": [f"POST /v2/lists?$ {RENAME}", "GET /v2/activities?$"],
    # faults.dates
    "takes_american_dates": ['PUT /v2/tasks/1?$ {"task":{"due_on":"05/15/2017"}}'],
    "takes_any_text_as_a_date": ['PUT /v2/tasks/1?$ {"task":{"starts_on":"tomorrow"}}', "GET /v2/tasks/1?$"],
    "rolls_days_that_do_not_exist": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-02-30"}}'],
    "takes_any_date_in_a_filter": ["GET /v2/tasks?$&created_after=tomorrow"],
    "refuses_a_date_without_time": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-05-15"}}'],
    "moves_times_by_an_hour": [f"POST /v2/tasks?$ {NEW}"],
    "drops_the_time": [f"POST /v2/tasks?$ {NEW}"],
    "a_refused_task_is_made_without_its_date": [
        'POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"due_on":"tomorrow"}}',
        "GET /v2/tasks?$&cursor=120",
    ],
    "drops_the_offset": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-05-15T16:58:39+01:00"}}'],
    "lists_start_a_day_early": ['PUT /v2/lists/1?$ {"list":{"starts_on":"2017-05-15"}}'],
    # faults.rare
    "successes_of_a_path_share_an_id": ["GET /v2/tasks?$", "GET /v2/tasks?$"],
    "errors_repeat_the_id_of_a_success": ["GET /v2/tasks?$", "GET /v2/tasks"],
    "every_other_code_is_another": ["GET /v2/tasks/0?$", "GET /v2/tasks/0?$"],
    "memberships_spell_attributes_in_camel_case": ["GET /v2/memberships"],
    "takes_team_id_for_workspace_id": ['POST /v2/lists?$ {"list":{"name":"x","team_id":1}}'],
    "any_version_that_starts_with_a_2": ["GET /v22/tasks?$"],
    "accept_changes_no_names": [('PUT /lists/1?$ {"list":{"name":"x"}}', ACCEPT), "GET /v2/lists/1?$"],
    "upcoming_ends_after_a_page": ["GET /v2/tasks?$&view=upcoming"],
    "link_loses_the_include": ["GET /v2/tasks?$&include=lists&limit=2"],
    "link_loses_the_limit": ["GET /v2/tasks?$&limit=2"],
    "a_full_page_lacks_its_last": ["GET /v2/tasks?$&limit=100"],
    "accounts_come_in_another_order_each_time": ["GET /v2/accounts?$"],
    "include_shows_a_stranger": ["GET /v2/tasks?$&include=accounts"],
    "tells_foreign_organisations_apart": ["GET /v2/tasks?organization_id=90"],
    "takes_a_token_that_is_cut": [("GET /v2/tasks?$", {"authorization": TOKEN[:-1]})],
    "updates_without_content_type": [
        ('PUT /v2/lists/1?$ {"list":{"name":"x"}}', {"content_type": None}),
        "GET /v2/lists/1?$",
    ],
    "an_update_changes_the_next_list_too": ['PUT /v2/lists/1?$ {"list":{"name":"x"}}', "GET /v2/lists/2?$"],
    "a_deletion_takes_the_next_one_too": ["DELETE /v2/memberships/2?$", "GET /v2/memberships/3?$"],
    "deletes_what_is_not_there": ["DELETE /v2/tasks/999999?$"],
    # variants
    "ignores_unknown_parameters": ["GET /v2/tasks?$&x=1"],
    "shows_the_default_for_an_unknown_view": ["GET /v2/tasks?$&view=none"],
    "calls_an_unknown_view_unsupported": ["GET /v2/tasks?$&view=none"],
    "conflicting_versions_are_refused": [("GET /v2/tasks?$", VERSION_1)],
    "serves_version_2_unasked": ["GET /tasks?$"],
    "takes_the_versioned_media_type_only": [(f"POST /v2/tasks?$ {NEW}", {"content_type": "application/json"})],
    "answers_plain_json": ["GET /v2/tasks?$"],
    "refuses_a_limit_above_the_maximum": ["GET /v2/tasks?$&limit=101"],
    "raises_a_limit_below_one": ["GET /v2/tasks?$&limit=0"],
    "links_every_page_to_the_first": ["GET /v2/accounts?$&limit=99"],
    "cursor_of_activities_is_opaque": ["GET /v2/activities?$", "GET /v2/activities?$&cursor=after-99"],
    "accounts_are_in_reverse_order": ["GET /v2/accounts?$"],
    "absent_attribute_is_null": ["GET /v2/tasks/0?$"],
    "tells_one_problem_at_a_time": ["GET /v2/tasks?x=1"],
    "describes_everything_at_length": ["GET /v2/tasks"],
    "missing_attribute_is_an_invalid_one": ['POST /v2/tasks?$ {"task":{"name":"x"}}'],
    "refuses_values_with_422": ["GET /v2/tasks"],
    "refuses_changes_with_403": ["DELETE /v2/tasks/31?$"],
    "creates_with_201": [f"POST /v2/tasks?$ {NEW}"],
    "deletes_with_204": ["DELETE /v2/tasks/1?$"],
    "names_the_request_twice": ["GET /v2/tasks?$"],
    "includes_no_empty_lists": ["GET /v2/tasks?$&include=accounts&cursor=999"],
    "takes_the_organisation_in_the_body_too": ['POST /v2/workspaces {"organization_id":52,"workspace":{"name":"x"}}'],
    "members_are_more_and_in_another_order": ["GET /v2/tasks?$"],
    "header_names_are_upper_case": ["GET /v2/tasks?$"],
    "body_comes_in_pieces": ["GET /v2/tasks?$"],
    "answers_are_ascii_and_indented": ["GET /v2/tasks?$"],
    "answers_take_20_milliseconds_more": ["GET /v2/tasks?$"],
}
CHANGES = {**getflow.FAULTS, **getflow.VARIANTS}


def told(answer: Answer, story: list[Step]) -> str:
    """All answers to a story, with each id of a request replaced by its number in the story."""
    steps = [(step, {}) if isinstance(step, str) else step for step in story]
    replies = [answer(sent(line, **headers)) for line, headers in steps]
    text = "\n".join(
        f"{each.status} {each.headers} {each.body.decode()} {each.delay} {each.pieces}" for each in replies
    )
    numbers: dict[str, int] = {}
    return UUID.sub(lambda found: f"#{numbers.setdefault(found[0], len(numbers))}", text)


def test_every_fault_and_variant_has_a_story() -> None:
    assert list(SHOWN) == list(CHANGES)


@pytest.mark.parametrize("name", SHOWN)
def test_change_shows_in_its_story(name: str) -> None:
    assert told(server(CHANGES[name]), SHOWN[name]) != told(server(), SHOWN[name])
