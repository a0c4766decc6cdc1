"""The AsyncAPI documents: valid by the published schema, complete, and in accord with the OpenAPI documents."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import contracts
from contracts.asyncapi import Call, RpcContract, from_document, load_rpc_contract
from contracts.clauses import clauses, readings
from contracts.errors import ContractError
from contracts.openapi import load_contract
from contracts.operation import Operation
from contracts.reader.references import Resolver, dangling_references, references
from reports.allure import report_page

HERE = Path(__file__).parent
TREES = HERE.parents[2] / ".cache" / "node"
RPC_CONTRACTS = [rpc for api in contracts.apis() if (rpc := load_rpc_contract(api))]
CALLS = [call for rpc in RPC_CONTRACTS for call in rpc.calls.values()]
METHODS = ("LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN")  # bitvis, lines 6-12
ENDPOINTS = ("inventory/device", "address/address", "scheduler/queue")  # bitvis, lines 27, 67, 130

every_rpc = pytest.mark.parametrize("rpc", RPC_CONTRACTS, ids=[rpc.api for rpc in RPC_CONTRACTS])
of_bitvis = pytest.mark.parametrize("rpc", [rpc for rpc in RPC_CONTRACTS if rpc.api == "bitvis"], ids=["bitvis"])
every_call = pytest.mark.parametrize("call", CALLS, ids=str)
Document = dict[str, Any]


@pytest.fixture(scope="module")
def published() -> jsonschema_rs.Validator:
    """The schema of AsyncAPI 3.0.0 as its authors publish it, installed at first use."""
    try:
        tree = report_page.installed_packages(TREES, HERE / "node")
    except report_page.ReportError as error:
        pytest.fail(f"@asyncapi/specs could not be installed, so nothing is known about the documents: {error}")
    schema = tree / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    return jsonschema_rs.Draft7Validator(json.loads(schema.read_text("utf-8")))


def document(api: str = "bitvis") -> Document:
    """A copy of an API's document, to break."""
    rpc = load_rpc_contract(api)
    assert rpc
    return copy.deepcopy(dict(rpc.contract.document))


def contract_of(call: Call) -> RpcContract:
    rpc = load_rpc_contract(call.api)
    assert rpc
    return rpc


