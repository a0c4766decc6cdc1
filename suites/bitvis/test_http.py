"""The HTTP mirror: lines 57-80 of the document. The same calls, and the places where their parts travel."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.bitvis.conftest import Make
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    READING,
    Kind,
    Place,
    Record,
    asked,
    done,
    everything,
    fails,
    for_all,
    framed,
    ids,
    message,
    of,
    some,
    succeeds,
    told,
    without_errorid,
)
from suites.bitvis.selections import ONE, page
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def reading_calls(api: Api) -> st.SearchStrategy[tuple[str, Kind, str, Any]]:
    """Calls that change nothing: method, kind, object id and parameters, good and bad ones."""
    known = {kind.name: (ids(everything(api, kind))[:5] or [""]) for kind in KINDS}
    pages = st.none() | st.builds(page, st.integers(1, 4), st.integers(0, 4))
    lists = st.tuples(st.just("LIST"), st.sampled_from(KINDS), st.just(""), pages)
    nobody = st.uuids(version=4).map(str)
    others = st.sampled_from(KINDS).flatmap(
        lambda kind: st.tuples(
            st.sampled_from(["OPEN", "INDEX"]),
            st.just(kind),
            st.one_of(st.sampled_from(known[kind.name]), nobody, st.just("")),
            st.none(),
        )
    )
    return lists | others


def by_frame(api: Api, method: str, kind: Kind, objectid: str, parameters: Any) -> Record:
    """The envelope that answers the same call by websocket."""
    extra = {} if parameters is None else {"parameters": parameters}
    return framed(api, kind, message(api, method, objectid, **extra), changes=method not in READING)[0]


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
def test_a_body_is_data_only(api: Api, make: Make) -> None:
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
            done(api, "DELETE", DEVICE, data["id"])

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
        paths, headers = (asked(api, method, kind, objectid, place=place) for place in ("path", "header"))  # type: ignore[arg-type]
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
    assert exchange.answer.status >= 400 or exchange.answer.json()["success"] is False


@clause("BITVIS-HTTP-6")
@each_kind
def test_get_carries_list_open_and_delete(api: Api, make: Make, kind: Kind) -> None:
    """All three succeed by GET, and what a GET deletes is gone."""
    own = make(kind)
    done(api, "LIST", kind, verb="GET")
    done(api, "OPEN", kind, own["id"], verb="GET")
    done(api, "DELETE", kind, own["id"], verb="GET")
    fails(asked(api, "OPEN", kind, own["id"], verb="GET"), "it was deleted")


@clause("BITVIS-HTTP-7")
@each_kind
def test_post_carries_create_and_update(api: Api, kind: Kind) -> None:
    """Both succeed by POST, and the object shows what the update sent."""
    new = done(api, "CREATE", kind, data=of(kind, api), verb="POST")
    text = api.unique("post-")
    updated = asked(api, "UPDATE", kind, new["id"], data={kind.text: text}, verb="POST")
    opened = done(api, "OPEN", kind, new["id"])
    done(api, "DELETE", kind, new["id"])
    assert succeeds(updated)
    assert opened[kind.text] == text


@clause("BITVIS-HTTP-9")
@each_kind
@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_without_its_slash_a_path_ends_in_an_object_id(api: Api, kind: Kind, method: str) -> None:
    """The endpoint's last segment alone is no object, so the call is refused: it is not the endpoint's own LIST."""
    exchange = api.request("GET", kind.path.rstrip("/"), headers={"Flow-Request-Method": method})
    answer = exchange.answer.json() if exchange.answer.status < 400 else {"success": False}
    assert isinstance(answer, dict)
    assert answer.get("success") is not True, f"the last segment was taken for the endpoint: {told(answer)}"


def _moved(api: Api, method: str, kind: Kind, part: str, parts: Mapping[str, str], place: Place) -> Record:
    """The call with that part at that place and all others in headers."""
    rest = {name: value for name, value in parts.items() if name not in (part, "token")}
    query = {part: parts[part]} if place == "query" and part != "token" else {}
    headers = {part: parts[part]} if place == "header" and part != "token" else {}
    credentials = {"scheme": "QueryToken" if place == "query" else "FlowToken"} if part == "token" else {}
    return asked(
        api, "" if part == "method" else method, kind, parts={**rest, **headers}, query=query, changes=False, **credentials
    )


@clause("BITVIS-HTTP-10")
def test_header_form_and_query_form_are_the_same_call(api: Api) -> None:
    """Any reading call, good or bad, has the same envelope with all its parts in the query string."""

    def check(call: tuple[str, Kind, str, Any]) -> None:
        method, kind, objectid, parameters = call
        verb = "POST" if method == "INDEX" else "GET"
        forms = [
            asked(api, method, kind, objectid, parameters=parameters, place=place, verb=verb)  # type: ignore[arg-type]
            for place in ("header", "query")
        ]
        assert without_errorid(forms[0]) == without_errorid(forms[1])

    for_all(check, 40, call=reading_calls(api))


@clause("BITVIS-HTTP-10")
@each_kind
def test_changes_by_query_are_changes(api: Api, kind: Kind) -> None:
    """CREATE, UPDATE, RUN's refusal and DELETE by query string do what they do by header."""
    new = done(api, "CREATE", kind, data=of(kind, api), place="query")
    text = api.unique("query-")
    done(api, "UPDATE", kind, new["id"], data={kind.text: text}, place="query")
    opened = done(api, "OPEN", kind, new["id"])
    done(api, "DELETE", kind, new["id"], place="query")
    assert opened[kind.text] == text
    fails(asked(api, "OPEN", kind, new["id"]), "it was deleted by query")


