"""The methods that change something: document lines 8-12. What each of them requires and what is stored afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.target_api import Api
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    ObjectKind,
    all_objects,
    assert_failure,
    assert_success,
    envelope_text,
    http_data,
    http_envelope,
    ids,
    new_object_data,
    run_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.websocket_calls import call_message, frame_envelopes
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("stale")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def other_objects(api: Api, kind: ObjectKind, excluded_id: str) -> dict[str, Any]:
    """All other objects of the endpoint, by id."""
    return {record["id"]: record for record in all_objects(api, kind) if record["id"] != excluded_id}


@clause("BITVIS-METH-UPDATE-1")
@each_kind
def test_update_changes_its_object_and_no_other(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """OPEN shows the new value at once, and every other object stays as it was."""
    earlier_object, own_object, later_object = new_object(kind), new_object(kind), new_object(kind)
    before = other_objects(api, kind, own_object["id"])
    text = api.unique_text("changed-")
    http_data(api, "UPDATE", kind, own_object["id"], data={kind.text_member: text})
    assert http_data(api, "OPEN", kind, own_object["id"])[kind.text_member] == text
    for record in (earlier_object, later_object):
        assert http_data(api, "OPEN", kind, record["id"])[kind.text_member] == record[kind.text_member]
    if api.target.embedded:  # on other targets, other users may change their objects meanwhile
        assert other_objects(api, kind, own_object["id"]) == before, (
            "an object that the UPDATE did not name has changed"
        )


@clause("BITVIS-METH-UPDATE-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_update_without_an_object_id_is_refused(api: Api, kind: ObjectKind, place: Any) -> None:
    """UPDATE without an object id is refused."""
    assert_failure(
        http_envelope(api, "UPDATE", kind, data={kind.text_member: api.unique_text("x")}, place=place),
        "UPDATE needs an object id",
    )


@clause("BITVIS-METH-UPDATE-3")
@each_kind
def test_update_without_data_is_refused_and_changes_nothing(
    api: Api, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """UPDATE without data is refused, and the object stays as it was."""
    own_object = new_object(kind)
    assert_failure(http_envelope(api, "UPDATE", kind, own_object["id"], verb="POST"), "UPDATE needs data")
    assert http_data(api, "OPEN", kind, own_object["id"]) == own_object


@clause("BITVIS-METH-DELETE-1")
@each_kind
def test_a_deleted_object_is_gone_everywhere(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """After DELETE, OPEN fails and LIST omits the object, while another object is still listed."""
    kept_object, own_object = new_object(kind), new_object(kind)
    assert own_object["id"] in ids(all_objects(api, kind)), "the created object is not listed"
    http_data(api, "DELETE", kind, own_object["id"])
    refusal = assert_failure(http_envelope(api, "OPEN", kind, own_object["id"]), "the object was deleted")
    assert refusal["errorcode"] == "DO_NOT_EXIST"
    remaining_ids = ids(all_objects(api, kind))
    assert own_object["id"] not in remaining_ids, "the deleted object is still listed"
    assert kept_object["id"] in remaining_ids


@clause("BITVIS-METH-DELETE-3")
@each_kind
def test_delete_needs_no_data(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """DELETE of our own object succeeds without a body."""
    http_data(api, "DELETE", kind, new_object(kind)["id"])


@clause("BITVIS-METH-DELETE-2")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_delete_without_an_object_id_is_refused_and_deletes_nothing(
    api: Api, new_object: ObjectFactory, kind: ObjectKind, place: Any
) -> None:
    """DELETE on the endpoint itself fails, and all objects are still listed."""
    own_object = new_object(kind)
    ids_before = ids(all_objects(api, kind))
    assert_failure(http_envelope(api, "DELETE", kind, place=place), "DELETE needs an object id")
    ids_after = ids(all_objects(api, kind))
    assert own_object["id"] in ids_after
    assert not api.target.embedded or ids_after == ids_before


@clause("BITVIS-METH-CREATE-2")
@each_kind
def test_create_needs_no_object_id(api: Api, created_objects: OwnObjects, kind: ObjectKind) -> None:
    """CREATE with data and without an object id succeeds, and the server assigns an id."""
    created_objects.append((kind, http_data(api, "CREATE", kind, data=new_object_data(kind, api))["id"]))


@clause("BITVIS-METH-CREATE-1")
@each_kind
def test_a_created_object_is_there(
    api: Api, readings: ObservedReadings, created_objects: OwnObjects, kind: ObjectKind
) -> None:
    """CREATE succeeds, OPEN and LIST show the object with its text, and a second CREATE gets another id."""
    data = new_object_data(kind, api)
    created = http_data(api, "CREATE", kind, data=data)
    created_objects.append((kind, created["id"]))
    readings.one_of("BITVIS-AMB-36", whole_object=kind.text_member in created, id_only=set(created) == {"id"})
    assert http_data(api, "OPEN", kind, created["id"])[kind.text_member] == data[kind.text_member]
    listed = [record[kind.text_member] for record in all_objects(api, kind) if record["id"] == created["id"]]
    assert listed == [data[kind.text_member]], "the created object is not listed exactly once"
    second = http_data(api, "CREATE", kind, data=data)
    created_objects.append((kind, second["id"]))
    assert second["id"] != created["id"]


@clause("BITVIS-METH-CREATE-3")
@each_kind
def test_create_without_data_is_refused_and_creates_nothing(api: Api, kind: ObjectKind) -> None:
    """CREATE without data is refused, and no object is added."""
    ids_before = ids(all_objects(api, kind))
    assert_failure(http_envelope(api, "CREATE", kind), "CREATE needs data")
    assert not api.target.embedded or ids(all_objects(api, kind)) == ids_before


@clause("BITVIS-METH-RUN-1")
@each_kind
def test_run_carries_out_a_method_of_the_object(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """RUN of a method that the target offers succeeds on our own object, which still opens afterwards."""
    own_object = new_object(kind)
    http_data(api, "RUN", kind, own_object["id"], data=run_data(api, kind))
    assert http_data(api, "OPEN", kind, own_object["id"])["id"] == own_object["id"]


@clause("BITVIS-METH-RUN-2")
@pytest.mark.parametrize("kind", [QUEUE, DEVICE], ids=str)
def test_run_without_an_object_id_runs_on_no_object(
    api: Api, readings: ObservedReadings, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """RUN without an object id fails or, where the reading allows it, runs without an object; it never picks one."""
    own_object = new_object(kind)
    objects_before = all_objects(api, kind)
    envelope = http_envelope(api, "RUN", kind, data=run_data(api, kind))
    readings.observe("BITVIS-AMB-9", required=envelope["success"] is False, not_needed=envelope["success"] is True)
    data = envelope.get("data")
    object_id = data.get("id") if isinstance(data, dict) else None
    assert object_id is None or object_id not in ids(objects_before), (
        f"RUN picked an object that the call did not name: {envelope_text(envelope)}"
    )
    assert http_data(api, "OPEN", kind, own_object["id"]) == own_object


@clause("BITVIS-METH-RUN-2")
@each_kind
def test_run_of_an_unknown_method_without_an_object_id_is_refused(api: Api, kind: ObjectKind) -> None:
    """RUN without an object id is refused as any other call if its method is not offered; it breaks nothing."""
    data = {"method": api.unique_text("nothing-")}
    assert_failure(http_envelope(api, "RUN", kind, data=data), "nothing has such a method")


@clause("BITVIS-METH-RUN-3")
@each_kind
def test_run_without_data_is_refused(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """RUN without data is refused."""
    assert_failure(http_envelope(api, "RUN", kind, new_object(kind)["id"]), "RUN needs data")


@clause("BITVIS-UPD-1")
def test_updates_on_two_connections_stay_apart(api: Api, new_object: ObjectFactory) -> None:
    """Two connections each change one member of one object; each object has its own change and nothing else."""
    first, second = new_object(ADDRESS), new_object(ADDRESS)
    city, street = api.unique_text("city-"), api.unique_text("street-")
    for updated, data in ((first, {"city": city}), (second, {"streetName": street})):
        assert_success(frame_envelopes(api, ADDRESS, call_message(api, "UPDATE", updated["id"], data=data))[0])
    opened = [http_data(api, "OPEN", ADDRESS, updated["id"]) for updated in (first, second)]
    values = [(record.get("city"), record.get("streetName")) for record in opened]
    assert values == [(city, first["streetName"]), (second["city"], street)]