def members(value: Any, name: str) -> Iterator[Any]:
    """Every value of the members of that name, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from members(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, name)


@every_rpc
def test_document_is_valid_by_the_published_schema(rpc: RpcContract, published: jsonschema_rs.Validator) -> None:
    assert rpc.contract.document["asyncapi"] == "3.0.0"
    assert [(error.instance_path, error.message) for error in published.iter_errors(rpc.contract.document)] == []


def test_published_schema_refuses_an_action_that_is_none(published: jsonschema_rs.Validator) -> None:
    broken = document()
    broken["operations"]["device.list"]["action"] = "answer"
    assert not published.is_valid(broken)


@every_rpc
def test_every_reference_leads_somewhere(rpc: RpcContract) -> None:
    assert list(references(rpc.contract.document))
    assert dangling_references(rpc.contract.document) == []


@pytest.mark.parametrize(
    ("reference", "holder"),
    [
        ("#/channels/nowhere", lambda it: it["operations"]["device.open"]["channel"]),
        ("#/channels/device/messages/nothing", lambda it: it["operations"]["device.open"]["messages"][0]),
        ("#/components/schemas/Nobody", lambda it: it["channels"]["device"]["messages"]["listed"]["payload"]),
        ("#/components/operationTraits/none", lambda it: it["operations"]["queue.run"]["traits"][0]),
        ("elsewhere.yaml#/components/schemas/Device", lambda it: it["operations"]["queue.run"]["traits"][0]),
    ],
)
def test_dangling_reference_is_named(reference: str, holder: Callable[[Document], Document]) -> None:
    broken = document()
    holder(broken)["$ref"] = reference
    with pytest.raises(ContractError, match=re.escape(f"{reference} leads nowhere")):
        from_document("bitvis", broken)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: it.update(action="answer"), "expected the action receive, got 'answer'"),
        (lambda it: it.update(action="send"), "expected the action receive, got 'send'"),
        (lambda it: it.pop("reply"), "it has no reply"),
        (lambda it: it["reply"].pop("messages"), "expected one message each way, got 0"),
        (lambda it: it["messages"].append(it["messages"][0]), "expected one message each way, got 2"),
        (lambda it: it.update(channel={"$ref": "#/channels/queue"}), "is no message of the channel scheduler/queue"),
        (lambda it: it.update({"x-clauses": []}), "it names no clause"),
        (lambda it: it.update(messages=[{"$ref": "#/channels/device/messages/listed"}]), "allow one method, not 0"),
    ],
    ids=["strange action", "wrong way", "no reply", "no answer", "two", "other channel", "no clause", "no method"],
)
def test_operation_that_is_no_call_is_refused_by_its_name(change: Callable[[Document], object], why: str) -> None:
    broken = document()
    change(broken["operations"]["device.open"])
    with pytest.raises(ContractError, match=re.escape("operation device.open: ")) as error:
        from_document("bitvis", broken)
    assert why in str(error.value)


def test_call_without_an_example_is_refused_by_its_name() -> None:
    broken = document()
    del broken["channels"]["queue"]["messages"]["run"]["examples"]
    with pytest.raises(ContractError, match=re.escape("operation queue.run: its message has no example")):
        from_document("bitvis", broken)


def test_same_call_twice_is_refused() -> None:
    broken = document()
    broken["operations"]["again"] = broken["operations"]["device.open"]
    with pytest.raises(ContractError, match="two operations call the same method"):
        from_document("bitvis", broken)


@every_rpc
def test_every_id_in_it_exists(rpc: RpcContract) -> None:
    known = set(clauses(rpc.api)) | set(readings(rpc.api))
    of_calls = {identifier for call in rpc.calls.values() for identifier in (*call.clauses, call.reply_clause)}
    assert of_calls - set(clauses(rpc.api)) == set()
    tables = [rpc.contract.refusals, *(call.refusals for call in rpc.calls.values())]
    rules = [rule for table in tables for rule in table.values()]
    assert {rule.get("clause", rule.get("unstated")) for rule in rules} - known == set()
    for rule in rules:
        for reading, meaning in rule.get("accepted", {}).items():
            assert meaning in readings(rpc.api)[reading].meanings


@every_call
def test_every_example_keeps_its_shape(call: Call) -> None:
    assert call.examples
    validator = contract_of(call).contract.validator(call.message_schema)
    assert [error.message for frame in call.examples for error in validator.iter_errors(frame)] == []


@every_rpc
def test_every_documented_answer_keeps_its_shape(rpc: RpcContract) -> None:
    count = 0
    for channel in Resolver(rpc.contract.document).document["channels"].values():
        for message in channel["messages"].values():
            payloads = [example["payload"] for example in message.get("examples", [])]
            validator = rpc.contract.validator(message["payload"])
            assert [error.message for payload in payloads for error in validator.iter_errors(payload)] == []
            count += len(payloads)
    assert count >= len(rpc.calls)


@of_bitvis
def test_both_documents_have_the_same_schemas(rpc: RpcContract) -> None:
    assert rpc.contract.schemas
    assert rpc.contract.schemas == load_contract(rpc.api).schemas


@of_bitvis
def test_its_own_part_defines_no_schema(rpc: RpcContract) -> None:
    text = (contracts.FOLDER / rpc.api / "asyncapi.yaml").read_text()
    assert "schemas:" not in text
    for payload in members(document(rpc.api)["channels"], "payload"):
        is_example = "status" in payload or "method" in payload
        own = [payload] if isinstance(payload, dict) and not is_example else []  # a text is the lines of a payload
        for schema in own:
            assert set(schema) <= {"$ref", "allOf"}
            for inner in schema.get("allOf", []):
                assert all(set(part) == {"$ref"} for part in inner.get("properties", {}).values())


def test_every_method_is_there_at_every_endpoint() -> None:
    rpc = load_rpc_contract("bitvis")
    assert rpc
    documented = {label for label, call in rpc.calls.items() if call.served_if is None}
    assert documented == {f"{endpoint} {method}" for endpoint in ENDPOINTS for method in METHODS}
    paths = {path for path in load_contract("bitvis").document["paths"] if "{" not in path}
    assert set(rpc.endpoint_paths.values()) == paths


@pytest.mark.parametrize(
    ("method", "required", "forbidden"),
    [  # the document's table, lines 4-12
        ("LIST", set(), {"objectid", "data"}),
        ("OPEN", {"objectid"}, {"data"}),
        ("UPDATE", {"objectid", "data"}, set()),
        ("DELETE", {"objectid"}, {"data"}),
        ("INDEX", {"objectid"}, {"data"}),
        ("CREATE", {"data"}, {"objectid"}),
        ("RUN", {"objectid", "data"}, set()),
    ],
)
def test_parts_are_those_of_the_table(method: str, required: set[str], forbidden: set[str]) -> None:
    calls = [call for call in CALLS if call.method == method and call.served_if is None]
    assert len(calls) == len(ENDPOINTS)
    for call in calls:
        assert set(call.required_parts) == required
        assert set(call.forbidden_parts) == forbidden
        assert (call.data_schema is None) == ("data" not in required)
        assert (call.parameters_schema is None) == (method != "LIST")


@every_call
def test_what_is_needed_is_required_by_the_frame(call: Call) -> None:
    validator = contract_of(call).contract.validator(call.message_schema)
    frame = call.examples[0]
    for part in (*call.required_parts, "method", "token"):
        assert not validator.is_valid({name: value for name, value in frame.items() if name != part}), part


def twins(call: Call) -> list[Operation]:
    """The operations that are the same call over HTTP."""
    operations = load_contract(call.api).operations.values()
    return [
        operation
        for operation in operations
        if operation.path == call.path and operation.id.split(" ")[1:2] == [call.method]
    ]


def test_every_call_of_bitvis_has_a_twin_over_http() -> None:
    assert [call.label for call in CALLS if call.api == "bitvis" and not twins(call)] == []


@every_call
def test_safety_is_as_over_http(call: Call) -> None:
    # a read by POST, which only public clients send, could be taken for a write
    documented = [it for it in twins(call) if it.served_if == call.served_if]
    assert {operation.safe for operation in documented} <= {call.safe}


@every_call
def test_envelope_is_the_one_of_the_same_call_over_http(call: Call) -> None:
    for operation in twins(call):
        assert operation.responses["200"].content["application/json"]["schema"] == call.reply_schema
