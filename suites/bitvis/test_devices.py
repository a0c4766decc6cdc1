"""Devices: lines 42-54 and 278-374 of the document. Their members, and what an UPDATE leaves as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    Kind,
    Record,
    asked,
    done,
    everything,
    fails,
    for_all,
    of,
    succeeds,
    told,
)
from suites.bitvis.frames import framed, message
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
BASIC_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d{4}")
LETTERS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=20)
CHANGES = {  # what an UPDATE may send: the members that the document shows, and a name for the others
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
    """All devices of a LIST, also of one that sorts and one that pages, have id, created, updated and name."""
    sort = {"sorting": True, "sorting.by": "name", "sorting.order": "ASC"}
    page = {"pagination": True, "pagination.size": 5, "pagination.from": 0}
    for parameters in (None, sort, page):
        for device in done(api, "LIST", DEVICE, parameters=parameters):
            assert {"id", "created", "updated", "name"} <= device.keys(), told(device)


@clause("BITVIS-RES-1")
def test_an_opened_device_has_its_members(api: Api, make: Make) -> None:
    """OPEN of devices of the list and of a new one shows them, by HTTP and by frame."""
    for device in [make(DEVICE), *everything(api, DEVICE)[:10]]:
        opened = [done(api, "OPEN", DEVICE, device["id"], place=place) for place in ("header", "path")]
        opened += [succeeds(one) for one in framed(api, DEVICE, message(api, "OPEN", device["id"]), changes=False)]
        for one in opened:
            assert {"id", "created", "updated", "name"} <= one.keys(), told(one)


@clause("BITVIS-RES-1")
def test_a_new_device_has_its_members_as_far_as_it_is_shown(api: Api, mine: Mine) -> None:
    """The members that CREATE answers have the types of a device."""
    created = done(api, "CREATE", DEVICE, data=of(DEVICE, api))
    mine.append((DEVICE, created["id"]))
    assert all(isinstance(created[name], str) for name in ("id", "created", "updated", "name") if name in created)


@clause("BITVIS-RES-1")
def test_times_are_written_in_one_of_the_documents_ways(api: Api, readings: Observed) -> None:
    """created and updated are in UTC with a Z, or have an offset of four digits, or the endpoints differ in it."""
    records = [record for kind in KINDS for record in everything(api, kind)]
    times = [record[name] for record in records for name in ("created", "updated") if name in record]
    if not times:
        raise Lacking("the target has no objects")
    zulu = [bool(ZULU.fullmatch(time)) for time in times]
    offset = [bool(BASIC_OFFSET.fullmatch(time)) for time in times]
    readings.one_of(
        "BITVIS-AMB-23",
        zulu=all(zulu),
        basic_offset=all(offset),
        mixed=all(one or other for one, other in zip(zulu, offset, strict=True)),
    )


@clause("BITVIS-UPD-1")
@each_kind
def test_an_update_leaves_what_was_not_sent(api: Api, make: Make, kind: Kind) -> None:
    """UPDATE answers the whole object: what was sent is new, all else, id and created among it, is as before."""
    own = make(kind)
    state = {"now": own}

    def check(data: dict[str, Any]) -> None:
        before = state["now"]
        after = done(api, "UPDATE", kind, own["id"], data=data)
        state["now"] = done(api, "OPEN", kind, own["id"])
        for shown in (after, state["now"]):
            assert _apart(shown, "updated") == _apart({**before, **data}, "updated")

    for_all(check, data=CHANGES[kind.name])


def _apart(record: Record, *names: str) -> Record:
    return {name: value for name, value in record.items() if name not in names}


@clause("BITVIS-UPD-1")
@each_kind
def test_id_and_created_are_the_servers_own(api: Api, make: Make, kind: Kind) -> None:
    """An UPDATE that sends them along does not change them: it has no effect on them, or is refused."""
    own, other = make(kind), make(kind)
    sent = {"id": other["id"], "created": "2001-01-01T00:00:00Z", kind.text: api.unique("own-")}
    answer = asked(api, "UPDATE", kind, own["id"], data=sent)
    opened = done(api, "OPEN", kind, own["id"])
    assert (opened["id"], opened.get("created")) == (own["id"], own.get("created")), told(answer)
    assert done(api, "OPEN", kind, other["id"]) == other


@clause("BITVIS-UPD-1")
def test_the_time_of_the_update_does_what_a_meaning_says(api: Api, readings: Observed, make: Make) -> None:
    """updated is the same in UPDATE's answer and afterwards; it has moved, or not."""
    own = make(DEVICE)
    old = next((device for device in everything(api, DEVICE) if device["id"] == own["id"]), own)
    answered = done(api, "UPDATE", DEVICE, own["id"], data={"name": api.unique("moved-")})
    opened = done(api, "OPEN", DEVICE, own["id"])
    assert answered["updated"] == opened["updated"]
    readings.one_of("BITVIS-AMB-24", moves=answered["updated"] != old["updated"], stays=True)


@clause("BITVIS-HTTP-17")
@pytest.mark.parametrize("kind", [DEVICE, ADDRESS], ids=str)
def test_the_body_is_the_data_itself(api: Api, make: Make, mine: Mine, kind: Kind) -> None:
    """What a POST's body holds at its top is what the object then has: for CREATE and for UPDATE."""
    data = of(kind, api)
    identifier = done(api, "CREATE", kind, data=data)["id"]
    mine.append((kind, identifier))
    opened = done(api, "OPEN", kind, identifier)
    assert {name: opened.get(name) for name in data} == data
    own, changed = make(kind), of(kind, api)
    assert {name: done(api, "UPDATE", kind, own["id"], data=changed).get(name) for name in changed} == changed


@clause("BITVIS-HTTP-17")
def test_a_body_that_is_no_json_is_refused(api: Api, make: Make) -> None:
    """An UPDATE whose body is broken JSON fails, and the object is as before."""
    own = make(DEVICE)
    broken = st.sampled_from([b"{", b'{"name": }', b"name=x", b'{"name": "x",}', b"'name'"])

    def check(body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        fails(asked(api, "UPDATE", DEVICE, own["id"], body=body, verb="POST", headers=headers), "the body is no JSON")

    for_all(check, 5, body=broken)
    assert done(api, "OPEN", DEVICE, own["id"]) == own
