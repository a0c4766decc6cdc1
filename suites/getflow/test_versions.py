"""Version 2, named in Accept or in front of the path: document lines 18 to 35."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all
from suites.getflow.dialect import (
    ACCEPT,
    CALLS,
    KINDS,
    LISTS,
    MADE,
    PREFIX,
    READS,
    TASKS,
    VERSIONED,
    WAYS,
    Kind,
    Row,
    accepted,
    ask,
    body,
    documented,
    record,
    refused,
    shown,
    succeeded,
    without_ids,
)
from suites.getflow.drawn import known_ids
from suites.getflow.paging import first
from suites.readings import Observed

clause = pytest.mark.clause


def _get(api: Api, path: str, headers: Mapping[str, str] | None = None) -> Exchange:
    return api.request("GET", path, query={"organization_id": api.setting("ORGANIZATION_ID")}, headers=headers)


def _media(version: int) -> dict[str, str]:
    return {"Accept": f"application/vnd.flow.v{version}+json"}


def _read_ids(api: Api, due: str) -> dict[Kind, Any]:
    """An id of each kind that can be read alone; what stands in the way is blamed on that clause."""
    return {kind: first(api, kind, due, limit=1)[0]["id"] for kind in KINDS if kind.can("read")}


@clause("GETFLOW-VER-1")
def test_answers_are_of_version_2(api: Api, readings: Observed) -> None:
    """No answer is labelled as another version than 2."""
    ids, labels = _read_ids(api, "GETFLOW-VER-1"), set()
    for kind, action in READS:
        for way in WAYS:
            exchange = ask(api, kind, action, ids.get(kind), way=way)
            label = exchange.answer.media_type()
            assert label == VERSIONED or "vnd.flow" not in label, f"{action} {kind}: {label}"
            accepted(api, exchange, "GETFLOW-VER-1")
            labels.add(label)
    readings.one_of("GETFLOW-AMB-33", versioned=labels == {VERSIONED}, plain=VERSIONED not in labels)


@clause("GETFLOW-VER-2")
def test_no_other_version_is_opened(api: Api) -> None:
    """The token gets nothing at any other version, named either way, on any endpoint."""
    ids = _read_ids(api, "GETFLOW-VER-2")

    def holds(call: tuple[Kind, str], version: int, way: int) -> None:
        kind, action = call
        path = kind.operation(action, ACCEPT).path.split("{")[0] + str(ids[kind] if action == "read" else "")
        exchange = _get(api, path, _media(version)) if way == ACCEPT else _get(api, f"/v{version}{path}")
        assert not succeeded(exchange), shown(exchange)
        refused(api, exchange, "GETFLOW-VER-2")

    versions = st.sampled_from([1, 3, 0, 4, 22, 12, 200])
    for_all(holds, 25, call=st.sampled_from(READS), version=versions, way=st.sampled_from(WAYS))


@clause("GETFLOW-VER-2")
def test_conflicting_versions_have_one_meaning(api: Api, readings: Observed) -> None:
    """Of a prefix and an Accept that disagree the same one counts always, or both are refused."""
    two_in_front = succeeded(_get(api, "/v2/lists", _media(1)))
    two_in_accept = succeeded(_get(api, "/v1/lists", _media(2)))
    readings.one_of(
        "GETFLOW-AMB-8",
        prefix=two_in_front and not two_in_accept,
        accept=two_in_accept and not two_in_front,
        refused=not two_in_front and not two_in_accept,
    )


@clause("GETFLOW-VER-3")
def test_without_a_version_nothing_breaks(api: Api, readings: Observed) -> None:
    """A request that names no version is refused as documented or served as version 2, on every endpoint alike."""
    ids, served = _read_ids(api, "GETFLOW-VER-3"), set()
    for kind, action in READS:
        path = kind.operation(action, ACCEPT).path.split("{")[0] + str(ids[kind] if action == "read" else "")
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            exchange = _get(api, path, headers)
            documented(api, exchange, "GETFLOW-VER-3")
            served.add(succeeded(exchange))
    readings.one_of("GETFLOW-AMB-9", refused=True not in served, served=False not in served)


@clause("GETFLOW-VER-5")
def test_accept_may_list_more_than_the_version(api: Api, readings: Observed) -> None:
    """Among other types the versioned one selects version 2; with the prefix an Accept for HTML is refused or not."""
    among = ("text/html, application/vnd.flow.v2+json;q=0.5", "application/vnd.flow.v2+json, */*;q=0.1")
    listed = all(succeeded(_get(api, "/lists", {"Accept": accept})) for accept in among)
    html = _get(api, "/v2/lists", {"Accept": "text/html"})
    readings.one_of(
        "GETFLOW-AMB-10",
        any_entry=listed and succeeded(html),
        negotiated=listed and 400 <= html.answer.status < 500,
    )


@clause("GETFLOW-VER-5")
def test_accept_alone_selects_version_2(api: Api) -> None:
    """Without a prefix the versioned Accept is enough on every endpoint, and the answer has a type that fits it."""
    ids = _read_ids(api, "GETFLOW-VER-5")
    for kind, action in READS:
        exchange = ask(api, kind, action, ids.get(kind), way=ACCEPT)
        assert succeeded(exchange), f"{action} {kind}: {shown(exchange)}"
        label = exchange.answer.media_type()
        assert label in (VERSIONED, "application/json"), f"{action} {kind}: {label}"
        accepted(api, exchange, "GETFLOW-VER-5")


@clause("GETFLOW-VER-5", "GETFLOW-VER-6")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_every_method_is_served_either_way(api: Api, bench: Bench, way: int) -> None:
    """All that can be done to a record of one's own can be done with the version given this way."""
    due = ("GETFLOW-VER-5", "GETFLOW-VER-6")[way]
    for kind, action in CALLS:
        if kind not in MADE:
            continue
        if action == "create":
            bench.make(kind, due, way=way)
            continue
        identifier = bench.make(kind, due)["id"]
        sent = {"name": "either way"} if action == "update" else None
        exchange = ask(api, kind, action, identifier, sent=sent, way=way)
        if not succeeded(exchange):
            raise broken(api, due, f"{action} {kind} is served", shown(exchange), exchange)


