"""The two ways to name the version give the same: document line 20."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all
from suites.getflow.dialect import (
    ABSENT,
    ACCEPT,
    KINDS,
    MADE,
    PREFIX,
    WAYS,
    Kind,
    Row,
    ask,
    body,
    documented,
    record,
    without_ids,
)
from suites.getflow.drawn import queries
from suites.getflow.paging import first, next_url, parameters_of

clause = pytest.mark.clause
OF_ITS_OWN = ("id", "created_at", "updated_at", "completed_at")  # differs between two new records


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_both_ways_list_the_same(api: Api, kind: Kind) -> None:
    """Any query, right or wrong, has the same answer whichever way the version is given; only the ids differ."""

    def seen(query: dict[str, Any], way: int) -> Any:
        exchange = ask(api, kind, "list", query=query, way=way)
        documented(api, exchange, "GETFLOW-VER-4")
        cursor = parameters_of(next_url(exchange) or "").get("cursor")
        return exchange.answer.status, without_ids(body(exchange)), cursor

    def holds(query: dict[str, Any]) -> None:
        one, other = both(api, lambda: seen(query, ACCEPT), lambda: seen(query, PREFIX))
        _same(one[0], other[0], "status")
        _same(one[1], other[1], "body")
        _same(one[2], other[2], "next cursor")

    for_all(holds, 15, query=queries(api, kind) | queries(api, kind, wrong=True))


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.can("read")], ids=str)
def test_both_ways_read_the_same(api: Api, kind: Kind) -> None:
    """A single record, there or not, with any view and include, is answered alike."""
    identifier = first(api, kind, "GETFLOW-VER-4", limit=1)[0]["id"]

    def seen(query: dict[str, Any], way: int, record: Any) -> Any:
        exchange = ask(api, kind, "read", record, query=query, way=way)
        return exchange.answer.status, without_ids(body(exchange))

    def holds(query: dict[str, Any], record: Any) -> None:
        _same(*both(api, lambda: seen(query, ACCEPT, record), lambda: seen(query, PREFIX, record)), "answer")

    drawn = queries(api, kind, "read") | queries(api, kind, "read", wrong=True)
    for_all(holds, 8, query=drawn, record=st.sampled_from([identifier, identifier, ABSENT, "abc"]))


@clause("GETFLOW-VER-4")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_both_ways_write_the_same(api: Api, bench: Bench, kind: Kind) -> None:
    """Creations, updates and deletions do the same and answer the same, whichever way the version is given."""
    needs = bench.needs(kind)
    done: list[list[Any]] = []
    for way in WAYS:
        made = ask(api, kind, "create", sent=needs, way=way)
        first_record = record(api, made, kind, "GETFLOW-VER-4")
        bench.keep(kind, first_record["id"])
        steps = [made, ask(api, kind, "create", sent={}, way=way)]
        if kind.can("update"):
            steps.append(ask(api, kind, "update", first_record["id"], sent={"name": "both ways"}, way=way))
            steps.append(ask(api, kind, "read", first_record["id"], way=way))
            steps.append(ask(api, kind, "update", first_record["id"], sent={"name": 5}, way=way))
        steps += [ask(api, kind, "delete", first_record["id"], way=way) for _ in range(2)]
        steps.append(ask(api, kind, "read", first_record["id"], way=way))
        done.append([(one.sent.method, one.answer.status, _plain(one, kind)) for one in steps])
    for one, other in zip(*done, strict=True):
        _same(one, other, "answer")


def _plain(exchange: Exchange, kind: Kind) -> Row:
    """A body without what differs between two records that were made alike."""
    told = without_ids(body(exchange))
    inner = told.get(kind.singular)
    if isinstance(inner, dict):
        told[kind.singular] = {name: value for name, value in inner.items() if name not in OF_ITS_OWN}
    return told


def _same(one: object, other: object, what: str) -> None:
    assert one == other, f"{what} by Accept: {str(one)[:400]} … and by prefix: {str(other)[:400]}"
