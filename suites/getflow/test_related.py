"""Related records in the same response, by include: document lines 106 to 119."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    INCLUDING_KINDS,
    MEMBERSHIPS,
    TASKS,
    VERSIONINGS,
    WORKSPACES,
    Record,
    RecordKind,
    accepted_body,
    check_documented,
    codes_and_attributes,
    is_success,
    json_body,
    page_records,
    record_identity,
    send,
    without_request_ids,
)
from suites.getflow.pagination import all_records
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import persistent, stable_pair
from suites.getflow.strategies import comma_separated, queries
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause

OF_THE_DOCUMENT = ("accounts", "memberships")  # what its example includes with tasks
POINTERS = {  # the attributes that point to records of that kind
    "accounts": ("account_id", "owner_id", "subscriber_ids"),
    "lists": ("list_id",),
    "workspaces": ("workspace_id",),
}


def referenced_ids(records: list[Record], name: str) -> set[Any]:
    """The ids of records of that kind that these records point to."""
    ids: set[Any] = set()
    for record in records:
        for attribute in POINTERS.get(name, ()):
            value = record.get(attribute)
            ids |= set(value) if isinstance(value, list) else {value} - {None}
    return ids


def _body_with(api: Api, kind: RecordKind, clause: str, include: str, versioning: int = 1, **query: Any) -> Record:
    return accepted_body(
        api, send(api, kind, "list", query={"include": include, **query}, versioning=versioning), clause
    )


def _referenced_kinds(kind: RecordKind) -> list[str]:
    """The kinds that records of this kind point to by an attribute and can include."""
    return [name for name in kind.includes if name in POINTERS]


@clause("GETFLOW-INC-1")
def test_include_adds_accounts_to_tasks(api: Api) -> None:
    """The list of tasks includes their accounts on request, and none without include."""
    _assert_included(api, TASKS, ["accounts"], "GETFLOW-INC-1")


@clause("GETFLOW-INC-6")
@pytest.mark.parametrize("kind", INCLUDING_KINDS, ids=str)
def test_include_adds_other_related_records(api: Api, kind: RecordKind) -> None:
    """A list and a single record include each kind that public clients include, and none without include."""
    _assert_included(api, kind, _referenced_kinds(kind), "GETFLOW-INC-6")
    record = page_records(api, send(api, kind, "list"), kind, "GETFLOW-INC-6")[:1]
    for name in _referenced_kinds(kind) if kind.supports("read") else ():
        if referenced_ids(record, name):
            exchange = send(api, kind, "read", record[0]["id"], query={"include": name})
            single = accepted_body(api, exchange, "GETFLOW-INC-6")
            assert single.get(name) or "included" in single, (
                f"one {kind.singular} with include={name}: {sorted(single)}"
            )


def _assert_included(api: Api, kind: RecordKind, names: list[str], clause_id: str) -> None:
    without_include = accepted_body(api, send(api, kind, "list"), clause_id)
    compared = 0
    for name in names:
        for versioning in VERSIONINGS:
            with_include = _body_with(api, kind, clause_id, name, versioning)
            if referenced_ids(with_include[kind.plural], name):
                compared += 1
                assert with_include.get(name) or "included" in with_include, (
                    f"include={name} returns {sorted(with_include)}"
                )
                assert name not in without_include, f"{name} is included without being requested"
    if not compared:
        raise MissingPrecondition(f"the first page of {kind} points to no record that can be included")


@clause("GETFLOW-INC-2")
def test_include_accepts_accounts_and_memberships_in_any_order(api: Api) -> None:
    """The two names of the document's example include what each of them includes alone, in any order."""
    _assert_any_order(api, TASKS, list(OF_THE_DOCUMENT), "GETFLOW-INC-2")


@clause("GETFLOW-INC-6")
@pytest.mark.parametrize("kind", [kind for kind in INCLUDING_KINDS if len(kind.includes) > 1], ids=str)
def test_include_accepts_several_names_in_any_order(api: Api, kind: RecordKind) -> None:
    """Several names include what each of them includes alone, in any order."""
    _assert_any_order(api, kind, kind.includes, "GETFLOW-INC-6")


