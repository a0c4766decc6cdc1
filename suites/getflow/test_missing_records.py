"""Records that do not exist, and records that cannot be changed: document lines 76 and 77."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.getflow.client import (
    LISTS,
    MEMBERSHIPS,
    TASKS,
    UNKNOWN_ID,
    VERSIONINGS,
    WORKSPACES,
    RecordKind,
    check_documented,
    is_success,
    page_records,
    permitted_operations,
    problem_codes,
    refusal_problems,
    require_known,
    response_text,
    send,
    single_record,
)
from suites.getflow.record_factory import RecordFactory
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

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
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_an_unknown_record_is_not_found(api: Api, versioning: int) -> None:
    """Every operation on a record refuses an id that no record has with record_not_found."""
    operations = [
        (kind, action) for kind, action in permitted_operations(api) if action in ("read", "update", "delete")
    ]

    def check(operation: tuple[RecordKind, str], identifier: int) -> None:
        kind, action = operation
        attributes = {"name": "nobody"} if action == "update" else None
        exchange = send(api, kind, action, identifier, attributes=attributes, versioning=versioning)
        require_known(api, exchange, "name")
        refusal_problems(api, exchange, "GETFLOW-ERR-12")
        assert problem_codes(exchange) == ["record_not_found"], (
            f"{action} {kind} {identifier}: {response_text(exchange)}"
        )

    for_all(check, 20, operation=st.sampled_from(operations), identifier=st.integers(UNKNOWN_ID, 2147483647))


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize(("kind", "name"), REFERENCES, ids=str)
def test_an_id_in_a_body_must_belong_to_a_record(api: Api, factory: RecordFactory, kind: RecordKind, name: str) -> None:
    """A creation or an update with the id of no record is refused, and an update changes nothing."""
    own_record, required = factory.create(kind), factory.required_attributes(kind)
    for action in [candidate for candidate in ("create", "update") if kind.supports(candidate)]:
        attributes = {**(required if action == "create" else {}), name: UNKNOWN_ID}
        exchange = send(api, kind, action, own_record["id"], attributes=attributes)
        require_known(api, exchange, name)
        assert not is_success(exchange), f"{action} with {name} {UNKNOWN_ID}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-ERR-12")
        expected = {"record_not_found", "invalid_attribute"} & set(map(str, problem_codes(exchange)))
        assert expected, f"{action} with {name} {UNKNOWN_ID}: {response_text(exchange)}"
    assert single_record(api, send(api, kind, "read", own_record["id"]), kind, "GETFLOW-ERR-12").get(
        name
    ) == own_record.get(name)


@clause("GETFLOW-ERR-12")
@pytest.mark.parametrize("name", ["workspace_id", "list_id", "owner_id"])
def test_a_filter_by_an_unknown_id_shows_nothing(api: Api, readings: ObservedReadings, name: str) -> None:
    """Filtering tasks by an unknown workspace, list or owner shows none, or is refused."""
    exchange = send(api, TASKS, "list", query={name: UNKNOWN_ID})
    require_known(api, exchange, name)
    check_documented(api, exchange, "GETFLOW-ERR-12")
    readings.one_of(
        "GETFLOW-AMB-34",
        nothing=is_success(exchange) and not page_records(api, exchange, TASKS, "GETFLOW-ERR-12"),
        refused=not is_success(exchange) and "record_not_found" in problem_codes(exchange),
    )


@clause("GETFLOW-ERR-13")
def test_an_unchangeable_record_is_not_modified(api: Api, readings: ObservedReadings) -> None:
    """An update of a record that cannot be changed is refused with not_modified, and the record stays as it was."""
    identifier = api.setting("CLEARED_TASK_ID")
    before = single_record(api, send(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13")
    name = before.get("name") or api.unique_text("flowproof ")
    for versioning in VERSIONINGS:
        exchange = send(api, TASKS, "update", identifier, attributes={"name": name}, versioning=versioning)
        assert not is_success(exchange), response_text(exchange)
        assert problem_codes(exchange) == ["not_modified"] or exchange.response.status == 304, response_text(exchange)
        refusal = 400 <= exchange.response.status < 500
        readings.one_of("GETFLOW-AMB-29", refusal=refusal, not_changed=exchange.response.status == 304)
        check_documented(api, exchange, "GETFLOW-ERR-13")
    assert single_record(api, send(api, TASKS, "read", identifier), TASKS, "GETFLOW-ERR-13") == before


@clause("GETFLOW-ERR-13")
@pytest.mark.parametrize(
    ("outer_kind", "inner_kind", "name"),
    [(WORKSPACES, LISTS, "workspace_id"), (WORKSPACES, TASKS, "workspace_id"), (LISTS, TASKS, "list_id")],
    ids=str,
)
def test_a_deletion_leaves_no_dangling_reference(
    api: Api, factory: RecordFactory, outer_kind: RecordKind, inner_kind: RecordKind, name: str
) -> None:
    """Deleting a record that contains others is refused with not_modified, or no record points to it afterwards."""
    outer_record = factory.create(outer_kind)
    inner_record = factory.create(inner_kind, **{name: outer_record["id"]})
    exchange = send(api, outer_kind, "delete", outer_record["id"])
    if not is_success(exchange):
        refusal_problems(api, exchange, "GETFLOW-ERR-13")
        assert problem_codes(exchange) == ["not_modified"], response_text(exchange)
        assert is_success(send(api, outer_kind, "read", outer_record["id"])), (
            "refused, but the record cannot be read any more"
        )
        return
    remaining = send(api, inner_kind, "read", inner_record["id"])
    is_dangling = (
        is_success(remaining)
        and single_record(api, remaining, inner_kind, "GETFLOW-ERR-13").get(name) == outer_record["id"]
    )
    assert not is_dangling, (
        f"{inner_kind.singular} {inner_record['id']} points to the deleted {outer_kind.singular} {outer_record['id']}"
    )
