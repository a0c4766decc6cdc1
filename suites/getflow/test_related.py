"""Related records in the same answer, by include: document lines 106 to 119."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all, persists
from suites.getflow.dialect import (
    INCLUDING,
    MEMBERSHIPS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    Row,
    accepted,
    ask,
    body,
    documented,
    identity,
    problems,
    rows,
    succeeded,
    without_ids,
)
from suites.getflow.drawn import queries, subsets
from suites.getflow.paging import whole
from suites.readings import Observed

clause = pytest.mark.clause

POINTERS = {  # which attributes point to records of that kind
    "accounts": ("account_id", "owner_id", "subscriber_ids"),
    "lists": ("list_id",),
    "workspaces": ("workspace_id",),
}


def pointed(found: list[Row], name: str) -> set[Any]:
    """The ids of that kind that these records name."""
    ids: set[Any] = set()
    for row in found:
        for attribute in POINTERS.get(name, ()):
            value = row.get(attribute)
            ids |= set(value) if isinstance(value, list) else {value} - {None}
    return ids


def _included(api: Api, kind: Kind, clause: str, include: str, way: int = 1, **query: Any) -> Row:
    return accepted(api, ask(api, kind, "list", query={"include": include, **query}, way=way), clause)


def _names(kind: Kind) -> list[str]:
    """What records of that kind point to by an attribute and can include."""
    return [name for name in kind.includes if name in POINTERS]


@clause("GETFLOW-INC-1")
@pytest.mark.parametrize("kind", INCLUDING, ids=str)
def test_include_brings_related_records(api: Api, kind: Kind) -> None:
    """A list that is known to include brings each kind alone, so does a single record; without it none comes."""
    plain = accepted(api, ask(api, kind, "list"), "GETFLOW-INC-1")
    for name in _names(kind):
        for way in WAYS:
            told = _included(api, kind, "GETFLOW-INC-1", name, way)
            if pointed(told[kind.plural], name):
                assert told.get(name) or "included" in told, f"include={name} brings {sorted(told)}"
                assert name not in plain, f"{name} without being asked for"
        if kind.can("read") and plain[kind.plural]:
            row = plain[kind.plural][0]
            one = accepted(api, ask(api, kind, "read", row["id"], query={"include": name}), "GETFLOW-INC-1")
            if pointed([row], name):
                assert one.get(name) or "included" in one, f"one {kind.singular} with include={name}: {sorted(one)}"


@clause("GETFLOW-INC-2")
@pytest.mark.parametrize("kind", [kind for kind in INCLUDING if len(kind.includes) > 1], ids=str)
def test_include_takes_several_names_in_any_order(api: Api, kind: Kind) -> None:
    """Any choice of names brings what each of them brings alone, whatever their order."""

    def seen(include: str, limit: int) -> dict[str, Any]:
        told = without_ids(_included(api, kind, "GETFLOW-INC-2", include, limit=limit))
        return {name: sorted(map(str, map(identity, told.get(name, [])))) for name in kind.includes}

    def holds(names: list[str], limit: int) -> None:
        one, other = both(api, lambda: seen(",".join(names), limit), lambda: seen(",".join(reversed(names)), limit))
        assert one == other, f"{names}: {one}, and in reverse order {other}"
        alone = {name: seen(name, limit)[name] for name in names}
        due = {name: alone.get(name, []) for name in kind.includes if name != kind.plural}
        got = {name: ids for name, ids in one.items() if name != kind.plural}
        assert got == due, f"together {got}, alone {due}"

    names = st.lists(st.sampled_from(kind.includes), min_size=2, unique=True)
    for_all(holds, 10, names=names, limit=st.integers(1, 30))


@clause("GETFLOW-INC-3")
@pytest.mark.parametrize("kind", [kind for kind in INCLUDING if _names(kind)], ids=str)
def test_no_record_that_is_pointed_to_is_left_out(api: Api, kind: Kind) -> None:
    """Every account, list and workspace that a page's records name stands in its list at the root."""

    def holds(query: dict[str, Any]) -> None:
        names = _names(kind)
        told = accepted(api, ask(api, kind, "list", query={**query, "include": ",".join(names)}), "GETFLOW-INC-3")
        for name in names:
            there = {row["id"] for row in told.get(name, [])}
            lacking = pointed(told[kind.plural], name) - there
            assert not lacking, f"{name} that are named and not included: {sorted(lacking, key=str)[:5]}"

    for_all(holds, 12, query=queries(api, kind))


