"""Frames: document lines 13-24. What a frame must contain, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    METHODS,
    QUEUE,
    ObjectKind,
    Record,
    all_objects,
    any_object,
    assert_failure,
    assert_success,
    checked_envelope,
    http_data,
    ids,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.websocket_calls import call_message, frame_envelopes, frame_exchanges
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
NON_OBJECTS = ANY_JSON.filter(lambda value: not isinstance(value, dict))
INVALID_TEXTS = st.sampled_from(["", " ", "{", "LIST", '{"method": "LIST",}', "{'method': 'LIST'}", '{"method": LIST}'])


@clause("BITVIS-ARCH-1")
@each_kind
def test_a_websocket_reaches_each_endpoint_by_name(api: Api, kind: ObjectKind) -> None:
    """LIST by frame succeeds at each endpoint and returns that endpoint's objects."""
    (envelope,) = frame_envelopes(api, kind, call_message(api, "LIST"))
    assert sorted(ids(assert_success(envelope))) == sorted(ids(all_objects(api, kind)))


def complete_message(api: Api, method: str, kind: ObjectKind, objectid: str, data: Record | None = None) -> Record:
    """A call with every part that any method requires."""
    return call_message(api, method, objectid, data=new_object_data(kind, api) if data is None else data)


@clause("BITVIS-WS-10")
def test_an_invalid_message_is_refused_and_the_connection_survives(api: Api) -> None:
    """A message that is not one JSON object fails; the same connection then serves a call as usual."""
    valid_call = call_message(api, "LIST")
    lists_of_calls = st.lists(st.just(valid_call), min_size=1, max_size=2)

    def check(invalid: Any) -> None:
        text = invalid if isinstance(invalid, str) else json.dumps(invalid)
        refused, served = frame_envelopes(api, ADDRESS, text, valid_call)
        assert_failure(refused, "the message is not one JSON object")
        assert_success(served)

    for_all(check, 20, invalid=st.one_of(INVALID_TEXTS, lists_of_calls, NON_OBJECTS.map(json.dumps)))


@clause("BITVIS-WS-1")
def test_every_frame_receives_one_response(api: Api, readings: ObservedReadings) -> None:
    """Calls that are sent without waiting all receive a response, in their order or in another one."""
    identifiers = [record["id"] for record in all_objects(api, DEVICE)[:4] or [any_object(api, DEVICE)]]
    messages = [call_message(api, "OPEN", identifier) for identifier in identifiers]
    exchanges = frame_exchanges(api, DEVICE.endpoint, *messages, pipelined=True)
    opened_ids = ids([assert_success(checked_envelope(api, exchange, "OPEN", DEVICE)) for exchange in exchanges])
    readings.one_of(
        "BITVIS-AMB-37", one_by_one=opened_ids == identifiers, any_order=sorted(opened_ids) == sorted(identifiers)
    )


@clause("BITVIS-WS-2")
def test_only_the_seven_methods_in_capitals_are_known(api: Api) -> None:
    """Other words, the method names in lower case and values that are no text fail; the name itself succeeds."""
    similar_words = st.sampled_from(METHODS).flatmap(
        lambda name: st.sampled_from([name.lower(), name.title(), f" {name}"])
    )

    def check(method: Any) -> None:
        if method in METHODS:
            raise MissingPrecondition(f"{method} is a method")
        (envelope,) = frame_envelopes(api, DEVICE, call_message(api, method))
        assert_failure(envelope, f"no method is called {method!r}")

    for_all(check, 25, method=st.one_of(similar_words, ANY_JSON))
    assert_success(frame_envelopes(api, DEVICE, call_message(api, "LIST"))[0])


@clause("BITVIS-WS-3")
@each_kind
@pytest.mark.parametrize("left_out", [{}, {"objectid": ""}, {"objectid": None}], ids=["absent", "empty", "null"])
def test_methods_on_an_object_require_its_id(api: Api, kind: ObjectKind, left_out: Record) -> None:
    """OPEN, UPDATE and DELETE without an object id fail, and nothing is deleted."""
    before = ids(all_objects(api, kind))
    assert_failure(frame_envelopes(api, kind, call_message(api, "OPEN", **left_out))[0], "OPEN needs an object id")
    for method in ("UPDATE", "DELETE"):
        (envelope,) = frame_envelopes(api, kind, call_message(api, method, data=new_object_data(kind, api), **left_out))
        assert_failure(envelope, f"{method} needs an object id")
    assert not api.target.embedded or ids(all_objects(api, kind)) == before


