"""What a LIST with parameters must return: document lines 86-127, computed here from the unfiltered list.

Rule: no code of a server is used, so that both can disagree. Where the document is silent (objects without the key,
equal keys, the order of letters) nothing is required.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import ADDRESS, KINDS, ObjectKind, Record, all_objects, assert_success, http_envelope, ids

ConditionGroup = dict[str, Any]
STREET_NUMBERS = (222, 9, 10, 1003, 9, 101)  # sorted as texts they have another order; two are equal


def page_of(size: int, start: int = 0) -> Record:
    """Parameters for a page of `size` objects that begins at `start`."""
    return {"pagination": True, "pagination.size": size, "pagination.from": start}


def sorted_by(key: str, order: str = "ASC") -> Record:
    """Parameters that sort by that key."""
    return {"sorting": True, "sorting.by": key, "sorting.order": order}


def filtered_by(group: ConditionGroup) -> Record:
    """Parameters that filter by that tree of conditions."""
    return {"condition": True, "condition.values": group}


def condition(key: str, value: Any, operator: str = "EQUAL") -> Record:
    """One condition."""
    return {"key": key, "operator": operator, "value": value}


def condition_group(*items: Record, subgroups: Sequence[ConditionGroup] = (), logic: str = "AND") -> ConditionGroup:
    """A group of conditions and subgroups, joined by `logic` ("AND" or "OR")."""
    return {"items": list(items), "subgroups": list(subgroups), "logic": logic}


def equality_filter(key: str, value: Any) -> Record:
    """Parameters that select the objects with that value, as a tree like in the document's example."""
    return filtered_by(condition_group(subgroups=[condition_group(condition(key, value))]))


PAGE_OF_ONE = json.dumps({"parameters": page_of(1)})


def fulfils(group: ConditionGroup, record: Mapping[str, Any]) -> bool:
    """Whether the object fulfils a tree of EQUAL conditions."""
    results = [_equals(record.get(item["key"]), item["value"]) for item in group["items"]]
    results += [fulfils(subgroup, record) for subgroup in group["subgroups"]]
    return all(results) if group["logic"] == "AND" else any(results)


def _equals(actual: Any, expected: Any) -> bool:
    return type(actual) is type(expected) and bool(actual == expected)


def observed_values(kind: ObjectKind, records: Sequence[Record]) -> dict[str, list[Any]]:
    """The documented plain members that occur, each with the distinct values seen."""
    values_by_key: dict[str, list[Any]] = {}
    for record in records:
        for key in kind.plain_members:
            value = record.get(key)
            if (
                isinstance(value, str | int)
                and not isinstance(value, bool)
                and value not in values_by_key.setdefault(key, [])
            ):
                values_by_key[key].append(value)
    return {key: values for key, values in values_by_key.items() if values}


def condition_strategy(values_by_key: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Record]:
    """Conditions on values that occur, on their prefixes, and on values that no object has."""

    def for_key(key: str) -> st.SearchStrategy[Record]:
        existing = st.sampled_from(list(values_by_key[key]))
        similar = existing.map(lambda value: value[:-1] + "~" if isinstance(value, str) else value + 100_000)
        prefix = existing.map(lambda value: value[: max(1, len(value) // 2)] if isinstance(value, str) else value // 10)
        return st.one_of(existing, existing, similar, prefix).map(lambda value: condition(key, value))

    return st.sampled_from(sorted(values_by_key)).flatmap(for_key)


def condition_trees(
    values_by_key: Mapping[str, Sequence[Any]], logics: Sequence[str] = ("AND",)
) -> st.SearchStrategy[ConditionGroup]:
    """Trees of such conditions, with at most two levels of subgroups; no group is empty."""
    items = st.lists(condition_strategy(values_by_key), min_size=1, max_size=2)
    logic = st.sampled_from(list(logics))
    leaf = st.builds(lambda conditions, logic_name: condition_group(*conditions, logic=logic_name), items, logic)

    def enclosing(subtrees: st.SearchStrategy[ConditionGroup]) -> st.SearchStrategy[ConditionGroup]:
        return st.builds(
            lambda conditions, groups, logic_name: condition_group(*conditions, subgroups=groups, logic=logic_name),
            st.lists(condition_strategy(values_by_key), max_size=1),
            st.lists(subtrees, min_size=1, max_size=2),
            logic,
        )

    return st.one_of(leaf, enclosing(leaf), enclosing(enclosing(leaf)))


def numeric_values(records: Sequence[Record], key: str) -> list[float]:
    """The numbers that these objects have under that key, in order."""
    return [
        record[key]
        for record in records
        if isinstance(record.get(key), int | float) and not isinstance(record[key], bool)
    ]


def equal_values_are_adjacent(values: Sequence[Any]) -> bool:
    """Whether equal values stand side by side, as they do after any sorting."""
    run_starts = [value for index, value in enumerate(values) if index == 0 or values[index - 1] != value]
    return len(run_starts) == len({json.dumps(value) for value in run_starts})


def list_objects(
    api: Api, kind: ObjectKind, *parameters: Record, may_be_refused: bool = False
) -> tuple[list[Record], int]:
    """The objects and the count of a LIST with all these parameters.

    With `may_be_refused`, which is for parameters that no example shows, a refusal raises MissingPrecondition.
    """
    all_parameters: Record = {}
    for some_parameters in parameters:
        all_parameters |= some_parameters
    envelope = http_envelope(api, "LIST", kind, parameters=all_parameters)
    if may_be_refused and envelope["success"] is False:
        raise MissingPrecondition(f"the target refuses LIST of {kind} with {json.dumps(all_parameters)}")
    return assert_success(envelope), envelope["count"]


def create_addresses(new_object: Callable[..., Record], city: str) -> list[Record]:
    """New addresses in a city that no other address has, one for each of STREET_NUMBERS."""
    return [new_object(ADDRESS, city=city, streetNumber=number) for number in STREET_NUMBERS]


def at_least(records: list[Record], count: int = 1) -> list[Record]:
    """These objects. Raises MissingPrecondition when there are fewer than `count`."""
    if len(records) < count:
        raise MissingPrecondition(f"the target has {len(records)} objects where this check needs {count}")
    return records


def reading_call_strategy(api: Api) -> st.SearchStrategy[tuple[str, ObjectKind, str, Any]]:
    """Valid and invalid calls that change nothing: (method, kind, object id, parameters)."""
    known_ids = {kind.name: (ids(all_objects(api, kind))[:5] or [""]) for kind in KINDS}
    pages = st.none() | st.builds(page_of, st.integers(1, 4), st.integers(0, 4))
    lists = st.tuples(st.just("LIST"), st.sampled_from(KINDS), st.just(""), pages)
    unknown_ids = st.uuids(version=4).map(str)
    other_calls = st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(
            st.sampled_from(["OPEN", "INDEX"]),
            st.just(kind),
            st.one_of(st.sampled_from(known_ids[kind.name]), unknown_ids, st.just("")),
            st.none(),
        )
    )
    return lists | other_calls
