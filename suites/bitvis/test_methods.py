"""The seven methods, and those that only read: document lines 3-12."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import (
    KINDS,
    METHODS,
    ObjectKind,
    all_objects,
    any_object,
    assert_failure,
    assert_success,
    http_data,
    http_envelope,
    ids,
    new_object_data,
    run_data,
)
from suites.bitvis.conftest import ObjectFactory
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@clause("BITVIS-METH-0")
def test_any_other_method_is_refused(api: Api) -> None:
    """Other words, the method names in lower case among them, are refused in the header and in the query string."""
    similar_words = st.sampled_from(METHODS).flatmap(
        lambda name: st.sampled_from([name.lower(), name.title(), f"{name}S", name[:-1], f"X{name}"])
    )
    other_words = st.one_of(
        similar_words, st.text(string.ascii_letters, min_size=1), st.sampled_from(["GET", "POST", "null"])
    )

    def check(method: str, verb: str, kind: ObjectKind, place: Any) -> None:
        if method in METHODS:
            raise MissingPrecondition(f"{method} is a method")
        assert_failure(
            http_envelope(api, method, kind, verb=verb, place=place),
            f"no method is called {method!r}",
        )

    for_all(
        check,
        25,
        method=other_words,
        verb=st.sampled_from(["GET", "POST"]),
        kind=st.sampled_from(KINDS),
        place=st.sampled_from(["header", "query"]),
    )


@clause("BITVIS-METH-0")
@each_kind
def test_all_seven_methods_are_known(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """Each of the seven methods succeeds when it is sent what it requires."""
    own_object = new_object(kind)
    run_arguments = run_data(api, kind)
    for method, data in (
        ("OPEN", None),
        ("UPDATE", new_object_data(kind, api)),
        ("INDEX", None),
        ("RUN", run_arguments),
        ("DELETE", None),
    ):
        http_data(api, method, kind, own_object["id"], data=data)
    http_data(api, "LIST", kind)


@clause("BITVIS-METH-LIST-1")
@each_kind
def test_list_returns_every_object(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """Without pagination LIST returns as many objects as `count` says, each once."""
    envelope = http_envelope(api, "LIST", kind)
    data = assert_success(envelope)
    if readings.is_allowed("BITVIS-AMB-35", "all_in_some_order"):
        assert len(data) == envelope["count"], "the number of objects differs from count"
    readings.one_of(
        "BITVIS-AMB-35", all_in_some_order=envelope["count"] == len(data), capped=envelope["count"] > len(data)
    )
    assert len(set(ids(data))) == len(data), "an object is listed twice"


@clause("BITVIS-METH-LIST-1")
@each_kind
def test_list_does_not_depend_on_earlier_calls(api: Api, kind: ObjectKind) -> None:
    """A LIST that filters, sorts or paginates does not affect the next LIST without parameters."""
    objects_before = all_objects(api, kind)
    if not objects_before:
        raise MissingPrecondition(f"the target has no {kind} that a LIST could omit")
    unmatched = {"key": kind.text_member, "operator": "EQUAL", "value": api.unique_text("nobody-")}
    condition_tree = {"items": [unmatched], "subgroups": [], "logic": "AND"}
    http_envelope(api, "LIST", kind, parameters={"condition": True, "condition.values": condition_tree})
    assert ids(all_objects(api, kind)) == ids(objects_before), "after a filter, LIST gives other objects"
    http_data(api, "LIST", kind, parameters={"pagination": True, "pagination.size": 1, "pagination.from": 0})
    assert ids(all_objects(api, kind)) == ids(objects_before), "after a page, LIST gives other objects"


@clause("BITVIS-METH-LIST-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_list_needs_no_object_id(api: Api, kind: ObjectKind, place: str) -> None:
    """LIST with a method and a token, and no object id anywhere, succeeds."""
    http_data(api, "LIST", kind, place=place)


@clause("BITVIS-METH-LIST-3")
@each_kind
def test_list_needs_no_data(api: Api, kind: ObjectKind) -> None:
    """LIST without a body succeeds."""
    http_data(api, "LIST", kind)


@clause("BITVIS-METH-LIST-2")
@each_kind
def test_an_object_id_with_list_does_what_a_meaning_says(
    api: Api, readings: ObservedReadings, kind: ObjectKind
) -> None:
    """LIST with an object id returns all objects, or is refused, or returns objects in the scope of that id."""
    objects = all_objects(api, kind)
    envelope = http_envelope(api, "LIST", kind, any_object(api, kind)["id"])
    refused = envelope["success"] is False
    lists_all = not refused and ids(envelope["data"]) == ids(objects)
    readings.observe("BITVIS-AMB-38", ignored=lists_all, refused=refused, scoped=not refused)


@clause("BITVIS-METH-OPEN-1")
@each_kind
def test_open_returns_the_named_object(api: Api, kind: ObjectKind) -> None:
    """Listed objects open under their ids, wherever the id is sent, with the values that the list shows."""
    listed = all_objects(api, kind)
    if not listed:
        raise MissingPrecondition(f"the target has no {kind} that could be opened")

    def check(number: int, place: str) -> None:
        record = listed[number % len(listed)]
        opened = http_data(api, "OPEN", kind, record["id"], place=place)
        shared = record.keys() & opened.keys()
        assert {name: opened[name] for name in shared} == {name: record[name] for name in shared}

    for_all(check, 15, number=st.integers(0, 99), place=st.sampled_from(["header", "query", "path"]))


@clause("BITVIS-METH-OPEN-3")
@each_kind
def test_open_needs_no_data(api: Api, kind: ObjectKind) -> None:
    """OPEN of a listed object succeeds without a body."""
    http_data(api, "OPEN", kind, any_object(api, kind)["id"])


@clause("BITVIS-METH-OPEN-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_open_without_an_object_id_is_refused(api: Api, kind: ObjectKind, place: Any) -> None:
    """OPEN without an object id is refused."""
    assert_failure(http_envelope(api, "OPEN", kind, place=place), "OPEN needs an object id")


@clause("BITVIS-METH-INDEX-1")
@each_kind
def test_index_returns_an_object_or_a_list(api: Api, kind: ObjectKind) -> None:
    """INDEX of an object succeeds with an object or a list as its data."""
    assert isinstance(http_data(api, "INDEX", kind, any_object(api, kind)["id"]), dict | list)


@clause("BITVIS-METH-INDEX-3")
@each_kind
def test_index_needs_no_data(api: Api, kind: ObjectKind) -> None:
    """INDEX of a listed object succeeds without a body."""
    http_data(api, "INDEX", kind, any_object(api, kind)["id"])


@clause("BITVIS-METH-INDEX-2")
@each_kind
def test_index_without_an_object_id_is_refused(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """INDEX without an object id fails or, where the reading allows it, returns something about all objects."""
    envelope = http_envelope(api, "INDEX", kind)
    about_all = envelope["success"] is True and bool(envelope["data"])
    readings.one_of("BITVIS-AMB-8", required=envelope["success"] is False, all_objects=about_all)
