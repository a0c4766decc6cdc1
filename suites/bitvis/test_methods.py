"""The seven methods: lines 2-12 of the document. What each needs, what it does, and what is left afterwards."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    DEVICE,
    KINDS,
    METHODS,
    QUEUE,
    Kind,
    asked,
    done,
    everything,
    fails,
    for_all,
    framed,
    ids,
    message,
    of,
    some,
    succeeds,
    told,
)
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
RUN_METHODS = {kind.name: f"{kind.name.upper()}_METHOD" for kind in KINDS}


def run_data(api: Api, kind: Kind) -> dict[str, Any]:
    """Data for a RUN that the target knows."""
    return {"method": api.setting(RUN_METHODS[kind.name])}


def others(api: Api, kind: Kind, but: str) -> dict[str, Any]:
    """All other objects of the endpoint by id."""
    return {record["id"]: record for record in everything(api, kind) if record["id"] != but}


@clause("BITVIS-ARCH-1")
@each_kind
def test_a_websocket_reaches_each_endpoint_by_name(api: Api, kind: Kind) -> None:
    """LIST by frame succeeds at each endpoint, and gives that endpoint's objects."""
    (answer,) = framed(api, kind, message(api, "LIST"), changes=False)
    assert sorted(ids(succeeds(answer))) == sorted(ids(everything(api, kind)))


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
    readings.one_of(
        "BITVIS-AMB-35", all_in_some_order=answer["count"] == len(data), capped=answer["count"] > len(data)
    )
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


@clause("BITVIS-METH-LIST-2", "BITVIS-METH-LIST-3")
@each_kind
def test_list_needs_neither_object_id_nor_data(api: Api, kind: Kind) -> None:
    """LIST with a method and a token, and nothing else, succeeds."""
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


@clause("BITVIS-METH-OPEN-1", "BITVIS-METH-OPEN-3")
@each_kind
def test_open_gives_the_object_that_was_named(api: Api, kind: Kind) -> None:
    """Listed objects open under their ids, with the values that the list shows, and no data is needed."""
    listed = everything(api, kind)
    if not listed:
        raise Lacking(f"the target has no {kind} to open")

    def check(number: int) -> None:
        record = listed[number % len(listed)]
        opened = done(api, "OPEN", kind, record["id"])
        shared = record.keys() & opened.keys()
        assert {name: opened[name] for name in shared} == {name: record[name] for name in shared}

    for_all(check, number=st.integers(0, 99))


