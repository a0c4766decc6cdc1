"""Frames: lines 13-24 of the document. What a frame has to hold, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    METHODS,
    QUEUE,
    Kind,
    Record,
    done,
    envelope,
    everything,
    fails,
    for_all,
    ids,
    of,
    some,
    succeeds,
)
from suites.bitvis.frames import framed, frames, message
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NO_OBJECT = ANY_JSON.filter(lambda value: not isinstance(value, dict))
BROKEN = st.sampled_from(["", " ", "{", "LIST", '{"method": "LIST",}', "{'method': 'LIST'}", '{"method": LIST}'])


@clause("BITVIS-ARCH-1")
@each_kind
def test_a_websocket_reaches_each_endpoint_by_name(api: Api, kind: Kind) -> None:
    """LIST by frame succeeds at each endpoint, and gives that endpoint's objects."""
    (answer,) = framed(api, kind, message(api, "LIST"), changes=False)
    assert sorted(ids(succeeds(answer))) == sorted(ids(everything(api, kind)))


def full(api: Api, method: str, kind: Kind, objectid: str, data: Record | None = None) -> Record:
    """A frame that has every part that any method needs."""
    return message(api, method, objectid, data=of(kind, api) if data is None else data)


@clause("BITVIS-WS-1")
def test_a_frame_that_is_no_call_is_refused_and_the_connection_stays(api: Api) -> None:
    """What is not one JSON object fails; the same connection then answers a call as if nothing had been."""
    call = message(api, "LIST")
    lists = st.lists(st.just(call), min_size=1, max_size=2)

    def check(broken: Any) -> None:
        text = broken if isinstance(broken, str) else json.dumps(broken)
        refused, after = framed(api, ADDRESS, text, call, changes=False)
        fails(refused, "the frame is not one JSON object")
        succeeds(after)

    for_all(check, 20, broken=st.one_of(BROKEN, lists, NO_OBJECT.map(json.dumps)))


@clause("BITVIS-WS-1")
def test_frames_are_answered_one_for_one(api: Api, readings: Observed) -> None:
    """Calls that are sent without waiting are all answered, in order or not."""
    wanted = [record["id"] for record in everything(api, DEVICE)[:4] or [some(api, DEVICE)]]
    sent = [message(api, "OPEN", identifier) for identifier in wanted]
    found = frames(api, DEVICE.endpoint, *sent, at_once=True, changes=False)
    got = ids([succeeds(envelope(api, one, "OPEN", DEVICE)) for one in found])
    readings.one_of("BITVIS-AMB-37", one_by_one=got == wanted, any_order=sorted(got) == sorted(wanted))


@clause("BITVIS-WS-2")
def test_the_method_is_one_of_the_seven_in_capitals(api: Api) -> None:
    """Other words, the names in small letters, and what is no text fail; the name itself succeeds."""
    near = st.sampled_from(METHODS).flatmap(lambda name: st.sampled_from([name.lower(), name.title(), f" {name}"]))

    def check(method: Any) -> None:
        if method not in METHODS:
            (answer,) = framed(api, DEVICE, message(api, method), changes=False)
            fails(answer, f"no method is called {method!r}")

    for_all(check, 25, method=st.one_of(near, ANY_JSON))
    succeeds(framed(api, DEVICE, message(api, "LIST"), changes=False)[0])


@clause("BITVIS-WS-3")
@each_kind
@pytest.mark.parametrize("left_out", [{}, {"objectid": ""}, {"objectid": None}], ids=["absent", "empty", "null"])
def test_methods_on_an_existing_object_have_to_name_it(api: Api, kind: Kind, left_out: Record) -> None:
    """OPEN, UPDATE and DELETE without an object id fail, and nothing is deleted."""
    before = ids(everything(api, kind))
    fails(framed(api, kind, message(api, "OPEN", **left_out), changes=False)[0], "OPEN needs an object id")
    for method in ("UPDATE", "DELETE"):
        (answer,) = framed(api, kind, message(api, method, data=of(kind, api), **left_out))
        fails(answer, f"{method} needs an object id")
    assert not api.target.embedded or ids(everything(api, kind)) == before


@clause("BITVIS-WS-4")
def test_the_token_is_text_in_the_member_token(api: Api) -> None:
    """Values that are no text, an empty one, and the token under another name fail; the token as text succeeds."""
    token = api.setting("TOKEN")

    def check(wrong: Any) -> None:
        (answer,) = framed(api, ADDRESS, {"method": "LIST", "token": wrong}, changes=False)
        fails(answer, f"{wrong!r} is no token")

    for_all(check, wrong=ANY_JSON | st.sampled_from([[token], {"token": token}, True, 1, ""]))
    for name in ("Token", "Flow-Auth-Token", "auth"):
        fails(framed(api, ADDRESS, {"method": "LIST", name: token}, changes=False)[0], f"{name} is not token")
    succeeds(framed(api, ADDRESS, {"method": "LIST", "token": token}, changes=False)[0])


@clause("BITVIS-WS-3")
@each_kind
def test_an_object_id_is_for_one_frame_only(api: Api, kind: Kind) -> None:
    """OPEN without an object id fails, though the connection has just opened one."""
    sent = [message(api, "OPEN", some(api, kind)["id"]), message(api, "OPEN")]
    opened, lacking = framed(api, kind, *sent, changes=False)
    succeeds(opened)
    fails(lacking, "OPEN needs an object id of its own")


