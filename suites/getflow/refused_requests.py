"""Requests that must be refused: every kind of failure that the document names or implies, on all endpoints.

Rule: these are data. Each says which code and attribute its refusal must report; the tests decide what they check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    ACCEPT_HEADER,
    CREATABLE_KINDS,
    KINDS,
    LISTS,
    PATH_PREFIX,
    TASKS,
    UNKNOWN_ID,
    V2_MEDIA_TYPE,
    WORKSPACES,
    Record,
    RecordKind,
    codes_and_attributes,
    is_success,
    permitted_operations,
    problems,
    send,
)
from suites.getflow.record_factory import RecordFactory

DOCUMENTED_CODES = ("unsupported_param", "missing_param", "invalid_attribute", "record_not_found", "not_modified")
V2_CONTENT_TYPE = {"Content-Type": V2_MEDIA_TYPE}


@dataclass(frozen=True)
class RefusedRequest:
    """A request that must be refused: `code` and `attribute` are what its problem must have, None where any may stand.

    `category` is "value", "credentials" or "absence": what the refusal is about.
    """

    title: str
    exchange: Exchange
    code: str | None = None
    attribute: str | None = None
    category: str = "value"


def refused_requests(api: Api, factory: RecordFactory) -> Iterator[RefusedRequest]:
    """One refused request of each kind, spread over endpoints, methods and both ways to name the version."""
    ids = factory.ids_by_kind()
    yield from _invalid_queries(api, ids)
    yield from _unknown_records(api)
    if api.target.writes:
        yield from _invalid_bodies(api, factory)
    yield from _access_failures(api)


def reported_problems(api: Api, factory: RecordFactory) -> list[tuple[RefusedRequest, Record]]:
    """Every problem that the refusals of these requests report. Raises MissingPrecondition when there is none."""
    reported = [
        (refused, problem) for refused in refused_requests(api, factory) for problem in problems(refused.exchange)
    ]
    if not reported:
        raise MissingPrecondition("no refusal reports a problem")
    return reported


def _invalid_queries(api: Api, ids: dict[RecordKind, Any]) -> Iterator[RefusedRequest]:
    for number, (kind, action) in enumerate(permitted_operations(api)):
        versioning = (ACCEPT_HEADER, PATH_PREFIX)[number % 2]
        missing = send(api, kind, action, ids[kind], query={"organization_id": None}, versioning=versioning)
        named = [problem.get("attribute") for problem in problems(missing)]
        lacks_body = action in ("create", "update") and "organization_id" not in named
        if (is_success(missing) or lacks_body) and (kind, action) != (TASKS, "list"):
            continue  # it may be left out there, and the request is refused for its body if at all
        yield RefusedRequest(f"{action} {kind} without organisation", missing, "missing_param", "organization_id")
    for number, kind in enumerate(KINDS):
        name = ("limit", "organization_id")[number % 2]
        invalid = send(api, kind, "list", query={name: "abc"}, versioning=number % 2)
        yield RefusedRequest(f"list {kind} with a {name} that is not a number", invalid, "invalid_attribute", name)


def _unknown_records(api: Api) -> Iterator[RefusedRequest]:
    for number, (kind, action) in enumerate(permitted_operations(api)):
        if action in ("read", "update", "delete"):
            attributes = {"name": "nobody"} if action == "update" else None
            absent = send(api, kind, action, UNKNOWN_ID, attributes=attributes, versioning=number % 2)
            yield RefusedRequest(f"{action} {kind} with an unknown id", absent, "record_not_found", category="absence")


def _invalid_bodies(api: Api, factory: RecordFactory) -> Iterator[RefusedRequest]:
    for number, kind in enumerate(CREATABLE_KINDS):
        required = factory.required_attributes(kind)
        missing_name = sorted(required)[0]
        other_attributes = {name: value for name, value in required.items() if name != missing_name}
        yield RefusedRequest(
            f"create {kind} without {missing_name}",
            send(api, kind, "create", attributes=other_attributes, versioning=number % 2),
        )
        wrongly_typed = send(api, kind, "create", attributes={**required, missing_name: [True]})
        has_other_name = ("unsupported_param", missing_name) in codes_and_attributes(wrongly_typed)
        if not has_other_name:
            title = f"create {kind} with a list in {missing_name}"
            yield RefusedRequest(title, wrongly_typed, "invalid_attribute", missing_name)
    not_deleted = send(api, WORKSPACES, "delete", factory.create(LISTS)["workspace_id"])
    if not is_success(not_deleted):
        yield RefusedRequest("delete a workspace that contains lists", not_deleted, "not_modified")
    for body in (b"", b"{", b'{"task": ', b"[]", b'"task"', b"null", b'{"task": 5}', b"\xff\xfe"):
        exchange = send(api, TASKS, "create", body=body, headers=V2_CONTENT_TYPE)
        yield RefusedRequest(f"create tasks with the body {body!r}", exchange)
    yield RefusedRequest(
        "create lists without Content-Type", send(api, LISTS, "create", body=b'{"list": {"name": "n"}}')
    )


def _access_failures(api: Api) -> Iterator[RefusedRequest]:
    for number, kind in enumerate(KINDS):
        credentials = ("none", "wrong", "empty")[number % 3]
        exchange = send(api, kind, "list", credentials=credentials, versioning=number % 2)
        yield RefusedRequest(f"list {kind} with credentials: {credentials}", exchange, category="credentials")
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    for path in ("/v2/nothing", "/v2", "/v2/tasks/1/2"):
        yield RefusedRequest(f"GET {path}", api.request("GET", path, query=query), category="absence")
    if api.target.writes:
        patched = api.request("PATCH", "/v2/accounts", query=query)
        yield RefusedRequest("PATCH /v2/accounts", patched, category="absence")
    unknown_organisation = {"organization_id": UNKNOWN_ID}
    yield RefusedRequest(
        "an unknown organisation",
        send(api, TASKS, "list", query=unknown_organisation),
        "record_not_found",
        category="absence",
    )
