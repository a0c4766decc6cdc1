"""Filtering: document lines 98-120 and 218-245. LIST returns exactly the objects that fulfil the tree of conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.bitvis.client import ADDRESS, KINDS, ObjectKind, all_objects, any_object, http_envelope, ids
from suites.bitvis.conftest import ObjectFactory
from suites.bitvis.list_oracle import (
    STREET_NUMBERS,
    at_least,
    condition,
    condition_group,
    condition_trees,
    create_addresses,
    equality_filter,
    filtered_by,
    fulfils,
    list_objects,
    observed_values,
    sorted_by,
)
from suites.bitvis.listing_ways import each_way, ids_listed, require_effect
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("comparison")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-FILT-1", "BITVIS-FILT-2")
def test_a_city_selects_exactly_its_addresses(api: Api, new_object: ObjectFactory) -> None:
    """The document's tree, a group with one subgroup, selects exactly the addresses of a city, also of a city whose
    name begins like another's, differs in an accent, or looks like a pattern.
    """
    city = api.unique_text("City-")
    for value in (city, f"{city}b", city, f"{city}é"):
        new_object(ADDRESS, city=value)
    for value in (city, f"{city}b", f"{city}~", f"{city}e", f"{city[:-1]}_", f"{city[:-1]}%"):
        selected, count = list_objects(api, ADDRESS, equality_filter("city", value))
        expected = [record["id"] for record in all_objects(api) if record.get("city") == value]
        assert sorted(ids(selected)) == sorted(expected), f"city equal to {value!r}"
        assert count == len(expected)


@clause("BITVIS-FILT-3")
@each_kind
def test_equal_selects_exactly_the_objects_with_that_value(
    api: Api, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """A value, its prefix, an extension of it and an unused value each select exactly the objects with that value."""
    text = api.unique_text("same-")
    own_objects = [new_object(kind, **{kind.text_member: value}) for value in (text, f"{text}b", text[:-1], text)]
    objects = all_objects(api, kind)
    for value in (text, f"{text}b", text[:-1], text[:3], f"{text}~", text.upper()):
        selected, count = list_objects(api, kind, equality_filter(kind.text_member, value))
        expected = [record["id"] for record in objects if record.get(kind.text_member) == value]
        assert sorted(ids(selected)) == sorted(expected), f"{kind.text_member} equal to {value!r}"
        assert count == len(expected)
    assert {own_objects[0]["id"], own_objects[3]["id"]} == set(
        ids(list_objects(api, kind, equality_filter(kind.text_member, text))[0])
    )


def assert_filtered(api: Api, kind: ObjectKind, tree: dict[str, Any]) -> None:
    """Asserts that LIST with that tree returns and counts the objects that fulfil it by our own evaluation."""
    selected, count = list_objects(api, kind, filtered_by(tree))
    expected = [record["id"] for record in all_objects(api, kind) if fulfils(tree, record)]
    assert sorted(ids(selected)) == sorted(expected), f"selected by the tree {json.dumps(tree, ensure_ascii=False)}"
    assert count == len(expected)


@clause("BITVIS-FILT-4")
@each_kind
def test_a_tree_of_conditions_selects_what_fulfils_it(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """Trees of groups joined by AND, up to two levels deep, select what our own evaluation selects."""
    if api.target.writes and kind is ADDRESS:
        create_addresses(new_object, api.unique_text("Tree-"))
    values_seen = observed_values(kind, at_least(all_objects(api, kind)))
    for_all(lambda tree: assert_filtered(api, kind, tree), 40, tree=condition_trees(values_seen))


@clause("BITVIS-FILT-4")
def test_conditions_of_every_group_count(api: Api, new_object: ObjectFactory) -> None:
    """Conditions of the outermost group, of the first and of the second subgroup all narrow the list."""
    city = api.unique_text("Groups-")
    own_objects = create_addresses(new_object, city)
    in_city, with_number_10 = condition("city", city), condition("streetNumber", 10)
    in_no_street = condition("streetName", api.unique_text("nobody-"))
    ten_id = [own_objects[STREET_NUMBERS.index(10)]["id"]]
    for tree, expected in (
        (condition_group(in_city, with_number_10), ten_id),
        (condition_group(in_city, subgroups=[condition_group(with_number_10)]), ten_id),
        (condition_group(with_number_10, subgroups=[condition_group(in_city)]), ten_id),
        (condition_group(subgroups=[condition_group(in_city), condition_group(with_number_10)]), ten_id),
        (
            condition_group(
                subgroups=[condition_group(subgroups=[condition_group(in_city), condition_group(with_number_10)])]
            ),
            ten_id,
        ),
        (condition_group(in_no_street, subgroups=[condition_group(in_city)]), []),
        (condition_group(subgroups=[condition_group(in_city), condition_group(in_no_street)]), []),
        (condition_group(subgroups=[condition_group(in_city)]), ids(own_objects)),
    ):
        assert sorted(ids(list_objects(api, ADDRESS, filtered_by(tree))[0])) == sorted(expected), json.dumps(tree)


@clause("BITVIS-FILT-4")
def test_or_selects_what_fulfils_any_condition_or_is_refused(
    api: Api, readings: ObservedReadings, new_object: ObjectFactory
) -> None:
    """OR within a subgroup and between subgroups selects the objects of either condition, or is refused."""
    city = api.unique_text("Either-")
    own_objects = create_addresses(new_object, city)
    either = [condition("streetNumber", number) for number in (9, 222)]
    expected = sorted(record["id"] for record in own_objects if record["streetNumber"] in (9, 222))
    or_in_subgroup = condition_group(condition("city", city), subgroups=[condition_group(*either, logic="OR")])
    or_between_subgroups = condition_group(
        condition("city", city),
        subgroups=[condition_group(subgroups=[condition_group(alternative) for alternative in either], logic="OR")],
    )
    for tree in (or_in_subgroup, or_between_subgroups):
        envelope = http_envelope(api, "LIST", parameters=filtered_by(tree))
        is_supported = envelope["success"] is True and sorted(ids(envelope["data"])) == expected
        readings.one_of("BITVIS-AMB-17", supported=is_supported, refused=envelope["success"] is False)
    if envelope["success"] is True:
        values_seen = observed_values(ADDRESS, all_objects(api))
        for_all(lambda tree: assert_filtered(api, ADDRESS, tree), 25, tree=condition_trees(values_seen, ("AND", "OR")))


@clause("BITVIS-FILT-3")
@pytest.mark.parametrize("operator", ["NOT_EQUAL", "GREATER", "LESS"])
def test_another_operator_does_what_its_name_says_or_is_refused(
    api: Api, readings: ObservedReadings, new_object: ObjectFactory, operator: str
) -> None:
    """Other operators on our own street numbers compare as named, are refused, or find nothing but what is equal."""
    city = api.unique_text("Operators-")
    own_objects = create_addresses(new_object, city)
    predicates = {
        "NOT_EQUAL": lambda number: number != 101,
        "GREATER": lambda number: number > 101,
        "LESS": lambda number: number < 101,
    }
    tree = condition_group(condition("city", city), condition("streetNumber", 101, operator))
    envelope = http_envelope(api, "LIST", parameters=filtered_by(tree))
    selected = sorted(ids(envelope["data"])) if envelope["success"] is True else None
    expected = sorted(record["id"] for record in own_objects if predicates[operator](record["streetNumber"]))
    equal = [record["id"] for record in own_objects if record["streetNumber"] == 101]
    readings.one_of(
        "BITVIS-AMB-17",
        supported=selected == expected,
        refused=envelope["success"] is False,
        unknown=selected in ([], equal),
    )


@clause("BITVIS-FILT-4")
@each_kind
def test_a_flat_list_of_conditions_follows_a_reading(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """A flat list of conditions, as existing clients send it, filters, has no effect or is refused."""
    identifier = any_object(api, kind)["id"]
    envelope = http_envelope(
        api, "LIST", kind, parameters={"condition": True, "condition.values": [{"id": identifier}]}
    )
    selected = ids(envelope.get("data") or [])
    readings.one_of(
        "BITVIS-AMB-18",
        flat_list_too=selected == [identifier],
        tree_only=envelope["success"] is False,
        ignored=selected == ids(all_objects(api, kind)),
    )


@clause("BITVIS-FILT-1", "BITVIS-SORT-1", "BITVIS-HTTP-10", "BITVIS-HTTP-15", "BITVIS-HTTP-16")
@each_kind
@each_way
def test_a_filter_selects_the_same_wherever_it_is_asked_for(api: Api, kind: ObjectKind, way: str) -> None:
    """A filter by an object's id, by a part of it and by its other case, and a sorting, do what they do by header."""
    require_effect(api, kind, way)
    identifier = str(at_least(all_objects(api, kind))[-1]["id"])
    values = (identifier, identifier[:-1], identifier.swapcase(), f"{identifier[:-1]}%")
    filters = [filtered_by(condition_group(condition("id", value))) for value in values]
    for parameters in (*filters, sorted_by("id"), sorted_by("id", "DESC")):
        expected = ids(list_objects(api, kind, parameters, may_be_refused=True)[0])
        shown = ids_listed(api, kind, way, parameters)
        assert shown == expected, f"{json.dumps(parameters)}: expected {expected}, got {shown}"
