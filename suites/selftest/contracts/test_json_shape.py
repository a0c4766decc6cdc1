"""Tests of what JSON responses show: presence, kinds, nulls, numbers, values, order, members, length, ids."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.behaviour.behaviour import Behaviour
from contracts.behaviour.documented_values import DocumentedValues
from contracts.behaviour.json_shape import JsonShape
from contracts.openapi import Contract
from suites.selftest.contracts.one_operation import contract_with

CONTRACT: Contract = contract_with()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


def shape(*bodies: Any, schema: dict[str, Any] | None = None) -> dict[tuple[str, str], Behaviour]:
    """The behaviours of these bodies, by family and path."""
    counted = JsonShape(DocumentedValues(CONTRACT, schema))
    for body in bodies:
        counted.add(body)
    return dict(counted.behaviours())


def values(*bodies: Any, schema: dict[str, Any] | None = None) -> dict[tuple[str, str], str]:
    """As `shape`, only the texts that are compared."""
    return {place: behaviour.value for place, behaviour in shape(*bodies, schema=schema).items()}


@pytest.mark.parametrize(
    ("before", "after", "place", "seen"),
    [
        ({"a": 1}, {}, ("presence", "/a"), ("always", None)),
        ({"a": 1}, {"a": None}, ("null", "/a"), ("never", "always")),
        ({"a": 1}, {"a": "1"}, ("kind", "/a"), ("number", "text")),
        ({"a": 1}, {"a": "1"}, ("number", "/a"), ("whole", None)),
        ({"a": 1}, {"a": 1.25}, ("number", "/a"), ("whole", "2 decimals")),
        ({"a": 1}, {"a": 1.0}, ("number", "/a"), ("whole", "whole with decimal point")),
        ({"a": 1}, {"a": -1}, ("number", "/a"), ("whole", "negative or whole")),
        ({"a": True}, {"a": 1}, ("kind", "/a"), ("boolean", "number")),
        ({"a": {}}, {"a": []}, ("kind", "/a"), ("object", "array")),
        ({"a": "2026-01-01"}, {"a": "2026-01-01T00:00:00Z"}, ("form", "/a"), ("date", "date-time Z")),
        ({"a": [1]}, {"a": [1, 2, 3]}, ("length", "/a"), ("1", "more")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ("members", "/"), ("a, b", "b, a")),
        ([{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 1}], ("unique", "/"), ("unique", "repeated")),
        ({"a": "x y"}, {"b": "x y"}, ("presence", "/b"), (None, "always")),
    ],
)
def test_a_change_shows_at_its_address(
    before: Any, after: Any, place: tuple[str, str], seen: tuple[str | None, str | None]
) -> None:
    assert (values(before).get(place), values(after).get(place)) == seen


def test_presence_counts_the_objects_that_could_have_the_member() -> None:
    assert shape([{"a": 1}, {}, {"a": 2}])["presence", "/*/a"] == Behaviour("sometimes", 2, 3)


def test_a_null_object_does_not_count_as_one_without_the_member() -> None:
    assert shape({"a": None}, {"a": {"b": 1}})["presence", "/a/b"] == Behaviour("always", 1, 1)


def test_null_is_a_share_of_the_appearances() -> None:
    assert shape([{"a": 1}, {}, {"a": None}])["null", "/*/a"] == Behaviour("sometimes", 1, 2)


@pytest.mark.parametrize(
    ("numbers", "order"),
    [([1, 2, 3, 4, 5, 6], "up by n"), ([6, 5, 4, 3, 2, 1], "down by n"), ([1, 3, 2, 4, 5, 6], "none")],
)
def test_order_of_an_array(numbers: list[int], order: str) -> None:
    assert values([{"n": number} for number in numbers])["order", "/"] == order


@pytest.mark.parametrize(
    ("created", "order"),
    [
        ("111111", "up by n, perhaps down by created_at, perhaps up by created_at"),
        ("111222", "up by n, perhaps up by created_at"),
        ("111234", "up by created_at, up by n"),
        ("121212", "up by n"),
    ],
)
def test_a_time_of_few_values_may_be_the_sort_key(created: str, order: str) -> None:
    entries = [{"n": number, "created_at": moment} for number, moment in enumerate(created)]
    assert values(entries)["order", "/"] == order


def test_an_entry_that_many_responses_list_is_one() -> None:
    assert shape([{"a": 1}, {"a": 2}], [{"a": 1}])["presence", "/*/a"] == Behaviour("always", 2, 2)


def test_members_that_few_objects_have_in_another_order_do_not_vary() -> None:
    objects = [{"a": 1, "b": number} for number in range(19)]
    assert values([*objects, {"b": 1, "a": 1, "c": 1}])["members", "/*"] == "a, b, c"


def test_few_entries_show_no_order() -> None:
    assert ("order", "/") not in values([{"n": 1}, {"n": 2}, {"n": 3}])


def test_members_in_no_common_order_vary() -> None:
    assert values([{"a": 1, "b": 2}, {"b": 2, "a": 1}])["members", "/*"] == "varies"


def test_listed_values_are_kept_and_new_ones_show() -> None:
    schema = {"type": "object", "properties": {"state": {"enum": ["open", "done"]}}}
    assert values({"state": "open"}, {"state": "stalled"}, schema=schema)["values", "/state"] == "open, stalled"


def test_text_that_is_no_code_is_not_kept_where_the_contract_lists_values() -> None:
    schema = {"type": "object", "properties": {"state": {"enum": ["open", "done"]}}}
    assert values({"state": "open"}, {"state": "Jo Li said so"}, schema=schema)["values", "/state"] == "open, another"


def test_codes_that_repeat_within_a_response_are_kept() -> None:
    assert values([{"t": "USER_ADDED"}, {"t": "USER_ADDED"}])["values", "/*/t"] == "USER_ADDED"


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "open"), ("mime_type", "text/plain"), ("roleName", "owner"), ("countryCode", "se"), ("code", 200)],
)
def test_small_letters_are_kept_of_members_that_are_named_like_codes(name: str, value: Any) -> None:
    kept = values([{name: value}, {name: value}]).get(("values", f"/*/{name}"))
    assert kept == (None if name == "roleName" else str(value))


def test_a_constant_of_an_envelope_is_kept_that_several_responses_have() -> None:
    assert ("values", "/status") not in values(*[{"status": "fine"}] * 2)
    assert values(*[{"status": "fine"}] * 3)["values", "/status"] == "fine"


@pytest.mark.parametrize(
    ("name", "value"), [("postalCode", "211"), ("verification_code", "123"), ("access_code", "abc"), ("state", "a b")]
)
def test_no_code_of_a_person_or_a_place_is_kept(name: str, value: str) -> None:
    assert ("values", f"/*/{name}") not in values([{name: value}] * 4)


IDS = ["a1b2c3d4e5", "X7K9Q2", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "incident_20320917", "deadbeefdeadbeef"]


@pytest.mark.parametrize("code", IDS)
@pytest.mark.parametrize("shows_records", [True, False])
def test_no_id_is_kept_where_a_code_may_be(code: str, shows_records: bool) -> None:
    counted = JsonShape(DocumentedValues(CONTRACT, None), shows_records=shows_records)
    for _ in range(4):
        counted.add({"code": code})
    assert ("values", "/code") not in dict(counted.behaviours())


@pytest.mark.parametrize("code", ["not_a_uuid4", "required", "E1001", "h264", "e2e_failed", "iso8601_v2"])
def test_a_code_of_a_refusal_is_kept_after_one_sighting(code: str) -> None:
    counted = JsonShape(DocumentedValues(CONTRACT, None), shows_records=False)
    counted.add({"code": code})
    assert dict(counted.behaviours())["values", "/code"].value == code


@pytest.mark.parametrize("code", IDS)
def test_an_id_where_the_contract_lists_other_values_is_another(code: str) -> None:
    schema = {"properties": {"code": {"enum": ["one", "two"]}}}
    assert values({"code": "one"}, {"code": code}, schema=schema)["values", "/code"] == "one, another"


@pytest.mark.parametrize("text", ["anna", "Anna", "Anna Berg", "anna@example.com", "a1b2c3", "12", "Envik"])
def test_no_free_value_is_kept_however_often_it_repeats(text: str) -> None:
    assert ("values", "/*/t") not in values([{"t": text}] * 4)


@pytest.mark.parametrize("name", ["anna@example.com", "b46bb7bf-c88e-439a-a396-87bbda0ffad9", "1234567", "Anna Berg"])
def test_a_name_that_is_data_becomes_an_entry(name: str) -> None:
    assert {path for _, path in values({name: 1})} == {"/", "/*"}


def test_members_of_a_documented_map_become_entries() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert ("kind", "/*") in values({"anna": 1}, schema=schema)


@given(st.lists(JSON, min_size=1, max_size=6), st.randoms())
def test_the_order_of_responses_does_not_matter(bodies: list[Any], generator: random.Random) -> None:
    shuffled = copy.copy(bodies)
    generator.shuffle(shuffled)
    assert shape(*bodies) == shape(*shuffled)


@given(st.lists(JSON, min_size=1, max_size=6))
def test_the_same_responses_show_the_same(bodies: list[Any]) -> None:
    assert shape(*bodies) == shape(*json.loads(json.dumps(bodies)))


@given(st.lists(st.text("0123456789abcdefXYZ -@.", min_size=7, max_size=20), min_size=1, max_size=9))
def test_no_text_stands_in_a_behaviour(texts: list[str]) -> None:
    shown = str(values([{"a": text} for text in texts]))
    assert [text for text in texts if text.strip() and text in shown] == []


@given(JSON)
def test_shares_are_consistent(body: Any) -> None:
    for (family, _), behaviour in shape(body, body).items():
        assert 0 <= behaviour.count <= behaviour.total
        if family in ("presence", "null"):
            assert behaviour.value in ("always", "sometimes", "never")
