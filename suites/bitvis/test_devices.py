"""Devices: document lines 42-54 and 278-374. Their members, and what an UPDATE leaves unchanged."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    ObjectKind,
    Record,
    all_objects,
    assert_failure,
    assert_success,
    envelope_text,
    http_data,
    http_envelope,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.websocket_calls import call_message, frame_envelopes
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
BASIC_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d{4}")
RESOLUTION = 1.0  # seconds: the times in the document are whole seconds
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=20)
UPDATE_DATA = {  # data for an UPDATE: the documented members, and a name for the other kinds
    "device": st.fixed_dictionaries({"name": LETTERS}),
    "queue": st.fixed_dictionaries({"name": LETTERS}),
    "address": st.fixed_dictionaries(
        {},
        optional={
            "streetName": LETTERS,
            "city": LETTERS,
            "streetNumber": st.integers(1, 9999),
            "streetLitteral": st.sampled_from("ABCG"),
            "postalCode": st.integers(10000, 99999).map(str),
            "latitude": st.integers(-180, 180).map(lambda half: half / 2),
        },
    ).filter(bool),
}


@clause("BITVIS-RES-1")
def test_every_listed_device_has_its_members(api: Api) -> None:
    """Every device of a plain and of a paginated LIST has id, created, updated and name."""
    page = {"pagination": True, "pagination.size": 5, "pagination.from": 0}
    if not all_objects(api, DEVICE):
        raise MissingPrecondition("the target has no devices")
    for parameters in (None, page):
        for device in http_data(api, "LIST", DEVICE, parameters=parameters):
            assert {"id", "created", "updated", "name"} <= device.keys(), envelope_text(device)


@clause("BITVIS-RES-1")
def test_an_opened_device_has_its_members(api: Api, new_object: ObjectFactory) -> None:
    """OPEN shows these members for listed devices and for a new one, over HTTP and by frame."""
    for device in [new_object(DEVICE), *all_objects(api, DEVICE)[:10]]:
        responses = [http_data(api, "OPEN", DEVICE, device["id"], place=place) for place in ("header", "path")]
        responses += [
            assert_success(shown) for shown in frame_envelopes(api, DEVICE, call_message(api, "OPEN", device["id"]))
        ]
        for shown in responses:
            assert {"id", "created", "updated", "name"} <= shown.keys(), envelope_text(shown)


@clause("BITVIS-RES-1")
def test_members_of_a_new_device_are_texts(api: Api, created_objects: OwnObjects) -> None:
    """The members that CREATE returns have the types of a device."""
    device = http_data(api, "CREATE", DEVICE, data=new_object_data(DEVICE, api))
    created_objects.append((DEVICE, device["id"]))
    assert all(isinstance(device[name], str) for name in ("id", "created", "updated", "name") if name in device)


@clause("BITVIS-RES-1")
def test_times_have_a_documented_format(api: Api, readings: ObservedReadings) -> None:
    """The times created and updated are in UTC with a Z or have a four-digit offset, alike on all endpoints or not."""
    records = [record for kind in KINDS for record in all_objects(api, kind)]
    times = [record[name] for record in records for name in ("created", "updated") if name in record]
    if not times:
        raise MissingPrecondition("the target has no objects")
    zulu = [bool(ZULU.fullmatch(time)) for time in times]
    offset = [bool(BASIC_OFFSET.fullmatch(time)) for time in times]
    readings.one_of(
        "BITVIS-AMB-23",
        zulu=all(zulu),
        basic_offset=all(offset),
        mixed=all(is_zulu or has_offset for is_zulu, has_offset in zip(zulu, offset, strict=True)),
    )


@clause("BITVIS-UPD-1")
@each_kind
def test_an_update_keeps_what_was_not_sent(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """UPDATE returns the whole object: what was sent is new, and every other member is as before."""
    own_object = new_object(kind)
    stored = {"now": own_object}

    def check(data: dict[str, Any]) -> None:
        before = stored["now"]
        envelope = http_envelope(api, "UPDATE", kind, own_object["id"], data=data)
        if data != plain and envelope["success"] is False:
            raise MissingPrecondition(f"the target refuses data such as {data}")
        after = assert_success(envelope)
        stored["now"] = http_data(api, "OPEN", kind, own_object["id"])
        for shown in (after, stored["now"]):
            assert _without_members(shown, "updated") == _without_members({**before, **data}, "updated")

    plain = {kind.text_member: api.unique_text("plain-")}
    check(plain)
    for_all(check, 15, data=UPDATE_DATA[kind.name])


def _without_members(record: Record, *names: str) -> Record:
    return {name: value for name, value in record.items() if name not in names}


@clause("BITVIS-UPD-1")
@each_kind
def test_id_and_created_are_the_servers_own(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """An UPDATE that sends id and created does not change them: it ignores them or is refused."""
    own_object, other_object = new_object(kind), new_object(kind)
    data = {"id": other_object["id"], "created": "2001-01-01T00:00:00Z", kind.text_member: api.unique_text("own-")}
    response = http_envelope(api, "UPDATE", kind, own_object["id"], data=data)
    opened = http_data(api, "OPEN", kind, own_object["id"])
    assert (opened["id"], opened.get("created")) == (own_object["id"], own_object.get("created")), envelope_text(
        response
    )
    assert http_data(api, "OPEN", kind, other_object["id"]) == other_object


@clause("BITVIS-UPD-1")
def test_the_time_of_an_update_is_stored(api: Api, readings: ObservedReadings, new_object: ObjectFactory) -> None:
    """The member updated is the same in the response to UPDATE and in a later OPEN; whether it moved is observed.

    An UPDATE within a second of the creation may have its time, so that nothing can be observed then.
    """
    own_object = new_object(DEVICE)
    created = monotonic()
    listed = next((device for device in all_objects(api, DEVICE) if device["id"] == own_object["id"]), own_object)
    age = monotonic() - created
    updated = http_data(api, "UPDATE", DEVICE, own_object["id"], data={"name": api.unique_text("moved-")})
    opened = http_data(api, "OPEN", DEVICE, own_object["id"])
    assert updated["updated"] == opened["updated"]
    moves = updated["updated"] != listed["updated"]
    if moves or age >= RESOLUTION:
        readings.observe("BITVIS-AMB-24", moves=moves, stays=True)


@clause("BITVIS-HTTP-17")
@pytest.mark.parametrize("kind", [DEVICE, ADDRESS], ids=str)
def test_the_body_is_the_data_itself(
    api: Api, new_object: ObjectFactory, created_objects: OwnObjects, kind: ObjectKind
) -> None:
    """The members at the top of a POST body are the members of the object, for CREATE and for UPDATE."""
    data = new_object_data(kind, api)
    identifier = http_data(api, "CREATE", kind, data=data)["id"]
    created_objects.append((kind, identifier))
    opened = http_data(api, "OPEN", kind, identifier)
    assert {name: opened.get(name) for name in data} == data
    own_object, new_data = new_object(kind), new_object_data(kind, api)
    assert {
        name: http_data(api, "UPDATE", kind, own_object["id"], data=new_data).get(name) for name in new_data
    } == new_data


@clause("BITVIS-HTTP-17")
def test_a_body_that_is_no_json_is_refused(api: Api, new_object: ObjectFactory) -> None:
    """An UPDATE whose body is invalid JSON fails, and the object stays as it was."""
    own_object = new_object(DEVICE)
    invalid_bodies = st.sampled_from([b"{", b'{"name": }', b"name=x", b'{"name": "x",}', b"'name'"])

    def check(body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        assert_failure(
            http_envelope(api, "UPDATE", DEVICE, own_object["id"], body=body, verb="POST", headers=headers),
            "the body is not JSON",
        )

    for_all(check, 5, body=invalid_bodies)
    assert http_data(api, "OPEN", DEVICE, own_object["id"]) == own_object
