"""Creating, reading, updating and deleting records: taken for granted by the document and by public clients."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    ACCOUNTS,
    CREATABLE_KINDS,
    KINDS,
    LISTS,
    MEMBERSHIPS,
    TASKS,
    VERSIONINGS,
    WORKSPACES,
    Record,
    RecordKind,
    accepted_body,
    is_success,
    json_body,
    problem_codes,
    refusal_problems,
    response_text,
    send,
    single_record,
)
from suites.getflow.pagination import all_records, first_page, pages
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import stable_pair
from suites.getflow.strategies import ISO_DATE_TIMES, ISO_DATES, NAMES, known_ids, same_instant
from suites.hypothesis_checks import for_all

pytestmark = pytest.mark.bug_kind("stale")

clause = pytest.mark.clause
UPDATABLE_KINDS = tuple(kind for kind in CREATABLE_KINDS if kind.supports("update"))
BOOLEAN_ATTRIBUTES = ("completed", "cleared", "archived", "invite_only", "joined", "demo")
SERVER_ATTRIBUTES = ("updated_at", "completed_at")  # attributes that a server may change by itself


def _attributes(api: Api, kind: RecordKind) -> st.SearchStrategy[Record]:
    """Any choice of the optional attributes of that kind of record."""
    dates = st.none() | ISO_DATES | ISO_DATE_TIMES
    if kind == TASKS:
        owners = st.none() | st.sampled_from(known_ids(api, ACCOUNTS)[:20] or [1])
        return st.fixed_dictionaries(
            {},
            optional={
                "owner_id": owners,
                "due_on": dates,
                "starts_on": dates,
                "note_content": st.none() | NAMES,
                "tags": st.lists(NAMES, max_size=3, unique=True),
                "completed": st.booleans(),
                "name": NAMES,
            },
        )
    if kind == LISTS:
        booleans = st.booleans()
        optional = {"archived": booleans, "invite_only": booleans, "starts_on": dates, "ends_on": dates, "name": NAMES}
        return st.fixed_dictionaries({}, optional=optional)
    return st.fixed_dictionaries({}, optional={"name": NAMES} if kind == WORKSPACES else {})


def _assert_as_sent(sent: Record, record: Record, source: str) -> None:
    """Asserts that the record has the attributes that were sent."""
    for name, value in sent.items():
        received = record.get(name)
        is_equal = received == value or (
            name.endswith("_on") and isinstance(value, str) and same_instant(value, received)
        )
        assert is_equal, f"{source}: {name} is {received!r}, and {value!r} was sent"


@clause("GETFLOW-REC-1")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_a_created_record_can_be_read_and_is_listed(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A created record is returned with its attributes by the creation, when it is read, and in the list."""
    sent_by_id: dict[Any, Record] = {}

    def check(attributes: Record, versioning: int) -> None:
        sent = {**factory.required_attributes(kind), **attributes}
        exchange = send(api, kind, "create", attributes=sent, versioning=versioning)
        assert is_success(exchange), response_text(exchange)
        created = single_record(api, exchange, kind, "GETFLOW-REC-1")
        factory.delete_later(kind, created["id"])
        _assert_as_sent(sent, created, "the creation's response")
        read = send(api, kind, "read", created["id"], versioning=versioning)
        assert is_success(read), f"created, and then {response_text(read)}"
        _assert_as_sent(sent, single_record(api, read, kind, "GETFLOW-REC-1"), "read again")
        sent_by_id[created["id"]] = sent

    for_all(check, 8, attributes=_attributes(api, kind), versioning=st.sampled_from(VERSIONINGS))
    listed = {record["id"]: record for record in all_records(api, kind, "GETFLOW-REC-1")}
    for identifier, sent in sent_by_id.items():
        assert identifier in listed, f"{kind.singular} {identifier} is not listed"
        _assert_as_sent(sent, listed[identifier], "in the list")


