"""Calls of public clients, which the document neither has nor forbids: its table says "No" for what is not needed.

A target that does not serve such a call is not blamed; one that does is tested in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from fixtures.corpus import Corpus
from fixtures.http_client import Unreachable
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import ABSENT, Transport
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    ObjectKind,
    Record,
    all_objects,
    assert_answered_alike,
    assert_failure,
    assert_success,
    envelope_text,
    http_envelope,
    ids,
)
from suites.bitvis.conftest import ObjectFactory
from suites.bitvis.equivalence import Step, TransportSession, compare_steps, transport_sessions
from suites.bitvis.label_model import LabelStateMachine, require_labels
from suites.bitvis.list_oracle import at_least, equality_filter, observed_values, page_of
from suites.bitvis.public_calls import (
    COLLECTIONS,
    LABEL,
    NEW_OPERATION,
    OPERATION,
    POP_DEVICE,
    PORT,
    answered,
    is_served,
    listed_below,
    named_owners,
    owner_ids,
    require_creation,
    require_served,
)
from suites.hypothesis_checks import for_all
from suites.hypothesis_profiles import MIN_EXAMPLES
from suites.observed_readings import ObservedReadings, observation

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
each_collection = pytest.mark.parametrize("collection", COLLECTIONS, ids=str)
UNKNOWN_ID = "00000000-0000-4000-8000-000000000007"
STEPS = 12
DOCUMENTED_TIME = "%Y-%m-%dT%H:%M:%S%z"


@pytest.fixture
def sessions(api: Api) -> Iterator[list[TransportSession]]:
    """A session for every available transport; their sockets are closed afterwards."""
    opened = transport_sessions(api)
    yield opened
    for session in opened:
        with suppress(Unreachable):
            session.transport.close()


# ------------------------------------------------------------------------------------ endpoints below an object


@observation
@each_collection
def test_endpoints_below_an_object_follow_a_reading(
    api: Api, readings: ObservedReadings, transport: Transport, collection: ObjectKind
) -> None:
    """LIST below an object, with its id, has a success or not."""
    served = is_served(transport, collection, owner_ids(api, collection)[0])
    readings.observe("BITVIS-AMB-53", served=served, not_served=not served)


@clause("BITVIS-CLIENT-1")
@each_collection
def test_a_list_below_an_object_has_what_belongs_to_it(api: Api, transport: Transport, collection: ObjectKind) -> None:
    """LIST below each of several objects has records of its own: none that names another object, none twice, and not
    the object itself.
    """
    owners = owner_ids(api, collection)
    require_served(transport, collection, owners[0])
    listed = {owner: listed_below(transport, collection, owner) for owner in owners}
    if not any(records for records, _ in listed.values()):
        raise MissingPrecondition(f"the target lists no {collection} below the first {len(owners)} objects")
    for owner, (records, envelope) in listed.items():
        identifiers = ids(records)
        assert len(set(map(str, identifiers))) == len(records), f"a {collection} is listed twice below {owner}"
        assert owner not in identifiers, f"{owner} itself is listed below {owner}"
        for record in records:
            named = named_owners(record, set(owners))
            assert not named or owner in named, f"below {owner} there is a {collection} of {', '.join(named)}"
        count = envelope.get("count", len(records))
        assert count >= len(records), f"count is {count}, and {len(records)} are listed below {owner}"


@clause("BITVIS-CLIENT-1")
def test_a_port_is_listed_below_one_device(api: Api, transport: Transport) -> None:
    """No port is in the lists of two devices."""
    owners = owner_ids(api, PORT)
    require_served(transport, PORT, owners[0])
    seen: dict[str, str] = {}
    for owner in owners:
        for port in map(str, ids(listed_below(transport, PORT, owner)[0])):
            assert seen.setdefault(port, owner) == owner, f"port {port} is listed below {seen[port]} and {owner}"
    if len(set(seen.values())) < 2:
        raise MissingPrecondition("the target lists ports below fewer than two devices")


@clause("BITVIS-CLIENT-1")
@each_collection
def test_parameters_select_within_the_object(api: Api, transport: Transport, collection: ObjectKind) -> None:
    """A page, and a filter by id, of a list below an object have records of that object alone."""
    owners = owner_ids(api, collection)
    require_served(transport, collection, owners[0])
    listed = {owner: ids(listed_below(transport, collection, owner)[0]) for owner in owners}
    known = sorted({identifier for identifiers in listed.values() for identifier in identifiers})
    if not known:
        raise MissingPrecondition(f"the target lists no {collection} below the first {len(owners)} objects")

    def check(owner: str, parameters: Any) -> None:
        envelope = answered(transport, "LIST", collection, owner, parameters=parameters)
        if envelope["success"] is False:
            raise MissingPrecondition("the target refuses these parameters here, which it may")
        selected, own = ids(envelope["data"]), listed[owner]
        assert set(selected) <= set(own), f"below {owner}: expected some of {own}, got {selected}"
        wanted = parameters.get("condition.values")
        if wanted is None:
            assert len(selected) <= parameters["pagination.size"], f"expected a page, got {len(selected)} records"
        elif selected != own:  # where filters have an effect there
            identifier = wanted["subgroups"][0]["items"][0]["value"]
            assert selected == [it for it in own if it == identifier], f"filtered by {identifier}, got {selected}"

    filters = st.sampled_from(known).map(lambda identifier: equality_filter("id", identifier))
    for_all(check, 15, owner=st.sampled_from(owners), parameters=filters | st.builds(page_of, st.integers(1, 3)))


@clause("BITVIS-CLIENT-1")
def test_devices_of_a_point_of_presence_are_devices(api: Api, transport: Transport) -> None:
    """What LIST has below a point of presence opens as a device, with the members of the list."""
    point = api.setting("POP_ID")
    require_served(transport, POP_DEVICE, point)
    records, _ = listed_below(transport, POP_DEVICE, point)
    for record in at_least(records)[:5]:
        opened = assert_success(answered(transport, "OPEN", DEVICE, record["id"]))
        differing = {name: opened[name] for name in record.keys() & opened.keys() if opened[name] != record[name]}
        assert not differing, f"the device opens with {envelope_text(differing)}, listed as {envelope_text(record)}"
    if len(records) == len(all_objects(api, DEVICE)):
        raise MissingPrecondition("the point of presence has every device, so that its list shows nothing")


@clause("BITVIS-CLIENT-1")
@each_collection
def test_every_transport_lists_the_same_below_an_object(
    api: Api, sessions: Sequence[TransportSession], collection: ObjectKind
) -> None:
    """LIST below known and unknown objects, with and without a page, has one response over all transports."""
    owners = owner_ids(api, collection)
    require_served(sessions[0].transport, collection, owners[0])
    calls = st.lists(
        st.builds(
            lambda objectid, parameters: Step("LIST", collection, objectid, parameters=parameters),
            st.sampled_from([*owners, UNKNOWN_ID]),
            st.sampled_from([ABSENT, page_of(1000), page_of(1, 1000)]),
        ),
        min_size=1,
        max_size=3,
    )
    for_all(lambda steps: compare_steps(api, sessions, steps, "BITVIS-CLIENT-1"), 12, steps=calls)


@clause("BITVIS-CLIENT-1", "BITVIS-CLIENT-2", "BITVIS-CLIENT-3")
def test_labels_match_the_model_after_any_calls(api: Api, transport: Transport, corpus: Corpus) -> None:
    """After creations and deletions of labels and addresses in any order, each address has its own labels."""
    require_labels(api, transport)

    class Machine(LabelStateMachine):
        def __init__(self) -> None:
            super().__init__(api, transport)

    limits = settings(
        max_examples=max(MIN_EXAMPLES, corpus.effort.chains // 2),
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=limits)
    except FlakyFailure as flaky:  # responses differed between equal runs: a failure, too
        raise next((error for error in flaky.exceptions if isinstance(error, AssertionError)), flaky) from None
    except Flaky:  # other objects were there to choose from
        raise AssertionError("the same calls were answered differently in a second run") from None


@clause("BITVIS-CLIENT-2", "BITVIS-CLIENT-3")
def test_a_label_lives_below_its_address(api: Api, transport: Transport, new_object: ObjectFactory) -> None:
    """Of two labels of an address, one is deleted by its data: the other one stays, and so does the address."""
    require_labels(api, transport)
    address, other = (new_object(ADDRESS)["id"] for _ in range(2))
    labels = [
        assert_success(answered(transport, "CREATE", LABEL, address, data={"name": api.unique_text("label-")}))["id"]
        for _ in range(2)
    ]
    assert sorted(ids(listed_below(transport, LABEL, address)[0])) == sorted(labels), "the list has not the new labels"
    assert not listed_below(transport, LABEL, other)[0], "a label is listed below an address that it was not made for"
    answered(transport, "DELETE", LABEL, other, data={"label_id": labels[0]})
    assert len(listed_below(transport, LABEL, address)[0]) == 2, "a label was deleted with the id of another address"
    assert_success(answered(transport, "DELETE", LABEL, address, data={"label_id": labels[0]}))
    assert ids(listed_below(transport, LABEL, address)[0]) == labels[1:], "expected the other label alone to be left"
    assert_success(answered(transport, "OPEN", ADDRESS, address))


# ------------------------------------------------------------------------------------ every method by POST


@clause("BITVIS-CLIENT-4")
@each_kind
@pytest.mark.parametrize("place", ["header", "query"])
def test_reading_by_post_has_the_response_of_get(api: Api, kind: ObjectKind, place: str) -> None:
    """LIST with any parameters and OPEN of any id have the same response by POST, where LIST is served by it."""
    _require_posted_list(api, kind)
    identifiers = ids(at_least(all_objects(api, kind)))[:5]
    lists = st.tuples(st.just("LIST"), st.just(""), st.none() | st.builds(page_of, st.integers(1, 4)))
    opens = st.tuples(st.just("OPEN"), st.sampled_from([*identifiers, UNKNOWN_ID]), st.none())

    def check(call: tuple[str, str, Any]) -> None:
        method, objectid, parameters = call

        def by(verb: str) -> Record:
            return http_envelope(api, method, kind, objectid, parameters=parameters, place=place, verb=verb)

        assert_answered_alike(lambda: by("GET"), lambda: by("POST"))

    for_all(check, 15, call=lists | opens)


@clause("BITVIS-CLIENT-4")
@each_kind
def test_what_a_post_deletes_is_gone(api: Api, new_object: ObjectFactory, kind: ObjectKind) -> None:
    """DELETE by POST removes the object, where LIST is served by POST, and leaves another one."""
    _require_posted_list(api, kind)
    removed, other = new_object(kind)["id"], new_object(kind)["id"]
    assert_success(http_envelope(api, "DELETE", kind, removed, verb="POST"))
    assert_failure(http_envelope(api, "OPEN", kind, removed), "it was deleted by POST")
    assert_success(http_envelope(api, "OPEN", kind, other))


def _require_posted_list(api: Api, kind: ObjectKind) -> None:
    if http_envelope(api, "LIST", kind, verb="POST")["success"] is not True:
        raise MissingPrecondition("LIST by POST is refused (BITVIS-AMB-11)")


# ------------------------------------------------------------------------------------ a flat list of conditions


@clause("BITVIS-CLIENT-5")
@each_kind
def test_a_flat_list_selects_what_has_all_its_values(
    api: Api, transport: Transport, new_object: ObjectFactory, kind: ObjectKind
) -> None:
    """A flat list of one to three values selects and counts the objects that have all of them, by any transport."""
    if not transport.supports("LIST"):
        raise MissingPrecondition(f"LIST cannot be sent by {transport.name} without an object id")
    if api.target.writes and kind is ADDRESS:
        city = api.unique_text("Flat-")
        for number in (4, 5):
            new_object(ADDRESS, city=city, streetNumber=number)
    objects = at_least(all_objects(api, kind))
    _require_flat_lists(transport, kind, objects[0]["id"])
    values = observed_values(kind, objects)
    pairs = st.sampled_from(sorted(values)).flatmap(
        lambda key: st.sampled_from(values[key]).map(lambda value: {key: value})
    )
    of_an_object = st.sampled_from(objects).flatmap(
        lambda record: st.lists(
            st.sampled_from([{key: record[key]} for key in values if key in record]), min_size=1, max_size=3
        )
    )

    def check(conditions: list[dict[str, Any]]) -> None:
        envelope = answered(transport, "LIST", kind, parameters=_flat(conditions))
        expected = [record["id"] for record in objects if all(_has(record, pair) for pair in conditions)]
        selected = ids(assert_success(envelope))
        assert sorted(selected) == sorted(expected), f"{conditions} selects {selected}, expected {expected}"
        assert envelope["count"] == len(expected), f"count is {envelope['count']}, expected {len(expected)}"

    for_all(check, 20, conditions=of_an_object | st.lists(pairs, min_size=1, max_size=2))


def _flat(conditions: list[dict[str, Any]]) -> Record:
    return {"condition": True, "condition.values": conditions}


def _has(record: Record, pair: dict[str, Any]) -> bool:
    return all(type(record.get(key)) is type(value) and record[key] == value for key, value in pair.items())


def _require_flat_lists(transport: Transport, kind: ObjectKind, identifier: str) -> None:
    envelope = answered(transport, "LIST", kind, parameters=_flat([{"id": identifier}]))
    if ids(envelope.get("data") or []) != [identifier]:
        raise MissingPrecondition("a flat list of conditions does not filter (BITVIS-AMB-18)")


# ------------------------------------------------------------------------------------ another application


@clause("BITVIS-CLIENT-6")
def test_the_catalogue_is_the_same_over_all_transports(api: Api, sessions: Sequence[TransportSession]) -> None:
    """LIST of the catalogue's operations, published by the application `product`, has one response everywhere."""
    for session in sessions:
        if session.transport.name == "header":
            require_served(session.transport, OPERATION)
    pages = st.sampled_from([ABSENT, page_of(1000), page_of(1, 1000)])
    calls = pages.map(lambda parameters: Step("LIST", OPERATION, parameters=parameters))
    for_all(lambda step: compare_steps(api, sessions, [step], "BITVIS-CLIENT-6"), 6, step=calls)


