"""Where a call's parts travel: lines 72-80 of the document. Headers and the query string, one row for each part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.api import Api
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    BY_GET,
    DEVICE,
    KINDS,
    QUEUE,
    Kind,
    Record,
    asked,
    done,
    everything,
    fails,
    for_all,
    of,
    some,
    succeeds,
    without_errorid,
)
from suites.bitvis.selections import ONE, page, reading_calls
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def _moved(api: Api, method: str, kind: Kind, part: str, parts: Mapping[str, str], place: str) -> Record:
    """The call with that part at that place and all others in headers."""
    rest = {name: value for name, value in parts.items() if name not in (part, "token")}
    query = {part: parts[part]} if place == "query" and part != "token" else {}
    headers = {part: parts[part]} if place == "header" and part != "token" else {}
    credentials = {"scheme": "QueryToken" if place == "query" else "FlowToken"} if part == "token" else {}
    return asked(
        api,
        "" if part == "method" else method,
        kind,
        parts={**rest, **headers},
        query=query,
        changes=False,
        verb="GET" if method in BY_GET else "POST",
        **credentials,
    )


@clause("BITVIS-HTTP-10")
def test_header_form_and_query_form_are_the_same_call(api: Api) -> None:
    """Any reading call, good or bad, has the same envelope with all its parts in the query string."""

    def check(call: tuple[str, Kind, str, Any]) -> None:
        method, kind, objectid, parameters = call
        verb = "POST" if method == "INDEX" else "GET"
        forms = [
            asked(api, method, kind, objectid, parameters=parameters, place=place, verb=verb)
            for place in ("header", "query")
        ]
        assert without_errorid(forms[0]) == without_errorid(forms[1])

    for_all(check, 40, call=reading_calls(api))


@clause("BITVIS-HTTP-10")
@each_kind
def test_changes_by_query_are_changes(api: Api, mine: Mine, kind: Kind) -> None:
    """CREATE, UPDATE and DELETE by query string do what they do by header."""
    new = done(api, "CREATE", kind, data=of(kind, api), place="query")
    mine.append((kind, new["id"]))
    text = api.unique("query-")
    done(api, "UPDATE", kind, new["id"], data={kind.text: text}, place="query")
    assert done(api, "OPEN", kind, new["id"])[kind.text] == text
    done(api, "DELETE", kind, new["id"], place="query")
    fails(asked(api, "OPEN", kind, new["id"]), "it was deleted by query")


def _row(api: Api, part: str, method: str, kind: Kind) -> None:
    parts = {"method": method, "namespace": kind.endpoint, "objectid": some(api, kind)["id"]}
    parts |= {"token": "", "parameter": ONE, "parameters": ONE}
    wanted = {"method", part} | ({"objectid"} if method == "OPEN" else set())
    sent = {name: value for name, value in parts.items() if name in wanted}
    forms = [_moved(api, method, kind, part, sent, place) for place in ("header", "query")]
    assert without_errorid(forms[0]) == without_errorid(forms[1]), f"{part} in a header and in the query string differ"
    if part not in ("namespace", "parameter", "parameters"):
        succeeds(forms[0])


@clause("BITVIS-HTTP-11")
@each_kind
def test_the_token_alone_in_the_query_is_the_token(api: Api, readings: Observed, kind: Kind) -> None:
    """The same call with its token in the query string is let in as well."""
    if readings.is_in_force("BITVIS-AMB-4", "allowed"):
        _row(api, "token", "LIST", kind)
    let_in = asked(api, "LIST", kind, scheme="QueryToken")["success"] is True
    readings.one_of("BITVIS-AMB-4", allowed=let_in, headers_only=not let_in)


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
    answer = asked(
        api,
        "OPEN",
        DEVICE,
        path,
        place="path",
        parts={},
        query={"objectid": query},
        headers={"Flow-Request-ObjectId": header},
    )
    got = answer["data"]["id"] if answer["success"] is True else None
    readings.one_of("BITVIS-AMB-13", path=got == path, header=got == header, query=got == query, refused=got is None)
