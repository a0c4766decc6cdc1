"""Sorting: lines 90-97 and 184-217 of the document. Every object stays, in the order that was asked for."""

from __future__ import annotations

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
)
from suites.bitvis.selections import (
    HOUSES,
    by,
    enough,
    houses,
    in_groups,
    listed,
    numbers,
    only,
    values,
)
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-SORT-1")
def test_numbers_sort_by_their_value(api: Api, make: Make) -> None:
    """All addresses by street number: none lost, the smallest first, and our own 9, 10, 101 in that order."""
    whole = everything(api)
    found, count = listed(api, ADDRESS, by("streetNumber"))
    assert sorted(ids(found)) == sorted(ids(whole)), "sorting lost or added objects"
    assert count == len(whole)
    assert numbers(found, "streetNumber") == sorted(numbers(whole, "streetNumber"))
    city = api.unique("Sorting-")
    houses(make, city)
    ours, _ = listed(api, ADDRESS, only("city", city), by("streetNumber"))
    assert numbers(ours, "streetNumber") == sorted(HOUSES)


@clause("BITVIS-SORT-1")
@each_kind
def test_text_sorts_by_its_letters(api: Api, make: Make, kind: Kind) -> None:
    """Our own objects come in the order of their names, which differ in a small letter; all others stay there."""
    prefix = api.unique("flowproof-")
    for name in NAMES:
        make(kind, **{kind.text: f"{prefix}-{name}"})
    found, _ = listed(api, kind, by(kind.text))
    ours = [record[kind.text] for record in found if str(record.get(kind.text, "")).startswith(prefix)]
    assert ours == sorted(f"{prefix}-{name}" for name in NAMES)
    assert sorted(ids(found)) == sorted(ids(everything(api, kind)))


@clause("BITVIS-SORT-1")
@each_kind
def test_any_documented_member_sorts(api: Api, kind: Kind) -> None:
    """By each of them all objects come, those with equal values side by side, and the same again when asked again."""
    whole = enough(everything(api, kind))

    def check(key: str) -> None:
        found, _ = listed(api, kind, by(key))
        assert sorted(ids(found)) == sorted(ids(whole))
        assert in_groups([record[key] for record in found if key in record]), f"equal values of {key} stand apart"
        assert ids(listed(api, kind, by(key))[0]) == ids(found)

    for_all(check, 7, key=st.sampled_from(sorted(values(kind, whole))))


@clause("BITVIS-SORT-1")
def test_descending_is_ascending_upside_down_or_refused(api: Api, readings: Observed) -> None:
    """DESC puts the greatest number first; a server that knows ASC only refuses it."""
    answer = asked(api, "LIST", parameters=by("streetNumber", "DESC"))
    refused = answer["success"] is False
    found = [] if refused else numbers(answer["data"], "streetNumber")
    kept = not refused and len(answer["data"]) == len(everything(api))
    upside_down = kept and found == sorted(numbers(everything(api), "streetNumber"), reverse=True)
    readings.one_of("BITVIS-AMB-17", supported=upside_down, refused=refused)


@clause("BITVIS-SORT-1")
@each_kind
def test_sorting_by_nothing_does_what_a_meaning_says(api: Api, readings: Observed, kind: Kind) -> None:
    """Without sorting.by there is no effect, some order of all objects, or a refusal."""
    answer = asked(api, "LIST", kind, parameters={"sorting": True})
    found, whole = ids(answer.get("data") or []), ids(everything(api, kind))
    readings.one_of(
        "BITVIS-AMB-16",
        ignored=found == whole,
        default_key=sorted(found) == sorted(whole),
        refused=answer["success"] is False,
    )
