"""What a view shows can be had by constraints of one's own: document line 48."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all, persists
from suites.getflow.dialect import TASKS, WORKSPACES, Row, identity
from suites.getflow.drawn import instant, known_ids
from suites.getflow.paging import whole

clause = pytest.mark.clause


def _ids(found: list[Row]) -> set[Any]:
    return {identity(row) for row in found}


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

    def off(name: str, value: Any, rows: list[Row]) -> set[tuple[Any, str]]:
        found = _ids(whole(api, TASKS, "GETFLOW-VIEW-9", **{name: value}))
        fits = {row["id"]: _passes(row, name, value) for row in rows}
        wrong = {(one, "is shown and does not fit") for one in found if fits.get(one) is False}
        return wrong | {(one, "fits and is not shown") for one, fit in fits.items() if fit and one not in found}

    def holds(constraint: tuple[str, Any]) -> None:
        name, value = constraint
        found = off(name, value, everything)
        if found:
            found &= persists(lambda: off(name, value, whole(api, TASKS, "GETFLOW-VIEW-9", view="default")))
        assert not found, f"{name}={value}: {sorted(found)[:5]}"

    for_all(holds, 15, constraint=_constraints(everything))


@clause("GETFLOW-VIEW-9")
def test_one_s_own_tasks_can_be_had_without_a_view(api: Api, bench: Bench) -> None:
    """owner_id of the caller shows what the view owned shows, in each workspace too."""
    me = int(api.setting("ACCOUNT_ID"))
    spaces = sorted({bench.make(TASKS, owner_id=me)["workspace_id"], *known_ids(api, WORKSPACES)[:6]})

    def seen(**query: Any) -> set[Any]:
        return _ids(whole(api, TASKS, "GETFLOW-VIEW-9", **query))

    def holds(workspace: int | None) -> None:
        by_view, by_hand = both(
            api, lambda: seen(view="owned", workspace_id=workspace), lambda: seen(owner_id=me, workspace_id=workspace)
        )
        assert by_view == by_hand, f"only by one of the two: {sorted(by_view ^ by_hand)[:5]}"

    for_all(holds, 7, workspace=st.sampled_from([None, *spaces]))
