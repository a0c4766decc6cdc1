"""Filtering: lines 98-120 and 218-245 of the document. Exactly the objects that fulfil the tree of conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    ADDRESS,
    KINDS,
    Kind,
    asked,
    everything,
    for_all,
    ids,
    some,
)
from suites.bitvis.selections import (
    HOUSES,
    enough,
    equal,
    group,
    having,
    holds,
    houses,
    listed,
    only,
    trees,
    values,
)
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-FILT-1")
@each_kind
def test_equal_leaves_exactly_the_objects_with_that_value(api: Api, make: Make, kind: Kind) -> None:
    """A value, its beginning, one that begins with it and one that nobody has: each finds what has just that value."""
    text = api.unique("same-")
    ours = [make(kind, **{kind.text: value}) for value in (text, f"{text}b", text[:-1], text)]
    whole = everything(api, kind)
    for value in (text, f"{text}b", text[:-1], text[:3], f"{text}~", text.upper()):
        found, count = listed(api, kind, only(kind.text, value))
        expected = [record["id"] for record in whole if record.get(kind.text) == value]
        assert sorted(ids(found)) == sorted(expected), f"{kind.text} equal to {value!r}"
        assert count == len(expected)
    assert {ours[0]["id"], ours[3]["id"]} == set(ids(listed(api, kind, only(kind.text, text))[0]))


def filters_right(api: Api, kind: Kind, tree: dict[str, Any]) -> None:
    """The objects that the tree leaves are those that it leaves here, counted right."""
    found, count = listed(api, kind, having(tree))
    expected = [record["id"] for record in everything(api, kind) if holds(tree, record)]
    assert sorted(ids(found)) == sorted(expected), f"by the tree {json.dumps(tree, ensure_ascii=False)}"
    assert count == len(expected)


@clause("BITVIS-FILT-2")
@each_kind
def test_a_tree_of_conditions_means_what_it_says(api: Api, make: Make, kind: Kind) -> None:
    """Trees of groups joined by AND, up to two levels deep, leave what an evaluation of our own leaves."""
    if api.target.writes and kind is ADDRESS:
        houses(make, api.unique("Tree-"))
    seen = values(kind, enough(everything(api, kind)))
    for_all(lambda tree: filters_right(api, kind, tree), 40, tree=trees(seen))


@clause("BITVIS-FILT-2")
def test_conditions_of_every_group_count(api: Api, make: Make) -> None:
    """Own conditions of the outermost group, those of the first subgroup and of the second all narrow the list."""
    city = api.unique("Groups-")
    ours = houses(make, city)
    here, ten = equal("city", city), equal("streetNumber", 10)
    nobody = equal("streetName", api.unique("nobody-"))
    ten_id = [ours[HOUSES.index(10)]["id"]]
    for tree, expected in (
        (group(here, ten), ten_id),
        (group(here, subgroups=[group(ten)]), ten_id),
        (group(ten, subgroups=[group(here)]), ten_id),
        (group(subgroups=[group(here), group(ten)]), ten_id),
        (group(subgroups=[group(subgroups=[group(here), group(ten)])]), ten_id),
        (group(nobody, subgroups=[group(here)]), []),
        (group(subgroups=[group(here), group(nobody)]), []),
        (group(subgroups=[group(here)]), ids(ours)),
    ):
        assert sorted(ids(listed(api, ADDRESS, having(tree))[0])) == sorted(expected), json.dumps(tree)


@clause("BITVIS-FILT-2")
def test_or_leaves_what_any_condition_leaves_or_is_refused(api: Api, readings: Observed, make: Make) -> None:
    """OR in a subgroup and between subgroups finds the objects of either condition."""
    city = api.unique("Either-")
    ours = houses(make, city)
    either = [equal("streetNumber", number) for number in (9, 222)]
    expected = sorted(record["id"] for record in ours if record["streetNumber"] in (9, 222))
    inner = group(equal("city", city), subgroups=[group(*either, logic="OR")])
    outer = group(equal("city", city), subgroups=[group(subgroups=[group(one) for one in either], logic="OR")])
    for tree in (inner, outer):
        answer = asked(api, "LIST", parameters=having(tree))
        right = answer["success"] is True and sorted(ids(answer["data"])) == expected
        readings.one_of("BITVIS-AMB-17", supported=right, refused=answer["success"] is False)
    if answer["success"] is True:
        seen = values(ADDRESS, everything(api))
        for_all(lambda tree: filters_right(api, ADDRESS, tree), 25, tree=trees(seen, ("AND", "OR")))


@clause("BITVIS-FILT-1")
@pytest.mark.parametrize("operator", ["NOT_EQUAL", "GREATER", "LESS"])
def test_another_operator_does_what_its_name_says_or_is_refused(
    api: Api, readings: Observed, make: Make, operator: str
) -> None:
    """On our own street numbers; a server that knows EQUAL only refuses it."""
    city = api.unique("Operators-")
    ours = houses(make, city)
    does = {"NOT_EQUAL": lambda one: one != 101, "GREATER": lambda one: one > 101, "LESS": lambda one: one < 101}
    tree = group(equal("city", city), equal("streetNumber", 101, operator))
    answer = asked(api, "LIST", parameters=having(tree))
    expected = sorted(record["id"] for record in ours if does[operator](record["streetNumber"]))
    right = answer["success"] is True and sorted(ids(answer["data"])) == expected
    readings.one_of("BITVIS-AMB-17", supported=right, refused=answer["success"] is False)


@clause("BITVIS-FILT-2")
@each_kind
def test_a_flat_list_of_conditions_does_what_a_meaning_says(api: Api, readings: Observed, kind: Kind) -> None:
    """As clients in use send it: it wants all its values, has no effect, or is refused."""
    identifier = some(api, kind)["id"]
    answer = asked(api, "LIST", kind, parameters={"condition": True, "condition.values": [{"id": identifier}]})
    found = ids(answer.get("data") or [])
    no_effect = answer["success"] is False or found == ids(everything(api, kind))
    readings.one_of("BITVIS-AMB-18", flat_list_too=found == [identifier], tree_only=no_effect)
