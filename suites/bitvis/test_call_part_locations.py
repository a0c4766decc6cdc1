"""Where the parts of a call travel: document lines 72-80. In headers and in the query string, one row per part."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.target_api import Api
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    GET_METHODS,
    KINDS,
    QUEUE,
    ObjectKind,
    Record,
    all_objects,
    any_object,
    assert_answered_alike,
    assert_failure,
    assert_success,
    http_data,
    http_envelope,
    new_object_data,
    without_errorid,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.list_oracle import PAGE_OF_ONE, page_of, reading_call_strategy
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("ways in")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def _envelope_with_part_at(
    api: Api, method: str, kind: ObjectKind, part: str, parts: Mapping[str, str], place: str
) -> Record:
    """The envelope of the call with that part at that place ("header" or "query") and all other parts in headers."""
    other_parts = {name: value for name, value in parts.items() if name not in (part, "token")}
    query = {part: parts[part]} if place == "query" and part != "token" else {}
    headers = {part: parts[part]} if place == "header" and part != "token" else {}
    credentials = {"scheme": "QueryToken" if place == "query" else "FlowToken"} if part == "token" else {}
    return http_envelope(
        api,
        "" if part == "method" else method,
        kind,
        parts={**other_parts, **headers},
        query=query,
        verb="GET" if method in GET_METHODS else "POST",
        **credentials,
    )


@clause("BITVIS-HTTP-10")
def test_header_form_and_query_form_have_the_same_response(api: Api) -> None:
    """Any valid or invalid reading call has the same envelope with all its parts in the query string."""

    def check(call: tuple[str, ObjectKind, str, Any]) -> None:
        method, kind, objectid, parameters = call
        verb = "POST" if method == "INDEX" else "GET"

        def send_at(place: str) -> Callable[[], Record]:
            return lambda: http_envelope(api, method, kind, objectid, parameters=parameters, place=place, verb=verb)

        assert_answered_alike(send_at("header"), send_at("query"))

    for_all(check, 40, call=reading_call_strategy(api))


@clause("BITVIS-HTTP-10")
@each_kind
def test_changes_by_query_take_effect(api: Api, created_objects: OwnObjects, kind: ObjectKind) -> None:
    """CREATE, UPDATE and DELETE by query string do what they do by header."""
    created = http_data(api, "CREATE", kind, data=new_object_data(kind, api), place="query")
    created_objects.append((kind, created["id"]))
    text = api.unique_text("query-")
    http_data(api, "UPDATE", kind, created["id"], data={kind.text_member: text}, place="query")
    assert http_data(api, "OPEN", kind, created["id"])[kind.text_member] == text
    http_data(api, "DELETE", kind, created["id"], place="query")
    assert_failure(http_envelope(api, "OPEN", kind, created["id"]), "it was deleted by query string")


def _assert_same_in_both_places(api: Api, part: str, method: str, kind: ObjectKind) -> None:
    """Asserts that a part has the same effect in a header and in the query string."""
    parts = {"method": method, "namespace": kind.endpoint, "objectid": any_object(api, kind)["id"]}
    parts |= {"token": "", "parameter": PAGE_OF_ONE, "parameters": PAGE_OF_ONE}
    part_names = {"method", part} | ({"objectid"} if method == "OPEN" else set())
    sent_parts = {name: value for name, value in parts.items() if name in part_names}

    def send_at(place: str) -> Callable[[], Record]:
        return lambda: _envelope_with_part_at(api, method, kind, part, sent_parts, place)

    difference = f"{part} in a header and in the query string have different effects"
    assert_answered_alike(send_at("header"), send_at("query"), difference)
    if part not in ("namespace", "parameter", "parameters"):
        assert_success(send_at("header")())


@clause("BITVIS-HTTP-11")
@each_kind
def test_the_token_may_stand_alone_in_the_query(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """The call with only its token in the query string has the same response as with the token in its header."""
    if readings.is_allowed("BITVIS-AMB-4", "allowed"):
        _assert_same_in_both_places(api, "token", "LIST", kind)
    let_in = http_envelope(api, "LIST", kind, scheme="QueryToken")["success"] is True
    readings.observe("BITVIS-AMB-4", allowed=let_in, headers_only=not let_in)


@clause("BITVIS-HTTP-12")
@each_kind
def test_the_object_id_may_stand_alone_in_the_query(api: Api, kind: ObjectKind) -> None:
    """OPEN with only its object id in the query string returns the same object."""
    _assert_same_in_both_places(api, "objectid", "OPEN", kind)


@clause("BITVIS-HTTP-13")
@each_kind
def test_the_namespace_is_read_in_both_places(api: Api, readings: ObservedReadings, kind: ObjectKind) -> None:
    """A namespace has the same effect in a header and in the query string: none, or it requires permission."""
    _assert_same_in_both_places(api, "namespace", "LIST", kind)
    without_namespace, with_namespace = (
        http_envelope(api, "LIST", kind),
        http_envelope(api, "LIST", kind, parts={"namespace": kind.endpoint}),
    )
    same = without_errorid(without_namespace) == without_errorid(with_namespace)
    readings.one_of("BITVIS-AMB-29", no_effect=same, permission=with_namespace["success"] is False)


@clause("BITVIS-HTTP-14")
@each_kind
@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_the_method_may_stand_alone_in_the_query(api: Api, kind: ObjectKind, method: str) -> None:
    """The call with only its method in the query string is the same call."""
    _assert_same_in_both_places(api, "method", method, kind)


@clause("BITVIS-HTTP-15")
@each_kind
def test_parameters_of_the_plural_name_are_read_in_both_places(api: Api, kind: ObjectKind) -> None:
    """The plural header and the plural query parameter have the same effect."""
    _assert_same_in_both_places(api, "parameters", "LIST", kind)


@clause("BITVIS-HTTP-16")
@each_kind
def test_parameters_of_the_singular_name_are_read_in_both_places(api: Api, kind: ObjectKind) -> None:
    """The singular header and the singular query parameter have the same effect."""
    _assert_same_in_both_places(api, "parameter", "LIST", kind)


@clause("BITVIS-HTTP-15", "BITVIS-HTTP-16")
def test_plural_and_singular_names_follow_a_reading(api: Api, readings: ObservedReadings) -> None:
    """At least one of the two names takes the object; the other one takes it, too, or refuses it."""
    plural, singular = (
        http_envelope(api, "LIST", ADDRESS, parts={name: PAGE_OF_ONE}) for name in ("parameters", "parameter")
    )
    paged = [envelope["success"] is True and len(envelope["data"]) == 1 for envelope in (plural, singular)]
    readings.one_of(
        "BITVIS-AMB-5",
        same=all(paged),
        singular_is_one_pair=paged[0] and singular["success"] is False,
        plural_is_pairs=paged[1] and plural["success"] is False,
    )


@clause("BITVIS-HTTP-16")
def test_parameters_without_their_wrapper_follow_a_reading(api: Api, readings: ObservedReadings) -> None:
    """The inner object alone has the same effect, no effect, or is refused."""
    unwrapped = http_envelope(api, "LIST", DEVICE, parts={"parameter": json.dumps(page_of(1))})
    wrapped, without_parameters = (
        http_envelope(api, "LIST", DEVICE, parameters=page_of(1)),
        http_envelope(api, "LIST", DEVICE),
    )
    readings.one_of(
        "BITVIS-AMB-20",
        accepted=unwrapped.get("data") == assert_success(wrapped),
        ignored=unwrapped.get("data") == assert_success(without_parameters),
        refused=unwrapped["success"] is False,
    )


@clause("BITVIS-HTTP-10")
def test_an_unknown_query_parameter_follows_a_reading(api: Api, readings: ObservedReadings) -> None:
    """A query parameter of another name has no effect or is refused."""
    without_parameter, with_parameter = (
        http_envelope(api, "LIST", QUEUE),
        http_envelope(api, "LIST", QUEUE, query={api.unique_text("x"): "1"}),
    )
    same = without_errorid(without_parameter) == without_errorid(with_parameter)
    readings.one_of("BITVIS-AMB-22", ignored=same, refused=with_parameter["success"] is False)


@clause("BITVIS-HTTP-14")
def test_a_call_without_a_method_follows_a_reading(api: Api, readings: ObservedReadings) -> None:
    """A call without a method is refused, or its verb and path decide."""
    identifier = any_object(api, DEVICE)["id"]
    listing, opening = (http_envelope(api, "", DEVICE, objectid, verb="GET") for objectid in ("", identifier))
    by_verb = listing.get("data") == all_objects(api, DEVICE) and opening.get("data") == http_data(
        api, "OPEN", DEVICE, identifier
    )
    refused = listing["success"] is False and opening["success"] is False
    readings.one_of("BITVIS-AMB-12", refused=refused, by_verb=by_verb)


@clause("BITVIS-HTTP-12", "BITVIS-HTTP-4")
def test_three_object_ids_follow_a_reading(api: Api, readings: ObservedReadings, new_object: ObjectFactory) -> None:
    """With an object id in the path, in a header and in the query string, one of them counts or the call is refused."""
    path, header, query = (new_object(DEVICE)["id"] for _ in range(3))
    envelope = http_envelope(
        api,
        "OPEN",
        DEVICE,
        path,
        place="path",
        parts={},
        query={"objectid": query},
        headers={"Flow-Request-ObjectId": header},
    )
    opened_id = envelope["data"]["id"] if envelope["success"] is True else None
    readings.one_of(
        "BITVIS-AMB-13",
        path=opened_id == path,
        header=opened_id == header,
        query=opened_id == query,
        refused=opened_id is None,
    )