@clause("GETFLOW-INC-3")
def test_memberships_come_with_tasks_and_workspaces(api: Api) -> None:
    """With workspaces all of theirs come, with tasks some of their workspaces', and none of any other workspace."""

    def of_workspaces() -> set[Any]:
        told = _included(api, WORKSPACES, "GETFLOW-INC-3", "memberships", limit=100)
        spaces = {row["id"] for row in told["workspaces"]}
        everyone = whole(api, MEMBERSHIPS, "GETFLOW-INC-3")
        due = {row["id"] for row in everyone if row["workspace_id"] in spaces}
        return due - {row["id"] for row in told.get("memberships", [])}

    def of_owners() -> set[Any]:
        told = _included(api, TASKS, "GETFLOW-INC-3", "memberships", limit=100)
        owned = {(row["workspace_id"], row.get("owner_id")) for row in told["tasks"]}
        everyone = whole(api, MEMBERSHIPS, "GETFLOW-INC-3")
        due = {row["id"] for row in everyone if (row["workspace_id"], row["account_id"]) in owned}
        return due - {row["id"] for row in told.get("memberships", [])}

    lost = persists(of_workspaces)
    assert not lost, f"memberships of these workspaces that are not included: {sorted(lost)[:5]}"
    lost = persists(of_owners)
    assert not lost, f"memberships of the tasks' owners that are not included: {sorted(lost)[:5]}"
    told = _included(api, TASKS, "GETFLOW-INC-3", "memberships", limit=100)
    spaces = {row["workspace_id"] for row in told["tasks"]}
    strange = [row["id"] for row in told.get("memberships", []) if row["workspace_id"] not in spaces]
    assert not strange, f"memberships of other workspaces: {strange[:5]}"


@clause("GETFLOW-INC-3")
def test_an_included_record_is_the_record(api: Api) -> None:
    """It is what its own endpoint answers, for each kind that can be included."""
    spots = {name: kind for kind in INCLUDING for name in kind.includes if name != kind.plural}

    def others(name: str) -> set[str]:
        found = _included(api, spots[name], "GETFLOW-INC-3", name, limit=10).get(name, [])[:3]
        alone = [body(ask(api, Kind(name), "read", row["id"])).get(Kind(name).singular) for row in found]
        return {f"included as {row}, read as {other}" for row, other in zip(found, alone, strict=True) if row != other}

    for name in spots:
        found = persists(lambda: others(name))  # noqa: B023  # called at once
        assert not found, f"{name}: {sorted(found)[0]}"


@clause("GETFLOW-INC-4")
@pytest.mark.parametrize("kind", INCLUDING, ids=str)
def test_include_does_not_change_the_records(api: Api, kind: Kind) -> None:
    """Whatever is included, a list has the records that it has without, in the same order, with the same members."""

    def seen(query: dict[str, Any]) -> list[Row]:
        return rows(api, ask(api, kind, "list", query=query), kind, "GETFLOW-INC-4")

    def holds(query: dict[str, Any], include: str) -> None:
        plain = {name: value for name, value in query.items() if name != "include"}
        one, other = both(api, lambda: seen(plain), lambda: seen({**plain, "include": include}))
        if kind.plural not in include.split(","):
            assert one == other, f"without: {str(one)[:300]} … and with {include}: {str(other)[:300]}"

    for_all(holds, 12, query=queries(api, kind), include=subsets(kind.includes))


@clause("GETFLOW-INC-3")
def test_a_kind_without_related_records_is_empty_or_absent(api: Api, bench: Bench, readings: Observed) -> None:
    """A task that is in no list includes an empty list of lists, or none."""
    made = bench.make(TASKS)
    told = accepted(api, ask(api, TASKS, "read", made["id"], query={"include": "lists"}), "GETFLOW-INC-3")
    readings.one_of("GETFLOW-AMB-28", empty=told.get("lists") == [], absent="lists" not in told)


@clause("GETFLOW-INC-1")
def test_an_unheard_of_include_is_refused_or_passed_over(api: Api, readings: Observed) -> None:
    """A name that is no kind is refused by the parameter's name, or the answer is that without it."""

    def holds(kind: Kind, name: str) -> None:
        exchange = ask(api, kind, "list", query={"include": f"no_such_{name}"})
        documented(api, exchange, "GETFLOW-INC-1")
        told = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
        fits = ("invalid_attribute", "include") in told or ("unsupported_param", "include") in told
        ignored = succeeded(exchange) and set(body(exchange)) <= {"request_id", "request_uuid", kind.plural, "extra"}
        readings.one_of("GETFLOW-AMB-7", refused=not succeeded(exchange) and fits, ignored=ignored)

    letters = st.text(st.characters(codec="ascii", categories=("Ll",)), min_size=1, max_size=12)
    for_all(holds, 10, kind=st.sampled_from(INCLUDING), name=letters)
