"""Responses: document lines 25-56. One envelope for every response, and its members."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    READING_METHODS,
    ObjectKind,
    all_objects,
    any_object,
    assert_failure,
    assert_success,
    checked_envelope,
    envelope_text,
    http_data,
    http_envelope,
    http_exchange,
    ids,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.list_oracle import equality_filter, page_of
from suites.bitvis.websocket_calls import call_message, frame_envelopes
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
UNKNOWN_IDS = st.uuids(version=4).map(str)
FAILURE_MEMBERS = ("message", "errorcode", "errorid")


def reading_exchanges(api: Api, kind: ObjectKind) -> Iterator[tuple[str, Exchange]]:
    """Valid and invalid calls that change nothing, each with its method."""
    known = any_object(api, kind)["id"]
    yield "LIST", http_exchange(api, "LIST", kind)
    yield "LIST", http_exchange(api, "LIST", kind, place="query")
    yield "LIST", http_exchange(api, "LIST", kind, parameters=page_of(1))
    yield "OPEN", http_exchange(api, "OPEN", kind, known)
    yield "OPEN", http_exchange(api, "OPEN", kind, str(uuid.uuid4()))
    yield "OPEN", http_exchange(api, "OPEN", kind)
    yield "INDEX", http_exchange(api, "INDEX", kind, known)
    yield "INDEX", http_exchange(api, "INDEX", kind)
    if api.target.writes:  # a server could take an unknown method for a write
        yield "DROP", http_exchange(api, "DROP", kind)
    yield "LIST", http_exchange(api, "LIST", kind, credentials="none")
    yield "LIST", http_exchange(api, "LIST", kind, credentials="wrong")
    yield "LIST", http_exchange(api, "LIST", kind, parts={"parameter": "{"})


def changing_exchanges(api: Api, kind: ObjectKind, own_id: str) -> Iterator[tuple[str, Exchange]]:
    """Valid and invalid calls that change at most our own object."""
    yield "UPDATE", http_exchange(api, "UPDATE", kind, own_id, data=new_object_data(kind, api))
    yield "UPDATE", http_exchange(api, "UPDATE", kind, own_id, verb="POST")
    yield "UPDATE", http_exchange(api, "UPDATE", kind, str(uuid.uuid4()), data=new_object_data(kind, api))
    yield "CREATE", http_exchange(api, "CREATE", kind)
    yield "CREATE", http_exchange(api, "CREATE", kind, body=b"{", headers={"Content-Type": "application/json"})
    yield "RUN", http_exchange(api, "RUN", kind, own_id, data={"method": api.unique_text("nothing-")})
    yield "DELETE", http_exchange(api, "DELETE", kind, own_id)
    yield "DELETE", http_exchange(api, "DELETE", kind, own_id)


@clause("BITVIS-RESP-1", "BITVIS-RESP-2", "BITVIS-RESP-6")
@each_kind
def test_every_response_is_the_same_envelope(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """One schema describes successes and failures of reading calls, of unknown methods and of rejected callers."""
    envelopes = [checked_envelope(api, exchange, method, kind) for method, exchange in reading_exchanges(api, kind)]
    types = {envelope["dataType"] for envelope in envelopes}
    readings.observe("BITVIS-AMB-34", json_only=types == {"JSON"}, others=True)
    some_are_missing = any(name not in envelope for envelope in envelopes for name in ("data", *FAILURE_MEMBERS))
    readings.observe("BITVIS-AMB-26", optional_members=some_are_missing, all_members=not some_are_missing)


@clause("BITVIS-RESP-1", "BITVIS-RESP-2", "BITVIS-RESP-4")
@each_kind
def test_responses_to_changes_are_the_same_envelope(
    api: Api, new_object: ObjectFactory, created_objects: OwnObjects, kind: ObjectKind
) -> None:
    """One schema describes the responses to calls that change something or fail to."""
    own_id = new_object(kind)["id"]
    created = http_exchange(api, "CREATE", kind, data=new_object_data(kind, api))
    created_objects.append((kind, assert_success(checked_envelope(api, created, "CREATE", kind))["id"]))
    for method, exchange in changing_exchanges(api, kind, own_id):
        checked_envelope(api, exchange, method, kind)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/api/scheduler/scheduler/nothing/", marks=clause("BITVIS-RESP-2")),
        pytest.param("/api/nothing/nothing/", marks=clause("BITVIS-RESP-2")),
        pytest.param("/api/", marks=clause("BITVIS-HTTP-18")),
    ],
)
def test_an_unknown_endpoint_is_answered_with_an_envelope(api: Api, path: str) -> None:
    """A path where nothing is published is answered with an envelope that says success false.

    What is not below /api/ is the user interface.
    """
    exchange = api.request("GET", path, headers={"Flow-Request-Method": "LIST"})
    assert_failure(checked_envelope(api, exchange, "LIST"), "there is no such endpoint")


@clause("BITVIS-RESP-3", "BITVIS-RESP-1")
def test_a_failure_says_what_went_wrong(api: Api, readings: ObservedReadings) -> None:
    """Every failure has a message, an errorcode and an errorid, and no data."""
    envelopes = [checked_envelope(api, exchange, method) for method, exchange in reading_exchanges(api, ADDRESS)]
    failures = [envelope for envelope in envelopes if envelope["success"] is False]
    codes = {envelope["errorcode"] for envelope in failures}
    for envelope in failures:
        assert "data" not in envelope, envelope_text(envelope)
        assert all(isinstance(envelope[name], str) and envelope[name] for name in FAILURE_MEMBERS), envelope_text(
            envelope
        )
    readings.one_of("BITVIS-AMB-33", only_one=codes == {"DO_NOT_EXIST"}, any_code=bool(codes))


@clause("BITVIS-RESP-3")
def test_the_http_status_of_a_failure_follows_a_reading(api: Api, readings: ObservedReadings) -> None:
    """Over HTTP failures have status 200, or 4xx when HTTP itself forbids the call, or always 4xx."""
    refused = http_exchange(api, "OPEN", DEVICE, str(uuid.uuid4())).response.status
    denied = http_exchange(api, "LIST", DEVICE, credentials="none").response.status
    readings.one_of(
        "BITVIS-AMB-21",
        always_200=refused == denied == 200,
        transport_only=refused == 200 and 400 <= denied < 500,
        by_cause=400 <= refused < 500,
    )


@clause("BITVIS-RESP-4")
@each_kind
def test_a_success_has_data_and_nothing_of_a_failure(api: Api, created_objects: OwnObjects, kind: ObjectKind) -> None:
    """A success of each method has data and neither message, errorcode nor errorid."""
    envelopes = [http_envelope(api, "LIST", kind), http_envelope(api, "INDEX", kind, any_object(api, kind)["id"])]
    envelopes.append(http_envelope(api, "CREATE", kind, data=new_object_data(kind, api)))
    own_id = assert_success(envelopes[-1])["id"]
    created_objects.append((kind, own_id))
    envelopes += [
        http_envelope(api, "OPEN", kind, own_id),
        http_envelope(api, "UPDATE", kind, own_id, data=new_object_data(kind, api)),
    ]
    envelopes.append(http_envelope(api, "DELETE", kind, own_id))
    for envelope in envelopes:
        assert_success(envelope)
        assert "data" in envelope, envelope_text(envelope)
        assert not set(FAILURE_MEMBERS) & set(envelope), envelope_text(envelope)


@clause("BITVIS-RESP-5")
def test_status_is_an_integer(api: Api, readings: ObservedReadings) -> None:
    """The member status is an integer in successes and failures; whether it tells them apart is observed."""
    good = {http_envelope(api, "LIST", kind)["status"] for kind in KINDS}
    bad = {http_envelope(api, "OPEN", kind, str(uuid.uuid4()))["status"] for kind in KINDS}
    denied = http_envelope(api, "LIST", credentials="wrong")["status"]
    assert all(type(number) is int for number in [*good, *bad, denied])
    readings.observe("BITVIS-AMB-1", nothing=good == {*bad, denied}, outcome=True)


@clause("BITVIS-RESP-6")
@pytest.mark.parametrize("method", [*READING_METHODS, "DROP"])
def test_every_response_names_the_type_of_its_data(api: Api, method: str) -> None:
    """The member dataType is present in successes and in failures."""
    for objectid in (any_object(api, DEVICE)["id"], str(uuid.uuid4())):
        envelope = http_envelope(api, method, DEVICE, objectid)
        assert isinstance(envelope.get("dataType"), str), envelope_text(envelope)


@clause("BITVIS-RESP-7")
@each_kind
def test_an_unknown_id_does_not_open(api: Api, kind: ObjectKind) -> None:
    """OPEN of an id that no object has fails with DO_NOT_EXIST, wherever the id is sent."""

    def check(objectid: str, place: Any) -> None:
        envelope = assert_failure(http_envelope(api, "OPEN", kind, objectid, place=place), "no object has that id")
        assert envelope["errorcode"] == "DO_NOT_EXIST", envelope_text(envelope)

    for_all(check, 15, objectid=UNKNOWN_IDS, place=st.sampled_from(["header", "query", "path"]))


@clause("BITVIS-RESP-11")
@each_kind
@pytest.mark.parametrize("method", ["UPDATE", "DELETE"])
def test_an_unknown_id_is_neither_changed_nor_deleted(api: Api, kind: ObjectKind, method: str) -> None:
    """UPDATE and DELETE of an id that no object has fail with DO_NOT_EXIST, over HTTP and by frame."""

    def check(objectid: str) -> None:
        arguments: dict[str, Any] = {"data": new_object_data(kind, api)} if method == "UPDATE" else {}
        envelopes = [http_envelope(api, method, kind, objectid, **arguments)]
        envelopes += frame_envelopes(api, kind, call_message(api, method, objectid, **arguments))
        for envelope in envelopes:
            assert assert_failure(envelope, "no object has that id")["errorcode"] == "DO_NOT_EXIST", envelope_text(
                envelope
            )

    for_all(check, 8, objectid=UNKNOWN_IDS)


@clause("BITVIS-RESP-8")
def test_no_two_failures_share_an_errorid(api: Api) -> None:
    """Thirty failures of three kinds, some of them at once, have thirty different errorids."""
    unknown_id = str(uuid.uuid4())
    failing_calls: list[Callable[[Api], Exchange]] = [
        lambda client: http_exchange(client, "OPEN", DEVICE, unknown_id),
        lambda client: http_exchange(client, "OPEN", DEVICE),
        lambda client: http_exchange(client, "LIST", DEVICE, credentials="wrong"),
    ]
    exchanges = [send(api) for send in failing_calls * 6] + api.send_concurrently(failing_calls * 4)
    errorids = [
        assert_failure(checked_envelope(api, exchange, "OPEN", DEVICE), "the call is invalid")["errorid"]
        for exchange in exchanges
    ]
    assert len(set(errorids)) == len(errorids) == 30


@clause("BITVIS-RESP-9")
@each_kind
def test_a_list_is_an_array_with_its_count(api: Api, kind: ObjectKind) -> None:
    """LIST of all, of one and of no object returns an array and an integer count."""
    all_parameters = [
        None,
        page_of(1),
        equality_filter("id", any_object(api, kind)["id"]),
        equality_filter("id", str(uuid.uuid4())),
    ]
    for parameters in all_parameters:
        envelope = http_envelope(api, "LIST", kind, parameters=parameters)
        if parameters not in (None, page_of(1)) and envelope["success"] is False:
            continue  # that every member filters is not said (BITVIS-FILT-3)
        assert isinstance(assert_success(envelope), list), envelope_text(envelope)
        assert type(envelope.get("count")) is int, envelope_text(envelope)


@clause("BITVIS-RESP-10")
@each_kind
def test_an_opened_object_has_the_requested_id(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """OPEN returns an object with the requested id, wherever the id is sent, also after an UPDATE."""
    for record in all_objects(api, kind)[:3]:
        for place in ("header", "query", "path"):
            assert http_data(api, "OPEN", kind, record["id"], place=place).get("id") == record["id"]
        assert ids([assert_success(frame_envelopes(api, kind, call_message(api, "OPEN", record["id"]))[0])]) == [
            record["id"]
        ]
    own_object = new_object(kind)
    text = api.unique_text("changed-")
    http_data(api, "UPDATE", kind, own_object["id"], data={kind.text_member: text})
    opened = http_data(api, "OPEN", kind, own_object["id"])
    assert (opened.get("id"), opened.get(kind.text_member)) == (own_object["id"], text)
