"""Sorting: document lines 90-97 and 184-217. LIST returns every object, in the requested order."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.bitvis.client import ADDRESS, KINDS, ObjectKind, all_objects, http_envelope, ids
from suites.bitvis.conftest import ObjectFactory
from suites.bitvis.list_oracle import (
    STREET_NUMBERS,
    at_least,
    create_addresses,
    equal_values_are_adjacent,
    equality_filter,
    list_objects,
    numeric_values,
    observed_values,
    sorted_by,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("comparison")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-SORT-1")
def test_numbers_sort_by_their_value(api: Api, new_object: ObjectFactory) -> None:
    """LIST sorted by street number loses no address, and 9 comes before 10 and 101."""
    objects = all_objects(api)
    in_order, count = list_objects(api, ADDRESS, sorted_by("streetNumber"))
    assert sorted(ids(in_order)) == sorted(ids(objects)), "sorting removed or added objects"
    assert count == len(objects)
    assert numeric_values(in_order, "streetNumber") == sorted(numeric_values(objects, "streetNumber"))
    city = api.unique_text("Sorting-")
    create_addresses(new_object, city)
    own_objects, _ = list_objects(api, ADDRESS, equality_filter("city", city), sorted_by("streetNumber"))
    assert numeric_values(own_objects, "streetNumber") == sorted(STREET_NUMBERS)


@clause("BITVIS-SORT-2")
@each_kind
def test_text_sorts_by_its_letters(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """Our own objects come in the order of their names, and no other object is lost."""
    prefix = api.unique_text("flowproof-")
    for name in NAMES:
        new_object(kind, **{kind.text_member: f"{prefix}-{name}"})
    in_order, _ = list_objects(api, kind, sorted_by(kind.text_member))
    own_names = [
        record[kind.text_member] for record in in_order if str(record.get(kind.text_member, "")).startswith(prefix)
    ]
    assert own_names == sorted(f"{prefix}-{name}" for name in NAMES)
    assert sorted(ids(in_order)) == sorted(ids(all_objects(api, kind)))


@clause("BITVIS-SORT-2")
@each_kind
def test_any_documented_member_sorts(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """Sorted by any documented member, LIST returns all objects, equal values adjacent, in the same order each time."""
    if api.target.writes:
        new_object(kind)  # it lacks most members, so that it has no place in the order
    objects = at_least(all_objects(api, kind))

    def check(key: str) -> None:
        in_order, _ = list_objects(api, kind, sorted_by(key))
        assert sorted(ids(in_order)) == sorted(ids(objects))
        assert equal_values_are_adjacent([record[key] for record in in_order if key in record]), (
            f"equal values of {key} are not adjacent"
        )
        assert ids(list_objects(api, kind, sorted_by(key))[0]) == ids(in_order)

    for_all(check, 7, key=st.sampled_from(sorted(observed_values(kind, objects))))


@clause("BITVIS-SORT-1")
def test_descending_is_the_reverse_of_ascending_or_refused(api: Api, readings: ObservedReadings) -> None:
    """DESC returns the greatest number first; a server that knows ASC only refuses it."""
    addresses = at_least(all_objects(api), 2)
    envelope = http_envelope(api, "LIST", parameters=sorted_by("streetNumber", "DESC"))
    refused = envelope["success"] is False
    street_numbers = [] if refused else numeric_values(envelope["data"], "streetNumber")
    is_complete = not refused and len(envelope["data"]) == len(addresses)
    is_reversed = is_complete and street_numbers == sorted(numeric_values(addresses, "streetNumber"), reverse=True)
    readings.one_of("BITVIS-AMB-17", supported=is_reversed, refused=refused)


@clause("BITVIS-SORT-2")
@each_kind
def test_sorting_without_a_key_follows_a_reading(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """Sorting without a key has no effect, returns all objects in some order, or is refused."""
    envelope = http_envelope(api, "LIST", kind, parameters={"sorting": True})
    returned_ids, listed_ids = ids(envelope.get("data") or []), ids(at_least(all_objects(api, kind), 2))
    readings.one_of(
        "BITVIS-AMB-16",
        ignored=returned_ids == listed_ids,
        default_key=sorted(returned_ids) == sorted(listed_ids),
        refused=envelope["success"] is False,
    )
