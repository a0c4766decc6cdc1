"""Pagination: lines 121-127 and 246-277 of the document. Pages of a size, and the count of what there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    ADDRESS,
    KINDS,
    Kind,
    everything,
    for_all,
    ids,
)
from suites.bitvis.selections import (
    by,
    enough,
    having,
    holds,
    houses,
    listed,
    only,
    page,
    trees,
    values,
)
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-PAGE-1")
@each_kind
def test_a_page_holds_no_more_than_its_size(api: Api, kind: Kind) -> None:
    """Pages of any size and place, also past the end, have at most that many objects, and the first ones are full."""
    count = len(enough(everything(api, kind)))

    def check(size: int, start: int) -> None:
        found, _ = listed(api, kind, page(size, start))
        assert len(found) <= size
        assert start or len(found) == min(size, count), "the first page is not full"

    for_all(check, size=st.integers(1, 60), start=st.integers(0, 60))


@clause("BITVIS-PAGE-2")
@each_kind
def test_count_is_that_of_the_filter_and_not_of_the_page(api: Api, readings: Observed, kind: Kind) -> None:
    """Whatever page is cut, count is the number of objects that the filter leaves."""
    whole = enough(everything(api, kind), 2)
    seen = values(kind, whole)

    def check(tree: dict[str, Any], size: int) -> None:
        left = sum(holds(tree, record) for record in whole)
        for parameters in ([having(tree)], [having(tree), page(size)]):
            _, count = listed(api, kind, *parameters)
            if readings.is_in_force("BITVIS-AMB-15", "after_filter"):
                assert count == left, f"count is {count} where the filter leaves {left}"
            readings.one_of("BITVIS-AMB-15", after_filter=count == left, all_objects=count == len(whole))
        assert listed(api, kind, page(size))[1] == len(whole), "count is that of the page"

    for_all(check, tree=trees(seen), size=st.integers(1, 3))


@clause("BITVIS-PAGE-3")
@each_kind
def test_a_walk_meets_every_object_once(api: Api, readings: Observed, make: Make, kind: Kind) -> None:
    """Pages of one, and pages of several by the step that from counts in, are the list cut into pieces."""
    for _ in range(5 if api.target.writes else 0):
        make(kind)
    whole = ids(enough(everything(api, kind), 2))
    second = ids(listed(api, kind, page(2, 1))[0])
    step = readings.one_of("BITVIS-AMB-14", item_offset=second == whole[1:3], page_number=second == whole[2:4])
    for size in (1, 2, 7):
        starts = range(0, len(whole), size) if step == "item_offset" else range(-(-len(whole) // size))
        pages = [ids(listed(api, kind, page(size, start))[0]) for start in list(starts)[:60]]
        walked = [identifier for one in pages for identifier in one]
        assert walked == whole[: 60 * size], f"a walk by {size} is not the list"


@clause("BITVIS-PAGE-3")
def test_a_walk_over_equal_values_meets_every_object_once(api: Api, make: Make) -> None:
    """Sorted by a member in which all are equal, pages of one neither repeat nor lose an object."""
    city = api.unique("Walk-")
    ours = houses(make, city)
    sort = (only("city", city), by("countryCode"))
    walked = [ids(listed(api, ADDRESS, *sort, page(1, place))[0]) for place in range(len(ours))]
    assert sorted(walked) == sorted([identifier] for identifier in ids(ours))