@clause("BITVIS-WS-4")
def test_the_token_is_a_text_in_the_member_token(api: Api) -> None:
    """Tokens that are no text, empty or under another name fail; the token as text in `token` succeeds."""
    token = api.setting("TOKEN")

    def check(invalid_token: Any) -> None:
        (envelope,) = frame_envelopes(api, ADDRESS, {"method": "LIST", "token": invalid_token})
        assert_failure(envelope, f"{invalid_token!r} is not a token")

    for_all(check, 15, invalid_token=ANY_JSON | st.sampled_from([[token], {"token": token}, True, 1, ""]))
    for name in ("Token", "Flow-Auth-Token", "auth"):
        assert_failure(frame_envelopes(api, ADDRESS, {"method": "LIST", name: token})[0], f"{name} is not token")
    assert_success(frame_envelopes(api, ADDRESS, {"method": "LIST", "token": token})[0])


@clause("BITVIS-WS-3")
@each_kind
def test_an_object_id_applies_to_one_frame_only(api: Api, kind: ObjectKind) -> None:
    """OPEN without an object id fails, although the connection has just opened an object."""
    messages = [call_message(api, "OPEN", any_object(api, kind)["id"]), call_message(api, "OPEN")]
    opened, refused = frame_envelopes(api, kind, *messages)
    assert_success(opened)
    assert_failure(refused, "each OPEN needs its own object id")


@clause("BITVIS-WS-4", "BITVIS-AUTH-5")
@pytest.mark.parametrize("credentials", [{"token": "x" * 32}, {"token": ""}, {}], ids=["wrong", "empty", "absent"])
def test_a_token_applies_to_one_frame_only(api: Api, credentials: Record) -> None:
    """After a call with a valid token, the connection is refused without it and served with it again."""
    call = call_message(api, "LIST")
    first, refused, last = frame_envelopes(api, ADDRESS, call, {"method": "LIST", **credentials}, call)
    assert_success(first)
    assert_failure(refused, "each frame needs its token")
    assert_success(last)


