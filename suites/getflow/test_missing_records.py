"""Records that are not there, and records that take no change: document lines 76 and 77."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    ABSENT,
    LISTS,
    MEMBERSHIPS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    ask,
    calls,
    codes,
    documented,
    record,
    refused,
    rows,
    shown,
    succeeded,
)
from suites.readings import Observed

clause = pytest.mark.clause
REFERENCES = [
    (TASKS, "workspace_id"),
    (TASKS, "list_id"),
    (TASKS, "owner_id"),
    (LISTS, "workspace_id"),
    (MEMBERSHIPS, "workspace_id"),
    (MEMBERSHIPS, "account_id"),
]


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_a_record_that_is_not_there_is_not_found(api: Api, way: int) -> None:
    """An id that no record has is told so by every method of every endpoint that takes one."""
    of_one = [(kind, action) for kind, action in calls(api) if action in ("read", "update", "delete")]

    def holds(call: tuple[Kind, str], identifier: int) -> None:
        kind, action = call
        sent = {"name": "nobody"} if action == "update" else None
        exchange = ask(api, kind, action, identifier, sent=sent, way=way)
        refused(api, exchange, "GETFLOW-ERR-12")
        assert codes(exchange) == ["record_not_found"], f"{action} {kind} {identifier}: {shown(exchange)}"

    for_all(holds, 20, call=st.sampled_from(of_one), identifier=st.integers(ABSENT, 2147483647))


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize(("kind", "name"), REFERENCES, ids=str)
def test_an_id_in_a_body_must_be_of_a_record(api: Api, bench: Bench, kind: Kind, name: str) -> None:
    """A creation or an update that points to nothing is refused, and an update changes nothing."""
    own, needs = bench.make(kind), bench.needs(kind)
    for action in [one for one in ("create", "update") if kind.can(one)]:
        sent = {**(needs if action == "create" else {}), name: ABSENT}
        exchange = ask(api, kind, action, own["id"], sent=sent)
        assert not succeeded(exchange), f"{action} with {name} {ABSENT}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-ERR-12")
        due = {"record_not_found", "invalid_attribute"} & set(map(str, codes(exchange)))
        assert due, f"{action} with {name} {ABSENT}: {shown(exchange)}"
    assert record(api, ask(api, kind, "read", own["id"]), kind, "GETFLOW-ERR-12").get(name) == own.get(name)


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize("name", ["workspace_id", "list_id", "owner_id"])
def test_a_filter_by_nothing_shows_nothing(api: Api, readings: Observed, name: str) -> None:
    """Tasks of a workspace, list or owner that is not there are none, or the request is refused."""
    exchange = ask(api, TASKS, "list", query={name: ABSENT})
    documented(api, exchange, "GETFLOW-ERR-12")
    readings.one_of(
        "GETFLOW-AMB-34",
        nothing=succeeded(exchange) and not rows(api, exchange, TASKS, "GETFLOW-ERR-12"),
        refused=not succeeded(exchange) and "record_not_found" in codes(exchange),
    )


@clause("GETFLOW-ERR-13")
def test_a_record_that_takes_no_change_says_so(api: Api, readings: Observed) -> None:
    """An update of such a record, to what it is already, is refused with not_modified, and it stays as it is."""
    identifier = api.setting("CLEARED_TASK_ID")
    before = record(api, ask(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13")
    for way in WAYS:
        exchange = ask(api, TASKS, "update", identifier, sent={"name": before.get("name")}, way=way)
        assert not succeeded(exchange), shown(exchange)
        assert codes(exchange) == ["not_modified"] or exchange.answer.status == 304, shown(exchange)
        refusal = 400 <= exchange.answer.status < 500
        readings.one_of("GETFLOW-AMB-29", refusal=refusal, not_changed=exchange.answer.status == 304)
        documented(api, exchange, "GETFLOW-ERR-13")
    assert record(api, ask(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13") == before


@clause("GETFLOW-ERR-13")
@pytest.mark.parametrize(
    ("holder", "held", "name"),
    [(WORKSPACES, LISTS, "workspace_id"), (WORKSPACES, TASKS, "workspace_id"), (LISTS, TASKS, "list_id")],
    ids=str,
)
def test_what_still_holds_something_is_deleted_with_it_or_not_at_all(
    api: Api, bench: Bench, holder: Kind, held: Kind, name: str
) -> None:
    """Deleting it is refused with not_modified and deletes nothing, or nothing points to it afterwards."""
    outer = bench.make(holder)
    inner = bench.make(held, **{name: outer["id"]})
    exchange = ask(api, holder, "delete", outer["id"])
    if not succeeded(exchange):
        refused(api, exchange, "GETFLOW-ERR-13")
        assert codes(exchange) == ["not_modified"], shown(exchange)
        assert succeeded(ask(api, holder, "read", outer["id"])), "refused, and deleted all the same"
        return
    left = ask(api, held, "read", inner["id"])
    points = succeeded(left) and record(api, left, held, "GETFLOW-ERR-13").get(name) == outer["id"]
    assert not points, f"{held.singular} {inner['id']} points to {holder.singular} {outer['id']}, which is deleted"
