"""LIST's parameters: lines 85-182 and 254-272 of the document. What they are for, and all of them together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    Kind,
    Record,
    asked,
    done,
    everything,
    fails,
    for_all,
    ids,
    some,
    succeeds,
    told,
)
from suites.bitvis.frames import framed, message
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
SIGNS = 'Ö€ a+b&c=d;e,f%2Bg%25h "i" \\ j/k?l#m '  # which mean something to headers, query strings or JSON
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-PARAM-3")
@pytest.mark.parametrize("kind", [ADDRESS, DEVICE], ids=str)
def test_a_call_filters_then_sorts_then_pages(api: Api, readings: Observed, make: Make, kind: Kind) -> None:
    """All at once is a page of the sorted list of what the filter leaves, by HTTP and by frame."""
    if api.target.writes and kind is ADDRESS:
        houses(make, api.unique("Together-"))
    whole = enough(everything(api, kind), 2)
    seen = values(kind, whole)
    loose = trees({key: found for key, found in seen.items() if len(found) < len(whole)} or seen)
    steps = {"item_offset": 0, "page_number": 0}

    def check(tree: dict[str, Any] | None, key: str, size: int, start: int) -> None:
        filtering = having(tree) if tree else {}
        left = sorted(record["id"] for record in whole if tree is None or holds(tree, record))
        in_order, _ = listed(api, kind, filtering, by(key))
        assert sorted(ids(in_order)) == left, "with sorting, the filter leaves other objects than without"
        found, count = listed(api, kind, filtering, by(key), page(size, start))
        cuts = {"item_offset": ids(in_order)[start : start + size]}
        cuts["page_number"] = ids(in_order)[start * size : start * size + size]
        fitting = [name for name, cut in cuts.items() if cut == ids(found)]
        assert fitting, f"the page is none of the sorted list: {told({'data': ids(found)})}"
        for name in fitting:
            steps[name] += 1
        assert count == len(left)
        (answer,) = framed(
            api, kind, message(api, "LIST", parameters=filtering | by(key) | page(size, start)), changes=False
        )
        assert ids(succeeds(answer)) == ids(found)

    keys = sorted(seen)
    for_all(
        check, 30, tree=st.none() | loose, key=st.sampled_from(keys), size=st.integers(1, 4), start=st.integers(0, 3)
    )
    most = max(steps.values())
    readings.one_of("BITVIS-AMB-14", **{name: times == most for name, times in steps.items()})


@clause("BITVIS-PARAM-1")
@each_kind
def test_parameters_have_no_effect_on_other_methods(api: Api, make: Make, kind: Kind) -> None:
    """OPEN, INDEX, CREATE, UPDATE and DELETE do with them what they do without."""
    record = some(api, kind)
    nobody = only("id", "00000000-0000-4000-8000-000000000000")
    kinds = st.sampled_from([page(1), page(1, 1), by("id"), nobody, nobody | by("name") | page(1, 5)])

    def check(parameters: Record, method: str) -> None:
        plain, more = (asked(api, method, kind, record["id"], parameters=one) for one in (None, parameters))
        assert succeeds(more) == succeeds(plain)

    for_all(check, parameters=kinds, method=st.sampled_from(["OPEN", "INDEX"]))
    own = make(kind)
    text = api.unique("param-")
    updated = done(api, "UPDATE", kind, own["id"], data={kind.text: text}, parameters=nobody)
    assert updated["id"] == own["id"]
    assert done(api, "OPEN", kind, own["id"])[kind.text] == text
    done(api, "DELETE", kind, own["id"], parameters=nobody)
    fails(asked(api, "OPEN", kind, own["id"]), "it was deleted")


@clause("BITVIS-PARAM-1")
@each_kind
def test_parameters_are_for_one_call_only(api: Api, kind: Kind) -> None:
    """A LIST without parameters gives all objects, whatever the LIST before it filtered and sorted."""
    whole = ids(everything(api, kind))

    def check(parameters: Record) -> None:
        listed(api, kind, parameters)
        assert ids(everything(api, kind)) == whole

    for_all(check, 6, parameters=st.sampled_from([only("id", "nobody"), by("id"), page(1), only("id", "x") | page(1)]))


@clause("BITVIS-PARAM-1")
@each_kind
def test_parameters_are_for_one_frame_only(api: Api, kind: Kind) -> None:
    """A LIST without parameters gives all objects, whatever its connection has sorted, filtered and paged before."""
    sent = [message(api, "LIST", parameters=one) for one in (by("id"), page(1), only("id", "nobody"))]
    *_, last = framed(api, kind, *sent, message(api, "LIST"), changes=False)
    assert sorted(ids(succeeds(last))) == sorted(ids(everything(api, kind)))


@clause("BITVIS-PARAM-4")
def test_a_value_beyond_ascii_filters(api: Api, readings: Observed, make: Make) -> None:
    """Escaped in JSON it finds exactly its objects; as bytes of UTF-8 in the header it does too, or it does not."""
    city = api.unique("Götefred-ö€-")
    own = make(ADDRESS, city=city)
    assert ids(listed(api, ADDRESS, only("city", city))[0]) == [own["id"]]
    raw = json.dumps({"parameters": only("city", city)}, ensure_ascii=False).encode().decode("latin-1")
    answer = asked(api, "LIST", parts={"parameter": raw})
    found = answer["success"] is True and ids(answer["data"]) == [own["id"]]
    readings.one_of("BITVIS-AMB-19", utf_8=found, escapes=not found)


@clause("BITVIS-PARAM-4")
@pytest.mark.parametrize("place", ["header", "query"])
def test_any_text_can_be_filtered_by(api: Api, make: Make, place: Any) -> None:
    """Whatever letters and signs the value has, the call succeeds and leaves what has that value."""
    if api.target.writes:
        own = make(ADDRESS, city=api.unique(SIGNS))
        found = done(api, "LIST", ADDRESS, parameters=only("city", own["city"]), place=place)
        assert ids(found) == [own["id"]], f"{own['city']!r} does not find what is called so"
    whole = everything(api)

    def check(city: str) -> None:
        answer = asked(api, "LIST", parameters=only("city", city), place=place)
        assert sorted(ids(succeeds(answer))) == sorted(record["id"] for record in whole if record.get("city") == city)

    for_all(check, 20, city=LETTERS | st.sampled_from(["Götefred", "Östersele", "İ", "ﬁ", "e\u0301", "😀", '"', "\\"]))


@clause("BITVIS-RES-2")
def test_addresses_have_the_types_that_the_document_shows(api: Api, make: Make) -> None:
    """In lists of every sort, and in what OPEN and UPDATE answer; also south of the equator."""
    own = make(ADDRESS, latitude=-33.5, longitude=151.25, streetNumber=7)
    shown = [done(api, "OPEN", ADDRESS, own["id"]), done(api, "UPDATE", ADDRESS, own["id"], data={"city": "Envik"})]
    for parameters in ({}, by("streetNumber"), only("city", "Envik"), page(3)):
        shown += listed(api, ADDRESS, parameters)[0]
    shown += [done(api, "OPEN", ADDRESS, identifier) for identifier in ids(everything(api))[:12]]
    for record in shown:
        assert isinstance(record.get("streetName", ""), str), told(record)
        assert isinstance(record.get("latitude", 0), int | float), told(record)
        assert type(record.get("streetNumber", 0)) is int, told(record)


@clause("BITVIS-SORT-1", "BITVIS-PAGE-1", "BITVIS-FILT-1")
def test_a_flag_that_is_false_or_left_out_does_nothing(api: Api) -> None:
    """Sorting, condition and pagination have an effect only when their flags are true."""
    whole = ids(everything(api, QUEUE))
    off: list[Record] = [
        {**by("id"), "sorting": False},
        {**only("id", "nobody"), "condition": False},
        {**page(1), "pagination": False},
        {},
    ]
    for parameters in off:
        assert ids(listed(api, QUEUE, parameters)[0]) == whole, json.dumps(parameters)
