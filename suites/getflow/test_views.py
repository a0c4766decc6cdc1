"""Views, the named selections of a list: document lines 36 to 49."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.corpus import Corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    CREATABLE_KINDS,
    KINDS,
    LISTS,
    READ_OPERATIONS,
    TASKS,
    VERSIONINGS,
    WORKSPACES,
    Record,
    RecordKind,
    check_documented,
    codes_and_attributes,
    is_success,
    json_body,
    page_records,
    record_identity,
    refusal_problems,
    require_success,
    send,
    without_request_ids,
)
from suites.getflow.pagination import all_records, first_page
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import persistent, stable_pair
from suites.getflow.strategies import known_ids, queries
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
UPCOMING = "upcoming"


def _ids(records: list[Record]) -> set[Any]:
    return {record_identity(record) for record in records}


def _upcoming(api: Api, readings: ObservedReadings) -> list[Record]:
    """All tasks of the view upcoming. When it is refused, the run decides whether that is a finding."""
    exchange = send(api, TASKS, "list", query={"view": UPCOMING})
    if not is_success(exchange):
        refusal_problems(api, exchange, "GETFLOW-VIEW-3")
        readings.record_meaning("GETFLOW-AMB-20", "example")
        raise MissingPrecondition("the view upcoming is not served")
    readings.record_meaning("GETFLOW-AMB-20", "served")
    return all_records(api, TASKS, "GETFLOW-VIEW-3", view=UPCOMING, limit=40)


@clause("GETFLOW-VIEW-1")
@pytest.mark.parametrize("view", ["default", UPCOMING])
def test_a_view_shows_part_of_the_default_view(api: Api, view: str) -> None:
    """Every task that a documented view shows is in the default view, for one workspace as for all."""
    _assert_part_of_the_default_view(api, view, "GETFLOW-VIEW-1")


@clause("GETFLOW-VIEW-14")
@pytest.mark.parametrize("view", [view for view in TASKS.views if view not in ("default", UPCOMING)])
def test_a_view_of_public_clients_shows_part_of_the_default_view(api: Api, view: str) -> None:
    """Every task that a view of public clients shows is in the default view, for one workspace as for all."""
    _assert_part_of_the_default_view(api, view, "GETFLOW-VIEW-14")


def _assert_part_of_the_default_view(api: Api, view: str, clause_id: str) -> None:
    workspaces = known_ids(api, WORKSPACES)

    def task_ids(view: str, workspace: int | None) -> set[Any]:
        return _ids(all_records(api, TASKS, clause_id, view=view, workspace_id=workspace))

    for workspace in [None, *workspaces[:2]]:
        only_in_view = persistent(lambda: task_ids(view, workspace) - task_ids("default", workspace))  # noqa: B023  # called at once
        assert not only_in_view, f"only in the view {view}: {sorted(only_in_view, key=str)[:5]}"
    if not task_ids(view, None):
        raise MissingPrecondition(f"the view {view} shows no task")


@clause("GETFLOW-VIEW-3")
def test_upcoming_tasks_have_a_due_date(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """Every task of the view upcoming has a due date, also one that is started or completed."""
    without_due_date = factory.create(TASKS, starts_on="2017-05-15")
    upcoming = _upcoming(api, readings)
    if upcoming and not any("due_on" in task for task in upcoming):
        raise MissingPrecondition("no task shows its due_on, so that nobody can tell what its due date is")
    readings.observe("GETFLOW-AMB-19", due_on=all("due_on" in task for task in upcoming), other=True)
    undated = [task["id"] for task in upcoming if "due_on" in task and task["due_on"] is None]
    assert not undated, f"tasks without a due date: {undated[:5]}"
    assert without_due_date["id"] not in _ids(upcoming), "a task that only has a start is shown"


@clause("GETFLOW-VIEW-3")
def test_every_task_with_a_due_date_is_upcoming(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """The view upcoming omits no task with a due date: past or future, completed or open."""
    created = [
        factory.create(TASKS, due_on="2017-05-15"),
        factory.create(TASKS, due_on="2036-05-15T16:58:39Z"),
        factory.create(TASKS, due_on="2017-05-15", completed=True),
    ]

    def missing_tasks() -> set[Any]:
        dated = {task["id"] for task in all_records(api, TASKS, "GETFLOW-VIEW-3", view="default") if task.get("due_on")}
        return dated - _ids(_upcoming(api, readings))

    missing = persistent(missing_tasks)
    assert not missing, f"tasks with a due date that the view omits: {sorted(missing)[:5]}"
    assert {task["id"] for task in created} <= _ids(_upcoming(api, readings))


@clause("GETFLOW-VIEW-4")
def test_the_parameter_view_selects_the_view(api: Api, factory: RecordFactory) -> None:
    """The parameter view selects the view: a task without dates is not shown with view=upcoming."""
    undated = factory.create(TASKS)["id"]
    default_ids = _ids(all_records(api, TASKS, "GETFLOW-VIEW-4", view="default"))
    upcoming_ids = _ids(all_records(api, TASKS, "GETFLOW-VIEW-4", view=UPCOMING))
    assert undated not in upcoming_ids, f"{len(default_ids)} tasks in both views"


@clause("GETFLOW-VIEW-5")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_every_endpoint_has_a_default_view(api: Api, versioning: int) -> None:
    """Every list and every single record accepts view=default."""
    for kind, action in READ_OPERATIONS:
        identifier = first_page(api, kind, "GETFLOW-VIEW-5", limit=1)[0]["id"] if action == "read" else None
        send(api, kind, action, identifier, versioning=versioning)  # shows whether the target has the path
        exchange = send(api, kind, action, identifier, query={"view": "default"}, versioning=versioning)
        require_success(api, exchange, "GETFLOW-VIEW-5")


@clause("GETFLOW-VIEW-6")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_view_defaults_to_default(api: Api, kind: RecordKind) -> None:
    """Without a view a list is the same as with view=default, whatever the query."""

    def outcome(query: dict[str, Any]) -> Any:
        exchange = send(api, kind, "list", query=query)
        check_documented(api, exchange, "GETFLOW-VIEW-6")
        return without_request_ids(json_body(exchange))

    def check(query: dict[str, Any]) -> None:
        query_without_view = {name: value for name, value in query.items() if name != "view"}
        without_view, with_default = stable_pair(
            api, lambda: outcome(query_without_view), lambda: outcome({**query_without_view, "view": "default"})
        )
        assert without_view == with_default, (
            f"without: {str(without_view)[:300]} … and with view=default: {str(with_default)[:300]}"
        )

    check({})
    for_all(check, 12, query=queries(api, kind))


@clause("GETFLOW-VIEW-7")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_the_default_view_has_every_record(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """The default view shows a new record, and every record that it showed before."""
    ids_before = _ids(all_records(api, kind, "GETFLOW-VIEW-7", view="default"))
    attributes: Record = {"completed": True} if kind == TASKS else {}
    created = [
        factory.create(kind)["id"],
        factory.create(kind, **attributes)["id"] if kind != CREATABLE_KINDS[-1] else None,
    ]
    ids_after = _ids(all_records(api, kind, "GETFLOW-VIEW-7", view="default"))
    missing = {identifier for identifier in created if identifier is not None} - ids_after
    assert not missing, f"new {kind} that are not shown: {missing}"
    lost = [
        identifier
        for identifier in sorted(ids_before - ids_after, key=str)
        if is_success(send(api, kind, "read", identifier))
    ]
    assert not lost, f"{kind} that can be read and are no longer shown: {lost}"


@clause("GETFLOW-VIEW-7")
def test_archived_and_cleared_records_are_shown_or_not(
    api: Api, factory: RecordFactory, readings: ObservedReadings
) -> None:
    """The default view shows archived and cleared records, or neither of them."""
    archived = factory.create(LISTS, archived=True)["id"]
    shown_list = archived in _ids(all_records(api, LISTS, "GETFLOW-VIEW-7"))
    cleared = api.target.settings.get("CLEARED_TASK_ID")
    shown_task = cleared is None or int(cleared) in _ids(all_records(api, TASKS, "GETFLOW-VIEW-7"))
    readings.one_of(
        "GETFLOW-AMB-14",
        everything=shown_list and shown_task,
        active=not shown_list and (cleared is None or not shown_task),
    )


@clause("GETFLOW-VIEW-7")
def test_filtered_tasks_are_in_the_default_view(api: Api) -> None:
    """Every task that any filter shows is in the default view."""
    default_ids = _ids(all_records(api, TASKS, "GETFLOW-VIEW-7", view="default"))

    def check(query: dict[str, Any]) -> None:
        filtered = _ids(page_records(api, send(api, TASKS, "list", query=query), TASKS, "GETFLOW-VIEW-7"))
        if not filtered:
            raise MissingPrecondition("no task matches")
        unexpected = [
            identifier
            for identifier in filtered - default_ids
            if not isinstance(identifier, int) or identifier <= max(default_ids, default=0)
        ]
        assert not unexpected, f"not in the default view: {unexpected[:5]}"

    for_all(check, 15, query=queries(api, TASKS))


@clause("GETFLOW-VIEW-4")
def test_an_unknown_view_is_refused_or_ignored(api: Api, readings: ObservedReadings) -> None:
    """An unknown view is refused by the parameter's name, or ignored."""

    def check(kind: RecordKind, name: str) -> None:
        exchange = send(api, kind, "list", query={"view": f"no_such_{name}"})
        check_documented(api, exchange, "GETFLOW-VIEW-4")
        reported = codes_and_attributes(exchange)
        is_named = ("invalid_attribute", "view") in reported or ("unsupported_param", "view") in reported
        ignored = is_success(exchange) and _is_default(api, kind, json_body(exchange))
        readings.one_of("GETFLOW-AMB-7", refused=not is_success(exchange) and is_named, ignored=ignored)

    letters = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12)
    for_all(check, 15, kind=st.sampled_from(KINDS), name=letters)


def _is_default(api: Api, kind: RecordKind, body: Record) -> bool:
    default = json_body(send(api, kind, "list", query={"view": "default"}))
    return [record_identity(record) for record in default.get(kind.plural, [])] == [
        record_identity(record) for record in body[kind.plural]
    ]


@pytest.mark.client
@clause("GETFLOW-VIEW-10")
def test_our_requests_use_views(corpus: Corpus) -> None:
    """Our own documented request for tasks uses the view of the document's example."""
    operation = TASKS.operation("list")
    used = [case.parameters["query"].get("view") for case in corpus.examples(operation)]
    assert UPCOMING in used, f"the documented requests have the views {used}"
