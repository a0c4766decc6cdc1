"""The AsyncAPI documents: valid by the published schema, whole, and one with the OpenAPI documents beside them."""

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
from contracts import files
from contracts.clauses import clauses, readings
from contracts.document import contract
from contracts.operation import Schema
from contracts.rpc import Call, Rpc, from_document, rpc
from reports import page

HERE = Path(__file__).parent
TREES = HERE.parents[1] / ".cache" / "node"
RPCS = [found for api in contracts.apis() if (found := rpc(api))]
CALLS = [call for one in RPCS for call in one.calls.values()]
METHODS = ("LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN")  # bitvis, lines 6-12
ENDPOINTS = ("inventory/device", "address/address", "scheduler/queue")  # bitvis, lines 27, 67, 130

every_rpc = pytest.mark.parametrize("whole", RPCS, ids=[one.api for one in RPCS])
every_call = pytest.mark.parametrize("call", CALLS, ids=str)
Document = dict[str, Any]


@pytest.fixture(scope="module")
def published() -> jsonschema_rs.Validator:
    """The schema of AsyncAPI 3.0.0 as its authors publish it, installed at first use."""
    try:
        tree = page.node_tree(TREES, HERE / "node")
    except page.ReportError as error:
        pytest.fail(f"@asyncapi/specs could not be installed, so nothing is known about the documents: {error}")
    schema = tree / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    return jsonschema_rs.Draft7Validator(json.loads(schema.read_text("utf-8")))


def document(api: str = "bitvis") -> Document:
    """A copy of an API's document, to break."""
    found = rpc(api)
    assert found
    return copy.deepcopy(dict(found.contract.document))


def whole_of(call: Call) -> Rpc:
    found = rpc(call.api)
    assert found
    return found