@clause("BITVIS-METH-OPEN-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_open_without_an_object_id_is_refused(api: Api, kind: Kind, place: Any) -> None:
    """OPEN with no object id in any place is refused."""
    fails(asked(api, "OPEN", kind, place=place), "OPEN needs an object id")


@clause("BITVIS-METH-UPDATE-1")
@each_kind
def test_update_changes_its_object_and_no_other(api: Api, make: Make, kind: Kind) -> None:
    """OPEN shows the new value at once, and every other object, our own around it first, is as it was."""
    around = [make(kind), None, make(kind)]
    own = make(kind)
    around[1] = make(kind)
    before = others(api, kind, own["id"])
    text = api.unique("changed-")
    done(api, "UPDATE", kind, own["id"], data={kind.text: text})
    assert done(api, "OPEN", kind, own["id"])[kind.text] == text
    for record in around:
        assert record and done(api, "OPEN", kind, record["id"])[kind.text] == record[kind.text]
    if api.target.embedded:  # elsewhere others may change theirs meanwhile
        assert others(api, kind, own["id"]) == before, "an object that was not named has changed"


@clause("BITVIS-METH-UPDATE-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_update_without_an_object_id_is_refused(api: Api, kind: Kind, place: Any) -> None:
    """UPDATE with no object id in any place is refused."""
    fails(asked(api, "UPDATE", kind, data={kind.text: api.unique("x")}, place=place), "UPDATE needs an object id")


@clause("BITVIS-METH-UPDATE-3")
@each_kind
def test_update_without_data_is_refused_and_changes_nothing(api: Api, make: Make, kind: Kind) -> None:
    """An UPDATE that brings no data fails, and the object is as before."""
    own = make(kind)
    fails(asked(api, "UPDATE", kind, own["id"], verb="POST"), "UPDATE needs data")
    assert done(api, "OPEN", kind, own["id"]) == own


@clause("BITVIS-METH-DELETE-1", "BITVIS-METH-DELETE-3")
@each_kind
def test_a_deleted_object_is_gone_everywhere(api: Api, make: Make, kind: Kind) -> None:
    """DELETE without data succeeds; then OPEN fails, LIST leaves the object out, and the other one is still there."""
    kept, own = make(kind), make(kind)
    assert own["id"] in ids(everything(api, kind)), "the object that was made is listed"
    done(api, "DELETE", kind, own["id"])
    gone = fails(asked(api, "OPEN", kind, own["id"]), "the object was deleted")
    assert gone["errorcode"] == "DO_NOT_EXIST"
    left = ids(everything(api, kind))
    assert own["id"] not in left, "the deleted object is still listed"
    assert kept["id"] in left


@clause("BITVIS-METH-DELETE-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_delete_without_an_object_id_is_refused_and_deletes_nothing(
    api: Api, make: Make, kind: Kind, place: Any
) -> None:
    """DELETE on the endpoint as a whole fails, and all objects are still there."""
    own = make(kind)
    before = ids(everything(api, kind))
    fails(asked(api, "DELETE", kind, place=place), "DELETE needs an object id")
    after = ids(everything(api, kind))
    assert own["id"] in after
    assert not api.target.embedded or after == before


@clause("BITVIS-METH-INDEX-1", "BITVIS-METH-INDEX-3")
@each_kind
def test_index_tells_what_a_search_knows(api: Api, kind: Kind) -> None:
    """INDEX of an object succeeds without data, with an object or a list as its data."""
    assert isinstance(done(api, "INDEX", kind, some(api, kind)["id"]), dict | list)


@clause("BITVIS-METH-INDEX-2")
@each_kind
def test_index_without_an_object_id_is_refused(api: Api, readings: Observed, kind: Kind) -> None:
    """INDEX with no object id fails, or answers about all objects where a reading lets it."""
    answer = asked(api, "INDEX", kind, changes=False)
    about_all = answer["success"] is True and bool(answer["data"])
    readings.one_of("BITVIS-AMB-8", required=answer["success"] is False, all_objects=about_all)


@clause("BITVIS-METH-CREATE-1", "BITVIS-METH-CREATE-2")
@each_kind
def test_a_created_object_is_there(api: Api, readings: Observed, make: Make, kind: Kind) -> None:
    """CREATE without an object id succeeds; OPEN and LIST then show the object, with the text that was sent."""
    data = of(kind, api)
    answered = done(api, "CREATE", kind, data=data)
    readings.one_of("BITVIS-AMB-36", whole_object=kind.text in answered, id_only=set(answered) == {"id"})
    try:
        assert done(api, "OPEN", kind, answered["id"])[kind.text] == data[kind.text]
        (listed,) = [record for record in everything(api, kind) if record["id"] == answered["id"]] or [{}]
        assert listed.get(kind.text) == data[kind.text], "the created object is not in the list"
        assert make(kind)["id"] != answered["id"]
    finally:
        asked(api, "DELETE", kind, answered["id"])


@clause("BITVIS-METH-CREATE-3")
@each_kind
def test_create_without_data_is_refused_and_creates_nothing(api: Api, kind: Kind) -> None:
    """A CREATE that brings no data fails, and there are as many objects as before."""
    before = ids(everything(api, kind))
    fails(asked(api, "CREATE", kind), "CREATE needs data")
    assert not api.target.embedded or ids(everything(api, kind)) == before


@clause("BITVIS-METH-RUN-1")
@each_kind
def test_run_carries_out_a_method_of_the_object(api: Api, make: Make, kind: Kind) -> None:
    """RUN of a method that the target offers succeeds on our own object, which is still there afterwards."""
    own = make(kind)
    done(api, "RUN", kind, own["id"], data=run_data(api, kind))
    assert done(api, "OPEN", kind, own["id"])["id"] == own["id"]


@clause("BITVIS-METH-RUN-2")
@pytest.mark.parametrize("kind", [QUEUE, DEVICE], ids=str)
def test_run_without_an_object_id_runs_on_no_object(api: Api, readings: Observed, make: Make, kind: Kind) -> None:
    """RUN with no object id fails, or runs what needs none where a reading lets it; no object is picked for it."""
    own = make(kind)
    before = everything(api, kind)
    answer = asked(api, "RUN", kind, data=run_data(api, kind))
    readings.one_of("BITVIS-AMB-9", required=answer["success"] is False, not_needed=answer["success"] is True)
    data = answer.get("data")
    named = data.get("id") if isinstance(data, dict) else None
    assert named is None or named not in ids(before), f"it ran on an object that nobody named: {told(answer)}"
    assert done(api, "OPEN", kind, own["id"]) == own


@clause("BITVIS-METH-RUN-3")
@each_kind
def test_run_without_data_is_refused(api: Api, make: Make, kind: Kind) -> None:
    """A RUN that brings no data fails."""
    fails(asked(api, "RUN", kind, make(kind)["id"]), "RUN needs data")
