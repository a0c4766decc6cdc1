"""What the document does not have is tested where it is served, and breaks no clause of the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts.asyncapi import load_rpc_contract
from contracts.clauses import clauses
from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import Finding
from contracts.operation import Operation
from contracts.reader.document_lines import OF_THE_DOCUMENT, reported_clause
from fixtures.cases import Case
from fixtures.corpus import EFFORTS
from fixtures.corpus.builder import minimal_case
from fixtures.preflight.preflight_run import read_operations
from fixtures.questions.observing import Plan
from fixtures.record_kinds import kind_of
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from suites.generic.identity_checks import kind_and_action
from suites.generic.optional_operations import effort_for, is_served, observed_meanings, require_served
from suites.generic.record_writes import is_same_call
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation, raise_findings

PORTS, POSTED_LIST = "portCollectionGet LIST by header", "deviceCollectionPost LIST by POST"
FLAT_LIST, DELETED_LABEL = (
    "addressCollectionGet LIST by header with a flat list",
    "labelCollectionPost DELETE by header",
)
DOCUMENTED = "deviceCollectionGet LIST by header"
LABEL_PATH = "/api/address/address/address/label/"


def operation(identifier: str) -> Operation:
    return in_process_api("bitvis").contract.find(identifier)


def sent(api: Api, identifier: str) -> Exchange:
    it = api.contract.find(identifier)
    return api.send(it, minimal_case(api.contract, it))


@pytest.mark.parametrize(
    ("identifier", "variants", "expected"),
    [
        (PORTS, [], True),
        (PORTS, ["knows_no_endpoints_below_objects"], False),
        (PORTS, ["shows_a_page_below_objects"], False),
        (POSTED_LIST, [], True),
        (POSTED_LIST, ["holds_methods_to_their_verb"], False),
        (FLAT_LIST, [], True),
        (FLAT_LIST, ["passes_over_flat_conditions"], True),
        (FLAT_LIST, ["knows_no_flat_conditions"], False),
        (DELETED_LABEL, [], True),
        (DELETED_LABEL, ["only_lists_below_objects"], False),
    ],
)
def test_an_operation_is_served_if_it_answers_as_documented(
    identifier: str, variants: Sequence[str], expected: bool
) -> None:
    assert is_served({}, in_process_api("bitvis", (), tuple(variants)), operation(identifier)) is expected


@pytest.mark.parametrize("label", ["inventory/device/port LIST", "address/address/label DELETE"])
@pytest.mark.parametrize("variants", [(), ("knows_no_endpoints_below_objects",)])
def test_a_call_is_served_if_it_succeeds(label: str, variants: tuple[str, ...]) -> None:
    api, rpc = in_process_api("bitvis", (), variants), load_rpc_contract("bitvis")
    assert rpc
    assert is_served({}, api, rpc.calls[label], transport(api, "websocket")) is (not variants)


def test_an_operation_is_tried_once() -> None:
    api, tried = in_process_api("bitvis", (), ("knows_no_endpoints_below_objects",)), {}
    reasons = []
    for _ in range(2):
        with pytest.raises(MissingPrecondition, match=r"not tested, since .* is not served") as caught:
            require_served(tried, api, operation(PORTS))
        reasons.append((str(caught.value), api.exchange_count))
    assert reasons[0] == reasons[1]


def test_what_cannot_be_removed_is_made_at_a_reference_alone() -> None:
    api = in_process_api("bitvis")
    new_operation = operation("newOperationCollectionPost CREATE by header")
    assert is_served({}, api, new_operation)
    api.target = replace(api.target, embedded=False, identified=False)
    with pytest.raises(MissingPrecondition, match="cannot be removed"):
        is_served({}, api, new_operation)


@pytest.mark.parametrize(
    ("identifier", "clause", "expected"),
    [
        (PORTS, "BITVIS-RESP-1", "BITVIS-CLIENT-1"),
        (PORTS, "BITVIS-SHAPE-1", "BITVIS-CLIENT-1"),
        (PORTS, "BITVIS-MEDIA-1", "BITVIS-MEDIA-1"),
        (PORTS, "BITVIS-AMB-53", "BITVIS-AMB-53"),
        (POSTED_LIST, "BITVIS-AUTH-1", "BITVIS-CLIENT-4"),
        (DOCUMENTED, "BITVIS-RESP-1", "BITVIS-RESP-1"),
    ],
)
def test_a_breach_is_reported_under_a_clause_of_the_operation(identifier: str, clause: str, expected: str) -> None:
    it = operation(identifier)
    assert reported_clause(in_process_api("bitvis").contract, it, clause) == expected


@pytest.mark.parametrize("is_by_case", [True, False])
def test_findings_of_any_test_are_reported_so(is_by_case: bool) -> None:
    api = in_process_api("bitvis")
    finding = Finding("BITVIS-AUTH-1", "a refusal", "200", sent(api, PORTS))
    case = Case(operation(PORTS).label, "x") if is_by_case else None
    with pytest.raises(ContractViolation) as caught:
        raise_findings([(finding, case)], api)
    assert caught.value.clauses == ("BITVIS-CLIENT-1",)


def test_each_has_clauses_of_its_own_grade() -> None:
    contract, rpc = in_process_api("bitvis").contract, load_rpc_contract("bitvis")
    assert rpc
    optional = [it for it in [*contract.operations.values(), *rpc.calls.values()] if it.served_if]
    assert len(optional) > 20
    grades = {clauses("bitvis")[clause].grade for it in optional for clause in it.clauses}
    assert grades.isdisjoint(OF_THE_DOCUMENT)


@pytest.mark.parametrize(("served", "expected"), [(True, {"flat_list_too", "ignored"}), (False, {"tree_only"})])
def test_what_was_seen_leaves_some_meanings(served: bool, expected: set[str]) -> None:
    assert set(observed_meanings(operation(FLAT_LIST), served)) == expected


@pytest.mark.parametrize(
    ("name", "identifier", "expected"),
    [
        ("default", PORTS, "quick"),
        ("deep", PORTS, "deep"),
        ("quick", PORTS, "quick"),
        ("default", DOCUMENTED, "default"),
    ],
)
def test_it_gets_little_effort_unless_the_run_is_a_deep_one(name: str, identifier: str, expected: str) -> None:
    assert effort_for(name, operation(identifier)) is EFFORTS[expected]


def test_it_is_no_way_to_what_the_document_has() -> None:
    contract = in_process_api("bitvis").contract
    assert not is_same_call(operation("deviceCollectionPost LIST by POST"), operation(DOCUMENTED))
    assert kind_and_action(contract, operation(PORTS)) is None
    assert all(it.served_if is None for _, it in read_operations(contract))


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/address/address/address/", "addresses"), ("/api/address/address/address/x", "addresses"), (LABEL_PATH, "")],
)
def test_what_is_made_below_a_record_is_no_such_record(path: str, expected: str) -> None:
    request = Request("POST", f"http://127.0.0.1{path}", (("Flow-Request-Method", "CREATE"),), b"{}")
    kind = kind_of("create", request, "bitvis", "http://127.0.0.1")
    assert (kind.name if kind else "") == expected


def test_a_value_and_the_parameter_that_it_was_made_with_are_of_one_request() -> None:
    api = in_process_api("bitvis")
    create = "labelCollectionPost CREATE by header"
    address = api.known_value({"operation": create, "parameter": "header.Flow-Request-ObjectId"})
    label = api.known_value({"operation": create, "pointer": "/data/id", "fresh": True})
    other = api.known_value({"operation": create, "pointer": "/data/id", "fresh": True})
    exchange = api.send(operation(DELETED_LABEL), _deletion(address, label))
    assert exchange.response.json()["data"] == {"id": label}
    assert api.send(operation(DELETED_LABEL), _deletion(address, other)).response.json()["success"] is False


def _deletion(address: str, label: str) -> Case:
    case = minimal_case(in_process_api("bitvis").contract, operation(DELETED_LABEL))
    case = case.with_parameter("header", "Flow-Request-ObjectId", address)
    return replace(case, body={"label_id": label})


def test_a_drift_asks_for_it() -> None:
    assert Plan("small", False).of_operation(operation(PORTS))