def _assert_any_order(api: Api, kind: RecordKind, includes: list[str], clause_id: str) -> None:
    def included_ids(include: str, limit: int) -> dict[str, Any]:
        body = without_request_ids(_body_with(api, kind, clause_id, include, limit=limit))
        return {name: sorted(map(str, map(record_identity, body.get(name, [])))) for name in kind.includes}

    def check(names: list[str], limit: int) -> None:
        ids_by_name, ids_reversed = stable_pair(
            api, lambda: included_ids(",".join(names), limit), lambda: included_ids(",".join(reversed(names)), limit)
        )
        assert ids_by_name == ids_reversed, f"{names}: {ids_by_name}, and in reverse order {ids_reversed}"
        ids_alone = {name: included_ids(name, limit)[name] for name in names}
        expected = {name: ids_alone.get(name, []) for name in kind.includes if name != kind.plural}
        if not any(expected.values()):
            raise MissingPrecondition(f"no {kind} include any record")
        returned = {name: ids for name, ids in ids_by_name.items() if name != kind.plural}
        assert returned == expected, f"together {returned}, alone {expected}"

    names = st.lists(st.sampled_from(includes), min_size=2, unique=True)
    for_all(check, 10, names=names, limit=st.integers(1, 30))


@clause("GETFLOW-INC-3")
def test_every_account_of_the_tasks_is_included(api: Api) -> None:
    """Every account that the tasks of a page point to is included, at the root of the body."""
    _assert_complete(api, TASKS, ["accounts"], "GETFLOW-INC-3")


@clause("GETFLOW-INC-6")
@pytest.mark.parametrize("kind", [kind for kind in INCLUDING_KINDS if _referenced_kinds(kind)], ids=str)
def test_every_referenced_record_is_included(api: Api, kind: RecordKind) -> None:
    """Every account, list and workspace that a page's records point to is included."""
    _assert_complete(api, kind, _referenced_kinds(kind), "GETFLOW-INC-6")


def _assert_complete(api: Api, kind: RecordKind, names: list[str], clause_id: str) -> None:
    def check(query: dict[str, Any]) -> None:
        body = accepted_body(api, send(api, kind, "list", query={**query, "include": ",".join(names)}), clause_id)
        if not any(referenced_ids(body[kind.plural], name) for name in names):
            raise MissingPrecondition(f"no {kind} point to a record that can be included")
        for name in names:
            included_ids = {record["id"] for record in body.get(name, [])}
            missing = referenced_ids(body[kind.plural], name) - included_ids
            assert not missing, f"{name} that are named and not included: {sorted(missing, key=str)[:5]}"

    for_all(check, 12, query=queries(api, kind))


@clause("GETFLOW-INC-6")
def test_memberships_are_included_with_tasks_and_workspaces(api: Api) -> None:
    """All memberships of the workspaces and of the tasks' owners are included, and none of other workspaces."""

    def missing_of_workspaces() -> set[Any]:
        body = _body_with(api, WORKSPACES, "GETFLOW-INC-6", "memberships")
        workspaces = {record["id"] for record in body["workspaces"]}
        memberships = all_records(api, MEMBERSHIPS, "GETFLOW-INC-6")
        expected = {record["id"] for record in memberships if record["workspace_id"] in workspaces}
        return expected - {record["id"] for record in body.get("memberships", [])}

    def missing_of_owners() -> set[Any]:
        body = _body_with(api, TASKS, "GETFLOW-INC-6", "memberships")
        owners = {(record["workspace_id"], record.get("owner_id")) for record in body["tasks"]}
        memberships = all_records(api, MEMBERSHIPS, "GETFLOW-INC-6")
        expected = {record["id"] for record in memberships if (record["workspace_id"], record["account_id"]) in owners}
        return expected - {record["id"] for record in body.get("memberships", [])}

    if not all_records(api, MEMBERSHIPS, "GETFLOW-INC-6"):
        raise MissingPrecondition("the organisation has no memberships")
    missing = persistent(missing_of_workspaces)
    assert not missing, f"memberships of these workspaces that are not included: {sorted(missing)[:5]}"
    missing = persistent(missing_of_owners)
    assert not missing, f"memberships of the tasks' owners that are not included: {sorted(missing)[:5]}"
    body = _body_with(api, TASKS, "GETFLOW-INC-6", "memberships")
    workspaces = {record["workspace_id"] for record in body["tasks"]}
    foreign = [record["id"] for record in body.get("memberships", []) if record["workspace_id"] not in workspaces]
    assert not foreign, f"memberships of other workspaces: {foreign[:5]}"


