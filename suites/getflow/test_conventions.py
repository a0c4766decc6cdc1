"""The first promise, that all endpoints work alike, and the parameter that they all need: document lines 2 and 46."""

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
    KINDS,
    LISTS,
    VERSIONED,
    WAYS,
    Kind,
    Row,
    accepted,
    ask,
    body,
    calls,
    problems,
    refused,
    rows,
    shown,
    succeeded,
)
from suites.getflow.paging import next_url
from suites.readings import Observed

clause = pytest.mark.clause


@clause("GETFLOW-GEN-1")
def test_every_list_takes_the_same_parameters(api: Api) -> None:
    """On any list, version given either way, view, cursor and limit are taken; no next page means that it was all."""

    def holds(kind: Kind, way: int, limit: int) -> None:
        query = {"view": "default", "cursor": 0, "limit": limit}
        exchange = ask(api, kind, "list", query=query, way=way)
        found = rows(api, exchange, kind, "GETFLOW-GEN-1")
        assert len(found) <= limit, f"{kind}: {len(found)} records with a limit of {limit}"
        if next_url(exchange) is None:
            more = ask(api, kind, "list", query={**query, "limit": limit + 1}, way=way)
            count = len(rows(api, more, kind, "GETFLOW-GEN-1"))
            again = ask(api, kind, "list", query=query, way=way)
            last = next_url(again) is None and len(body(again).get(kind.plural, [])) == len(found)
            assert count <= len(found) or not last, f"{kind}: no next page after {len(found)} of {count} records"

    for_all(holds, 24, kind=st.sampled_from(KINDS), way=st.sampled_from(WAYS), limit=st.integers(1, 60))


@clause("GETFLOW-GEN-1")
def test_the_same_mistake_is_told_alike_everywhere(api: Api, bench: Bench) -> None:
    """Leaving out the organisation has one code and one attribute on all endpoints."""
    ids = bench.ids()
    told = {}
    for kind, action in calls(api):
        exchange = _without_organisation(api, kind, action, ids[kind], 1)
        told[f"{action} {kind}"] = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
    assert len({str(one) for one in told.values()}) == 1, f"told in different ways: {told}"


@clause("GETFLOW-ORG-1")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_no_endpoint_works_without_an_organisation(api: Api, bench: Bench, way: int) -> None:
    """Every method of every endpoint serves with organization_id in the query, and names it when it is left out."""
    ids = bench.ids()
    for kind, action in calls(api):
        found = refused(api, _without_organisation(api, kind, action, ids[kind], way), "GETFLOW-ORG-1")
        named = [one.get("attribute") for one in found]
        assert "organization_id" in named, f"{action} {kind}: {named}"
        if action == "read":
            accepted(api, ask(api, kind, "read", ids[kind], way=way), "GETFLOW-ORG-1")


@clause("GETFLOW-ORG-1")
def test_an_organisation_in_the_body_is_enough_or_not(api: Api, bench: Bench, readings: Observed) -> None:
    """A creation with organization_id at the root of its body only is refused, or it is made in that organisation."""
    attributes = bench.needs(LISTS)
    whose = int(api.setting("ORGANIZATION_ID"))
    sent = encode({"organization_id": whose, "list": attributes})
    exchange = ask(
        api, LISTS, "create", query={"organization_id": None}, body=sent, headers={"Content-Type": VERSIONED}
    )
    if not succeeded(exchange):
        refused(api, exchange, "GETFLOW-ORG-1")
        readings.saw("GETFLOW-AMB-27", "query")
        return
    made: Row = accepted(api, exchange, "GETFLOW-ORG-1")["list"]
    bench.keep(LISTS, made["id"])
    read = body(ask(api, LISTS, "read", made["id"])).get("list")
    if not isinstance(read, dict) or read.get("name") != attributes["name"]:
        raise broken(api, "GETFLOW-ORG-1", f"the list in organisation {whose}", str(read))
    readings.saw("GETFLOW-AMB-27", "body_too")


@clause("GETFLOW-ORG-1", "GETFLOW-ERR-11")
def test_an_organisation_is_a_number(api: Api) -> None:
    """Any text in organization_id that is no whole number is refused as such."""

    def holds(kind: Kind, text: str) -> None:
        exchange = ask(api, kind, "list", query={"organization_id": text})
        told = [(one.get("code"), one.get("attribute")) for one in refused(api, exchange, "GETFLOW-ORG-1")]
        if ("invalid_attribute", "organization_id") not in told:
            raise broken(api, "GETFLOW-ERR-11", "invalid_attribute for organization_id", shown(exchange), exchange)

    letters = st.text(st.characters(categories=("L", "S")), min_size=1, max_size=10)
    for_all(holds, 15, kind=st.sampled_from(KINDS), text=letters | st.sampled_from(["5.2", "5e1", "52x", "[52]"]))


def _without_organisation(api: Api, kind: Kind, action: str, identifier: object, way: int) -> Exchange:
    sent = {"name": "never kept"} if action in ("create", "update") else None
    return ask(api, kind, action, identifier, query={"organization_id": None}, sent=sent, way=way)