def _row(api: Api, part: str, method: str, kind: Kind) -> None:
    parts = {"method": method, "namespace": kind.endpoint, "objectid": some(api, kind)["id"]}
    parts |= {"token": "", "parameter": ONE, "parameters": ONE}
    wanted = {"method", part} | ({"objectid"} if method == "OPEN" else set())
    sent = {name: value for name, value in parts.items() if name in wanted}
    forms = [_moved(api, method, kind, part, sent, place) for place in ("header", "query")]  # type: ignore[arg-type]
    assert without_errorid(forms[0]) == without_errorid(forms[1]), f"{part} in a header and in the query string differ"
    if part not in ("namespace", "parameter", "parameters"):
        succeeds(forms[0])


@clause("BITVIS-HTTP-11")
@each_kind
def test_the_token_alone_in_the_query_is_the_token(api: Api, readings: Observed, kind: Kind) -> None:
    """The same call with its token in the query string is let in as well."""
    answer = asked(api, "LIST", kind, scheme="QueryToken")
    readings.one_of("BITVIS-AMB-4", allowed=answer["success"] is True, headers_only=answer["success"] is False)
    _row(api, "token", "LIST", kind)


@clause("BITVIS-HTTP-12")
@each_kind
def test_the_object_id_alone_in_the_query_is_the_object_id(api: Api, kind: Kind) -> None:
    """The same OPEN with its object id in the query string gives the same object."""
    _row(api, "objectid", "OPEN", kind)


@clause("BITVIS-HTTP-13")
@each_kind
def test_the_namespace_is_read_in_both_places(api: Api, readings: Observed, kind: Kind) -> None:
    """A namespace does the same in a header and in the query string: nothing, or it asks for permission."""
    _row(api, "namespace", "LIST", kind)
    plain, named = asked(api, "LIST", kind), asked(api, "LIST", kind, parts={"namespace": kind.endpoint})
    same = without_errorid(plain) == without_errorid(named)
    readings.one_of("BITVIS-AMB-29", no_effect=same, permission=named["success"] is False)


@clause("BITVIS-HTTP-14")
@each_kind
@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_the_method_alone_in_the_query_is_the_method(api: Api, kind: Kind, method: str) -> None:
    """The same call with its method in the query string is the same call."""
    _row(api, "method", method, kind)


@clause("BITVIS-HTTP-15")
@each_kind
def test_parameters_of_the_plural_name_are_read_in_both_places(api: Api, kind: Kind) -> None:
    """The plural header and the plural query parameter have the same effect, which is one of the meanings."""
    _row(api, "parameters", "LIST", kind)


@clause("BITVIS-HTTP-16")
@each_kind
def test_parameters_of_the_singular_name_are_read_in_both_places(api: Api, kind: Kind) -> None:
    """The singular header and the singular query parameter have the same effect."""
    _row(api, "parameter", "LIST", kind)