@clause("GETFLOW-REC-1")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
def test_no_two_records_share_an_id(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """Records that are created in sequence and at once have ids that no other record of the kind has."""
    ids_before = {record["id"] for record in all_records(api, kind, "GETFLOW-REC-1")}
    all_attributes = [factory.required_attributes(kind) for _ in range(6)]
    exchanges = [send(api, kind, "create", attributes=attributes) for attributes in all_attributes[:2]]
    exchanges += api.send_concurrently([partial(_create, kind=kind, attributes=a) for a in all_attributes[2:]])
    ids = [single_record(api, exchange, kind, "GETFLOW-REC-1")["id"] for exchange in exchanges]
    for identifier in set(ids):
        factory.delete_later(kind, identifier)
    assert len(set(ids)) == len(ids), f"{ids}"
    assert not ids_before & set(ids), f"ids of other records: {ids_before & set(ids)}"


def _create(api: Api, kind: RecordKind, attributes: Record) -> Exchange:
    return send(api, kind, "create", attributes=attributes)


@clause("GETFLOW-REC-2")
@pytest.mark.parametrize("kind", UPDATABLE_KINDS, ids=str)
def test_an_update_changes_only_what_it_names(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """An update changes the attributes that it names and no others, and no other record."""
    full: Record = {"due_on": "2017-05-15", "note_content": "note", "tags": ["später"]} if kind == TASKS else {}
    own_id, bystander = factory.create(kind, **full)["id"], factory.create(kind, **full)
    latest: dict[str, Record] = {}

    def read(identifier: Any) -> Record:
        return single_record(api, send(api, kind, "read", identifier), kind, "GETFLOW-REC-2")

    def check(attributes: Record, versioning: int) -> None:
        if not attributes:
            raise MissingPrecondition("no attribute of the record can be updated")
        before = read(own_id)
        exchange = send(api, kind, "update", own_id, attributes=attributes, versioning=versioning)
        assert is_success(exchange), response_text(exchange)
        after = read(own_id)
        _assert_as_sent(attributes, single_record(api, exchange, kind, "GETFLOW-REC-2"), "the update's response")
        _assert_as_sent(attributes, after, "read again")
        changed = (
            {name for name in before if after.get(name) != before[name]} - set(attributes) - set(SERVER_ATTRIBUTES)
        )
        assert not changed, f"an update of {sorted(attributes)} changed {sorted(changed)}, too"
        latest["last"] = after

    for_all(check, 12, attributes=_attributes(api, kind), versioning=st.sampled_from(VERSIONINGS))
    assert read(bystander["id"]) == bystander, "an update of one record changed another"
    listed = next((record for record in all_records(api, kind, "GETFLOW-REC-2") if record["id"] == own_id), {})
    _assert_as_sent(latest.get("last", {}), listed, "in the list")


@clause("GETFLOW-REC-3")
@pytest.mark.parametrize("kind", CREATABLE_KINDS, ids=str)
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_a_deleted_record_is_gone(api: Api, factory: RecordFactory, kind: RecordKind, versioning: int) -> None:
    """A deleted record cannot be read, changed or deleted again and is not listed; another record remains."""
    own_id, bystander = factory.create(kind)["id"], factory.create(kind, **_distinct_attributes(api, kind))
    accepted_body(api, send(api, kind, "delete", own_id, versioning=versioning), "GETFLOW-REC-3")
    for action in [candidate for candidate in ("read", "update", "delete") if kind.supports(candidate)]:
        exchange = send(
            api, kind, action, own_id, attributes={"name": "n"} if action == "update" else None, versioning=versioning
        )
        assert not is_success(exchange), f"{action} after the deletion: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-REC-3")
        assert problem_codes(exchange) == ["record_not_found"], (
            f"{action} after the deletion: {response_text(exchange)}"
        )
    listed = {record["id"] for record in all_records(api, kind, "GETFLOW-REC-3")}
    assert own_id not in listed, "deleted, and still listed"
    assert bystander["id"] in listed, "another record is gone, too"


def _distinct_attributes(api: Api, kind: RecordKind) -> Record:
    """Attributes that make a second record a different one."""
    account_ids = known_ids(api, ACCOUNTS) if kind == MEMBERSHIPS else []
    return {"account_id": account_ids[-1]} if account_ids else {}


@clause("GETFLOW-REC-4")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_list_is_plural_and_a_record_singular(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A list has its records under the plural name; a single record is under the singular one."""
    body = json_body(send(api, kind, "list"))
    assert isinstance(body.get(kind.plural), list), f"{sorted(body)}"
    exchanges = []
    if kind.supports("read"):
        exchanges.append(send(api, kind, "read", first_page(api, kind, "GETFLOW-REC-4", limit=1)[0]["id"]))
    if kind in CREATABLE_KINDS:
        created = factory.create(kind, "GETFLOW-REC-4")
        exchanges += [send(api, kind, "read", created["id"])]
        if kind.supports("update"):
            exchanges += [send(api, kind, "update", created["id"], attributes={"name": "n"})]
    for exchange in exchanges:
        assert isinstance(json_body(exchange).get(kind.singular), dict), (
            f"{exchange.request.method}: {response_text(exchange)}"
        )


@clause("GETFLOW-REC-4")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.supports("read")], ids=str)
def test_a_record_is_the_same_alone_and_in_a_list(api: Api, kind: RecordKind) -> None:
    """A record read by its id equals the record in the list."""
    ids = [record["id"] for record in first_page(api, kind, "GETFLOW-REC-4")]

    def check(identifier: Any) -> None:
        single, listed = stable_pair(
            api,
            lambda: json_body(send(api, kind, "read", identifier)).get(kind.singular),
            lambda: next(
                (record for record in first_page(api, kind, "GETFLOW-REC-4") if record["id"] == identifier), None
            ),
        )
        assert single == listed, f"alone {single}, in the list {listed}"

    for_all(check, 5, identifier=st.sampled_from(ids))


@clause("GETFLOW-REC-5")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_attributes_have_their_types_in_every_record(api: Api, kind: RecordKind) -> None:
    """In every listed and included record, attributes have the types that their names say."""
    include = ",".join(kind.includes) or None
    count = 0
    for exchange, _ in pages(api, kind, {"limit": 100, "include": include}, clause="GETFLOW-REC-5"):
        for name, records in json_body(exchange).items():
            for record in records if isinstance(records, list) else []:
                count += 1
                wrongly_typed = {
                    attribute: value for attribute, value in record.items() if not _has_expected_type(attribute, value)
                }
                assert not wrongly_typed, f"{name} {record.get('id')}: {wrongly_typed}"
    if not count:
        raise MissingPrecondition(f"the organisation has no {kind}")


def _has_expected_type(name: str, value: Any) -> bool:
    """Whether an id is an integer, ids are a list of them, a date is a text and a flag a boolean; or it is null."""
    if value is None:
        return True
    if name == "id" or name.endswith("_id"):
        return isinstance(value, int) and not isinstance(value, bool)
    if name.endswith("_ids"):
        return isinstance(value, list) and all(_has_expected_type("id", identifier) for identifier in value)
    if name.endswith(("_at", "_on")):
        return isinstance(value, str)
    return name not in BOOLEAN_ATTRIBUTES or isinstance(value, bool)
