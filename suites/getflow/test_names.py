"""Projects are called lists and teams workspaces, in every path and attribute: document lines 4 to 9."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    CREATABLE_KINDS,
    LISTS,
    MEMBERSHIPS,
    READ_OPERATIONS,
    TASKS,
    UNKNOWN_ID,
    V2_MEDIA_TYPE,
    VERSIONINGS,
    WORKSPACES,
    RecordKind,
    accepted_body,
    codes_and_attributes,
    is_success,
    json_body,
    page_records,
    refusal_problems,
    require_success,
    response_text,
    send,
)
from suites.getflow.pagination import all_records, first_page
from suites.getflow.record_factory import RecordFactory
from suites.getflow.strategies import NAMES
from suites.hypothesis_checks import for_all
from suites.reporting.failures import violation

clause = pytest.mark.clause
OLD_NAME = re.compile(r"(^|_)(project|team)s?(_|$)", re.IGNORECASE)
OLD_PATHS = ("/projects", "/teams", "/project", "/team", "/projects/1234", "/teams/1")
REQUIRED_IDS = {TASKS: ["workspace_id"], LISTS: ["workspace_id"], MEMBERSHIPS: ["workspace_id", "account_id"]}


def member_names(value: Any) -> Iterator[str]:
    """The name of every member, at any depth."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from member_names(part)


@clause("GETFLOW-NAME-1")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_lists_and_workspaces_have_these_names(api: Api, versioning: int) -> None:
    """/lists serves lists, /workspaces workspaces, and tasks include them under these names."""
    for kind in (LISTS, WORKSPACES):
        page_records(api, send(api, kind, "list", versioning=versioning), kind, "GETFLOW-NAME-1")
    exchange = send(api, TASKS, "list", query={"include": "lists,workspaces"}, versioning=versioning)
    included = accepted_body(api, exchange, "GETFLOW-INC-6")
    if not any(task.get("list_id") for task in included["tasks"]):
        raise MissingPrecondition("the first page of tasks has none that is in a list")
    if not {"lists", "workspaces"} <= set(included):
        raise violation(api, "GETFLOW-INC-6", "lists and workspaces", f"included under {sorted(included)}", exchange)


@clause("GETFLOW-NAME-2")
def test_no_attribute_is_named_after_projects_or_teams(api: Api, factory: RecordFactory) -> None:
    """No member of any response, at any depth, is named after projects or teams."""
    ids = factory.ids_by_kind()
    for kind, action in READ_OPERATIONS:
        include = ",".join(kind.includes) or None
        for identifier in (ids[kind], UNKNOWN_ID) if action == "read" else (None,):
            _check_names(json_body(send(api, kind, action, identifier, query={"include": include})), f"{action} {kind}")
    for kind in CREATABLE_KINDS if api.target.writes else ():
        created = factory.create(kind)
        _check_names(created, f"create {kind}")
        if kind.supports("update"):
            _check_names(
                json_body(send(api, kind, "update", created["id"], attributes={"name": "n"})), f"update {kind}"
            )
        _check_names(json_body(send(api, kind, "create", attributes={})), f"refused {kind}")


def _check_names(value: Any, place: str) -> None:
    old_names = sorted({key for key in member_names(value) if OLD_NAME.search(key)})
    assert not old_names, f"{place}: {', '.join(old_names)}"


@clause("GETFLOW-NAME-2")
@pytest.mark.parametrize("path", OLD_PATHS)
def test_projects_and_teams_are_no_endpoints(api: Api, path: str) -> None:
    """Paths of projects and teams are refused, with the version in the path and in Accept."""
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    for exchange in (
        api.request("GET", f"/v2{path}", query=query),
        api.request("GET", path, query=query, headers={"Accept": V2_MEDIA_TYPE}),
    ):
        assert 400 <= exchange.response.status < 500, response_text(exchange)


