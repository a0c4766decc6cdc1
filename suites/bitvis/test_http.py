"""The HTTP mirror: lines 57-71 of the document. The same endpoints and answers, addresses, verbs and bodies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    DEVICE,
    KINDS,
    Kind,
    asked,
    done,
    envelope,
    everything,
    fails,
    for_all,
    ids,
    of,
    some,
    succeeds,
    told,
    without_errorid,
)
from suites.bitvis.frames import by_frame, framed, message
from suites.bitvis.selections import page, reading_calls
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@clause("BITVIS-HTTP-1")
@each_kind
def test_what_frames_reach_is_reached_over_http(api: Api, kind: Kind) -> None:
    """Each endpoint that answers a frame with a success answers the call over HTTP with one."""
    if by_frame(api, "LIST", kind, "", None)["success"] is True:
        done(api, "LIST", kind)
    else:
        raise Lacking(f"{kind.endpoint} is not reachable by websocket")


@clause("BITVIS-HTTP-1")
@each_kind
def test_what_is_published_over_http_is_there_by_frame(api: Api, kind: Kind) -> None:
    """The mirror shows what the endpoint has: each endpoint that answers over HTTP answers frames."""
    if asked(api, "LIST", kind)["success"] is True:
        succeeds(by_frame(api, "LIST", kind, "", None))


@clause("BITVIS-HTTP-2")
def test_both_transports_give_the_same_answer(api: Api) -> None:
    """Any reading call, good or bad, has the same envelope by frame as over HTTP, but for the errorid."""

    def check(call: tuple[str, Kind, str, Any]) -> None:
        method, kind, objectid, parameters = call
        over_http = asked(api, method, kind, objectid, parameters=parameters)
        assert without_errorid(by_frame(api, *call)) == without_errorid(over_http)

    for_all(check, 40, call=reading_calls(api))


@clause("BITVIS-HTTP-2")
@each_kind
def test_both_transports_change_alike(api: Api, make: Make, kind: Kind) -> None:
    """What is changed by one transport is seen by the other, and the answers have the same members."""
    first, second = make(kind), make(kind)
    text = api.unique("both-")
    (framed_answer,) = framed(api, kind, message(api, "UPDATE", first["id"], data={kind.text: text}))
    http_answer = asked(api, "UPDATE", kind, second["id"], data={kind.text: text})
    assert succeeds(framed_answer).keys() == succeeds(http_answer).keys()
    assert framed_answer.keys() == http_answer.keys()
    assert done(api, "OPEN", kind, first["id"]) == succeeds(by_frame(api, "OPEN", kind, first["id"], None))
    (gone,) = framed(api, kind, message(api, "DELETE", first["id"]))
    assert gone.keys() == asked(api, "DELETE", kind, second["id"]).keys()


@clause("BITVIS-HTTP-3")
def test_a_body_is_data_only(api: Api, make: Make, mine: Mine) -> None:
    """Members of the data that are named as parts of a call do not change the call: own objects stay apart."""
    own, other = make(DEVICE), make(DEVICE)
    names = st.fixed_dictionaries(
        {},
        optional={
            "method": st.sampled_from(["LIST", "DELETE", "OPEN", "CREATE"]),
            "objectid": st.just(other["id"]),
            "namespace": st.just("nowhere"),
            "parameters": st.just(page(1)),
            "token": st.just("nobody's"),
        },
    )

    def check(extra: Mapping[str, Any]) -> None:
        text = api.unique("body-")
        answer = asked(api, "UPDATE", DEVICE, own["id"], data={"name": text, **extra})
        if answer["success"] is True:  # a server may refuse members that it does not know
            assert done(api, "OPEN", DEVICE, own["id"])["name"] == text, f"{told(answer)} did not change our object"
        assert done(api, "OPEN", DEVICE, other["id"])["name"] == other["name"], "an objectid in the data was obeyed"
        created = asked(api, "CREATE", DEVICE, data={"name": text, **extra})
        if created["success"] is True:
            data = created["data"]
            assert isinstance(data, dict), "a method in the data was obeyed"
            assert data["id"] not in (own["id"], other["id"])
            mine.append((DEVICE, data["id"]))

    for_all(check, 12, extra=names)


@clause("BITVIS-HTTP-3")
@pytest.mark.parametrize("part", ["token", "method", "objectid"])
def test_a_part_in_the_body_does_not_replace_one_in_its_place(api: Api, make: Make, part: str) -> None:
    """A call whose token, method or object id stands in the body alone is refused."""
    own = make(DEVICE)
    parts = {"token": api.setting("TOKEN"), "method": "UPDATE", "objectid": own["id"]}
    answer = asked(
        api,
        "" if part == "method" else "UPDATE",
        DEVICE,
        "" if part == "objectid" else own["id"],
        data={"name": api.unique("body-"), part: parts[part]},
        credentials="none" if part == "token" else "valid",
        changes=True,
    )
    fails(answer, f"the {part} stands in the body")
    assert done(api, "OPEN", DEVICE, own["id"]) == own


@clause("BITVIS-HTTP-4")
@each_kind
def test_an_object_id_in_the_path_is_one_in_the_header(api: Api, make: Make, kind: Kind) -> None:
    """OPEN and INDEX answer alike for known and unknown ids; UPDATE and DELETE by path do their work."""
    known = ids(everything(api, kind))[:5] or [str(uuid.uuid4())]

    def check(objectid: str, method: str) -> None:
        paths, headers = (asked(api, method, kind, objectid, place=place) for place in ("path", "header"))
        assert without_errorid(paths) == without_errorid(headers)

    for_all(check, objectid=st.sampled_from([*known, str(uuid.uuid4())]), method=st.sampled_from(["OPEN", "INDEX"]))
    own = make(kind)
    text = api.unique("path-")
    done(api, "UPDATE", kind, own["id"], data={kind.text: text}, place="path")
    assert done(api, "OPEN", kind, own["id"])[kind.text] == text
    done(api, "DELETE", kind, own["id"], place="path")
    fails(asked(api, "OPEN", kind, own["id"]), "it was deleted by path")


@clause("BITVIS-HTTP-5", "BITVIS-HTTP-8")
@each_kind
def test_the_path_with_its_slash_is_the_endpoint(api: Api, kind: Kind) -> None:
    """Application, endpoint and slash: LIST succeeds there; with another application it is refused."""
    assert isinstance(done(api, "LIST", kind), list)
    application = kind.path.split("/")[2]
    other = "address" if application != "address" else "scheduler"
    moved = kind.path.replace(f"/api/{application}/", f"/api/{other}/")
    exchange = api.request("GET", moved, headers={"Flow-Request-Method": "LIST"})
    fails(envelope(api, exchange, "LIST", kind), "the application does not publish that endpoint")


@clause("BITVIS-HTTP-6")
@each_kind
def test_get_carries_list_open_and_delete(api: Api, make: Make, kind: Kind) -> None:
    """All three succeed by GET, and what a GET deletes is gone."""
    done(api, "LIST", kind, verb="GET")
    done(api, "OPEN", kind, some(api, kind)["id"], verb="GET")
    own = make(kind)
    done(api, "DELETE", kind, own["id"], verb="GET")
    fails(asked(api, "OPEN", kind, own["id"], verb="GET"), "it was deleted")


@clause("BITVIS-HTTP-7")
@each_kind
def test_post_carries_create_and_update(api: Api, mine: Mine, kind: Kind) -> None:
    """Both succeed by POST, and the object shows what the update sent."""
    new = done(api, "CREATE", kind, data=of(kind, api), verb="POST")
    mine.append((kind, new["id"]))
    text = api.unique("post-")
    done(api, "UPDATE", kind, new["id"], data={kind.text: text}, verb="POST")
    assert done(api, "OPEN", kind, new["id"])[kind.text] == text


@clause("BITVIS-HTTP-9")
@each_kind
@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_without_its_slash_a_path_ends_in_an_object_id(api: Api, kind: Kind, method: str) -> None:
    """The endpoint's last segment alone is no object, so the call is refused: it is not the endpoint's own LIST."""
    exchange = api.request("GET", kind.path.rstrip("/"), headers={"Flow-Request-Method": method})
    fails(envelope(api, exchange, method, kind), "the last segment is taken for an object id")


@clause("BITVIS-HTTP-6", "BITVIS-HTTP-7")
def test_another_verb_does_what_a_meaning_says(api: Api, readings: Observed, make: Make) -> None:
    """LIST by POST does what it does by GET, or is refused; INDEX is carried by POST, or by GET."""
    own = make(DEVICE)
    posted = asked(api, "LIST", DEVICE, verb="POST")
    wins = posted["success"] is True and ids(posted["data"]) == ids(everything(api, DEVICE))
    readings.one_of("BITVIS-AMB-11", call_wins=wins, refused=posted["success"] is False)
    verbs = [asked(api, "INDEX", DEVICE, own["id"], verb=verb)["success"] is True for verb in ("POST", "GET")]
    readings.one_of("BITVIS-AMB-10", post=verbs[0], get=verbs[1])


@clause("BITVIS-HTTP-8")
def test_no_slash_with_an_object_id_does_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """As the examples of lines 301 and 345 have it: the endpoint is meant, or the call fails."""
    record = some(api, DEVICE)
    headers = {"Flow-Request-Method": "OPEN", "Flow-Request-ObjectId": record["id"]}
    exchange = api.request("GET", DEVICE.path.rstrip("/"), headers=headers)
    answer = envelope(api, exchange, "OPEN", DEVICE)
    meant = answer["success"] is True and answer["data"]["id"] == record["id"]
    readings.one_of("BITVIS-AMB-3", endpoint=meant, object_id=answer["success"] is False)