def spots(value: Any, name: str) -> Iterator[Any]:
    """Every value of the members of that name, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from spots(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from spots(inner, name)


@every_rpc
def test_document_is_valid_by_the_published_schema(whole: Rpc, published: jsonschema_rs.Validator) -> None:
    assert whole.contract.document["asyncapi"] == "3.0.0"
    assert [(error.instance_path, error.message) for error in published.iter_errors(whole.contract.document)] == []


def test_published_schema_refuses_an_action_that_is_none(published: jsonschema_rs.Validator) -> None:
    broken = document()
    broken["operations"]["device.list"]["action"] = "answer"
    assert not published.is_valid(broken)


@every_rpc
def test_every_reference_leads_somewhere(whole: Rpc) -> None:
    assert len(list(files.references(whole.contract.document))) > len(whole.calls)
    assert files.dangling(whole.contract.document) == []


@pytest.mark.parametrize(
    ("lost", "where"),
    [
        ("#/channels/nowhere", lambda it: it["operations"]["device.open"]["channel"]),
        ("#/channels/device/messages/nothing", lambda it: it["operations"]["device.open"]["messages"][0]),
        ("#/components/schemas/Nobody", lambda it: it["channels"]["device"]["messages"]["listed"]["payload"]),
        ("#/components/operationTraits/none", lambda it: it["operations"]["queue.run"]["traits"][0]),
        ("elsewhere.yaml#/components/schemas/Device", lambda it: it["operations"]["queue.run"]["traits"][0]),
    ],
)
def test_dangling_reference_is_named(lost: str, where: Callable[[Document], Document]) -> None:
    broken = document()
    where(broken)["$ref"] = lost
    with pytest.raises(KeyError, match=re.escape(lost)):
        from_document("bitvis", broken)


def test_dangling_reference_into_another_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "shapes.yaml").write_text("components: {schemas: {Here: {type: string}}}")
    for lost in ("shapes.yaml#/components/schemas/There", "none.yaml#/components/schemas/Here", "shapes.yaml#/Here"):
        (tmp_path / "api.yaml").write_text(f"a: {{$ref: '{lost}'}}")
        with pytest.raises(KeyError, match=re.escape(lost)):
            files.read(tmp_path / "api.yaml")


def test_name_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shapes.yaml").write_text("components: {schemas: {Here: {type: string}}}")
    (tmp_path / "api.yaml").write_text(
        "a: {$ref: 'shapes.yaml#/components/schemas/Here'}\ncomponents: {schemas: {Here: {type: integer}}}"
    )
    with pytest.raises(ValueError, match="components/schemas/Here stands in the document as well"):
        files.read(tmp_path / "api.yaml")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: one.update(action="answer"), "expected the action receive, got 'answer'"),
        (lambda one: one.update(action="send"), "expected the action receive, got 'send'"),
        (lambda one: one.pop("reply"), "it has no reply"),
        (lambda one: one["reply"].pop("messages"), "expected one message each way, got 0"),
        (lambda one: one["messages"].append(one["messages"][0]), "expected one message each way, got 2"),
        (lambda one: one["channel"].update({"$ref": "#/channels/queue"}), "is no message of the channel"),
        (lambda one: one.update({"x-clauses": []}), "it names no clause"),
        (lambda one: one["messages"][0].update({"$ref": "#/channels/device/messages/listed"}), "allow one method, not"),
    ],
    ids=["strange action", "wrong way", "no reply", "no answer", "two", "other channel", "no clause", "no method"],
)
def test_operation_that_is_no_call_is_refused_by_its_name(change: Callable[[Document], object], why: str) -> None:
    broken = document()
    change(broken["operations"]["device.open"])
    with pytest.raises(ValueError, match=re.escape("operation device.open: ")) as refused:
        from_document("bitvis", broken)
    assert why in str(refused.value)


def test_call_without_an_example_is_refused_by_its_name() -> None:
    broken = document()
    del broken["channels"]["queue"]["messages"]["run"]["examples"]
    with pytest.raises(ValueError, match=re.escape("operation queue.run: its message has no example")):
        from_document("bitvis", broken)


def test_same_call_twice_is_refused() -> None:
    broken = document()
    broken["operations"]["again"] = broken["operations"]["device.open"]
    with pytest.raises(ValueError, match="two operations call the same method"):
        from_document("bitvis", broken)


@every_rpc
def test_every_id_in_it_exists(whole: Rpc) -> None:
    known = set(clauses(whole.api)) | set(readings(whole.api))
    called = {identifier for call in whole.calls.values() for identifier in (*call.clauses, call.reply_clause)}
    assert called - set(clauses(whole.api)) == set()
    all_of_them = [whole.contract.refusals, *(call.refusals for call in whole.calls.values())]
    rules = [rule for rules_ in all_of_them for rule in rules_.values()]
    named = {rule.get("clause", rule.get("unstated")) for rule in rules}
    assert named - known == set()
    for rule in rules:
        for reading, meaning in rule.get("accepted", {}).items():
            assert meaning in readings(whole.api)[reading].meanings


@every_call
def test_every_example_keeps_its_shape(call: Call) -> None:
    assert call.examples
    validator = whole_of(call).contract.validator(call.message)
    assert [error.message for frame in call.examples for error in validator.iter_errors(frame)] == []


@every_rpc
def test_every_documented_answer_keeps_its_shape(whole: Rpc) -> None:
    shown = 0
    for channel in whole.contract.document["channels"].values():
        for message in channel["messages"].values():
            validator = whole.contract.validator(message["payload"])
            wrong = [e.message for one in message["examples"] for e in validator.iter_errors(one["payload"])]
            assert wrong == []
            shown += len(message["examples"])
    assert shown > len(whole.calls)


@every_rpc
def test_every_shape_of_both_documents_is_one_object(whole: Rpc) -> None:
    ours, theirs = whole.contract.schemas, contract(whole.api).schemas
    assert set(ours) == set(theirs)
    assert [name for name in ours if ours[name] is not theirs[name]] == []


@every_rpc
def test_its_own_part_defines_no_shape(whole: Rpc) -> None:
    text = (contracts.HERE / whole.api / "asyncapi.yaml").read_text()
    assert "schemas:" not in text
    for payload in spots(document(whole.api)["channels"], "payload"):
        own = [payload] if "status" not in payload and "method" not in payload else []  # the others are examples
        for schema in own:
            assert set(schema) <= {"$ref", "allOf"}
            for inner in schema.get("allOf", []):
                assert all(set(part) == {"$ref"} for part in inner.get("properties", {}).values())


def test_every_method_is_there_at_every_endpoint() -> None:
    whole = rpc("bitvis")
    assert whole
    assert set(whole.calls) == {f"{endpoint} {method}" for endpoint in ENDPOINTS for method in METHODS}
    paths = {path for path in contract("bitvis").document["paths"] if "{" not in path}
    assert set(whole.endpoints.values()) == paths


@pytest.mark.parametrize(
    ("method", "needs", "forbids"),
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
def test_parts_are_those_of_the_table(method: str, needs: set[str], forbids: set[str]) -> None:
    ours = [call for call in CALLS if call.method == method]
    assert len(ours) == len(ENDPOINTS)
    for call in ours:
        assert set(call.needs) == needs
        assert set(call.forbids) == forbids
        assert (call.data is None) == ("data" not in needs)
        assert (call.parameters is None) == (method != "LIST")


@every_call
def test_what_is_needed_is_required_by_the_frame(call: Call) -> None:
    validator = whole_of(call).contract.validator(call.message)
    frame = call.examples[0]
    for part in (*call.needs, "method", "token"):
        assert not validator.is_valid({name: value for name, value in frame.items() if name != part}), part


@every_call
def test_safety_is_as_over_http(call: Call) -> None:
    twins = [
        one
        for one in contract(call.api).operations.values()
        if one.path == call.path and one.id.split(" ")[1:2] == [call.method]
    ]
    assert {one.safe for one in twins} == {call.safe}


@every_call
def test_envelope_is_the_one_of_the_same_call_over_http(call: Call) -> None:
    def shape(schema: Schema) -> object:
        return schema.get("$ref", schema)

    twins = [
        one
        for one in contract(call.api).operations.values()
        if one.path == call.path and one.id.split(" ")[1:2] == [call.method]
    ]
    found = {str(shape(one.responses["200"].content["application/json"]["schema"])) for one in twins}
    assert found == {str(shape(call.reply))}
