"""Tokens and what they open. The page only names them; public clients send Authorization: Bearer."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api, Lacking
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    ABSENT,
    KINDS,
    LISTS,
    TASKS,
    WAYS,
    Kind,
    accepted,
    ask,
    body,
    calls,
    codes,
    problems,
    record,
    refused,
    shown,
    succeeded,
)
from suites.getflow.drawn import queries
from suites.getflow.paging import whole
from suites.readings import Observed

clause = pytest.mark.clause
SENT = {"name": "by nobody"}


def _without(api: Api, bench: Bench, call: tuple[Kind, str], ids: dict[Kind, Any], **access: Any) -> Exchange:
    kind, action = call
    sent = bench.needs(kind) if action == "create" else SENT if action == "update" else None
    return ask(api, kind, action, ids[kind], sent=sent, **access)


@clause("GETFLOW-AUTH-1")
@pytest.mark.parametrize("state", ["none", "wrong", "empty"])
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_nothing_is_served_without_a_known_token(api: Api, bench: Bench, state: str, way: int) -> None:
    """No method of any endpoint is, and a refused change changes nothing."""
    ids = bench.ids()
    for call in calls(api):
        exchange = _without(api, bench, call, ids, credentials=state, way=way)
        assert exchange.answer.status == 401, f"{call[1]} {call[0]}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-AUTH-1")
    after = record(api, ask(api, LISTS, "read", ids[LISTS]), LISTS, "GETFLOW-AUTH-1")
    assert after.get("name") != SENT["name"], "refused, and changed all the same"


@clause("GETFLOW-AUTH-1")
def test_no_other_token_opens_anything(api: Api) -> None:
    """Whatever stands behind Bearer that is not a token is refused; so is a token that is cut or lengthened."""
    token = api.setting("TOKEN")

    def holds(kind: Kind, guess: str) -> None:
        exchange = ask(api, kind, "list", headers={"Authorization": f"Bearer {guess}"})
        assert exchange.answer.status == 401, shown(exchange)

    letters = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40)
    near = st.sampled_from([token[:-1], token + "x", token.swapcase(), "null", "undefined", "*"])
    for_all(holds, 15, kind=st.sampled_from(KINDS), guess=letters.filter(lambda one: one != token) | near)


@clause("GETFLOW-AUTH-1")
def test_the_token_stands_behind_bearer(api: Api, readings: Observed) -> None:
    """In the header Authorization it opens, and in the query, the Basic scheme or bare it does not."""
    token = api.setting("TOKEN")
    basic = base64.b64encode(f"{token}:".encode()).decode()
    others = [
        ask(api, TASKS, "list", headers={"Authorization": f"Basic {basic}"}),
        ask(api, TASKS, "list", headers={"Authorization": token}),
        ask(api, TASKS, "list", query={"access_token": token}, credentials="none"),
    ]
    opened = succeeded(ask(api, TASKS, "list"))
    readings.one_of(
        "GETFLOW-AMB-1", bearer=opened and not any(map(succeeded, others)), other=any(map(succeeded, others))
    )


@clause("GETFLOW-AUTH-2")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lists_stay_within_the_organisation(api: Api, kind: Kind) -> None:
    """Whatever is asked for, every record, included ones too, is of the organisation that was asked for."""
    here = int(api.setting("ORGANIZATION_ID"))

    def holds(query: dict[str, Any]) -> None:
        told = accepted(api, ask(api, kind, "list", query=query), "GETFLOW-AUTH-2")
        for name in {kind.plural, *kind.includes} & set(told):
            strangers = [row.get("id") for row in told[name] if row.get("organization_id", here) != here]
            assert not strangers, f"{name} of another organisation: {strangers[:5]}"

    for_all(holds, 12, query=queries(api, kind))


@clause("GETFLOW-AUTH-2", "GETFLOW-ERR-12")
def test_another_token_s_organisation_is_as_if_it_were_not(api: Api, bench: Bench) -> None:
    """On every endpoint an organisation of somebody else is refused like one that does not exist, word for word."""
    stranger = api.setting("FOREIGN_ORGANIZATION_ID")
    ids = bench.ids()
    for call in calls(api):
        theirs, nobodys = (
            _without(api, bench, call, ids, query={"organization_id": organisation})
            for organisation in (stranger, ABSENT)
        )
        assert not succeeded(theirs), f"{call[1]} {call[0]}: {shown(theirs)}"
        told, due = _masked(theirs, stranger), _masked(nobodys, ABSENT)
        assert told == due, f"{call[1]} {call[0]}: {told} … and of an absent one: {due}"


@clause("GETFLOW-AUTH-2")
def test_another_token_sees_nothing_of_this_organisation(api: Api, bench: Bench) -> None:
    """With it no list and no record of ours is read, and none is made, changed or deleted."""
    other = api.other(TOKEN=api.setting("OTHER_TOKEN"))
    ids = bench.ids()
    for call in calls(api):
        exchange = _without(other, bench, call, ids)
        assert not succeeded(exchange), f"{call[1]} {call[0]}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-AUTH-2")
    for kind, identifier in ids.items():
        if kind.can("read"):
            assert succeeded(ask(api, kind, "read", identifier)), f"{kind}: refused, and gone all the same"


@clause("GETFLOW-AUTH-2", "GETFLOW-ERR-12")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.can("read")], ids=str)
@pytest.mark.parametrize("whose", ["FOREIGN", "SECOND"])
def test_a_record_of_another_organisation_is_as_if_it_were_not(api: Api, kind: Kind, whose: str) -> None:
    """Asked for by its id in our organisation it is refused like an id that nobody has, word for word."""
    organisation = api.setting(f"{whose}_ORGANIZATION_ID")
    owner = api.other(TOKEN=api.setting("OTHER_TOKEN")) if whose == "FOREIGN" else api
    found = body(ask(owner, kind, "list", query={"organization_id": organisation, "limit": 20})).get(kind.plural)
    ids = [row["id"] for row in found if isinstance(row, dict) and "id" in row] if isinstance(found, list) else []
    if not ids:
        raise Lacking(f"organisation {organisation} has no {kind}")

    def holds(identifier: Any) -> None:
        theirs, nobodys = ask(api, kind, "read", identifier), ask(api, kind, "read", ABSENT)
        assert not succeeded(theirs), shown(theirs)
        if codes(theirs) != ["record_not_found"]:
            raise broken(api, "GETFLOW-ERR-12", "record_not_found", shown(theirs), theirs)
        if _masked(theirs, identifier) != _masked(nobodys, ABSENT):
            raise broken(api, "GETFLOW-ERR-12", str(_masked(nobodys, ABSENT)), str(_masked(theirs, identifier)), theirs)

    for_all(holds, 6, identifier=st.sampled_from(ids))


def _masked(exchange: Exchange, identifier: Any) -> tuple[int, str]:
    """A refusal without its own id and without the id that was asked for."""
    return exchange.answer.status, str(problems(exchange)).replace(str(identifier), "…")


@clause("GETFLOW-AUTH-2")
def test_the_second_organisation_of_a_token_is_kept_apart(api: Api, bench: Bench) -> None:
    """What is made in one organisation of a token is not listed in another one of the same token."""
    organisation = api.setting("SECOND_ORGANIZATION_ID")
    made = bench.make(LISTS)
    found = whole(api, LISTS, "GETFLOW-AUTH-2", organization_id=organisation)
    assert made["id"] not in {row["id"] for row in found}
    exchange = ask(api, LISTS, "read", made["id"], query={"organization_id": organisation})
    assert not succeeded(exchange), shown(exchange)
