"""Requests that must be refused, of every kind of failure that the page names or implies, on all endpoints.

Rule: data; what must be said of each mistake is told beside it, and a test decides what it looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.dialect import (
    ABSENT,
    ACCEPT,
    KINDS,
    LISTS,
    MADE,
    PREFIX,
    TASKS,
    VERSIONED,
    WORKSPACES,
    Kind,
    Row,
    ask,
    calls,
    problems,
    succeeded,
)

FIVE = ("unsupported_param", "missing_param", "invalid_attribute", "record_not_found", "not_modified")
LABELLED = {"Content-Type": VERSIONED}


@dataclass(frozen=True)
class Mistake:
    """A refused request: `code` and `attribute` are what it must be told with, None where any may stand.

    `sort` is value, credentials or absence: what the refusal is about.
    """

    title: str
    exchange: Exchange
    code: str | None = None
    attribute: str | None = None
    sort: str = "value"


def provoked(api: Api, bench: Bench) -> Iterator[Mistake]:
    """One mistake of each kind, spread over endpoints, methods and both ways to name the version."""
    ids = bench.ids()
    yield from _of_queries(api, ids)
    yield from _of_records(api)
    if api.target.writes:
        yield from _of_bodies(api, bench)
    yield from _of_access(api)


def each_problem(api: Api, bench: Bench) -> list[tuple[Mistake, Row]]:
    """Every problem that is told of them."""
    return [(one, problem) for one in provoked(api, bench) for problem in problems(one.exchange)]


def _of_queries(api: Api, ids: dict[Kind, Any]) -> Iterator[Mistake]:
    for number, (kind, action) in enumerate(calls(api)):
        way = (ACCEPT, PREFIX)[number % 2]
        missing = ask(api, kind, action, ids[kind], query={"organization_id": None}, way=way)
        yield Mistake(f"{action} {kind} without organisation", missing, "missing_param", "organization_id")
    for number, kind in enumerate(KINDS):
        name = ("limit", "organization_id")[number % 2]
        wrong = ask(api, kind, "list", query={name: "abc"}, way=number % 2)
        yield Mistake(f"list {kind} with a {name} that is no number", wrong, "invalid_attribute", name)


def _of_records(api: Api) -> Iterator[Mistake]:
    for number, (kind, action) in enumerate(calls(api)):
        if action in ("read", "update", "delete"):
            sent = {"name": "nobody"} if action == "update" else None
            absent = ask(api, kind, action, ABSENT, sent=sent, way=number % 2)
            yield Mistake(f"{action} {kind} that is not there", absent, "record_not_found", sort="absence")


def _of_bodies(api: Api, bench: Bench) -> Iterator[Mistake]:
    for number, kind in enumerate(MADE):
        needs = bench.needs(kind)
        lacking = sorted(needs)[0]
        rest = {name: value for name, value in needs.items() if name != lacking}
        yield Mistake(f"create {kind} without {lacking}", ask(api, kind, "create", sent=rest, way=number % 2))
        wrong = ask(api, kind, "create", sent={**needs, lacking: [True]})
        yield Mistake(f"create {kind} with a list in {lacking}", wrong, "invalid_attribute", lacking)
    held = ask(api, WORKSPACES, "delete", bench.make(LISTS)["workspace_id"])
    if not succeeded(held):
        yield Mistake("delete a workspace that holds lists", held, "not_modified")
    for body in (b"", b"{", b'{"task": ', b"[]", b'"task"', b"null", b'{"task": 5}', b"\xff\xfe"):
        broken = ask(api, TASKS, "create", body=body, headers=LABELLED)
        yield Mistake(f"create tasks with the body {body!r}", broken)
    yield Mistake("create lists without Content-Type", ask(api, LISTS, "create", body=b'{"list": {"name": "n"}}'))


def _of_access(api: Api) -> Iterator[Mistake]:
    for number, kind in enumerate(KINDS):
        state = ("none", "wrong", "empty")[number % 3]
        refused = ask(api, kind, "list", credentials=state, way=number % 2)
        yield Mistake(f"list {kind} with credentials: {state}", refused, sort="credentials")
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    for path in ("/v2/nothing", "/v2", "/v2/tasks/1/2"):
        yield Mistake(f"GET {path}", api.request("GET", path, query=query), sort="absence")
    if api.target.writes:
        patched = api.request("PATCH", "/v2/accounts", query=query)
        yield Mistake("PATCH /v2/accounts", patched, sort="absence")
    foreign = {"organization_id": ABSENT}
    yield Mistake(
        "an organisation that is not there", ask(api, TASKS, "list", query=foreign), "record_not_found", sort="absence"
    )