@clause("GETFLOW-VER-6")
def test_every_path_can_be_prefixed(api: Api) -> None:
    """Below /v2 every path is served that is served without it."""
    ids = _read_ids(api, "GETFLOW-VER-6")
    for kind, action in READS:
        exchange = ask(api, kind, action, ids.get(kind), way=PREFIX)
        assert succeeded(exchange), f"{action} {kind}: {shown(exchange)}"


@clause("GETFLOW-VER-7")
def test_the_prefix_needs_no_header(api: Api) -> None:
    """Below /v2 an Accept that is absent, for anything, or for plain JSON gets the same."""
    ids = _read_ids(api, "GETFLOW-VER-7")

    def seen(call: tuple[Kind, str], accept: str | None) -> Any:
        kind, action = call
        exchange = ask(api, kind, action, ids.get(kind), headers={"Accept": accept} if accept else {})
        assert succeeded(exchange), f"{action} {kind} with Accept {accept}: {shown(exchange)}"
        return without_ids(body(exchange))

    def holds(call: tuple[Kind, str], accept: str) -> None:
        one, other = both(api, lambda: seen(call, None), lambda: seen(call, accept))
        assert one == other, f"with Accept {accept}: {str(other)[:300]}, without: {str(one)[:300]}"

    accepts = st.sampled_from(["*/*", "application/json", "application/*", VERSIONED])
    for_all(holds, 20, call=st.sampled_from(READS), accept=accepts)


@clause("GETFLOW-VER-8")
def test_every_list_is_read_by_its_id(api: Api) -> None:
    """A list that is listed is read by its id."""
    listed = first(api, LISTS, "GETFLOW-VER-8")

    def holds(row: Row) -> None:
        exchange = ask(api, LISTS, "read", row["id"])
        assert succeeded(exchange) or row["id"] not in known_ids(api, LISTS), shown(exchange)

    for_all(holds, 12, row=st.sampled_from(listed))


@clause("GETFLOW-VER-8")
def test_the_list_of_the_settings_is_read(api: Api) -> None:
    """The list whose id the settings name, the document's 1234 on our reference, is there."""
    identifier = api.setting("LIST_ID")
    read = record(api, ask(api, LISTS, "read", identifier), LISTS, "GETFLOW-VER-8")
    assert str(read["id"]) == identifier


@clause("GETFLOW-VER-9")
def test_a_task_is_created_below_the_prefix(api: Api, bench: Bench) -> None:
    """POST to /v2/tasks makes a task with the name that was sent."""
    name = api.unique("made by prefix ")
    exchange = ask(api, TASKS, "create", sent={**bench.needs(TASKS), "name": name})
    assert succeeded(exchange), shown(exchange)
    made = record(api, exchange, TASKS, "GETFLOW-VER-9")
    bench.keep(TASKS, made["id"])
    assert made.get("name") == name
