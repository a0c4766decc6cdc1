"""LIST's parameters: document lines 85-182 and 254-272. Where they apply, and all of them combined."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    ObjectKind,
    Record,
    all_objects,
    any_object,
    assert_answered_alike,
    assert_failure,
    assert_success,
    envelope_text,
    http_data,
    http_envelope,
    ids,
)
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
from suites.bitvis.websocket_calls import call_message, frame_envelopes
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NAMES = ("delta", "alpha", "charlie", "bravo")
SPECIAL_CHARACTERS = 'Ö€ a+b&c=d;e,f%2Bg%25h "i" \\ j/k?l#m '  # special in headers, query strings or JSON
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)


@clause("BITVIS-PARAM-3")
@pytest.mark.parametrize("kind", [ADDRESS, DEVICE], ids=str)
def test_a_call_filters_then_sorts_then_pages(
    api: Api, readings: ObservedReadings, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """All parameters together return a page of the sorted list of the selected objects, over HTTP and by frame."""
    if api.target.writes and kind is ADDRESS:
        create_addresses(new_object, api.unique_text("Together-"))
    objects = at_least(all_objects(api, kind), 2)
    values_seen = observed_values(kind, objects)
    trees = condition_trees({key: page for key, page in values_seen.items() if len(page) < len(objects)} or values_seen)
    fitting_pages = {"item_offset": 0, "page_number": 0}

    def check(tree: dict[str, Any] | None, key: str, size: int, start: int, is_shown: bool) -> None:
        filter_parameters = filtered_by(tree) if tree else {}
        selected_ids = sorted(record["id"] for record in objects if tree is None or fulfils(tree, record))
        in_order, _ = list_objects(api, kind, filter_parameters, sorted_by(key), may_be_refused=not is_shown)
        assert sorted(ids(in_order)) == selected_ids, "the filter selects other objects with sorting than without"
        page, count = list_objects(api, kind, filter_parameters, sorted_by(key), page_of(size, start))
        expected_pages = {"item_offset": ids(in_order)[start : start + size]}
        expected_pages["page_number"] = ids(in_order)[start * size : start * size + size]
        paging_names = [paging for paging, expected_ids in expected_pages.items() if expected_ids == ids(page)]
        assert paging_names, f"the page is not part of the sorted list: {envelope_text({'data': ids(page)})}"
        for paging in paging_names:
            fitting_pages[paging] += 1
        assert count == len(selected_ids)
        (envelope,) = frame_envelopes(
            api,
            kind,
            call_message(api, "LIST", parameters=filter_parameters | sorted_by(key) | page_of(size, start)),
        )
        assert ids(assert_success(envelope)) == ids(page)

    keys = sorted(values_seen)
    if kind is ADDRESS:  # as in the document's example
        for city in values_seen["city"][:2]:
            tree = equality_filter("city", city)["condition.values"]
            check(tree, "streetNumber", 1, 0, is_shown=True)
    for_all(
        check,
        30,
        is_shown=st.just(False),
        tree=st.none() | trees,
        key=st.sampled_from(keys),
        size=st.integers(1, 4),
        start=st.integers(0, 3),
    )
    best = max(fitting_pages.values())
    readings.observe(
        "BITVIS-AMB-14", **{paging: count_of_pages == best for paging, count_of_pages in fitting_pages.items()}
    )


@clause("BITVIS-PARAM-5")
@each_kind
def test_parameters_have_no_effect_on_other_methods(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """OPEN, INDEX, UPDATE and DELETE do the same with parameters as without."""
    record = any_object(api, kind)
    unmatched = equality_filter("id", "00000000-0000-4000-8000-000000000000")
    any_parameters = st.sampled_from(
        [page_of(1), page_of(1, 1), sorted_by("id"), unmatched, unmatched | sorted_by("name") | page_of(1, 5)]
    )

    def check(parameters: Record, method: str) -> None:
        def send(sent_parameters: Record | None) -> Callable[[], Record]:
            return lambda: http_envelope(api, method, kind, record["id"], parameters=sent_parameters)

        assert_success(send(None)())
        assert_answered_alike(send(None), send(parameters))

    for_all(check, 15, parameters=any_parameters, method=st.sampled_from(["OPEN", "INDEX"]))
    own_object = new_object(kind)
    text = api.unique_text("param-")
    updated = http_data(api, "UPDATE", kind, own_object["id"], data={kind.text_member: text}, parameters=unmatched)
    assert updated["id"] == own_object["id"]
    assert http_data(api, "OPEN", kind, own_object["id"])[kind.text_member] == text
    http_data(api, "DELETE", kind, own_object["id"], parameters=unmatched)
    assert_failure(http_envelope(api, "OPEN", kind, own_object["id"]), "it was deleted")


@clause("BITVIS-PARAM-1")
@each_kind
def test_parameters_apply_to_one_call_only(api: Api, kind: ObjectKind) -> None:
    """A LIST without parameters returns all objects, whatever the LIST before it filtered and sorted."""
    ids_before = ids(at_least(all_objects(api, kind)))

    def check(parameters: Record) -> None:
        http_envelope(api, "LIST", kind, parameters=parameters)
        assert ids(all_objects(api, kind)) == ids_before

    for_all(
        check,
        6,
        parameters=st.sampled_from(
            [equality_filter("id", "nobody"), sorted_by("id"), page_of(1), equality_filter("id", "x") | page_of(1)]
        ),
    )


@clause("BITVIS-PARAM-1")
@each_kind
def test_parameters_apply_to_one_frame_only(api: Api, kind: ObjectKind) -> None:
    """A LIST without parameters returns all objects, whatever its connection sorted, filtered and paginated before."""
    messages = [
        call_message(api, "LIST", parameters=parameters)
        for parameters in (sorted_by("id"), page_of(1), equality_filter("id", "nobody"))
    ]
    *_, last = frame_envelopes(api, kind, *messages, call_message(api, "LIST"))
    assert sorted(ids(assert_success(last))) == sorted(ids(at_least(all_objects(api, kind))))


@clause("BITVIS-PARAM-4")
def test_a_non_ascii_value_can_be_filtered_by(api: Api, readings: ObservedReadings, new_object: ObjectFactory) -> None:
    """A value escaped in JSON selects exactly its objects; whether raw UTF-8 in the header does is observed."""
    city = api.unique_text("Götefred-ö€-")
    own_object = new_object(ADDRESS, city=city)
    assert ids(list_objects(api, ADDRESS, equality_filter("city", city))[0]) == [own_object["id"]]
    raw_header = (
        json.dumps({"parameters": equality_filter("city", city)}, ensure_ascii=False).encode().decode("latin-1")
    )
    envelope = http_envelope(api, "LIST", parts={"parameter": raw_header})
    is_found = envelope["success"] is True and ids(envelope["data"]) == [own_object["id"]]
    readings.observe("BITVIS-AMB-19", utf_8=is_found, escapes=not is_found)


@clause("BITVIS-PARAM-4")
@pytest.mark.parametrize("place", ["header", "query"])
def test_any_text_can_be_filtered_by(api: Api, new_object: ObjectFactory, place: Any) -> None:
    """Whatever characters a value has, LIST succeeds and selects the objects with that value."""
    if api.target.writes:
        own_object = new_object(ADDRESS, city=api.unique_text(SPECIAL_CHARACTERS))
        selected = http_data(api, "LIST", ADDRESS, parameters=equality_filter("city", own_object["city"]), place=place)
        assert ids(selected) == [own_object["id"]], f"{own_object['city']!r} does not select the object with that city"
    addresses = all_objects(api)

    def check(city: str) -> None:
        envelope = http_envelope(api, "LIST", parameters=equality_filter("city", city), place=place)
        assert sorted(ids(assert_success(envelope))) == sorted(
            record["id"] for record in addresses if record.get("city") == city
        )

    for_all(check, 20, city=LETTERS | st.sampled_from(["Götefred", "Östersele", "İ", "ﬁ", "e\u0301", "😀", '"', "\\"]))


@clause("BITVIS-RES-2")
def test_addresses_have_the_documented_types(api: Api, new_object: ObjectFactory) -> None:
    """Addresses in LIST, OPEN and UPDATE have the documented types, also south of the equator."""
    own_object = new_object(ADDRESS, latitude=-33.5, longitude=151.25, streetNumber=7)
    shown = [
        http_data(api, "OPEN", ADDRESS, own_object["id"]),
        http_data(api, "UPDATE", ADDRESS, own_object["id"], data={"city": "Envik"}),
    ]
    for parameters in ({}, sorted_by("streetNumber"), equality_filter("city", "Envik"), page_of(3)):
        shown += list_objects(api, ADDRESS, parameters)[0]
    shown += [http_data(api, "OPEN", ADDRESS, identifier) for identifier in ids(all_objects(api))[:12]]
    for record in shown:
        assert isinstance(record.get("streetName", ""), str), envelope_text(record)
        assert isinstance(record.get("latitude", 0), int | float), envelope_text(record)
        assert type(record.get("streetNumber", 0)) is int, envelope_text(record)


@clause("BITVIS-SORT-1", "BITVIS-PAGE-1", "BITVIS-FILT-1")
def test_a_flag_that_is_false_or_absent_has_no_effect(api: Api) -> None:
    """Sorting, conditions and pagination have an effect only when their flags are true."""
    ids_before = ids(at_least(all_objects(api, QUEUE)))
    disabled: list[Record] = [
        {**sorted_by("id"), "sorting": False},
        {**equality_filter("id", "nobody"), "condition": False},
        {**page_of(1), "pagination": False},
        {},
    ]
    for parameters in disabled:
        assert ids(list_objects(api, QUEUE, parameters)[0]) == ids_before, json.dumps(parameters)
