"""Naming the version in Accept and in the path gives the same responses: document line 20."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api
from suites.getflow.client import (
    ACCEPT_HEADER,
    CREATABLE_KINDS,
    KINDS,
    PATH_PREFIX,
    UNKNOWN_ID,
    VERSIONINGS,
    Record,
    RecordKind,
    check_documented,
    json_body,
    send,
    single_record,
    without_request_ids,
)
from suites.getflow.pagination import first_page, next_url, query_parameters
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import stable_pair
from suites.getflow.strategies import queries
from suites.hypothesis_checks import for_all

pytestmark = pytest.mark.bug_kind("ways in")

clause = pytest.mark.clause
DIFFERING_MEMBERS = ("id", "created_at", "updated_at", "completed_at")  # these differ between two records created alike


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lists_are_the_same_either_way(api: Api, kind: RecordKind) -> None:
    """Any valid or invalid query has the same response, whichever way the version is named; only the ids differ."""

    def outcome(query: dict[str, Any], versioning: int) -> Any:
        exchange = send(api, kind, "list", query=query, versioning=versioning)
        check_documented(api, exchange, "GETFLOW-VER-4")
        cursor = query_parameters(next_url(exchange) or "").get("cursor")
        return exchange.response.status, without_request_ids(json_body(exchange)), cursor

    def check(query: dict[str, Any]) -> None:
        by_accept, by_prefix = stable_pair(
            api, lambda: outcome(query, ACCEPT_HEADER), lambda: outcome(query, PATH_PREFIX)
        )
        _assert_same(by_accept[0], by_prefix[0], "status")
        _assert_same(by_accept[1], by_prefix[1], "body")
        _assert_same(by_accept[2], by_prefix[2], "next cursor")

    for_all(check, 15, query=queries(api, kind) | queries(api, kind, with_invalid=True))


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.supports("read")], ids=str)
def test_single_records_are_the_same_either_way(api: Api, kind: RecordKind) -> None:
    """A known or unknown single record, with any view and include, has the same response either way."""
    identifier = first_page(api, kind, "GETFLOW-VER-4", limit=1)[0]["id"]

    def outcome(query: dict[str, Any], versioning: int, record: Any) -> Any:
        exchange = send(api, kind, "read", record, query=query, versioning=versioning)
        return exchange.response.status, without_request_ids(json_body(exchange))

    def check(query: dict[str, Any], record: Any) -> None:
        _assert_same(
            *stable_pair(
                api, lambda: outcome(query, ACCEPT_HEADER, record), lambda: outcome(query, PATH_PREFIX, record)
            ),
            "response",
        )

    any_query = queries(api, kind, "read") | queries(api, kind, "read", with_invalid=True)
    for_all(check, 8, query=any_query, record=st.sampled_from([identifier, identifier, UNKNOWN_ID, "abc"]))


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_changes_are_the_same_either_way(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """Creations, updates and deletions have the same responses, whichever way the version is named."""
    required = factory.required_attributes(kind)
    results: list[list[Any]] = []
    for versioning in VERSIONINGS:
        created = send(api, kind, "create", attributes=required, versioning=versioning)
        first_record = single_record(api, created, kind, "GETFLOW-VER-4")
        factory.delete_later(kind, first_record["id"])
        exchanges = [created, send(api, kind, "create", attributes={}, versioning=versioning)]
        if kind.supports("update"):
            exchanges.append(
                send(api, kind, "update", first_record["id"], attributes={"name": "both ways"}, versioning=versioning)
            )
            exchanges.append(send(api, kind, "read", first_record["id"], versioning=versioning))
            exchanges.append(
                send(api, kind, "update", first_record["id"], attributes={"name": 5}, versioning=versioning)
            )
        exchanges += [send(api, kind, "delete", first_record["id"], versioning=versioning) for _ in range(2)]
        exchanges.append(send(api, kind, "read", first_record["id"], versioning=versioning))
        results.append(
            [
                (exchange.request.method, exchange.response.status, _comparable_body(exchange, kind))
                for exchange in exchanges
            ]
        )
    for by_accept, by_prefix in zip(*results, strict=True):
        _assert_same(by_accept, by_prefix, "response")


def _comparable_body(exchange: Exchange, kind: RecordKind) -> Record:
    """A body without the members that differ between two records created alike."""
    body = without_request_ids(json_body(exchange))
    record = body.get(kind.singular)
    if isinstance(record, dict):
        body[kind.singular] = {name: value for name, value in record.items() if name not in DIFFERING_MEMBERS}
    return body


def _assert_same(by_accept: object, by_prefix: object, subject: str) -> None:
    assert by_accept == by_prefix, (
        f"{subject} by Accept: {str(by_accept)[:400]} … and by prefix: {str(by_prefix)[:400]}"
    )