@clause("BITVIS-CLIENT-7", "BITVIS-CLIENT-2")
def test_a_time_with_an_offset_stays_the_same_instant(
    api: Api, transport: Transport, new_object: ObjectFactory
) -> None:
    """An operation at a time such as 23:59:00+0100 is listed for that instant, however it is written."""
    if not api.target.is_reference:
        raise MissingPrecondition(
            "an operation of the catalogue cannot be removed, so none is made at a server of others"
        )
    address = new_object(ADDRESS)["id"]
    require_served(transport, OPERATION, address)
    require_creation(transport, address)

    def check(moment: datetime, hours: int) -> None:
        local = moment.replace(microsecond=0, tzinfo=UTC) + timedelta(hours=hours)
        sent = f"{local:%Y-%m-%dT%H:%M:%S}{'-' if hours < 0 else '+'}{abs(hours):02}00"
        operation = assert_success(answered(transport, "CREATE", NEW_OPERATION, address, data={"start": sent}))["id"]
        records, _ = listed_below(transport, OPERATION, address)
        shown = next((record["start"] for record in records if record["id"] == operation), None)
        assert shown is not None, f"the operation {operation} is not listed below its address"
        wanted, received = (datetime.strptime(text, DOCUMENTED_TIME) for text in (sent, shown))
        assert received == wanted, f"sent {sent}, listed as {shown}"

    moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1))
    for_all(check, 8, moment=moments, hours=st.integers(-11, 12))
