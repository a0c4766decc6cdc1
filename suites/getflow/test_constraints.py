"""What a view shows can also be selected by parameters: document line 48."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from itertools import permutations
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import TASKS, WORKSPACES, Record, is_success, page_records, record_identity, send
from suites.getflow.pagination import all_records
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import persistent, stable_pair
from suites.getflow.strategies import instant, known_ids
from suites.hypothesis_checks import for_all

pytestmark = pytest.mark.bug_kind("comparison")

clause = pytest.mark.clause
ID_FILTERS = ("workspace_id", "list_id", "owner_id")
TIMES = ("created_after", "created_before", "updated_after", "updated_before", "completed_after")


def _ids(records: list[Record]) -> set[Any]:
    return {record_identity(record) for record in records}


def _matches(record: Record, name: str, value: Any) -> bool | None:
    """Whether a record matches the filter; None when it lies on the boundary or the record does not say."""
    if not name.endswith(("_after", "_before")):
        return record[name] == value if name in record else None
    event, _, direction = name.rpartition("_")
    moment, boundary = instant(record.get(f"{event}_at")), instant(value)
    if (
        f"{event}_at" not in record
        or (record[f"{event}_at"] and moment is None)
        or boundary is None
        or moment == boundary
    ):
        return None
    return moment is not None and (moment > boundary if direction == "after" else moment < boundary)


def _values(tasks: list[Record]) -> dict[str, list[Any]]:
    """The values that some task has, by the name of the filter that selects by them.

    A time filter has those of its own event, so that the middle one divides the tasks, else those of any event.
    """

    def distinct(*members: str) -> list[Any]:
        return sorted({task[name] for task in tasks for name in members if task.get(name) is not None}, key=str)

    values = {name: distinct(name) for name in (*ID_FILTERS, "cleared")}
    values |= {name: distinct(f"{name.partition('_')[0]}_at") or distinct("created_at", "updated_at") for name in TIMES}
    if not any(values.values()):
        raise MissingPrecondition("no task has anything to filter by")
    return {name: candidates for name, candidates in values.items() if candidates}


def _plain_constraints(values: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """Each filter with a value from the middle; flags with each value; times also with another offset from UTC."""
    for name, candidates in values.items():
        middle = candidates[len(candidates) // 2]
        yield from ((name, value) for value in (candidates if name == "cleared" else [middle]))
        if name in TIMES and (moment := instant(middle)) is not None:
            yield name, moment.astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat()


def _constraints(values: dict[str, list[Any]]) -> st.SearchStrategy[tuple[str, Any]]:
    """A filter of tasks by a value that some task has."""
    return st.one_of([st.tuples(st.just(name), st.sampled_from(candidates)) for name, candidates in values.items()])


@clause("GETFLOW-VIEW-13", "GETFLOW-VIEW-9")
def test_a_filter_shows_exactly_the_matching_tasks(api: Api) -> None:
    """A filter by list, workspace, owner or time without a view shows exactly the matching tasks."""
    tasks = all_records(api, TASKS, "GETFLOW-VIEW-13", view="default")

    def mismatching_ids(name: str, value: Any, expected_tasks: list[Record]) -> set[tuple[Any, str]]:
        sent = str(value).lower() if isinstance(value, bool) else value
        shown = _ids(all_records(api, TASKS, "GETFLOW-VIEW-13", **{name: sent}))
        matches = {task["id"]: _matches(task, name, value) for task in expected_tasks}
        shown_wrongly = {
            (identifier, "is shown and does not match") for identifier in shown if matches.get(identifier) is False
        }
        return shown_wrongly | {
            (identifier, "matches and is not shown")
            for identifier, is_match in matches.items()
            if is_match and identifier not in shown
        }

    def check(constraint: tuple[str, Any]) -> None:
        name, value = constraint
        mismatches = mismatching_ids(name, value, tasks)
        if mismatches:
            mismatches = (
                persistent(
                    lambda: mismatching_ids(name, value, all_records(api, TASKS, "GETFLOW-VIEW-13", view="default"))
                )
                & mismatches
            )
        assert not mismatches, f"{name}={value}: {sorted(mismatches)[:5]}"

    values = _values(tasks)
    for constraint in _plain_constraints(values):
        check(constraint)
    for_all(check, 6, constraint=_constraints(values))


@clause("GETFLOW-VIEW-13")
@pytest.mark.parametrize("name", ID_FILTERS)
def test_a_filter_by_an_id_that_no_task_has_shows_nothing(api: Api, name: str) -> None:
    """A filter by 0 or by a number above all others shows no task with another value, or is refused."""
    tasks = all_records(api, TASKS, "GETFLOW-VIEW-13", view="default")
    known = [task[name] for task in tasks if isinstance(task.get(name), int)]
    if not known:
        raise MissingPrecondition(f"no task shows its {name}")
    for value in (0, max(known) + 1):
        exchange = send(api, TASKS, "list", query={name: value})
        if is_success(exchange):
            shown = page_records(api, exchange, TASKS, "GETFLOW-VIEW-13")
            others = [record_identity(task) for task in shown if _matches(task, name, value) is False]
            assert not others, f"{name}={value}: tasks with another one are shown: {others[:5]}"


@clause("GETFLOW-VIEW-13", "GETFLOW-VIEW-9")
def test_two_filters_apply_together(api: Api) -> None:
    """A task that is shown for two filters matches both, whichever comes first."""
    tasks = all_records(api, TASKS, "GETFLOW-VIEW-13", view="default")
    values = _values(tasks)
    compared = 0
    for first, second in permutations(values, 2):
        pair = {name: values[name][len(values[name]) // 2] for name in (first, second)}
        alone = [{task["id"] for task in tasks if _matches(task, name, pair[name]) is False} for name in pair]
        if not alone[1] - alone[0]:  # the second filter leaves out nothing that the first does not
            continue
        compared += 1
        sent = {name: str(value).lower() if isinstance(value, bool) else value for name, value in pair.items()}
        shown = _ids(page_records(api, send(api, TASKS, "list", query=sent), TASKS, "GETFLOW-VIEW-13"))
        wrong = {identifier for identifier in shown if identifier in alone[0] | alone[1]}
        assert not wrong, f"{sent}: shown and match one of them at most: {sorted(wrong)[:5]}"
    if not compared:
        raise MissingPrecondition("every filter leaves out the same tasks")


@clause("GETFLOW-VIEW-13", "GETFLOW-VIEW-9")
def test_filtering_by_owner_equals_the_view_owned(api: Api, factory: RecordFactory) -> None:
    """A filter by the caller's owner_id shows what the view `owned` shows, in each workspace, too."""
    own_account = int(api.setting("ACCOUNT_ID"))
    workspaces = sorted({factory.create(TASKS, owner_id=own_account)["workspace_id"], *known_ids(api, WORKSPACES)[:6]})

    def task_ids(**query: Any) -> set[Any]:
        return _ids(all_records(api, TASKS, "GETFLOW-VIEW-13", **query))

    def check(workspace: int | None) -> None:
        by_view, by_owner = stable_pair(
            api,
            lambda: task_ids(view="owned", workspace_id=workspace),
            lambda: task_ids(owner_id=own_account, workspace_id=workspace),
        )
        assert by_view == by_owner, f"shown by only one of view and filter: {sorted(by_view ^ by_owner)[:5]}"

    for_all(check, 7, workspace=st.sampled_from([None, *workspaces]))
