"""Version 2, named in Accept or in the path: document lines 18 to 35."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, product
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api
from suites.getflow.client import (
    ACCEPT_HEADER,
    CREATABLE_KINDS,
    KINDS,
    LISTS,
    OPERATIONS,
    PATH_PREFIX,
    READ_OPERATIONS,
    TASKS,
    V2_MEDIA_TYPE,
    VERSIONINGS,
    Record,
    RecordKind,
    accepted_body,
    check_documented,
    is_success,
    json_body,
    refusal_problems,
    require_success,
    response_text,
    send,
    single_record,
    without_request_ids,
)
from suites.getflow.known_requests import fair_clause
from suites.getflow.pagination import first_page
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import stable_pair
from suites.getflow.strategies import known_ids
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

clause = pytest.mark.clause


def _get(api: Api, path: str, headers: Mapping[str, str] | None = None) -> Exchange:
    return api.request("GET", path, query={"organization_id": api.setting("ORGANIZATION_ID")}, headers=headers)


def _accept_header(version: int) -> dict[str, str]:
    return {"Accept": f"application/vnd.flow.v{version}+json"}


def _read_ids(api: Api, clause_id: str) -> dict[RecordKind, Any]:
    """The id of a record of each kind that can be read alone; failures are blamed on that clause."""
    return {kind: first_page(api, kind, clause_id, limit=1)[0]["id"] for kind in KINDS if kind.supports("read")}


@clause("GETFLOW-VER-1")
def test_responses_are_of_version_2(api: Api, readings: ObservedReadings) -> None:
    """No response is labelled with another version than 2."""
    ids, media_types = _read_ids(api, "GETFLOW-VER-1"), set()
    for kind, action in READ_OPERATIONS:
        for versioning in VERSIONINGS:
            exchange = send(api, kind, action, ids.get(kind), versioning=versioning)
            media_type = exchange.response.media_type()
            assert media_type == V2_MEDIA_TYPE or "vnd.flow" not in media_type, f"{action} {kind}: {media_type}"
            accepted_body(api, exchange, "GETFLOW-VER-1")
            media_types.add(media_type)
    readings.one_of("GETFLOW-AMB-33", versioned=media_types == {V2_MEDIA_TYPE}, plain=V2_MEDIA_TYPE not in media_types)


@clause("GETFLOW-VER-2")
def test_another_version_is_refused(api: Api) -> None:
    """Any other version is refused, on different endpoints and whichever way it is named."""
    ids = _read_ids(api, "GETFLOW-VER-2")

    operations = cycle(READ_OPERATIONS)
    for version, versioning, _ in product((1, 3, 0, 4, 22, 12, 200), VERSIONINGS, range(2)):
        kind, action = next(operations)
        path = kind.operation(action, ACCEPT_HEADER).path.split("{")[0] + str(ids[kind] if action == "read" else "")
        exchange = (
            _get(api, path, _accept_header(version)) if versioning == ACCEPT_HEADER else _get(api, f"/v{version}{path}")
        )
        assert not is_success(exchange), response_text(exchange)
        refusal_problems(api, exchange, "GETFLOW-VER-2")


@clause("GETFLOW-VER-2")
def test_conflicting_versions_have_one_meaning(api: Api, readings: ObservedReadings) -> None:
    """When the path and Accept name different versions, always the same one counts, or the request is refused."""
    path_counts = is_success(_get(api, "/v2/lists", _accept_header(1)))
    accept_counts = is_success(_get(api, "/v1/lists", _accept_header(2)))
    readings.one_of(
        "GETFLOW-AMB-8",
        prefix=path_counts and not accept_counts,
        accept=accept_counts and not path_counts,
        refused=not path_counts and not accept_counts,
    )


@clause("GETFLOW-VER-3")
def test_a_request_without_version_is_served_or_refused(api: Api, readings: ObservedReadings) -> None:
    """A request without a version is refused as documented or served as version 2, alike on every endpoint."""
    ids, outcomes = _read_ids(api, "GETFLOW-VER-3"), set()
    for kind, action in READ_OPERATIONS:
        path = kind.operation(action, ACCEPT_HEADER).path.split("{")[0] + str(ids[kind] if action == "read" else "")
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            exchange = _get(api, path, headers)
            if exchange.response.status >= 500:
                raise violation(api, "GETFLOW-VER-3", "served or refused", response_text(exchange), exchange)
            check_documented(api, exchange, "GETFLOW-VER-3")
            outcomes.add(is_success(exchange))
    readings.one_of("GETFLOW-AMB-9", refused=True not in outcomes, served=False not in outcomes)


@clause("GETFLOW-VER-5")
def test_accept_may_list_other_types(api: Api, readings: ObservedReadings) -> None:
    """The versioned type selects version 2 also among other types in Accept."""
    accept_values = ("text/html, application/vnd.flow.v2+json;q=0.5", "application/vnd.flow.v2+json, */*;q=0.1")
    version_selected = all(is_success(_get(api, "/lists", {"Accept": accept})) for accept in accept_values)
    html = _get(api, "/v2/lists", {"Accept": "text/html"})
    readings.one_of(
        "GETFLOW-AMB-10",
        any_entry=version_selected and is_success(html),
        negotiated=version_selected and 400 <= html.response.status < 500,
    )


@clause("GETFLOW-VER-5")
def test_accept_alone_selects_version_2(api: Api) -> None:
    """The versioned Accept alone selects version 2 on every endpoint."""
    ids = _read_ids(api, "GETFLOW-VER-5")
    for kind, action in READ_OPERATIONS:
        send(api, kind, action, ids.get(kind), versioning=PATH_PREFIX)  # shows whether the target has the path
        exchange = send(api, kind, action, ids.get(kind), versioning=ACCEPT_HEADER)
        require_success(api, exchange, "GETFLOW-VER-5")
        media_type = exchange.response.media_type()
        assert media_type in (V2_MEDIA_TYPE, "application/json"), f"{action} {kind}: {media_type}"
        accepted_body(api, exchange, "GETFLOW-VER-5")


@clause("GETFLOW-VER-5", "GETFLOW-VER-6")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_every_method_is_served_either_way(api: Api, factory: RecordFactory, versioning: int) -> None:
    """Every operation on a record is served with the version named this way."""
    clause_id = ("GETFLOW-VER-5", "GETFLOW-VER-6")[versioning]
    for kind, action in OPERATIONS:
        if kind not in CREATABLE_KINDS:
            continue
        if action == "create":
            factory.create(kind, clause_id, versioning=versioning)
            continue
        identifier = factory.create(kind, clause_id)["id"]
        attributes = {"name": "either way"} if action == "update" else None
        exchange = send(api, kind, action, identifier, attributes=attributes, versioning=versioning)
        if not is_success(exchange):
            blamed = fair_clause(api, exchange, clause_id)
            raise violation(api, blamed, f"{action} {kind} is served", response_text(exchange), exchange)


@clause("GETFLOW-VER-6")
def test_every_path_can_be_prefixed(api: Api) -> None:
    """Every path is also served below /v2."""
    ids = _read_ids(api, "GETFLOW-VER-6")
    for kind, action in READ_OPERATIONS:
        send(api, kind, action, ids.get(kind), versioning=ACCEPT_HEADER)  # shows whether the target has the path
        exchange = send(api, kind, action, ids.get(kind), versioning=PATH_PREFIX)
        require_success(api, exchange, "GETFLOW-VER-6")


@clause("GETFLOW-VER-7")
def test_the_prefix_needs_no_header(api: Api) -> None:
    """Below /v2 the response is the same without Accept, with any type and with plain JSON."""
    ids = _read_ids(api, "GETFLOW-VER-7")

    def outcome(operation: tuple[RecordKind, str], accept: str | None) -> Any:
        kind, action = operation
        exchange = send(api, kind, action, ids.get(kind), headers={"Accept": accept} if accept else {})
        require_success(api, exchange, "GETFLOW-VER-7")
        return without_request_ids(json_body(exchange))

    def check(operation: tuple[RecordKind, str], accept: str) -> None:
        without_accept, with_accept = stable_pair(
            api, lambda: outcome(operation, None), lambda: outcome(operation, accept)
        )
        assert without_accept == with_accept, (
            f"with Accept {accept}: {str(with_accept)[:300]}, without: {str(without_accept)[:300]}"
        )

    accepts = st.sampled_from(["*/*", "application/json", "application/*", V2_MEDIA_TYPE])
    for_all(check, 20, operation=st.sampled_from(READ_OPERATIONS), accept=accepts)


@clause("GETFLOW-VER-8")
def test_every_list_is_read_by_its_id(api: Api) -> None:
    """Every listed list can be read by its id."""
    listed = first_page(api, LISTS, "GETFLOW-VER-8")

    def check(record: Record) -> None:
        exchange = send(api, LISTS, "read", record["id"])
        assert is_success(exchange) or record["id"] not in known_ids(api, LISTS), response_text(exchange)

    for_all(check, 12, record=st.sampled_from(listed))


@clause("GETFLOW-VER-8")
def test_the_configured_list_is_read(api: Api) -> None:
    """The list whose id is configured can be read (on our reference, 1234 as in the document)."""
    identifier = api.setting("LIST_ID")
    record = single_record(api, send(api, LISTS, "read", identifier), LISTS, "GETFLOW-VER-8")
    assert str(record["id"]) == identifier


@clause("GETFLOW-VER-9")
def test_a_task_is_created_below_the_prefix(api: Api, factory: RecordFactory) -> None:
    """POST to /v2/tasks creates a task with the name that was sent."""
    factory.create(TASKS, versioning=ACCEPT_HEADER)  # so the target knows these attributes, if it takes them
    name = api.unique_text("made by prefix ")
    exchange = send(api, TASKS, "create", attributes={**factory.required_attributes(TASKS), "name": name})
    created = single_record(api, exchange, TASKS, "GETFLOW-VER-9")
    factory.delete_later(TASKS, created["id"])
    assert created["name"] == name
