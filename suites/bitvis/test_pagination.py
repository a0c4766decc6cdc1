"""Pagination: document lines 121-127 and 246-277. Pages of a given size, and the count of all objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.bitvis.client import ADDRESS, KINDS, ObjectKind, all_objects, ids
from suites.bitvis.conftest import ObjectFactory
from suites.bitvis.list_oracle import (
    at_least,
    condition_trees,
    create_addresses,
    equality_filter,
    filtered_by,
    fulfils,
    list_objects,
    observed_values,
    page_of,
    sorted_by,
)
from suites.bitvis.listing_ways import each_way, ids_listed, require_effect
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("edges of lists")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-PAGE-1")
@each_kind
def test_a_page_holds_no_more_than_its_size(api: Api, kind: ObjectKind) -> None:
    """A page of any size and start has at most that many objects, and the first page is full."""
    count = len(at_least(all_objects(api, kind)))

    def check(size: int, start: int) -> None:
        objects, _ = list_objects(api, kind, page_of(size, start))
        assert len(objects) <= size
        assert start or len(objects) == min(size, count), "the first page is not full"

    for_all(check, 15, size=st.integers(1, 60), start=st.integers(0, 60))


@clause("BITVIS-PAGE-2")
@each_kind
def test_count_is_independent_of_the_page(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """Whatever page is requested, count is the number of objects that the filter selects."""
    objects = at_least(all_objects(api, kind), 2)
    values_seen = observed_values(kind, objects)

    def check(tree: dict[str, Any], size: int) -> None:
        selected_count = sum(fulfils(tree, record) for record in objects)
        for parameters in ([filtered_by(tree)], [filtered_by(tree), page_of(size)]):
            _, count = list_objects(api, kind, *parameters, may_be_refused=True)
            if readings.is_allowed("BITVIS-AMB-15", "after_filter"):
                assert count == selected_count, f"count is {count} where the filter selects {selected_count}"
            readings.one_of("BITVIS-AMB-15", after_filter=count == selected_count, all_objects=count == len(objects))

    for size in (1, 2):
        assert list_objects(api, kind, page_of(size))[1] == len(objects), "count is the number of objects on the page"
    if kind is ADDRESS:  # as in the document's example
        filtered, page = equality_filter("city", values_seen["city"][0]), page_of(1)
        assert list_objects(api, kind, filtered)[1] == list_objects(api, kind, filtered, page)[1]
    for_all(check, 15, tree=condition_trees(values_seen), size=st.integers(1, 3))


@clause("BITVIS-PAGE-3")
@each_kind
def test_a_walk_meets_every_object_once(
    api: Api, readings: ObservedReadings, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """Pages of one and of several objects, put together, are the whole list."""
    for _ in range(5 if api.target.writes else 0):
        new_object(kind)
    listed_ids = ids(at_least(all_objects(api, kind), 2))
    second_page = ids(list_objects(api, kind, page_of(2, 1))[0])
    paging = readings.one_of(
        "BITVIS-AMB-14", item_offset=second_page == listed_ids[1:3], page_number=second_page == listed_ids[2:4]
    )
    for size in (1, 2, 7):
        starts = range(0, len(listed_ids), size) if paging == "item_offset" else range(-(-len(listed_ids) // size))
        pages = [ids(list_objects(api, kind, page_of(size, start))[0]) for start in list(starts)[:60]]
        walked = [identifier for page in pages for identifier in page]
        assert walked == listed_ids[: 60 * size], f"pages of {size} put together are not the list"


@clause("BITVIS-PAGE-3")
@each_kind
def test_a_page_at_the_end_repeats_nothing(api: Api, kind: ObjectKind) -> None:
    """A page that starts at the end of the list shows none of its objects."""
    listed_ids = ids(at_least(all_objects(api, kind)))
    beyond, _ = list_objects(api, kind, page_of(7, len(listed_ids)), may_be_refused=True)
    repeated = set(ids(beyond)) & set(listed_ids)
    assert not repeated, f"a page that starts at {len(listed_ids)} shows {sorted(repeated)[:3]} again"


@clause("BITVIS-PAGE-3")
def test_a_walk_over_equal_values_meets_every_object_once(api: Api, new_object: ObjectFactory) -> None:
    """Sorted by a member with equal values, pages of one object neither repeat nor lose an object."""
    city = api.unique_text("Walk-")
    own_objects = create_addresses(new_object, city)
    parameters = (equality_filter("city", city), sorted_by("countryCode"))
    walked = [ids(list_objects(api, ADDRESS, *parameters, page_of(1, start))[0]) for start in range(len(own_objects))]
    assert sorted(walked) == sorted([identifier] for identifier in ids(own_objects))
    for size in (len(own_objects) - 1, len(own_objects), len(own_objects) + 1):
        page = ids(list_objects(api, ADDRESS, *parameters, page_of(size))[0])
        assert len(page) == min(size, len(own_objects)), f"a page of {size} has {len(page)} of {len(own_objects)}"


@clause("BITVIS-PAGE-1", "BITVIS-HTTP-10", "BITVIS-HTTP-15", "BITVIS-HTTP-16")
@each_kind
@each_way
def test_a_page_is_the_same_wherever_it_is_asked_for(api: Api, kind: ObjectKind, way: str) -> None:
    """A page that is full, has one object less, one more, or begins at the end, is the one by header."""
    require_effect(api, kind, way)
    count = len(at_least(all_objects(api, kind)))
    for page in (
        page_of(count),
        page_of(count + 1),
        page_of(max(1, count - 1)),
        page_of(1, count - 1),
        page_of(2, count),
    ):
        expected = ids(list_objects(api, kind, page, may_be_refused=True)[0])
        shown = ids_listed(api, kind, way, page)
        assert shown == expected, f"{json.dumps(page)}: expected {expected}, got {shown}"
