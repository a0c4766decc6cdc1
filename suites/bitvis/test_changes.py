"""The methods that change something: lines 8-12 of the document. What each needs, and what is left afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.api import Api
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    Kind,
    asked,
    done,
    everything,
    fails,
    ids,
    of,
    run_data,
    succeeds,
    told,
)
from suites.bitvis.frames import framed, message
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def others(api: Api, kind: Kind, but: str) -> dict[str, Any]:
    """All other objects of the endpoint by id."""
    return {record["id"]: record for record in everything(api, kind) if record["id"] != but}


@clause("BITVIS-METH-UPDATE-1")
@each_kind
def test_update_changes_its_object_and_no_other(api: Api, make: Make, kind: Kind) -> None:
    """OPEN shows the new value at once, and every other object, our own around it first, is as it was."""
    before_it, own, after_it = make(kind), make(kind), make(kind)
    before = others(api, kind, own["id"])
    text = api.unique("changed-")
    done(api, "UPDATE", kind, own["id"], data={kind.text: text})
    assert done(api, "OPEN", kind, own["id"])[kind.text] == text
    for record in (before_it, after_it):
        assert done(api, "OPEN", kind, record["id"])[kind.text] == record[kind.text]
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


@clause("BITVIS-METH-DELETE-1")
@each_kind
def test_a_deleted_object_is_gone_everywhere(api: Api, make: Make, kind: Kind) -> None:
    """DELETE succeeds; then OPEN fails, LIST leaves the object out, and the other one is still there."""
    kept, own = make(kind), make(kind)
    assert own["id"] in ids(everything(api, kind)), "the object that was made is listed"
    done(api, "DELETE", kind, own["id"])
    gone = fails(asked(api, "OPEN", kind, own["id"]), "the object was deleted")
    assert gone["errorcode"] == "DO_NOT_EXIST"
    left = ids(everything(api, kind))
    assert own["id"] not in left, "the deleted object is still listed"
    assert kept["id"] in left


@clause("BITVIS-METH-DELETE-3")
@each_kind
def test_delete_needs_no_data(api: Api, make: Make, kind: Kind) -> None:
    """DELETE of our own object succeeds without a body."""
    done(api, "DELETE", kind, make(kind)["id"])


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


@clause("BITVIS-METH-CREATE-2")
@each_kind
def test_create_needs_no_object_id(api: Api, mine: Mine, kind: Kind) -> None:
    """CREATE with data and no object id succeeds, and the server chooses one."""
    mine.append((kind, done(api, "CREATE", kind, data=of(kind, api))["id"]))


@clause("BITVIS-METH-CREATE-1")
@each_kind
def test_a_created_object_is_there(api: Api, readings: Observed, mine: Mine, kind: Kind) -> None:
    """CREATE succeeds; OPEN and LIST then show the object, with the text that was sent."""
    data = of(kind, api)
    answered = done(api, "CREATE", kind, data=data)
    mine.append((kind, answered["id"]))
    readings.one_of("BITVIS-AMB-36", whole_object=kind.text in answered, id_only=set(answered) == {"id"})
    assert done(api, "OPEN", kind, answered["id"])[kind.text] == data[kind.text]
    listed = [record[kind.text] for record in everything(api, kind) if record["id"] == answered["id"]]
    assert listed == [data[kind.text]], "the created object is not in the list, once"
    again = done(api, "CREATE", kind, data=data)
    mine.append((kind, again["id"]))
    assert again["id"] != answered["id"]


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


@clause("BITVIS-UPD-1")
def test_updates_on_two_connections_stay_apart(api: Api, make: Make) -> None:
    """Two connections change one member of an object each; each object has its own change and nothing else."""
    first, second = make(ADDRESS), make(ADDRESS)
    city, street = api.unique("city-"), api.unique("street-")
    for own, data in ((first, {"city": city}), (second, {"streetName": street})):
        succeeds(framed(api, ADDRESS, message(api, "UPDATE", own["id"], data=data))[0])
    found = [done(api, "OPEN", ADDRESS, own["id"]) for own in (first, second)]
    seen = [(one.get("city"), one.get("streetName")) for one in found]
    assert seen == [(city, first["streetName"]), (second["city"], street)]
