"""The media type of what is sent: document lines 11 to 17."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from fixtures.cases import encode
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    LISTS,
    MADE,
    READS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    accepted,
    ask,
    body,
    record,
    refused,
    shown,
    succeeded,
)
from suites.getflow.drawn import NAMES
from suites.getflow.paging import first, whole
from suites.readings import Observed

clause = pytest.mark.clause
NAMED = (TASKS, LISTS, WORKSPACES)


def _unlabelled(api: Api, kind: Kind, action: str, identifier: object, attributes: object, way: int) -> Exchange:
    return ask(api, kind, action, identifier, body=encode({kind.singular: attributes}), way=way)


@clause("GETFLOW-CT-1")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_a_creation_without_content_type_makes_nothing(api: Api, bench: Bench, way: int) -> None:
    """On every endpoint it is refused, and no record has what was sent."""
    for kind in MADE:
        attributes = bench.needs(kind)
        exchange = _unlabelled(api, kind, "create", None, attributes, way)
        assert not succeeded(exchange), f"{kind}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-CT-1")
        if kind in NAMED:
            names = {row.get("name") for row in whole(api, kind)}
            assert attributes["name"] not in names, f"{kind}: refused, and kept all the same"
    nameless = [row["id"] for kind in NAMED for row in whole(api, kind) if not row.get("name")]
    assert not nameless, f"records without the name that was sent: {nameless[:5]}"


@clause("GETFLOW-CT-1")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_an_update_without_content_type_changes_nothing(api: Api, bench: Bench, way: int) -> None:
    """It is refused, and the record is what it was."""
    for kind in NAMED:
        made = bench.make(kind)
        exchange = _unlabelled(api, kind, "update", made["id"], {"name": "changed"}, way)
        assert not succeeded(exchange), f"{kind}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-CT-1")
        after = record(api, ask(api, kind, "read", made["id"]), kind, "GETFLOW-CT-1")
        assert after.get("name") == made["name"], f"{kind}: refused, and changed all the same"


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED, ids=str)
def test_any_name_that_is_sent_comes_back(api: Api, bench: Bench, kind: Kind) -> None:
    """A record changed to any name answers with it and has it when it is read again."""
    made = bench.make(kind, "GETFLOW-CT-2")

    def holds(name: str, way: int) -> None:
        exchange = ask(api, kind, "update", made["id"], sent={"name": name}, way=way)
        _has(api, exchange, kind, name)
        _has(api, ask(api, kind, "read", made["id"], way=way), kind, name)

    for_all(holds, 15, name=NAMES, way=st.sampled_from(WAYS))


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED, ids=str)
def test_a_record_is_created_with_any_name(api: Api, bench: Bench, kind: Kind) -> None:
    """What is created has the name that was sent, whatever its letters."""
    needs = bench.needs(kind)

    def holds(name: str) -> None:
        exchange = ask(api, kind, "create", sent={**needs, "name": name})
        _has(api, exchange, kind, name)
        identifier = body(exchange)[kind.singular]["id"]
        bench.keep(kind, identifier)
        _has(api, ask(api, kind, "read", identifier), kind, name)

    for_all(holds, 8, name=NAMES)


def _has(api: Api, exchange: Exchange, kind: Kind, name: str) -> None:
    got = record(api, exchange, kind, "GETFLOW-CT-2").get("name")
    assert got == name, f"sent {name!r}, came back as {got!r}"


@clause("GETFLOW-CT-3")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_reading_needs_no_content_type(api: Api, way: int) -> None:
    """Every list and every single record is answered to a request that has none."""
    for kind, action in READS:
        identifier = first(api, kind, "GETFLOW-CT-3", limit=1)[0]["id"] if action == "read" else None
        exchange = ask(api, kind, action, identifier, way=way)
        assert "content-type" not in {name.lower() for name, _ in exchange.sent.headers}
        accepted(api, exchange, "GETFLOW-CT-3")


@clause("GETFLOW-CT-3")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_deleting_needs_no_content_type(api: Api, bench: Bench, way: int) -> None:
    """Every kind of record is deleted by a request that has none."""
    for kind in MADE:
        made = bench.make(kind)
        accepted(api, ask(api, kind, "delete", made["id"], way=way), "GETFLOW-CT-3")


@clause("GETFLOW-CT-3")
def test_a_patch_is_refused_or_served_whole(api: Api, bench: Bench, readings: Observed) -> None:
    """PATCH is no method of any endpoint; where it is served, it changes the record as PUT does."""
    made = bench.make(LISTS)
    path = f"/v2/lists/{made['id']}"
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    exchange = api.request("PATCH", path, query=query, json={"list": {"name": "patched"}})
    name = record(api, ask(api, LISTS, "read", made["id"]), LISTS, "GETFLOW-CT-3").get("name")
    readings.one_of(
        "GETFLOW-AMB-26",
        unneeded=400 <= exchange.answer.status < 500 and name == made["name"],
        open=succeeded(exchange) and name == "patched",
    )


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED, ids=str)
def test_plain_json_is_parsed_or_refused(api: Api, bench: Bench, readings: Observed, kind: Kind) -> None:
    """A body labelled application/json is read like the versioned one, or refused; never kept as something else."""
    made = bench.make(kind)
    headers = {"Content-Type": "application/json"}
    exchange = ask(api, kind, "update", made["id"], sent={"name": "Żółw 亀"}, headers=headers)
    name = record(api, ask(api, kind, "read", made["id"]), kind, "GETFLOW-CT-2").get("name")
    readings.one_of(
        "GETFLOW-AMB-11",
        parsed=succeeded(exchange) and name == "Żółw 亀",
        refused=400 <= exchange.answer.status < 500 and name == made["name"],
    )


@clause("GETFLOW-CT-1")
def test_a_body_labelled_as_text_is_not_taken_for_garbage(api: Api, bench: Bench) -> None:
    """Under any other label a body is read as JSON or refused, and a creation never keeps half of it."""
    made = bench.make(TASKS)

    def holds(label: str) -> None:
        exchange = ask(api, TASKS, "update", made["id"], sent={"name": label}, headers={"Content-Type": label})
        name = record(api, ask(api, TASKS, "read", made["id"]), TASKS, "GETFLOW-CT-1").get("name")
        if succeeded(exchange) != (name == label) or exchange.answer.status >= 500:
            raise broken(api, "GETFLOW-CT-1", "parsed or refused", f"{shown(exchange)}; the name is {name!r}", exchange)

    labels = ["text/plain", "text/html", "application/xml", "application/octet-stream", "image/png", "text/json"]
    for_all(holds, 8, label=st.sampled_from(labels))