@clause("BITVIS-HTTP-15", "BITVIS-HTTP-16")
def test_plural_and_singular_do_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """Each of the two takes the object, or refuses it; neither passes it over."""
    plural, singular = (asked(api, "LIST", ADDRESS, parts={name: ONE}) for name in ("parameters", "parameter"))
    paged = [answer["success"] is True and len(answer["data"]) == 1 for answer in (plural, singular)]
    readings.one_of(
        "BITVIS-AMB-5",
        same=all(paged),
        singular_is_one_pair=paged[0] and singular["success"] is False,
        plural_is_pairs=paged[1] and plural["success"] is False,
    )


@clause("BITVIS-HTTP-16")
def test_parameters_without_their_wrapper_do_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """The inner object alone has the same effect, none, or is refused."""
    bare = asked(api, "LIST", DEVICE, parts={"parameter": json.dumps(page(1))})
    wrapped, plain = asked(api, "LIST", DEVICE, parameters=page(1)), asked(api, "LIST", DEVICE)
    readings.one_of(
        "BITVIS-AMB-20",
        accepted=bare.get("data") == succeeds(wrapped),
        ignored=bare.get("data") == succeeds(plain),
        refused=bare["success"] is False,
    )


@clause("BITVIS-HTTP-10")
def test_places_that_the_table_does_not_name_do_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """A query parameter of another name has no effect or is refused."""
    plain, more = asked(api, "LIST", QUEUE), asked(api, "LIST", QUEUE, query={api.unique("x"): "1"})
    same = without_errorid(plain) == without_errorid(more)
    readings.one_of("BITVIS-AMB-22", ignored=same, refused=more["success"] is False)


@clause("BITVIS-HTTP-6", "BITVIS-HTTP-7")
def test_another_verb_does_what_a_meaning_says(api: Api, readings: Observed, make: Make) -> None:
    """LIST and OPEN by POST, INDEX by GET, UPDATE by GET: carried out as by their own verb, or refused."""
    own = make(DEVICE)
    posted = asked(api, "LIST", DEVICE, verb="POST")
    wins = posted["success"] is True and ids(posted["data"]) == ids(everything(api, DEVICE))
    readings.one_of("BITVIS-AMB-11", call_wins=wins, refused=posted["success"] is False)
    verbs = [asked(api, "INDEX", DEVICE, own["id"], verb=verb)["success"] is True for verb in ("POST", "GET")]
    readings.one_of("BITVIS-AMB-10", post=verbs[0], get=verbs[1])


@clause("BITVIS-HTTP-14")
def test_a_call_without_a_method_does_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """It is refused, or the verb and the path decide."""
    identifier = some(api, DEVICE)["id"]
    listing, opening = (asked(api, "", DEVICE, one, verb="GET", changes=False) for one in ("", identifier))
    by_verb = listing.get("data") == everything(api, DEVICE) and opening.get("data") == done(
        api, "OPEN", DEVICE, identifier
    )
    refused = listing["success"] is False and opening["success"] is False
    readings.one_of("BITVIS-AMB-12", refused=refused, by_verb=by_verb)


@clause("BITVIS-HTTP-12", "BITVIS-HTTP-4")
def test_three_object_ids_do_what_a_meaning_says(api: Api, readings: Observed, make: Make) -> None:
    """With one in the path, one in a header and one in the query string, one of them counts or none does."""
    path, header, query = (make(DEVICE)["id"] for _ in range(3))
    answer = asked(api, "OPEN", DEVICE, path, place="path", parts={}, query={"objectid": query}, headers={"Flow-Request-ObjectId": header})
    got = answer["data"]["id"] if answer["success"] is True else None
    readings.one_of("BITVIS-AMB-13", path=got == path, header=got == header, query=got == query, refused=got is None)


@clause("BITVIS-HTTP-8")
def test_no_slash_with_an_object_id_does_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """As the examples of lines 301 and 345 have it: the endpoint is meant, or the call fails."""
    record = some(api, DEVICE)
    headers = {"Flow-Request-Method": "OPEN", "Flow-Request-ObjectId": record["id"]}
    exchange = api.request("GET", DEVICE.path.rstrip("/"), headers=headers)
    answer = exchange.answer.json() if exchange.answer.status < 400 else {"success": False}
    meant = answer.get("success") is True and answer["data"]["id"] == record["id"]
    readings.one_of("BITVIS-AMB-3", endpoint=meant, object_id=answer.get("success") is False)
