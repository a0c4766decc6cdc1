"""Projects are lists and teams are workspaces, in every path and every attribute: document lines 4 to 9."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    ABSENT,
    LISTS,
    MADE,
    MEMBERSHIPS,
    READS,
    TASKS,
    VERSIONED,
    WAYS,
    WORKSPACES,
    Kind,
    ask,
    body,
    problems,
    refused,
    rows,
    shown,
    succeeded,
)
from suites.getflow.drawn import NAMES
from suites.getflow.paging import first, whole

clause = pytest.mark.clause
OLD_NAME = re.compile(r"(^|_)(project|team)s?(_|$)", re.IGNORECASE)
OLD_PATHS = ("/projects", "/teams", "/project", "/team", "/projects/1234", "/teams/1")
NEEDED = {TASKS: ["workspace_id"], LISTS: ["workspace_id"], MEMBERSHIPS: ["workspace_id", "account_id"]}


def keys(value: Any) -> Iterator[str]:
    """The name of every member, however deep."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(part)


@clause("GETFLOW-NAME-1")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_lists_and_workspaces_go_by_these_names(api: Api, way: int) -> None:
    """/lists answers lists, /workspaces workspaces, and tasks include them under the same names."""
    for kind in (LISTS, WORKSPACES):
        exchange = ask(api, kind, "list", way=way)
        assert succeeded(exchange), f"/{kind}: {shown(exchange)}"
        assert kind.plural in body(exchange), f"/{kind} has {sorted(body(exchange))} at its root"
    included = body(ask(api, TASKS, "list", query={"include": "lists,workspaces"}, way=way))
    tasks = included.get("tasks")
    if not isinstance(tasks, list) or not any(isinstance(one, dict) and one.get("list_id") for one in tasks):
        raise Lacking("the first page of tasks has none that is in a list")
    assert {"lists", "workspaces"} <= set(included), f"included under {sorted(included)}"


@clause("GETFLOW-NAME-2")
def test_no_attribute_is_named_after_projects_or_teams(api: Api, bench: Bench) -> None:
    """No member of any answer, at any depth, is: lists, single records, creations, updates, refusals."""
    ids = bench.ids()
    for kind, action in READS:
        include = ",".join(kind.includes) or None
        for record in (ids[kind], ABSENT) if action == "read" else (None,):
            _check_names(body(ask(api, kind, action, record, query={"include": include})), f"{action} {kind}")
    for kind in MADE if api.target.writes else ():
        made = bench.make(kind)
        _check_names(made, f"create {kind}")
        if kind.can("update"):
            _check_names(body(ask(api, kind, "update", made["id"], sent={"name": "n"})), f"update {kind}")
        _check_names(body(ask(api, kind, "create", sent={})), f"refused {kind}")


def _check_names(value: Any, where: str) -> None:
    found = sorted({key for key in keys(value) if OLD_NAME.search(key)})
    assert not found, f"{where}: {', '.join(found)}"


@clause("GETFLOW-NAME-2")
@pytest.mark.parametrize("path", OLD_PATHS)
def test_projects_and_teams_are_no_endpoints(api: Api, path: str) -> None:
    """Such a path is refused, with the version in front of it and with the version in Accept."""
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    for exchange in (
        api.request("GET", f"/v2{path}", query=query),
        api.request("GET", path, query=query, headers={"Accept": VERSIONED}),
    ):
        assert 400 <= exchange.answer.status < 500, shown(exchange)


@clause("GETFLOW-NAME-2", "GETFLOW-NAME-4")
@pytest.mark.parametrize("kind", [TASKS, LISTS, MEMBERSHIPS], ids=str)
def test_team_id_does_not_stand_for_workspace_id(api: Api, bench: Bench, kind: Kind) -> None:
    """A creation that names its workspace by another word lacks it."""
    attributes = bench.needs(kind)
    attributes["team_id"] = attributes.pop("workspace_id")
    exchange = ask(api, kind, "create", sent=attributes)
    assert not succeeded(exchange), shown(exchange)
    assert "workspace_id" in [one.get("attribute") for one in problems(exchange)] or "team_id" in [
        one.get("attribute") for one in problems(exchange)
    ], shown(exchange)


