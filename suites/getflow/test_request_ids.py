"""The ids of requests, in successes and in errors: document lines 66, 67 and 87 to 90."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange, as_text
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    KINDS,
    LISTS,
    TASKS,
    UNKNOWN_ID,
    VERSIONINGS,
    RecordKind,
    accepted_body,
    is_success,
    json_body,
    permitted_operations,
    refusal_problems,
    response_text,
    send,
)
from suites.getflow.pagination import first_page
from suites.getflow.record_factory import RecordFactory
from suites.getflow.request_ids import RequestIdLog
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("leaking state")

clause = pytest.mark.clause
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _id(exchange: Exchange) -> object:
    """The id in a response, by either of its names."""
    body = json_body(exchange)
    return body.get("request_uuid", body.get("request_id"))


@clause("GETFLOW-ERR-3")
def test_identical_refused_requests_have_distinct_ids(api: Api, request_id_log: RequestIdLog) -> None:
    """The same refused request, in sequence and at once, has a different UUID each time."""

    def send_refused(client: Api) -> Exchange:
        return send(client, TASKS, "read", UNKNOWN_ID)

    identifiers = [_id(send_refused(api)) for _ in range(10)]
    identifiers += [_id(exchange) for exchange in api.send_concurrently([send_refused] * 8)]
    assert all(isinstance(identifier, str) and UUID.fullmatch(identifier) for identifier in identifiers), (
        f"{identifiers}"
    )
    assert len(set(identifiers)) == len(identifiers), (
        f"{len(identifiers) - len(set(identifiers))} of {len(identifiers)} ids are repeated"
    )
    repeated = [duplicate for duplicate in request_id_log.duplicates if duplicate[0] in identifiers]
    assert not repeated, f"an id of another request: {repeated[0]}"


@clause("GETFLOW-ERR-3")
def test_every_refusal_has_a_new_id(api: Api, request_id_log: RequestIdLog) -> None:
    """No request_uuid of any endpoint was given to another request of this run."""

    def check(kind: RecordKind, versioning: int, limit: str) -> None:
        exchange = send(api, kind, "list", query={"limit": limit}, versioning=versioning)
        if is_success(exchange):
            raise MissingPrecondition(f"limit={limit} is served")
        assert UUID.fullmatch(str(_id(exchange))), response_text(exchange)

    limits = st.sampled_from(["1", "2", "abc", "x", "?"])
    for_all(check, 25, kind=st.sampled_from(KINDS), versioning=st.sampled_from(VERSIONINGS), limit=limits)
    assert not request_id_log.duplicates, f"given to two requests: {request_id_log.duplicates[0]}"


@clause("GETFLOW-RID-1")
def test_most_successes_have_a_request_id(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """More than half of all operations have a request_id in their success; whether all have one is observed."""
    ids = factory.ids_by_kind()
    has_id = []
    for kind, action in permitted_operations(api):
        if action == "create":
            exchange = send(api, kind, "create", attributes=factory.required_attributes(kind))
            created = json_body(exchange).get(kind.singular)
            if isinstance(created, dict) and "id" in created:
                factory.delete_later(kind, created["id"])
        else:
            attributes = {"name": "n"} if action == "update" else None
            exchange = send(api, kind, action, ids[kind], attributes=attributes)
        accepted_body(api, exchange, "GETFLOW-RID-1")
        has_id.append(isinstance(json_body(exchange).get("request_id"), str))
    assert any(has_id), "no success has a request_id"
    assert sum(has_id) * 2 > len(has_id), f"only {sum(has_id)} of {len(has_id)} endpoints have a request_id"
    readings.observe("GETFLOW-AMB-30", every=all(has_id), some=any(has_id))


@clause("GETFLOW-RID-1")
def test_request_ids_are_unique(api: Api, request_id_log: RequestIdLog) -> None:
    """No two successes of the run have the same id, not even of equal requests."""
    identifiers = [_id(send(api, LISTS, "list", query={"limit": 1})) for _ in range(10)]
    identifiers += [
        _id(exchange)
        for exchange in api.send_concurrently([lambda client: send(client, LISTS, "list", query={"limit": 1})] * 8)
    ]
    present = [identifier for identifier in identifiers if identifier is not None]
    assert len(set(map(str, present))) == len(present), f"{len(present) - len(set(map(str, present)))} ids are repeated"
    assert not request_id_log.duplicates, f"given to two requests: {request_id_log.duplicates[0]}"
    if not present:
        raise MissingPrecondition("no success has a request_id")


@clause("GETFLOW-ERR-3")
def test_successes_and_errors_have_ids(api: Api, readings: ObservedReadings) -> None:
    """A success has a documented id and so has an error; whether they share one name is observed."""
    success, error = send(api, LISTS, "list", query={"limit": 1}), send(api, LISTS, "read", UNKNOWN_ID)
    accepted_body(api, success, "GETFLOW-RID-1")
    refusal_problems(api, error, "GETFLOW-ERR-3")
    have_own_names = "request_uuid" not in json_body(success) and "request_id" not in json_body(error)
    readings.observe("GETFLOW-AMB-2", two_things=have_own_names, one_thing=not have_own_names)


@clause("GETFLOW-RID-2")
def test_a_printed_exchange_shows_its_request_id(api: Api) -> None:
    """The printed exchange contains the id that the vendor's support asks for."""
    record = first_page(api, LISTS, "GETFLOW-RID-2", limit=1)[0]
    exchanges = [send(api, LISTS, "read", identifier) for identifier in (record["id"], UNKNOWN_ID)]
    with_id = [exchange for exchange in exchanges if _id(exchange) is not None]
    if not with_id:
        raise MissingPrecondition("no response has a request id")
    for exchange in with_id:
        assert str(_id(exchange)) in as_text(exchange, api.secrets)
