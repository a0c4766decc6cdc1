"""Views, the named choices of what a list shows: document lines 36 to 49."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.operation import examples
from fixtures.api import Api, Lacking
from fixtures.corpus import Corpus
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.dialect import (
    KINDS,
    LISTS,
    MADE,
    READS,
    TASKS,
    WAYS,
    Kind,
    Row,
    accepted,
    ask,
    body,
    both,
    documented,
    first,
    for_all,
    identity,
    refused,
    rows,
    shown,
    succeeded,
    whole,
    without_ids,
)
from suites.getflow.drawn import instant, known_ids, queries
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
    return whole(api, TASKS, "GETFLOW-VIEW-3", view=UPCOMING)


@clause("GETFLOW-VIEW-1")
@pytest.mark.parametrize("view", TASKS.views)
def test_a_view_only_restricts(api: Api, view: str) -> None:
    """All that a view of tasks shows is among what the default view shows, for one workspace as for all."""
    spaces = known_ids(api, TASKS.__class__("workspaces"))
    for workspace in [None, *spaces[:2]]:
        shown_here = _ids(whole(api, TASKS, "GETFLOW-VIEW-1", view=view, workspace_id=workspace))
        everything = _ids(whole(api, TASKS, "GETFLOW-VIEW-1", view="default", workspace_id=workspace))
        assert shown_here <= everything, f"only in the view {view}: {sorted(map(str, shown_here - everything))[:5]}"


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
    before = {row["id"] for row in whole(api, TASKS, "GETFLOW-VIEW-3", view="default") if row.get("due_on")}
    found = _ids(_upcoming(api, readings))
    gone = before - found
    still = {row["id"] for row in whole(api, TASKS, view="default") if row.get("due_on")} & gone if gone else gone
    assert not still, f"tasks with a due date that the view leaves out: {sorted(still)[:5]}"
    assert {row["id"] for row in made} <= found


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
        one, other = both(lambda: seen(plain), lambda: seen({**plain, "view": "default"}))
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


def _passes(row: Row, name: str, value: Any) -> bool | None:
    """Whether a record is what the filter asks for; None when the edge decides or the record does not say."""
    if not name.endswith(("_after", "_before")):
        return row[name] == value if name in row else None
    event, _, side = name.rpartition("_")
    stamp, edge = instant(row.get(f"{event}_at")), instant(value)
    if f"{event}_at" not in row or (row[f"{event}_at"] and stamp is None) or edge is None or stamp == edge:
        return None
    return stamp is not None and (stamp > edge if side == "after" else stamp < edge)


def _constraints(everything: list[Row]) -> st.SearchStrategy[tuple[str, Any]]:
    """A filter of tasks with a value that some task has."""
    values = {
        name: sorted({row[name] for row in everything if row.get(name) is not None}, key=str)
        for name in ("workspace_id", "list_id", "owner_id")
    }
    stamps = sorted({row[name] for row in everything for name in ("created_at", "updated_at") if row.get(name)})
    times = ("created_after", "created_before", "updated_after", "updated_before", "completed_after")
    choices = [st.tuples(st.just(name), st.sampled_from(found)) for name, found in values.items() if found]
    if stamps:
        choices.append(st.tuples(st.sampled_from(times), st.sampled_from(stamps)))
    if not choices:
        raise Lacking("no task has anything to filter by")
    return st.one_of(choices)


@clause("GETFLOW-VIEW-9")
def test_a_constraint_shows_what_fits_it_and_nothing_else(api: Api) -> None:
    """By list, workspace, owner or time, a constraint without a view shows those tasks of the default view."""
    everything = whole(api, TASKS, "GETFLOW-VIEW-9", view="default")

    def holds(constraint: tuple[str, Any]) -> None:
        name, value = constraint
        found = _ids(whole(api, TASKS, "GETFLOW-VIEW-9", **{name: value}))
        wrong = [row["id"] for row in everything if _passes(row, name, value) is False and row["id"] in found]
        lost = [row["id"] for row in everything if _passes(row, name, value) is True and row["id"] not in found]
        assert not wrong, f"{name}={value} shows tasks that do not fit it: {wrong[:5]}"
        assert not lost, f"{name}={value} leaves out tasks that fit it: {lost[:5]}"

    for_all(holds, 15, constraint=_constraints(everything))


@clause("GETFLOW-VIEW-9")
def test_one_s_own_tasks_can_be_had_without_a_view(api: Api, bench: Bench) -> None:
    """owner_id of the caller shows what the view owned shows, in each workspace too."""
    me = int(api.setting("ACCOUNT_ID"))
    spaces = sorted({bench.make(TASKS, owner_id=me)["workspace_id"], *known_ids(api, Kind("workspaces"))[:6]})

    def seen(**query: Any) -> set[Any]:
        return _ids(whole(api, TASKS, "GETFLOW-VIEW-9", **query))

    def holds(workspace: int | None) -> None:
        by_view, by_hand = both(
            lambda: seen(view="owned", workspace_id=workspace), lambda: seen(owner_id=me, workspace_id=workspace)
        )
        assert by_view == by_hand, f"only by one of the two: {sorted(by_view ^ by_hand)[:5]}"

    for_all(holds, 7, workspace=st.sampled_from([None, *spaces]))


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