@clause("GETFLOW-INC-6")
def test_an_included_record_equals_the_record(api: Api) -> None:
    """An included record equals the record that its own endpoint returns."""
    including_kinds = {name: kind for kind in INCLUDING_KINDS for name in kind.includes if name != kind.plural}
    compared: set[str] = set()

    def differing(name: str) -> set[str]:
        included = _body_with(api, including_kinds[name], "GETFLOW-INC-6", name, limit=10).get(name, [])[:3]
        compared.update([name] if included else [])
        singles = [
            json_body(send(api, RecordKind(name), "read", record["id"])).get(RecordKind(name).singular)
            for record in included
        ]
        return {
            f"included as {record}, read as {single}"
            for record, single in zip(included, singles, strict=True)
            if record != single
        }

    for name in including_kinds:
        differences = persistent(lambda: differing(name))  # noqa: B023  # called at once
        assert not differences, f"{name}: {sorted(differences)[0]}"
    if not compared:
        raise MissingPrecondition("no list includes any record")


@clause("GETFLOW-INC-4")
def test_include_does_not_change_the_tasks(api: Api) -> None:
    """The list of tasks with accounts and memberships has the same tasks in the same order as without."""
    _assert_unchanged(api, TASKS, list(OF_THE_DOCUMENT), "GETFLOW-INC-4")


@clause("GETFLOW-INC-6")
@pytest.mark.parametrize("kind", INCLUDING_KINDS, ids=str)
def test_include_does_not_change_the_records(api: Api, kind: RecordKind) -> None:
    """A list with include has the same records in the same order as without."""
    _assert_unchanged(api, kind, kind.includes, "GETFLOW-INC-6")


def _assert_unchanged(api: Api, kind: RecordKind, includes: list[str], clause_id: str) -> None:
    def listed_records(query: dict[str, Any]) -> list[Record]:
        return page_records(api, send(api, kind, "list", query=query), kind, clause_id)

    def check(query: dict[str, Any], include: str) -> None:
        if kind.plural in include.split(","):
            raise MissingPrecondition(f"{kind} that include {kind} have no list of their own")
        query_without = {name: value for name, value in query.items() if name != "include"}
        without_include, with_include = stable_pair(
            api, lambda: listed_records(query_without), lambda: listed_records({**query_without, "include": include})
        )
        assert without_include == with_include, (
            f"without: {str(without_include)[:300]} … and with {include}: {str(with_include)[:300]}"
        )

    for_all(check, 12, query=queries(api, kind), include=comma_separated(includes))


@clause("GETFLOW-INC-6")
def test_a_kind_without_records_is_empty_or_absent(
    api: Api, factory: RecordFactory, readings: ObservedReadings
) -> None:
    """A task without a list includes an empty list of lists, or none."""
    created = factory.create(TASKS)
    body = accepted_body(api, send(api, TASKS, "read", created["id"], query={"include": "lists"}), "GETFLOW-INC-6")
    readings.one_of("GETFLOW-AMB-28", empty=body.get("lists") == [], absent="lists" not in body)


@clause("GETFLOW-INC-1")
def test_an_unknown_include_is_refused_or_ignored(api: Api, readings: ObservedReadings) -> None:
    """An unknown name in include is refused by the parameter's name, or ignored."""

    def check(kind: RecordKind, name: str) -> None:
        exchange = send(api, kind, "list", query={"include": f"no_such_{name}"})
        check_documented(api, exchange, "GETFLOW-INC-1")
        reported = codes_and_attributes(exchange)
        is_named = ("invalid_attribute", "include") in reported or ("unsupported_param", "include") in reported
        ignored = is_success(exchange) and set(json_body(exchange)) <= {
            "request_id",
            "request_uuid",
            kind.plural,
            "extra",
        }
        readings.one_of("GETFLOW-AMB-7", refused=not is_success(exchange) and is_named, ignored=ignored)

    letters = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12)
    for_all(check, 10, kind=st.sampled_from(INCLUDING_KINDS), name=letters)
