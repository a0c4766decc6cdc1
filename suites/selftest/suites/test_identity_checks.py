"""Facts about the checks of ids: what they send, what they report of a faulty server, what they let pass."""

from __future__ import annotations

from typing import Any

import pytest

import contracts
from contracts.openapi import load_contract
from fixtures.corpus.builder import minimal_case
from fixtures.record_kinds import RecordKind
from fixtures.resources import id_field
from fixtures.target_api import Api
from suites.generic.id_spellings import best_of, id_fields, other_ids, same_ids
from suites.generic.identity_checks import identity_findings, kind_and_action
from suites.generic.test_identity import calls_with_id, creates_nothing_to_read, no_id_to_change
from suites.mutation.reference_apis import in_process_api

INTEGER = {"type": "integer"}
UUID = "3a472a78-4e3e-4858-8acc-eb754f9d1328"


def clauses_found(api: Api, operation: str) -> set[str]:
    """The clauses of all findings about the ids of that operation."""
    documented = api.contract.find(operation)
    findings = identity_findings(api, documented, minimal_case(api.contract, documented))
    return {finding.clause for finding, _ in findings}


def sent_for(schema: dict[str, Any], identifier: Any, **options: Any) -> list[Any]:
    return [spelling.value for spelling in other_ids(schema, identifier, **{"in_json": False, **options})]


def test_an_integer_is_extended_negated_and_wrapped() -> None:
    wrapped = [7 + (1 << 31), 7 + (1 << 32), 7 + (1 << 64)]
    assert sent_for(INTEGER, 7) == [0, "7abc", "7.5", -7, *wrapped]


def test_a_number_in_json_is_sent_in_a_list_too() -> None:
    assert [7] in sent_for(INTEGER, 7, in_json=True)


def test_a_large_id_is_not_wrapped_since_another_record_may_have_the_result() -> None:
    assert sent_for(INTEGER, 1 << 40) == [0, f"{1 << 40}abc", f"{1 << 40}.5"]


def test_a_token_is_not_shortened_where_that_could_change_another_record() -> None:
    assert "Token1" not in sent_for({"type": "string"}, "Token123", is_safe=False)


def test_a_uuid_in_the_other_case_is_the_same_uuid() -> None:
    schema = {"type": "string", "format": "uuid"}
    values = [spelling.value for spelling in same_ids(schema, UUID, "header")]
    assert values == [UUID.upper(), UUID.replace("-", "")]
    assert UUID.upper() not in sent_for(schema, UUID)


def test_the_best_id_is_another_one_in_octal() -> None:
    assert best_of([9, 3, 12]) == 12


def test_a_name_is_no_id() -> None:
    contract = load_contract("flowback")
    assert [field.name for field in id_fields(contract, contract.find("listUsers"))] == ["id"]


def test_a_record_that_no_operation_creates_is_read_by_the_id_of_its_list() -> None:
    contract = load_contract("getflow")
    accounts = RecordKind("getflow", "accounts", 0, contract.resources["accounts"])
    assert id_field(contract, accounts, "read").name == "account_id"


def test_every_form_of_a_call_is_of_its_kind_of_record() -> None:
    contract = load_contract("bitvis")
    of_kind = kind_and_action(contract, contract.find("deviceObjectGet OPEN by path"))
    assert of_kind is not None
    assert (of_kind[0].name, of_kind[1]) == ("devices", "read")


def test_an_operation_without_ids_says_why_it_is_left_out() -> None:
    operation = load_contract("flowback").find("registerUser")
    assert no_id_to_change(operation) == "its requests name no record by an id"
    assert creates_nothing_to_read(operation) != ""


def test_calls_without_an_object_are_left_out() -> None:
    assert {call.method for call, _ in calls_with_id("bitvis")} == {"OPEN", "UPDATE", "DELETE"}


@pytest.mark.parametrize(
    ("change", "operation", "clause"),
    [
        ("getflow.reads_task_ids_up_to_the_first_letter", "getTask", "GETFLOW-ERR-11"),
        ("getflow.deletes_lists_modulo_2_to_the_32", "deleteList", "GETFLOW-ERR-12"),
        ("getflow.a_filter_by_list_0_is_none", "listTasks", "GETFLOW-VIEW-13"),
        ("getflow.reads_ids_with_a_leading_zero_as_octal", "getList", "GETFLOW-SHAPE-1"),
        ("flowback.user_0_is_the_caller", "getUser", "FLOWBACK-GET-8"),
        ("bitvis.cuts_ids_to_their_length_over_http", "deviceCollectionPost UPDATE by header", "BITVIS-RESP-7"),
    ],
)
def test_a_faulty_server_is_reported(change: str, operation: str, clause: str) -> None:
    name, _, fault = change.partition(".")
    assert clauses_found(in_process_api(name, faults=(fault,)), operation) == {clause}


HONEST_VARIANTS = [
    ("getflow", "ids_are_written_in_one_way"),
    ("flowback", "ids_may_have_spaces_around_them"),
    ("flowapp", "tokens_may_have_a_space_behind_them"),
    ("bitvis", "object_ids_have_no_case"),
]


@pytest.mark.parametrize(("name", "variant"), HONEST_VARIANTS)
def test_other_ways_to_write_an_id_are_let_pass(name: str, variant: str) -> None:
    api = in_process_api(name, variants=(variant,))
    for operation in api.contract.operations.values():
        if operation.server == 0 and not no_id_to_change(operation):
            assert identity_findings(api, operation, minimal_case(api.contract, operation)) == []


def test_what_was_made_for_the_checks_is_deleted() -> None:
    api = in_process_api("getflow")

    def identifiers() -> set[int]:
        exchange = api.request("GET", "/v2/lists", query={"limit": "100", "organization_id": "52"})
        return {row["id"] for row in exchange.response.json()["lists"]}

    before = identifiers()
    for action in ("updateList", "deleteList", "createList"):
        operation = api.contract.find(action)
        identity_findings(api, operation, minimal_case(api.contract, operation))
    assert identifiers() == before


def test_every_api_has_an_operation_with_ids() -> None:
    for name in contracts.apis():
        assert any(not no_id_to_change(operation) for operation in load_contract(name).operations.values())
