"""What a LIST with parameters should give: the document's lines 86-127, computed here from the whole list.

Rule: nothing of a server's is used, so that both can disagree. Where the document is silent (objects without the
key, equal keys, the order of letters) nothing is demanded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.dialect import ADDRESS, KINDS, Kind, Record, asked, everything, ids, succeeds

Group = dict[str, Any]
HOUSES = (222, 9, 10, 1003, 9, 101)  # as text they stand in another order; two are equal


def page(size: int, start: int = 0) -> Record:
    """Parameters that cut out a page."""
    return {"pagination": True, "pagination.size": size, "pagination.from": start}


def by(key: str, order: str = "ASC") -> Record:
    """Parameters that sort."""
    return {"sorting": True, "sorting.by": key, "sorting.order": order}


def having(group: Group) -> Record:
    """Parameters that filter by that tree."""
    return {"condition": True, "condition.values": group}


def equal(key: str, value: Any, operator: str = "EQUAL") -> Record:
    """One condition."""
    return {"key": key, "operator": operator, "value": value}


def group(*items: Record, subgroups: Sequence[Group] = (), logic: str = "AND") -> Group:
    """A group of conditions and subgroups."""
    return {"items": list(items), "subgroups": list(subgroups), "logic": logic}


def only(key: str, value: Any) -> Record:
    """Parameters that leave the objects with that value, in the tree of the document's example."""
    return having(group(subgroups=[group(equal(key, value))]))


ONE = json.dumps({"parameters": page(1)})


def holds(tree: Group, record: Mapping[str, Any]) -> bool:
    """Whether the object fulfils a tree of EQUAL conditions."""
    verdicts = [_is(record.get(item["key"]), item["value"]) for item in tree["items"]]
    verdicts += [holds(inner, record) for inner in tree["subgroups"]]
    return all(verdicts) if tree["logic"] == "AND" else any(verdicts)


def _is(member: Any, value: Any) -> bool:
    return type(member) is type(value) and bool(member == value)


def values(kind: Kind, records: Sequence[Record]) -> dict[str, list[Any]]:
    """The documented plain members that are there, each with the values seen."""
    seen: dict[str, list[Any]] = {}
    for record in records:
        for key in kind.keys:
            member = record.get(key)
            if (
                isinstance(member, str | int)
                and not isinstance(member, bool)
                and member not in seen.setdefault(key, [])
            ):
                seen[key].append(member)
    return {key: found for key, found in seen.items() if found}


def conditions(seen: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Record]:
    """Conditions on values that are there, on their beginnings, and on values that nobody has."""

    def of(key: str) -> st.SearchStrategy[Record]:
        there = st.sampled_from(list(seen[key]))
        near = there.map(lambda value: value[:-1] + "~" if isinstance(value, str) else value + 100_000)
        start = there.map(lambda value: value[: max(1, len(value) // 2)] if isinstance(value, str) else value // 10)
        return st.one_of(there, there, near, start).map(lambda value: equal(key, value))

    return st.sampled_from(sorted(seen)).flatmap(of)


def trees(seen: Mapping[str, Sequence[Any]], logics: Sequence[str] = ("AND",)) -> st.SearchStrategy[Group]:
    """Trees of such conditions, two levels of subgroups at most; no group is empty."""
    items = st.lists(conditions(seen), min_size=1, max_size=2)
    logic = st.sampled_from(list(logics))
    leaf = st.builds(lambda found, joined: group(*found, logic=joined), items, logic)

    def around(inner: st.SearchStrategy[Group]) -> st.SearchStrategy[Group]:
        return st.builds(
            lambda found, groups, joined: group(*found, subgroups=groups, logic=joined),
            st.lists(conditions(seen), max_size=1),
            st.lists(inner, min_size=1, max_size=2),
            logic,
        )

    return st.one_of(leaf, around(leaf), around(around(leaf)))


def numbers(records: Sequence[Record], key: str) -> list[float]:
    """The numbers that these objects have under that key, in their order."""
    return [
        record[key]
        for record in records
        if isinstance(record.get(key), int | float) and not isinstance(record[key], bool)
    ]


def in_groups(found: Sequence[Any]) -> bool:
    """Whether equal values stand side by side, as they do in any order that sorting makes."""
    changes = [value for place, value in enumerate(found) if place == 0 or found[place - 1] != value]
    return len(changes) == len({json.dumps(value) for value in changes})


def listed(api: Api, kind: Kind, *parameters: Record) -> tuple[list[Record], int]:
    """The objects and the count of a LIST with all these parameters."""
    whole: Record = {}
    for one in parameters:
        whole |= one
    answer = asked(api, "LIST", kind, parameters=whole)
    return succeeds(answer), answer["count"]


def houses(make: Callable[..., Record], city: str) -> list[Record]:
    """Addresses of our own in a city that no other address has."""
    return [make(ADDRESS, city=city, streetNumber=number) for number in HOUSES]


def enough(records: list[Record], count: int = 1) -> list[Record]:
    """These objects. Raises Lacking when there are too few."""
    if len(records) < count:
        raise Lacking(f"the target has {len(records)} objects where this check needs {count}")
    return records


def reading_calls(api: Api) -> st.SearchStrategy[tuple[str, Kind, str, Any]]:
    """Calls that change nothing: method, kind, object id and parameters, good and bad ones."""
    known = {kind.name: (ids(everything(api, kind))[:5] or [""]) for kind in KINDS}
    pages = st.none() | st.builds(page, st.integers(1, 4), st.integers(0, 4))
    lists = st.tuples(st.just("LIST"), st.sampled_from(KINDS), st.just(""), pages)
    nobody = st.uuids(version=4).map(str)
    others = st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(
            st.sampled_from(["OPEN", "INDEX"]),
            st.just(kind),
            st.one_of(st.sampled_from(known[kind.name]), nobody, st.just("")),
            st.none(),
        )
    )
    return lists | others