@clause("BITVIS-WS-4", "BITVIS-AUTH-5")
@pytest.mark.parametrize("wrong", [{"token": "x" * 32}, {"token": ""}, {}], ids=["wrong", "empty", "absent"])
def test_a_token_is_for_one_frame_only(api: Api, wrong: Record) -> None:
    """After a call with the right token, the connection is refused without it, and then served with it again."""
    right = message(api, "LIST")
    first, refused, last = framed(api, ADDRESS, right, {"method": "LIST", **wrong}, right, changes=False)
    succeeds(first)
    fails(refused, "each frame has to carry its token")
    succeeds(last)


@clause("BITVIS-WS-9")
@each_kind
def test_data_is_for_one_frame_only(api: Api, make: Make, kind: Kind) -> None:
    """UPDATE without data fails, though the connection has just sent some, and the other object is as it was."""
    own, other = make(kind), make(kind)
    sent = [message(api, "UPDATE", own["id"], data=of(kind, api)), message(api, "UPDATE", other["id"])]
    saved, lacking = framed(api, kind, *sent)
    succeeds(saved)
    fails(lacking, "UPDATE needs data of its own")
    assert done(api, "OPEN", kind, other["id"]) == other


@clause("BITVIS-WS-5")
@each_kind
def test_namespace_and_parameters_may_be_left_out(api: Api, kind: Kind) -> None:
    """LIST succeeds without either, and gives the same as with the empty texts of the document's structure."""
    sent = [message(api, "LIST", **extra) for extra in ({}, {"namespace": ""}, {"parameters": ""})]
    first, *rest = framed(api, kind, *sent, changes=False)
    for answer in (first, *rest):
        assert ids(succeeds(answer)) == ids(first["data"])


@clause("BITVIS-WS-5")
def test_a_text_for_parameters_does_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """The parameters as JSON in a text are refused, read, or passed over; no others come than LIST gives."""
    page = {"pagination": True, "pagination.size": 1, "pagination.from": 0}
    texted, paged, plain = framed(
        api,
        DEVICE,
        message(api, "LIST", parameters=json.dumps(page)),
        message(api, "LIST", parameters=page),
        message(api, "LIST"),
        changes=False,
    )
    data = texted.get("data")
    readings.one_of(
        "BITVIS-AMB-7",
        object_only=texted["success"] is False,
        json_text=data == succeeds(paged),
        ignored=data == succeeds(plain),
    )


@clause("BITVIS-WS-6")
@pytest.mark.parametrize("method", ["CREATE", "UPDATE", "RUN"])
def test_data_has_to_be_an_object(api: Api, make: Make, method: str) -> None:
    """Lists, texts, numbers and null in place of data fail, by frame as by HTTP, and change nothing."""
    own = make(DEVICE)
    wrong = st.one_of(NO_OBJECT, st.just([of(DEVICE, api)]), st.just([]))
    count = len(everything(api, DEVICE))

    def check(data: Any) -> None:
        objectid = "" if method == "CREATE" else own["id"]
        fails(framed(api, DEVICE, message(api, method, objectid, data=data))[0], "data is an object")

    for_all(check, data=wrong)
    assert done(api, "OPEN", DEVICE, own["id"]) == own
    assert not api.target.embedded or len(everything(api, DEVICE)) == count


@clause("BITVIS-WS-7")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("leave", ["method", "token"])
def test_method_and_token_are_always_required(api: Api, make: Make, method: str, leave: str) -> None:
    """A frame of each method fails without its method and without its token, and our object stays as it was."""
    own = make(QUEUE)
    whole = full(api, method, QUEUE, own["id"])
    (answer,) = framed(api, QUEUE, {name: value for name, value in whole.items() if name != leave})
    fails(answer, f"{leave} is required")
    assert done(api, "OPEN", QUEUE, own["id"]) == own


@clause("BITVIS-WS-8")
@each_kind
def test_list_and_create_need_no_object_id(api: Api, mine: Mine, kind: Kind) -> None:
    """By frame both succeed without one; the created object is listed."""
    succeeds(framed(api, kind, message(api, "LIST"), changes=False)[0])
    new = succeeds(framed(api, kind, message(api, "CREATE", data=of(kind, api)))[0])
    mine.append((kind, new["id"]))
    assert new["id"] in ids(everything(api, kind))


@clause("BITVIS-WS-9")
@each_kind
@pytest.mark.parametrize("method", ["CREATE", "UPDATE", "RUN"])
def test_what_is_to_be_saved_has_to_be_brought(api: Api, make: Make, kind: Kind, method: str) -> None:
    """CREATE, UPDATE and RUN by frame fail without data, and nothing is made or changed."""
    own = make(kind)
    before = ids(everything(api, kind))
    objectid = "" if method == "CREATE" else own["id"]
    fails(framed(api, kind, message(api, method, objectid))[0], f"{method} needs data")
    assert done(api, "OPEN", kind, own["id"]) == own
    assert not api.target.embedded or ids(everything(api, kind)) == before


@clause("BITVIS-ARCH-1")
def test_an_endpoint_is_found_by_its_name_alone(api: Api, readings: Observed) -> None:
    """The name is found as it is, with outer slashes or only so; a name that nobody has is refused."""
    call = message(api, "LIST")
    plain, slashed, unknown = (
        envelope(api, frames(api, name, call, changes=False)[0], "LIST", QUEUE)
        for name in (QUEUE.endpoint, f"/{QUEUE.endpoint}", f"{QUEUE.endpoint}x")
    )
    fails(unknown, "no endpoint has that name")
    readings.one_of(
        "BITVIS-AMB-28",
        either=plain["success"] and slashed["success"],
        bare_name=plain["success"],
        leading_slash=slashed["success"],
    )
    readings.saw("BITVIS-AMB-27", "bare")