@clause("BITVIS-WS-9")
@each_kind
def test_data_applies_to_one_frame_only(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """UPDATE without data fails, although the connection has just sent some, and the other object stays as it was."""
    own_object, other_object = new_object(kind), new_object(kind)
    messages = [
        call_message(api, "UPDATE", own_object["id"], data=new_object_data(kind, api)),
        call_message(api, "UPDATE", other_object["id"]),
    ]
    saved, refused = frame_envelopes(api, kind, *messages)
    assert_success(saved)
    assert_failure(refused, "each UPDATE needs its own data")
    assert http_data(api, "OPEN", kind, other_object["id"]) == other_object


@clause("BITVIS-WS-5")
@each_kind
def test_namespace_and_parameters_may_be_left_out(api: Api, kind: ObjectKind) -> None:
    """LIST succeeds without namespace and parameters, and with the empty texts of the document's structure."""
    messages = [call_message(api, "LIST", **extra) for extra in ({}, {"namespace": ""}, {"parameters": ""})]
    first, *others = frame_envelopes(api, kind, *messages)
    for envelope in (first, *others):
        assert ids(assert_success(envelope)) == ids(first["data"])


@clause("BITVIS-WS-5")
def test_a_text_for_parameters_follows_a_reading(api: Api, readings: ObservedReadings) -> None:
    """Parameters as JSON within a text are refused, read or ignored."""
    page = {"pagination": True, "pagination.size": 1, "pagination.from": 0}
    as_text, as_object, without_parameters = frame_envelopes(
        api,
        DEVICE,
        call_message(api, "LIST", parameters=json.dumps(page)),
        call_message(api, "LIST", parameters=page),
        call_message(api, "LIST"),
    )
    data = as_text.get("data")
    readings.one_of(
        "BITVIS-AMB-7",
        object_only=as_text["success"] is False,
        json_text=data == assert_success(as_object),
        ignored=data == assert_success(without_parameters),
    )


@clause("BITVIS-WS-6")
@pytest.mark.parametrize("method", ["CREATE", "UPDATE", "RUN"])
def test_data_has_to_be_an_object(api: Api, new_object: ObjectFactory, method: str) -> None:
    """Lists, texts, numbers and null instead of a data object fail by frame and change nothing."""
    own_object = new_object(DEVICE)
    invalid_data = st.one_of(NON_OBJECTS, st.just([new_object_data(DEVICE, api)]), st.just([]))
    count = len(all_objects(api, DEVICE))

    def check(data: Any) -> None:
        objectid = "" if method == "CREATE" else own_object["id"]
        assert_failure(
            frame_envelopes(api, DEVICE, call_message(api, method, objectid, data=data))[0], "data must be an object"
        )

    for_all(check, 15, data=invalid_data)
    assert http_data(api, "OPEN", DEVICE, own_object["id"]) == own_object
    assert not api.target.embedded or len(all_objects(api, DEVICE)) == count


@clause("BITVIS-WS-7")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("left_out", ["method", "token"])
def test_method_and_token_are_always_required(api: Api, new_object: ObjectFactory, method: str, left_out: str) -> None:
    """A frame of each method fails without its method and without its token, and our object stays as it was."""
    own_object = new_object(QUEUE)
    complete = complete_message(api, method, QUEUE, own_object["id"])
    (envelope,) = frame_envelopes(api, QUEUE, {name: value for name, value in complete.items() if name != left_out})
    assert_failure(envelope, f"{left_out} is required")
    assert http_data(api, "OPEN", QUEUE, own_object["id"]) == own_object


@clause("BITVIS-WS-8")
@each_kind
def test_list_and_create_need_no_object_id(api: Api, created_objects: OwnObjects, kind: ObjectKind) -> None:
    """LIST and CREATE by frame succeed without an object id, and the created object is listed."""
    assert_success(frame_envelopes(api, kind, call_message(api, "LIST"))[0])
    created = assert_success(
        frame_envelopes(api, kind, call_message(api, "CREATE", data=new_object_data(kind, api)))[0]
    )
    created_objects.append((kind, created["id"]))
    assert created["id"] in ids(all_objects(api, kind))


@clause("BITVIS-WS-9")
@each_kind
@pytest.mark.parametrize("method", ["CREATE", "UPDATE", "RUN"])
def test_methods_that_save_require_data(api: Api, new_object: ObjectFactory, kind: ObjectKind, method: str) -> None:
    """CREATE, UPDATE and RUN by frame fail without data, and nothing is created or changed."""
    own_object = new_object(kind)
    ids_before = ids(all_objects(api, kind))
    objectid = "" if method == "CREATE" else own_object["id"]
    assert_failure(frame_envelopes(api, kind, call_message(api, method, objectid))[0], f"{method} needs data")
    assert http_data(api, "OPEN", kind, own_object["id"]) == own_object
    assert not api.target.embedded or ids(all_objects(api, kind)) == ids_before


@clause("BITVIS-ARCH-1")
def test_an_endpoint_is_found_by_its_name(api: Api, readings: ObservedReadings) -> None:
    """An endpoint is found by its name with or without a leading slash; an unknown name is refused."""
    list_call = call_message(api, "LIST")
    bare, slashed, unknown = (
        checked_envelope(api, frame_exchanges(api, name, list_call)[0], "LIST", QUEUE)
        for name in (QUEUE.endpoint, f"/{QUEUE.endpoint}", f"{QUEUE.endpoint}x")
    )
    assert_failure(unknown, "no endpoint has that name")
    readings.one_of(
        "BITVIS-AMB-28",
        either=bare["success"] and slashed["success"],
        bare_name=bare["success"],
        leading_slash=slashed["success"],
    )
    readings.record_meaning("BITVIS-AMB-27", "bare")
