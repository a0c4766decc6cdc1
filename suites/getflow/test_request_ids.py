"""The ids of requests, in successes and in errors: document lines 66, 67 and 87 to 90."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange, as_text
from fixtures.api import Api
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
    refused,
    shown,
    succeeded,
)
from suites.getflow.given_ids import GivenIds
from suites.getflow.paging import first
from suites.readings import Observed

clause = pytest.mark.clause
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _id(exchange: Exchange) -> object:
    told = body(exchange)
    return told.get("request_uuid", told.get("request_id"))


@clause("GETFLOW-ERR-3")
def test_identical_refused_requests_have_ids_of_their_own(api: Api, given_ids: GivenIds) -> None:
    """The same refused request again and again, one after the other and at once, has another UUID each time."""

    def refuse(one: Api) -> Exchange:
        return ask(one, TASKS, "read", ABSENT)

    found = [_id(refuse(api)) for _ in range(10)]
    found += [_id(one) for one in api.together([refuse] * 8)]
    assert all(isinstance(one, str) and UUID.fullmatch(one) for one in found), f"{found}"
    assert len(set(found)) == len(found), f"{len(found) - len(set(found))} of {len(found)} ids are not new"
    again = [one for one in given_ids.twice if one[0] in found]
    assert not again, f"an id of another request: {again[0]}"


@clause("GETFLOW-ERR-3")
def test_every_refusal_of_the_run_has_an_id_of_its_own(api: Api, given_ids: GivenIds) -> None:
    """Over all endpoints, mixed with successes, no request_uuid is one that any request of this run was given."""

    def holds(kind: Kind, way: int, limit: str) -> None:
        exchange = ask(api, kind, "list", query={"limit": limit}, way=way)
        if not succeeded(exchange):
            assert UUID.fullmatch(str(_id(exchange))), shown(exchange)

    limits = st.sampled_from(["1", "2", "abc", "x", "?"])
    for_all(holds, 25, kind=st.sampled_from(KINDS), way=st.sampled_from(WAYS), limit=limits)
    assert not given_ids.twice, f"given to two requests: {given_ids.twice[0]}"


@clause("GETFLOW-RID-1")
def test_most_successes_carry_a_request_id(api: Api, bench: Bench, readings: Observed) -> None:
    """At the root of the body of each success; which share of endpoints has it is recorded."""
    ids = bench.ids()
    carry = []
    for kind, action in calls(api):
        if action == "create":
            exchange = ask(api, kind, "create", sent=bench.needs(kind))
            made = body(exchange).get(kind.singular)
            if isinstance(made, dict) and "id" in made:
                bench.keep(kind, made["id"])
        else:
            sent = {"name": "n"} if action == "update" else None
            exchange = ask(api, kind, action, ids[kind], sent=sent)
        accepted(api, exchange, "GETFLOW-RID-1")
        carry.append(isinstance(body(exchange).get("request_id"), str))
    assert any(carry), "no success has a request_id"
    assert sum(carry) * 2 > len(carry), f"only {sum(carry)} of {len(carry)} endpoints have a request_id"
    readings.one_of("GETFLOW-AMB-30", every=all(carry), some=any(carry))


@clause("GETFLOW-RID-1")
def test_request_ids_are_told_once(api: Api, given_ids: GivenIds) -> None:
    """No two successes of the run have the same one, not even of the same request, and none is that of an error."""
    found = [_id(ask(api, LISTS, "list", query={"limit": 1})) for _ in range(10)]
    found += [_id(one) for one in api.together([lambda one: ask(one, LISTS, "list", query={"limit": 1})] * 8)]
    given = [one for one in found if one is not None]
    assert len(set(map(str, given))) == len(given), f"{len(given) - len(set(map(str, given)))} ids are not new"
    assert not given_ids.twice, f"given to two requests: {given_ids.twice[0]}"


@clause("GETFLOW-ERR-3")
def test_the_two_names_of_an_id_are_told_apart(api: Api, readings: Observed) -> None:
    """An error has request_uuid and a success request_id; whether each may have the other's name is recorded."""
    success, error = ask(api, LISTS, "list", query={"limit": 1}), ask(api, LISTS, "read", ABSENT)
    accepted(api, success, "GETFLOW-RID-1")
    refused(api, error, "GETFLOW-ERR-3")
    apart = "request_uuid" not in body(success) and "request_id" not in body(error)
    readings.one_of("GETFLOW-AMB-2", two_things=apart, one_thing=not apart)


@clause("GETFLOW-RID-2")
def test_our_report_shows_the_id_of_a_request(api: Api) -> None:
    """What the report keeps of an exchange has the id that the vendor's support asks for."""
    row = first(api, LISTS, "GETFLOW-RID-2", limit=1)[0]
    for exchange in (ask(api, LISTS, "read", row["id"]), ask(api, LISTS, "read", ABSENT)):
        identifier = _id(exchange)
        assert identifier is None or str(identifier) in as_text(exchange, api.secrets)