@clause("GETFLOW-NAME-3")
@pytest.mark.parametrize(
    ("kind", "names"),
    [(TASKS, ("list_id", "workspace_id")), (LISTS, ("workspace_id",)), (MEMBERSHIPS, ("workspace_id",))],
    ids=str,
)
def test_records_carry_the_ids_of_their_list_and_workspace(api: Api, kind: Kind, names: tuple[str, ...]) -> None:
    """Every record of the list has them, and so has the record read alone."""
    found = whole(api, kind, "GETFLOW-NAME-3")
    for row in found:
        assert set(names) <= set(row), f"{kind} {row.get('id')} has no {', '.join(sorted(set(names) - set(row)))}"
    if not found:
        raise Lacking(f"the organisation has no {kind}")
    alone = body(ask(api, kind, "read", found[0]["id"])).get(kind.singular)
    assert isinstance(alone, dict), f"{kind.singular} {found[0]['id']}: {alone}"
    assert set(names) <= set(alone), f"{kind.singular} {found[0]['id']} has {sorted(alone)}"
    assert alone["workspace_id"] == found[0]["workspace_id"]


@clause("GETFLOW-NAME-4")
def test_nothing_is_created_without_the_ids_it_needs(api: Api, bench: Bench) -> None:
    """Whatever else is sent, a creation without such an id is refused, names it, and leaves nothing behind."""
    needed = {kind: bench.needs(kind) for kind in NEEDED}
    refused_names = set()

    def holds(spot: tuple[Kind, str], name: str) -> None:
        kind, lacking = spot
        attributes = {key: value for key, value in needed[kind].items() if key != lacking}
        if "name" in attributes:
            attributes["name"] = f"{attributes['name']} {name}"
            refused_names.add(attributes["name"])
        exchange = ask(api, kind, "create", sent=attributes)
        if succeeded(exchange):
            raise broken(api, "GETFLOW-NAME-4", f"a refusal that names {lacking}", shown(exchange), exchange)
        told = [(one.get("code"), one.get("attribute")) for one in refused(api, exchange, "GETFLOW-NAME-4")]
        due = [("missing_param", lacking), ("invalid_attribute", lacking)]
        assert any(one in told for one in due), f"{kind} without {lacking}: {told}"

    spots = [(kind, name) for kind, names in NEEDED.items() for name in names]
    for_all(holds, 20, spot=st.sampled_from(spots), name=NAMES)
    kept = {row.get("name") for kind in (TASKS, LISTS) for row in whole(api, kind)}
    assert not refused_names & kept, f"refused and kept: {refused_names & kept}"


@clause("GETFLOW-NAME-5")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_lists_are_an_endpoint(api: Api, way: int) -> None:
    """/lists answers, and so does a list below it."""
    exchange = ask(api, LISTS, "list", way=way)
    assert succeeded(exchange), shown(exchange)
    found = rows(api, exchange, LISTS, "GETFLOW-NAME-5")
    assert not found or succeeded(ask(api, LISTS, "read", found[0]["id"], way=way)), shown(api.exchanges[-1])


@clause("GETFLOW-NAME-1", "GETFLOW-NAME-3")
def test_a_list_id_leads_to_a_list(api: Api) -> None:
    """What list_id and workspace_id of a task say can be read at /lists and /workspaces."""
    task = next((row for row in first(api, TASKS, "GETFLOW-NAME-3", limit=100) if row["list_id"]), None)
    if task is None:
        raise Lacking("the first page of tasks has none that is in a list")
    for kind, name in ((LISTS, "list_id"), (WORKSPACES, "workspace_id")):
        exchange = ask(api, kind, "read", task[name])
        assert succeeded(exchange), f"{name} {task[name]}: {shown(exchange)}"
        read = body(exchange).get(kind.singular)
        assert isinstance(read, dict), shown(exchange)
        assert read.get("id") == task[name], shown(exchange)