@clause("GETFLOW-NAME-2", "GETFLOW-NAME-4")
@pytest.mark.parametrize("kind", [TASKS, LISTS, MEMBERSHIPS], ids=str)
def test_team_id_does_not_stand_for_workspace_id(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A creation with team_id instead of workspace_id is refused."""
    sent = factory.required_attributes(kind)
    sent["team_id"] = sent.pop("workspace_id")
    exchange = send(api, kind, "create", attributes=sent)
    assert not is_success(exchange), response_text(exchange)
    attributes = {attribute for _, attribute in codes_and_attributes(exchange)}
    assert attributes & {"workspace_id", "team_id"}, response_text(exchange)


@clause("GETFLOW-NAME-3")
def test_records_name_lists_and_workspaces_by_these_words(api: Api) -> None:
    """Some record has a workspace_id, and some has a list_id."""
    bodies = [json_body(send(api, kind, "list")) for kind in (TASKS, LISTS)]
    listed = [[value for value in body.values() if isinstance(value, list)] for body in bodies]
    if not all(any(values) for values in listed):
        raise MissingPrecondition("the organisation has no tasks or no lists")
    names = set(member_names(bodies))
    assert {"list_id", "workspace_id"} <= names, f"tasks and lists have {', '.join(sorted(names))}"


@clause("GETFLOW-REC-6")
@pytest.mark.parametrize(
    ("kind", "names"),
    [(TASKS, ("list_id", "workspace_id")), (LISTS, ("workspace_id",)), (MEMBERSHIPS, ("workspace_id",))],
    ids=str,
)
def test_records_have_the_ids_of_their_list_and_workspace(api: Api, kind: RecordKind, names: tuple[str, ...]) -> None:
    """Every listed record, and a record read alone, has the ids of its list and workspace."""
    records = all_records(api, kind, "GETFLOW-REC-6")
    for record in records:
        assert set(names) <= set(record), (
            f"{kind} {record.get('id')} has no {', '.join(sorted(set(names) - set(record)))}"
        )
    if not records:
        raise MissingPrecondition(f"the organisation has no {kind}")
    single = json_body(send(api, kind, "read", records[0]["id"])).get(kind.singular)
    assert isinstance(single, dict), f"{kind.singular} {records[0]['id']}: {single}"
    assert set(names) <= set(single), f"{kind.singular} {records[0]['id']} has {sorted(single)}"
    assert single["workspace_id"] == records[0]["workspace_id"]


@clause("GETFLOW-NAME-4")
def test_nothing_is_created_without_its_required_ids(api: Api, factory: RecordFactory) -> None:
    """A creation without a required id is refused by its name, and nothing is created."""
    required = {kind: factory.required_attributes(kind) for kind in REQUIRED_IDS}
    refused_names = set()

    def check(required_id: tuple[RecordKind, str], name: str) -> None:
        kind, missing = required_id
        attributes = {key: value for key, value in required[kind].items() if key != missing}
        if "name" in attributes:
            attributes["name"] = f"{attributes['name']} {name}"
            refused_names.add(attributes["name"])
        exchange = send(api, kind, "create", attributes=attributes)
        if is_success(exchange):
            raise violation(api, "GETFLOW-NAME-4", f"a refusal that names {missing}", response_text(exchange), exchange)
        refusal_problems(api, exchange, "GETFLOW-NAME-4")
        reported = codes_and_attributes(exchange)
        expected = [("missing_param", missing), ("invalid_attribute", missing)]
        assert any(problem in reported for problem in expected), f"{kind} without {missing}: {reported}"

    required_ids = [(kind, name) for kind, names in REQUIRED_IDS.items() for name in names]
    for_all(check, 20, required_id=st.sampled_from(required_ids), name=NAMES)
    existing_names = {record.get("name") for kind in (TASKS, LISTS) for record in all_records(api, kind)}
    assert not refused_names & existing_names, f"refused, but created: {refused_names & existing_names}"


@clause("GETFLOW-NAME-5")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_lists_are_an_endpoint(api: Api, versioning: int) -> None:
    """/lists serves the list of lists, and each list by its id."""
    exchange = send(api, LISTS, "list", versioning=versioning)
    require_success(api, exchange, "GETFLOW-NAME-5")
    records = page_records(api, exchange, LISTS, "GETFLOW-NAME-5")
    if records:
        require_success(api, send(api, LISTS, "read", records[0]["id"], versioning=versioning), "GETFLOW-NAME-5")


@clause("GETFLOW-REC-6")
def test_a_list_id_leads_to_a_list(api: Api) -> None:
    """The list_id and workspace_id of a task can be read at /lists and /workspaces."""
    task = next((candidate for candidate in first_page(api, TASKS, "GETFLOW-REC-6") if candidate["list_id"]), None)
    if task is None:
        raise MissingPrecondition("the first page of tasks has none that is in a list")
    for kind, name in ((LISTS, "list_id"), (WORKSPACES, "workspace_id")):
        exchange = send(api, kind, "read", task[name])
        assert is_success(exchange), f"{name} {task[name]}: {response_text(exchange)}"
        record = json_body(exchange).get(kind.singular)
        assert isinstance(record, dict), response_text(exchange)
        assert record.get("id") == task[name], response_text(exchange)
