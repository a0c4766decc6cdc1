"""The HTTP mirror: document lines 57-71. The same endpoints and responses as by websocket, with paths, verbs and
bodies.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import (
    DEVICE,
    KINDS,
    ObjectKind,
    all_objects,
    any_object,
    assert_answered_alike,
    assert_failure,
    assert_success,
    checked_envelope,
    envelope_text,
    http_data,
    http_envelope,
    ids,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.list_oracle import page_of, reading_call_strategy
from suites.bitvis.websocket_calls import call_message, frame_envelope, frame_envelopes
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@clause("BITVIS-HTTP-1")
@each_kind
def test_endpoints_served_by_frame_are_served_over_http(api: Api, kind: ObjectKind) -> None:
    """Every endpoint that serves a call by frame serves it over HTTP."""
    if frame_envelope(api, "LIST", kind, "", None)["success"] is not True:
        raise MissingPrecondition(f"{kind.endpoint} does not serve LIST by websocket")
    http_data(api, "LIST", kind)


@clause("BITVIS-HTTP-1")
@each_kind
def test_endpoints_served_over_http_are_served_by_frame(api: Api, kind: ObjectKind) -> None:
    """Every endpoint that serves a call over HTTP serves it by frame."""
    if http_envelope(api, "LIST", kind)["success"] is not True:
        raise MissingPrecondition(f"{kind.endpoint} does not serve LIST over HTTP")
    assert_success(frame_envelope(api, "LIST", kind, "", None))


@clause("BITVIS-HTTP-2")
def test_both_transports_have_the_same_response(api: Api) -> None:
    """Any valid or invalid reading call has the same envelope by frame and over HTTP, except for the errorid."""

    def check(call: tuple[str, ObjectKind, str, Any]) -> None:
        method, kind, objectid, parameters = call
        assert_answered_alike(
            lambda: http_envelope(api, method, kind, objectid, parameters=parameters),
            lambda: frame_envelope(api, *call),
        )

    for_all(check, 40, call=reading_call_strategy(api))


@clause("BITVIS-HTTP-2")
@each_kind
def test_both_transports_change_alike(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """A change over one transport is seen by the other, and the responses have the same members."""
    first, second = new_object(kind), new_object(kind)
    text = api.unique_text("both-")
    (framed_answer,) = frame_envelopes(
        api, kind, call_message(api, "UPDATE", first["id"], data={kind.text_member: text})
    )
    http_answer = http_envelope(api, "UPDATE", kind, second["id"], data={kind.text_member: text})
    assert assert_success(framed_answer).keys() == assert_success(http_answer).keys()
    assert framed_answer.keys() == http_answer.keys()
    assert http_data(api, "OPEN", kind, first["id"]) == assert_success(
        frame_envelope(api, "OPEN", kind, first["id"], None)
    )
    (deletion,) = frame_envelopes(api, kind, call_message(api, "DELETE", first["id"]))
    assert deletion.keys() == http_envelope(api, "DELETE", kind, second["id"]).keys()


@clause("BITVIS-HTTP-3")
def test_a_body_is_data_only(api: Api, new_object: ObjectFactory, created_objects: OwnObjects) -> None:
    """Members of the data that are named like parts of a call do not affect the call."""
    own_object, other_object = new_object(DEVICE), new_object(DEVICE)
    call_parts = st.fixed_dictionaries(
        {},
        optional={
            "method": st.sampled_from(["LIST", "DELETE", "OPEN", "CREATE"]),
            "objectid": st.just(other_object["id"]),
            "namespace": st.just("nowhere"),
            "parameters": st.just(page_of(1)),
            "token": st.just("nobody's"),
        },
    )

    def check(call_members: Mapping[str, Any]) -> None:
        text = api.unique_text("body-")
        envelope = http_envelope(api, "UPDATE", DEVICE, own_object["id"], data={"name": text, **call_members})
        if envelope["success"] is True:  # a server may refuse unknown members
            assert http_data(api, "OPEN", DEVICE, own_object["id"])["name"] == text, (
                f"{envelope_text(envelope)} is a success, but the object did not change"
            )
        assert http_data(api, "OPEN", DEVICE, other_object["id"])["name"] == other_object["name"], (
            "an objectid in the data was used"
        )
        created = http_envelope(api, "CREATE", DEVICE, data={"name": text, **call_members})
        if created["success"] is True:
            data = created["data"]
            assert isinstance(data, dict), "a method within the data was carried out"
            assert data["id"] not in (own_object["id"], other_object["id"])
            created_objects.append((DEVICE, data["id"]))

    for_all(check, 12, call_members=call_parts)


@clause("BITVIS-HTTP-3")
@pytest.mark.parametrize("part", ["token", "method", "objectid"])
def test_a_part_of_the_call_in_the_body_is_not_read(api: Api, new_object: ObjectFactory, part: str) -> None:
    """A call whose token, method or object id stands only in the body is refused."""
    own_object = new_object(DEVICE)
    parts = {"token": api.setting("TOKEN"), "method": "UPDATE", "objectid": own_object["id"]}
    envelope = http_envelope(
        api,
        "" if part == "method" else "UPDATE",
        DEVICE,
        "" if part == "objectid" else own_object["id"],
        data={"name": api.unique_text("body-"), part: parts[part]},
        credentials="none" if part == "token" else "valid",
    )
    assert_failure(envelope, f"the {part} stands only in the body")
    assert http_data(api, "OPEN", DEVICE, own_object["id"]) == own_object


@clause("BITVIS-HTTP-4")
@each_kind
def test_an_object_id_in_the_path_equals_one_in_the_header(
    api: Api, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """OPEN and INDEX respond alike to an id in the path and in the header; UPDATE and DELETE by path take effect."""
    known_ids = ids(all_objects(api, kind))[:5] or [str(uuid.uuid4())]

    def check(objectid: str, method: str) -> None:
        assert_answered_alike(
            lambda: http_envelope(api, method, kind, objectid, place="path"),
            lambda: http_envelope(api, method, kind, objectid, place="header"),
        )

    for_all(
        check, 15, objectid=st.sampled_from([*known_ids, str(uuid.uuid4())]), method=st.sampled_from(["OPEN", "INDEX"])
    )
    own_object = new_object(kind)
    text = api.unique_text("path-")
    http_data(api, "UPDATE", kind, own_object["id"], data={kind.text_member: text}, place="path")
    assert http_data(api, "OPEN", kind, own_object["id"])[kind.text_member] == text
    http_data(api, "DELETE", kind, own_object["id"], place="path")
    assert_failure(http_envelope(api, "OPEN", kind, own_object["id"]), "it was deleted by path")


@clause("BITVIS-HTTP-5", "BITVIS-HTTP-8")
@each_kind
def test_the_path_with_its_slash_is_the_endpoint(api: Api, kind: ObjectKind) -> None:
    """LIST succeeds at the path of application and endpoint with its slash."""
    assert isinstance(http_data(api, "LIST", kind), list)


@clause("BITVIS-HTTP-18")
@each_kind
def test_another_application_does_not_publish_the_endpoint(api: Api, kind: ObjectKind) -> None:
    """LIST at the path of another application and the endpoint is refused."""
    application = kind.path.split("/")[2]
    other_application = "address" if application != "address" else "scheduler"
    other_path = kind.path.replace(f"/api/{application}/", f"/api/{other_application}/")
    exchange = api.request("GET", other_path, headers={"Flow-Request-Method": "LIST"})
    assert_failure(checked_envelope(api, exchange, "LIST", kind), "that application does not publish the endpoint")


@clause("BITVIS-HTTP-6")
@each_kind
def test_get_carries_list_open_and_delete(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """LIST, OPEN and DELETE succeed by GET, and what a GET deletes is gone."""
    http_data(api, "LIST", kind, verb="GET")
    http_data(api, "OPEN", kind, any_object(api, kind)["id"], verb="GET")
    own_object = new_object(kind)
    http_data(api, "DELETE", kind, own_object["id"], verb="GET")
    assert_failure(http_envelope(api, "OPEN", kind, own_object["id"], verb="GET"), "it was deleted")


@clause("BITVIS-HTTP-7")
@each_kind
def test_post_carries_create_and_update(api: Api, created_objects: OwnObjects, kind: ObjectKind) -> None:
    """CREATE and UPDATE succeed by POST, and the object shows the update."""
    created = http_data(api, "CREATE", kind, data=new_object_data(kind, api), verb="POST")
    created_objects.append((kind, created["id"]))
    text = api.unique_text("post-")
    http_data(api, "UPDATE", kind, created["id"], data={kind.text_member: text}, verb="POST")
    assert http_data(api, "OPEN", kind, created["id"])[kind.text_member] == text


@clause("BITVIS-HTTP-9")
@each_kind
@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_without_its_slash_a_path_ends_in_an_object_id(api: Api, kind: ObjectKind, method: str) -> None:
    """Without the slash, the last segment is taken for an object id, so the call is refused."""
    exchange = api.request("GET", kind.path.rstrip("/"), headers={"Flow-Request-Method": method})
    assert_failure(checked_envelope(api, exchange, method, kind), "the last segment is taken for an object id")


@clause("BITVIS-HTTP-6", "BITVIS-HTTP-7")
def test_another_verb_follows_a_reading(api: Api, readings: ObservedReadings, new_object: ObjectFactory) -> None:
    """LIST by POST does what it does by GET, or is refused; INDEX is served by POST or by GET."""
    own_object = new_object(DEVICE)
    posted = http_envelope(api, "LIST", DEVICE, verb="POST")
    lists_all = posted["success"] is True and ids(posted["data"]) == ids(all_objects(api, DEVICE))
    readings.one_of("BITVIS-AMB-11", call_wins=lists_all, refused=posted["success"] is False)
    served = [
        http_envelope(api, "INDEX", DEVICE, own_object["id"], verb=verb)["success"] is True for verb in ("POST", "GET")
    ]
    readings.one_of("BITVIS-AMB-10", post=served[0], get=served[1])


@clause("BITVIS-HTTP-8")
def test_a_path_without_slash_and_an_object_id_follow_a_reading(api: Api, readings: ObservedReadings) -> None:
    """As in the examples of lines 301 and 345: the path without slash means the endpoint, or the call fails."""
    record = any_object(api, DEVICE)
    headers = {"Flow-Request-Method": "OPEN", "Flow-Request-ObjectId": record["id"]}
    exchange = api.request("GET", DEVICE.path.rstrip("/"), headers=headers)
    envelope = checked_envelope(api, exchange, "OPEN", DEVICE)
    opens_object = envelope["success"] is True and envelope["data"]["id"] == record["id"]
    readings.one_of("BITVIS-AMB-3", endpoint=opens_object, object_id=envelope["success"] is False)
