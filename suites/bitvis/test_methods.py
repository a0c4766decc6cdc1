"""The seven methods, and those that read: lines 3-12 of the document."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    KINDS,
    METHODS,
    Kind,
    asked,
    done,
    everything,
    fails,
    for_all,
    ids,
    of,
    run_data,
    some,
    succeeds,
)
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@clause("BITVIS-METH-0")
def test_any_other_method_is_refused(api: Api) -> None:
    """Words that are none of the seven, those in small letters among them, are refused by header and by query."""
    words = st.sampled_from(METHODS).flatmap(
        lambda name: st.sampled_from([name.lower(), name.title(), f"{name}S", name[:-1], f"X{name}"])
    )
    anything = st.one_of(words, st.text(string.ascii_letters, min_size=1), st.sampled_from(["GET", "POST", "null"]))

    def check(method: str, verb: str, kind: Kind, place: Any) -> None:
        if method not in METHODS:
            fails(asked(api, method, kind, verb=verb, place=place, changes=False), f"no method is called {method!r}")

    for_all(
        check,
        25,
        method=anything,
        verb=st.sampled_from(["GET", "POST"]),
        kind=st.sampled_from(KINDS),
        place=st.sampled_from(["header", "query"]),
    )


@clause("BITVIS-METH-0")
@each_kind
def test_all_seven_methods_are_known(api: Api, make: Make, kind: Kind) -> None:
    """Each of the seven succeeds when it is sent what it needs."""
    own = make(kind)
    run = run_data(api, kind)
    for method, data in (("OPEN", None), ("UPDATE", of(kind, api)), ("INDEX", None), ("RUN", run), ("DELETE", None)):
        done(api, method, kind, own["id"], data=data)
    done(api, "LIST", kind)


@clause("BITVIS-METH-LIST-1")
@each_kind
def test_list_gives_every_object(api: Api, readings: Observed, kind: Kind) -> None:
    """Without pagination there are as many objects as `count` says, each once."""
    answer = asked(api, "LIST", kind)
    data = succeeds(answer)
    if readings.is_in_force("BITVIS-AMB-35", "all_in_some_order"):
        assert len(data) == answer["count"], "there are fewer or more objects than count says"
    readings.one_of("BITVIS-AMB-35", all_in_some_order=answer["count"] == len(data), capped=answer["count"] > len(data))
    assert len(set(ids(data))) == len(data), "an object is listed twice"


@clause("BITVIS-METH-LIST-1")
@each_kind
def test_list_gives_the_same_whatever_was_asked_before(api: Api, kind: Kind) -> None:
    """A LIST that filters, sorts and pages leaves no trace in the next LIST without parameters."""
    before = everything(api, kind)
    nobody = {"key": kind.text, "operator": "EQUAL", "value": api.unique("nobody-")}
    values = {"items": [nobody], "subgroups": [], "logic": "AND"}
    done(api, "LIST", kind, parameters={"condition": True, "condition.values": values})
    done(api, "LIST", kind, parameters={"pagination": True, "pagination.size": 1, "pagination.from": 0})
    assert ids(everything(api, kind)) == ids(before)


@clause("BITVIS-METH-LIST-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_list_needs_no_object_id(api: Api, kind: Kind, place: str) -> None:
    """LIST with a method and a token, and no object id in any place, succeeds."""
    done(api, "LIST", kind, place=place)


@clause("BITVIS-METH-LIST-3")
@each_kind
def test_list_needs_no_data(api: Api, kind: Kind) -> None:
    """LIST without a body succeeds."""
    done(api, "LIST", kind)


@clause("BITVIS-METH-LIST-2")
@each_kind
def test_an_object_id_with_list_does_what_a_meaning_says(api: Api, readings: Observed, kind: Kind) -> None:
    """LIST with an object id gives all objects, or some of another endpoint or this one, or is refused."""
    whole = everything(api, kind)
    answer = asked(api, "LIST", kind, some(api, kind)["id"])
    refused = answer["success"] is False
    same = not refused and ids(answer["data"]) == ids(whole)
    readings.one_of("BITVIS-AMB-38", ignored=same, refused=refused, scoped=not refused)


@clause("BITVIS-METH-OPEN-1")
@each_kind
def test_open_gives_the_object_that_was_named(api: Api, kind: Kind) -> None:
    """Listed objects open under their ids, in each place for them, with the values that the list shows."""
    listed = everything(api, kind)
    if not listed:
        raise Lacking(f"the target has no {kind} to open")

    def check(number: int, place: str) -> None:
        record = listed[number % len(listed)]
        opened = done(api, "OPEN", kind, record["id"], place=place)
        shared = record.keys() & opened.keys()
        assert {name: opened[name] for name in shared} == {name: record[name] for name in shared}

    for_all(check, number=st.integers(0, 99), place=st.sampled_from(["header", "query", "path"]))


@clause("BITVIS-METH-OPEN-3")
@each_kind
def test_open_needs_no_data(api: Api, kind: Kind) -> None:
    """OPEN of a listed object succeeds without a body."""
    done(api, "OPEN", kind, some(api, kind)["id"])


@clause("BITVIS-METH-OPEN-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_open_without_an_object_id_is_refused(api: Api, kind: Kind, place: Any) -> None:
    """OPEN with no object id in any place is refused."""
    fails(asked(api, "OPEN", kind, place=place), "OPEN needs an object id")


@clause("BITVIS-METH-INDEX-1")
@each_kind
def test_index_tells_what_a_search_knows(api: Api, kind: Kind) -> None:
    """INDEX of an object succeeds, with an object or a list as its data."""
    assert isinstance(done(api, "INDEX", kind, some(api, kind)["id"]), dict | list)


@clause("BITVIS-METH-INDEX-3")
@each_kind
def test_index_needs_no_data(api: Api, kind: Kind) -> None:
    """INDEX of a listed object succeeds without a body."""
    done(api, "INDEX", kind, some(api, kind)["id"])


@clause("BITVIS-METH-INDEX-2")
@each_kind
def test_index_without_an_object_id_is_refused(api: Api, readings: Observed, kind: Kind) -> None:
    """INDEX with no object id fails, or answers about all objects where a reading lets it."""
    answer = asked(api, "INDEX", kind, changes=False)
    about_all = answer["success"] is True and bool(answer["data"])
    readings.one_of("BITVIS-AMB-8", required=answer["success"] is False, all_objects=about_all)
