"""What becomes of records. The page takes it for granted, and public clients build on it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all
from suites.getflow.dialect import (
    ACCOUNTS,
    KINDS,
    LISTS,
    MADE,
    MEMBERSHIPS,
    TASKS,
    WAYS,
    WORKSPACES,
    Kind,
    Row,
    accepted,
    ask,
    body,
    codes,
    record,
    refused,
    shown,
    succeeded,
)
from suites.getflow.drawn import DAYS, MOMENTS, NAMES, known_ids, same_instant
from suites.getflow.paging import first, pages, whole

clause = pytest.mark.clause
CHANGING = tuple(kind for kind in MADE if kind.can("update"))
FLAGS = ("completed", "cleared", "archived", "invite_only", "joined", "demo")
WRITTEN = ("updated_at", "completed_at")  # what a server may change by itself


def _attributes(api: Api, kind: Kind) -> st.SearchStrategy[Row]:
    """Any choice of what a record of that kind can be given."""
    dates = st.none() | DAYS | MOMENTS
    if kind == TASKS:
        people = st.none() | st.sampled_from(known_ids(api, ACCOUNTS)[:20] or [1])
        return st.fixed_dictionaries(
            {},
            optional={
                "owner_id": people,
                "due_on": dates,
                "starts_on": dates,
                "note_content": st.none() | NAMES,
                "tags": st.lists(NAMES, max_size=3, unique=True),
                "completed": st.booleans(),
                "name": NAMES,
            },
        )
    if kind == LISTS:
        flags = st.booleans()
        optional = {"archived": flags, "invite_only": flags, "starts_on": dates, "ends_on": dates, "name": NAMES}
        return st.fixed_dictionaries({}, optional=optional)
    return st.fixed_dictionaries({}, optional={"name": NAMES} if kind == WORKSPACES else {})


def _is_as_sent(sent: Row, got: Row, where: str) -> None:
    for name, value in sent.items():
        came = got.get(name)
        same = came == value or (name.endswith("_on") and isinstance(value, str) and same_instant(value, came))
        assert same, f"{where}: {name} is {came!r}, and {value!r} was sent"


@clause("GETFLOW-REC-1")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_what_is_created_can_be_read_and_is_listed(api: Api, bench: Bench, kind: Kind) -> None:
    """Any choice of attributes comes back from the creation, from reading it, and from the list."""
    made: dict[Any, Row] = {}

    def holds(attributes: Row, way: int) -> None:
        sent = {**bench.needs(kind), **attributes}
        exchange = ask(api, kind, "create", sent=sent, way=way)
        assert succeeded(exchange), shown(exchange)
        told = record(api, exchange, kind, "GETFLOW-REC-1")
        bench.keep(kind, told["id"])
        _is_as_sent(sent, told, "the creation's answer")
        read = ask(api, kind, "read", told["id"], way=way)
        assert succeeded(read), f"created, and then {shown(read)}"
        _is_as_sent(sent, record(api, read, kind, "GETFLOW-REC-1"), "read again")
        made[told["id"]] = sent

    for_all(holds, 8, attributes=_attributes(api, kind), way=st.sampled_from(WAYS))
    listed = {row["id"]: row for row in whole(api, kind, "GETFLOW-REC-1")}
    for identifier, sent in made.items():
        assert identifier in listed, f"{kind.singular} {identifier} is not listed"
        _is_as_sent(sent, listed[identifier], "in the list")


@clause("GETFLOW-REC-1")
@pytest.mark.parametrize("kind", MADE, ids=str)
def test_no_two_records_share_an_id(api: Api, bench: Bench, kind: Kind) -> None:
    """Records made one after the other and at once have ids that no other record of the kind has."""
    before = {row["id"] for row in whole(api, kind, "GETFLOW-REC-1")}
    sends = [bench.needs(kind) for _ in range(6)]
    found = [ask(api, kind, "create", sent=sent) for sent in sends[:2]]
    found += api.together([lambda one, sent=sent: ask(one, kind, "create", sent=sent) for sent in sends[2:]])
    ids = [record(api, exchange, kind, "GETFLOW-REC-1")["id"] for exchange in found]
    for identifier in set(ids):
        bench.keep(kind, identifier)
    assert len(set(ids)) == len(ids), f"{ids}"
    assert not before & set(ids), f"ids of other records: {before & set(ids)}"


@clause("GETFLOW-REC-2")
@pytest.mark.parametrize("kind", CHANGING, ids=str)
def test_an_update_changes_what_it_names_and_nothing_else(api: Api, bench: Bench, kind: Kind) -> None:
    """After any update the record has the new values, and in all else is what it was; other records are as before."""
    full = {"due_on": "2017-05-15", "note_content": "note", "tags": ["später"]} if kind == TASKS else {}
    own, bystander = bench.make(kind, **full)["id"], bench.make(kind, **full)
    state: dict[str, Row] = {}

    def read(identifier: Any) -> Row:
        return record(api, ask(api, kind, "read", identifier), kind, "GETFLOW-REC-2")

    def holds(attributes: Row, way: int) -> None:
        if not attributes:
            return
        before = read(own)
        exchange = ask(api, kind, "update", own, sent=attributes, way=way)
        assert succeeded(exchange), shown(exchange)
        after = read(own)
        _is_as_sent(attributes, record(api, exchange, kind, "GETFLOW-REC-2"), "the update's answer")
        _is_as_sent(attributes, after, "read again")
        changed = {name for name in before if after.get(name) != before[name]} - set(attributes) - set(WRITTEN)
        assert not changed, f"an update of {sorted(attributes)} changed {sorted(changed)}, too"
        state["last"] = after

    for_all(holds, 12, attributes=_attributes(api, kind), way=st.sampled_from(WAYS))
    assert read(bystander["id"]) == bystander, "an update of one record changed another"
    listed = next((row for row in whole(api, kind, "GETFLOW-REC-2") if row["id"] == own), {})
    _is_as_sent(state.get("last", {}), listed, "in the list")


@clause("GETFLOW-REC-3")
@pytest.mark.parametrize("kind", MADE, ids=str)
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_what_is_deleted_is_nowhere(api: Api, bench: Bench, kind: Kind, way: int) -> None:
    """It cannot be read, changed or deleted again, no list has it, and the record beside it stays."""
    own, bystander = bench.make(kind)["id"], bench.make(kind, **_another(api, kind))
    accepted(api, ask(api, kind, "delete", own, way=way), "GETFLOW-REC-3")
    for action in [one for one in ("read", "update", "delete") if kind.can(one)]:
        exchange = ask(api, kind, action, own, sent={"name": "n"} if action == "update" else None, way=way)
        assert not succeeded(exchange), f"{action} after the deletion: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-REC-3")
        assert codes(exchange) == ["record_not_found"], f"{action} after the deletion: {shown(exchange)}"
    listed = {row["id"] for row in whole(api, kind, "GETFLOW-REC-3")}
    assert own not in listed, "deleted, and still listed"
    assert bystander["id"] in listed, "another record is gone, too"


def _another(api: Api, kind: Kind) -> Row:
    """What the second record needs to be another one."""
    people = known_ids(api, ACCOUNTS) if kind == MEMBERSHIPS else []
    return {"account_id": people[-1]} if people else {}


@clause("GETFLOW-REC-4")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_list_is_plural_and_a_record_singular(api: Api, bench: Bench, kind: Kind) -> None:
    """A list has its records under the plural name, and whatever answers one record has it under the singular."""
    listed = body(ask(api, kind, "list"))
    assert isinstance(listed.get(kind.plural), list), f"{sorted(listed)}"
    alone = []
    if kind.can("read"):
        alone.append(ask(api, kind, "read", first(api, kind, "GETFLOW-REC-4", limit=1)[0]["id"]))
    if kind in MADE:
        made = bench.make(kind, "GETFLOW-REC-4")
        alone += [ask(api, kind, "read", made["id"])]
        if kind.can("update"):
            alone += [ask(api, kind, "update", made["id"], sent={"name": "n"})]
    for exchange in alone:
        assert isinstance(body(exchange).get(kind.singular), dict), f"{exchange.sent.method}: {shown(exchange)}"


@clause("GETFLOW-REC-4")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.can("read")], ids=str)
def test_a_record_is_the_same_alone_and_in_a_list(api: Api, kind: Kind) -> None:
    """Reading any record of a page by its id gives what the page has."""
    ids = [row["id"] for row in first(api, kind, "GETFLOW-REC-4")]

    def holds(identifier: Any) -> None:
        alone, listed = both(
            api,
            lambda: body(ask(api, kind, "read", identifier)).get(kind.singular),
            lambda: next((row for row in first(api, kind, "GETFLOW-REC-4") if row["id"] == identifier), None),
        )
        assert alone == listed, f"alone {alone}, in the list {listed}"

    for_all(holds, 5, identifier=st.sampled_from(ids))


@clause("GETFLOW-REC-5")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_attributes_have_their_types_in_every_record(api: Api, kind: Kind) -> None:
    """On every page of every list, in the records and in all that is included, names say what type a value has."""
    include = ",".join(kind.includes) or None
    for exchange, _ in pages(api, kind, {"limit": 100, "include": include}, clause="GETFLOW-REC-5"):
        for name, found in body(exchange).items():
            for row in found if isinstance(found, list) else []:
                wrong = {key: value for key, value in row.items() if not _is_of_its_type(key, value)}
                assert not wrong, f"{name} {row.get('id')}: {wrong}"


def _is_of_its_type(name: str, value: Any) -> bool:
    """Whether an id is a number, ids are a list of numbers, a date is a text, and a flag a flag; or it is null."""
    if value is None:
        return True
    if name == "id" or name.endswith("_id"):
        return isinstance(value, int) and not isinstance(value, bool)
    if name.endswith("_ids"):
        return isinstance(value, list) and all(_is_of_its_type("id", one) for one in value)
    if name.endswith(("_at", "_on")):
        return isinstance(value, str)
    return name not in FLAGS or isinstance(value, bool)
