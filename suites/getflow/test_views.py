"""Views, the named choices of what a list shows: document lines 36 to 49."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from fixtures.corpus import Corpus
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all, persists
from suites.getflow.dialect import (
    KINDS,
    LISTS,
    MADE,
    READS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    Row,
    ask,
    body,
    documented,
    identity,
    refused,
    rows,
    shown,
    succeeded,
    without_ids,
)
from suites.getflow.drawn import known_ids, queries
from suites.getflow.paging import first, whole
from suites.readings import Observed

clause = pytest.mark.clause
UPCOMING = "upcoming"


def _ids(found: list[Row]) -> set[Any]:
    return {identity(row) for row in found}


def _upcoming(api: Api, readings: Observed) -> list[Row]:
    """All tasks in the view; without it the run says whether it should be there."""
    exchange = ask(api, TASKS, "list", query={"view": UPCOMING})
    if not succeeded(exchange):
        refused(api, exchange, "GETFLOW-VIEW-3")
        readings.saw("GETFLOW-AMB-20", "example")
        raise Lacking("the view upcoming is not served")
    readings.saw("GETFLOW-AMB-20", "served")
    return whole(api, TASKS, "GETFLOW-VIEW-3", view=UPCOMING, limit=40)


@clause("GETFLOW-VIEW-1")
@pytest.mark.parametrize("view", TASKS.views)
def test_a_view_only_restricts(api: Api, view: str) -> None:
    """All that a view of tasks shows is among what the default view shows, for one workspace as for all."""
    spaces = known_ids(api, WORKSPACES)

    def seen(view: str, workspace: int | None) -> set[Any]:
        return _ids(whole(api, TASKS, "GETFLOW-VIEW-1", view=view, workspace_id=workspace))

    for workspace in [None, *spaces[:2]]:
        only = persists(lambda: seen(view, workspace) - seen("default", workspace))  # noqa: B023  # called at once
        assert not only, f"only in the view {view}: {sorted(only, key=str)[:5]}"


@clause("GETFLOW-VIEW-3")
def test_upcoming_tasks_have_a_due_date(api: Api, bench: Bench, readings: Observed) -> None:
    """No task in the view is without one, be it started, done, or neither."""
    plain = bench.make(TASKS, starts_on="2017-05-15")
    found = _upcoming(api, readings)
    readings.one_of("GETFLOW-AMB-19", due_on=all("due_on" in row for row in found), other=True)
    undated = [row["id"] for row in found if row.get("due_on") is None]
    assert not undated, f"tasks without a due date: {undated[:5]}"
    assert plain["id"] not in _ids(found), "a task that only has a start is shown"


@clause("GETFLOW-VIEW-3")
def test_every_task_with_a_due_date_is_upcoming(api: Api, bench: Bench, readings: Observed) -> None:
    """None of the default view that has a due date is left out: past or future, with a time, done or open."""
    made = [
        bench.make(TASKS, due_on="2017-05-15"),
        bench.make(TASKS, due_on="2036-05-15T16:58:39Z"),
        bench.make(TASKS, due_on="2017-05-15", completed=True),
    ]

    def left_out() -> set[Any]:
        dated = {row["id"] for row in whole(api, TASKS, "GETFLOW-VIEW-3", view="default") if row.get("due_on")}
        return dated - _ids(_upcoming(api, readings))

    lost = persists(left_out)
    assert not lost, f"tasks with a due date that the view leaves out: {sorted(lost)[:5]}"
    assert {row["id"] for row in made} <= _ids(_upcoming(api, readings))


@clause("GETFLOW-VIEW-4")
def test_the_parameter_view_chooses(api: Api, bench: Bench) -> None:
    """With view=upcoming a task without any date is not shown that is shown with view=default."""
    plain = bench.make(TASKS)["id"]
    default = _ids(whole(api, TASKS, "GETFLOW-VIEW-4", view="default"))
    upcoming = _ids(whole(api, TASKS, "GETFLOW-VIEW-4", view=UPCOMING))
    assert plain not in upcoming, f"{len(default)} tasks in both views"


@clause("GETFLOW-VIEW-5")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_every_endpoint_has_a_default_view(api: Api, way: int) -> None:
    """view=default is taken by every list and for every single record."""
    for kind, action in READS:
        identifier = first(api, kind, "GETFLOW-VIEW-5", limit=1)[0]["id"] if action == "read" else None
        exchange = ask(api, kind, action, identifier, query={"view": "default"}, way=way)
        assert succeeded(exchange), f"{action} {kind}: {shown(exchange)}"


@clause("GETFLOW-VIEW-6")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_view_is_the_default_view(api: Api, kind: Kind) -> None:
    """Whatever else is asked for, leaving the view out gives what view=default gives."""

    def seen(query: dict[str, Any]) -> Any:
        exchange = ask(api, kind, "list", query=query)
        documented(api, exchange, "GETFLOW-VIEW-6")
        return without_ids(body(exchange))

    def holds(query: dict[str, Any]) -> None:
        plain = {name: value for name, value in query.items() if name != "view"}
        one, other = both(api, lambda: seen(plain), lambda: seen({**plain, "view": "default"}))
        assert one == other, f"without: {str(one)[:300]} … and with view=default: {str(other)[:300]}"

    for_all(holds, 12, query=queries(api, kind))


@clause("GETFLOW-VIEW-7")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_the_default_view_has_every_record(api: Api, bench: Bench, kind: Kind) -> None:
    """A new record is in it, and so is every one that was in it before."""
    before = _ids(whole(api, kind, "GETFLOW-VIEW-7", view="default"))
    more = {"completed": True} if kind == TASKS else {}
    made = [bench.make(kind)["id"], bench.make(kind, **more)["id"] if kind != MADE[-1] else None]
    after = _ids(whole(api, kind, "GETFLOW-VIEW-7", view="default"))
    missing = {one for one in made if one is not None} - after
    assert not missing, f"new {kind} that are not shown: {missing}"
    lost = [one for one in sorted(before - after, key=str) if succeeded(ask(api, kind, "read", one))]
    assert not lost, f"{kind} that can be read and are no longer shown: {lost}"


@clause("GETFLOW-VIEW-7")
def test_archived_and_cleared_records_are_shown_or_not(api: Api, bench: Bench, readings: Observed) -> None:
    """All results are all that were not deleted, or all that are neither archived nor cleared."""
    archived = bench.make(LISTS, archived=True)["id"]
    shown_list = archived in _ids(whole(api, LISTS, "GETFLOW-VIEW-7"))
    cleared = api.target.settings.get("CLEARED_TASK_ID")
    shown_task = cleared is None or int(cleared) in _ids(whole(api, TASKS, "GETFLOW-VIEW-7"))
    readings.one_of(
        "GETFLOW-AMB-14",
        everything=shown_list and shown_task,
        active=not shown_list and (cleared is None or not shown_task),
    )


@clause("GETFLOW-VIEW-7")
def test_what_a_filter_shows_is_in_the_default_view(api: Api) -> None:
    """Every task that any choice of parameters brings up is in the default view read to its end."""
    everything = _ids(whole(api, TASKS, "GETFLOW-VIEW-7", view="default"))

    def holds(query: dict[str, Any]) -> None:
        found = _ids(rows(api, ask(api, TASKS, "list", query=query), TASKS, "GETFLOW-VIEW-7"))
        more = [one for one in found - everything if not isinstance(one, int) or one <= max(everything, default=0)]
        assert not more, f"not in the default view: {more[:5]}"

    for_all(holds, 15, query=queries(api, TASKS))


@clause("GETFLOW-VIEW-4")
def test_a_view_that_is_not_there_is_refused_or_the_default(api: Api, readings: Observed) -> None:
    """On every list a name that is no view is refused by that parameter's name, or passed over."""

    def holds(kind: Kind, name: str) -> None:
        exchange = ask(api, kind, "list", query={"view": f"no_such_{name}"})
        documented(api, exchange, "GETFLOW-VIEW-4")
        told = [(one.get("code"), one.get("attribute")) for one in body(exchange).get("errors") or []]
        fits = ("invalid_attribute", "view") in told or ("unsupported_param", "view") in told
        ignored = succeeded(exchange) and _is_default(api, kind, body(exchange))
        readings.one_of("GETFLOW-AMB-7", refused=not succeeded(exchange) and fits, ignored=ignored)

    letters = st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=12)
    for_all(holds, 15, kind=st.sampled_from(KINDS), name=letters)


def _is_default(api: Api, kind: Kind, found: Row) -> bool:
    default = body(ask(api, kind, "list", query={"view": "default"}))
    return [identity(row) for row in default.get(kind.plural, [])] == [identity(row) for row in found[kind.plural]]


@clause("GETFLOW-VIEW-10")
def test_our_requests_use_views(corpus: Corpus) -> None:
    """Where the page's example has a view for what is wanted, our own first request for tasks uses it, too."""
    operation = TASKS.operation("list")
    used = [case.parameters["query"].get("view") for case in corpus.examples(operation)]
    assert UPCOMING in used, f"the documented requests have the views {used}"
