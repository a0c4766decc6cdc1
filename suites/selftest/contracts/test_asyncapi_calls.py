"""What is read from an AsyncAPI document: each part of a call, its default, and the refusal of what is no call."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.asyncapi import Call, RpcContract, from_document, load_rpc_contract
from contracts.errors import ContractError
from suites.selftest.contracts.small_contract import write_contract

NUMBERS = itertools.count(1)

LABEL = "things/thing OPEN"
FRAME = {
    "allOf": [{"$ref": "#/components/schemas/Base"}],
    "properties": {
        "objectid": {"type": "string"},
        "namespace": {"type": "string", "maxLength": 0},
        "method": {"enum": ["OPEN"]},
    },
    "required": ["objectid"],
}
BASE = {"properties": {"method": {"type": "string"}, "token": {"type": "string"}}, "required": ["method", "token"]}


def document(**operation: Any) -> dict[str, Any]:
    """A document with one call; `operation` has parts beside those that every call needs."""
    channel = "#/channels/things"
    return {
        "asyncapi": "3.0.0",
        "channels": {
            "things": {
                "address": "things/thing",
                "x-http": "/api/things/",
                "messages": {
                    "open": {"payload": {"$ref": "#/components/schemas/Open"}, "examples": [{"payload": {"n": 1}}]},
                    "opened": {"payload": {"$ref": "#/components/schemas/Reply"}},
                },
            }
        },
        "operations": {
            "open": {
                "action": "receive",
                "channel": {"$ref": channel},
                "messages": [{"$ref": f"{channel}/messages/open"}],
                "reply": {"channel": {"$ref": channel}, "messages": [{"$ref": f"{channel}/messages/opened"}]},
                "x-clauses": ["TODO-OPEN-1", "TODO-OPEN-2"],
                **operation,
            }
        },
        "components": {"schemas": {"Base": BASE, "Open": FRAME, "Reply": {"type": "object"}}},
    }


def read(**operation: Any) -> Call:
    return from_document("todo", document(**operation)).calls[LABEL]


def refused(change: Callable[[dict[str, Any]], object]) -> ContractError:
    """The error of the document after that change."""
    changed = document()
    change(changed)
    with pytest.raises(ContractError) as raised:
        from_document("todo", changed)
    return raised.value


def test_call_is_named_after_its_channel_and_the_method_of_its_message() -> None:
    call = read()
    assert (call.api, call.label, call.endpoint, call.path, call.method) == (
        *("todo", LABEL, "things/thing", "/api/things/", "OPEN"),
    )


def test_parts_of_a_frame_are_those_of_all_its_schemas_and_the_nearest_counts() -> None:
    call = read()
    assert set(call.parts) == {"method", "token", "objectid", "namespace"}
    assert call.parts["method"] == {"enum": ["OPEN"]}
    assert (call.required_parts, call.forbidden_parts) == ({"objectid"}, {"namespace"})


def document_with(**schemas: Any) -> dict[str, Any]:
    """The document with these schemas in place of its own."""
    changed = document()
    changed["components"]["schemas"].update(schemas)
    return changed


def test_base_of_a_frame_may_require_parts_or_none() -> None:
    properties = BASE["properties"]
    for required, parts in (({"required": ["name"]}, {"name", "objectid"}), ({}, {"objectid"})):
        rpc = from_document("todo", document_with(Base={"properties": properties, **required}))
        assert rpc.calls[LABEL].required_parts == parts


def test_empty_object_is_a_part_whose_place_stays_empty() -> None:
    empty = {"type": "object", "maxProperties": 0}
    rpc = from_document("todo", document_with(Base={"properties": {"data": empty}}))
    assert rpc.calls[LABEL].forbidden_parts == {"namespace", "data"}


def test_frame_as_one_object_has_all_parts_but_the_token() -> None:
    schema = read().frame_schema
    assert set(schema["properties"]) == {"method", "objectid", "namespace"}
    assert {**schema, "properties": {}} == {"type": "object", "properties": {}, "required": ["method", "objectid"]}


@pytest.mark.parametrize("part", ["data", "parameters"])
def test_data_and_parameters_are_documented_where_members_are_shown(part: str) -> None:
    shown = {"type": "object", "properties": {"name": {"type": "string"}}}
    for schema, expected in ((shown, shown), ({"type": "object"}, None)):
        call = from_document("todo", document_with(Base={"properties": {part: schema}})).calls[LABEL]
        documented = {"data": call.data_schema, "parameters": call.parameters_schema}
        assert documented == {"data": None, "parameters": None, part: expected}


def test_call_has_the_schemas_and_the_examples_of_its_messages() -> None:
    call = read()
    assert (call.message_schema["required"], call.reply_schema) == (["objectid"], {"type": "object"})
    assert call.examples == ({"n": 1},)


def test_parts_that_are_left_out_have_defaults() -> None:
    call = read()
    assert (call.summary, call.section, call.safe, call.refusals) == ("", "general", False, {})
    assert (call.clauses, call.reply_clause) == (("TODO-OPEN-1", "TODO-OPEN-2"), "TODO-OPEN-1")


def test_parts_that_are_given_are_read() -> None:
    rules = {"missing": {"clause": "TODO-ERR-1"}}
    tags = [{"name": "methods"}, {"name": "other"}]
    call = read(summary="Opens.", tags=tags, **{"x-safe": True, "x-refusals": rules})
    assert (call.summary, call.section, call.safe, call.refusals) == ("Opens.", "methods", True, rules)


def test_reply_may_have_a_clause_of_its_own() -> None:
    changed = document()
    messages(changed)["opened"]["x-clause"] = "TODO-REPLY-1"
    assert from_document("todo", changed).calls[LABEL].reply_clause == "TODO-REPLY-1"


def test_operation_overrides_its_traits_and_a_later_trait_an_earlier_one() -> None:
    traits = [
        {"summary": "a", "x-refusals": {"missing": {"a": 1}, "empty": {"a": 1}}},
        {"summary": "b", "x-safe": True},
    ]
    call = read(traits=traits, **{"x-refusals": {"missing": {"b": 2}}})
    assert (call.summary, call.safe) == ("b", True)
    assert call.refusals == {"missing": {"a": 1, "b": 2}, "empty": {"a": 1}}


def rpc_with(**extension: Any) -> RpcContract:
    return from_document("todo", {**document(), "x-flowproof": extension})


def test_document_without_extension_has_no_rules() -> None:
    rpc = from_document("todo", document())
    assert (rpc.api, rpc.endpoint_paths, rpc.after_refusal_clause) == ("todo", {"things/thing": "/api/things/"}, None)
    contract = rpc.contract
    assert (contract.api, contract.operations, contract.security_schemes, contract.resources) == ("todo", {}, {}, {})
    assert (contract.error_format, contract.refusals, contract.document) == ({}, {}, document())


def test_extension_has_the_rules_of_refusals() -> None:
    rules = {"missing": {"clause": "TODO-ERR-1"}}
    rpc = rpc_with(error={"code": "/code"}, refusals=rules, after_refusal={"clause": "TODO-ERR-2"})
    assert (rpc.contract.error_format, rpc.contract.refusals) == ({"code": "/code"}, rules)
    assert rpc.after_refusal_clause == "TODO-ERR-2"


def test_schemas_keep_their_names() -> None:
    rpc = from_document("todo", document())
    assert set(rpc.contract.schemas) == {"Base", "Open", "Reply"}
    assert rpc.contract.name_of(rpc.calls[LABEL].message_schema) == "Open"


def test_document_without_operations_has_no_calls() -> None:
    rpc = from_document("todo", {"asyncapi": "3.0.0"})
    assert (rpc.calls, rpc.contract.schemas) == ({}, {})


def operation(changed: dict[str, Any]) -> dict[str, Any]:
    return changed["operations"]["open"]  # type: ignore[no-any-return]


def messages(changed: dict[str, Any]) -> dict[str, Any]:
    return changed["channels"]["things"]["messages"]  # type: ignore[no-any-return]


def with_methods(changed: dict[str, Any], methods: list[Any]) -> None:
    properties = {**FRAME["properties"], "method": {"enum": methods}}
    changed["components"]["schemas"]["Open"] = {**FRAME, "properties": properties}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: operation(it).update(action="send"), "expected the action receive, got 'send'"),
        (lambda it: operation(it).pop("action"), "expected the action receive, got None"),
        (lambda it: operation(it).pop("reply"), "it has no reply"),
        (lambda it: operation(it).pop("channel"), "its channel has no address or no x-http"),
        (lambda it: it["channels"]["things"].pop("address"), "its channel has no address or no x-http"),
        (lambda it: it["channels"]["things"].pop("x-http"), "its channel has no address or no x-http"),
        (lambda it: with_methods(it, []), "its message should allow one method, not 0"),
        (lambda it: with_methods(it, ["A", "B"]), "its message should allow one method, not 2"),
        (lambda it: with_methods(it, [7]), "its message should allow one method, not 7"),
        (lambda it: messages(it)["open"].pop("examples"), "its message has no example"),
        (lambda it: operation(it).pop("x-clauses"), "it names no clause (x-clauses)"),
        (lambda it: operation(it).pop("messages"), "expected one message each way, got 0"),
        (lambda it: operation(it)["reply"].pop("messages"), "expected one message each way, got 0"),
        (lambda it: operation(it)["messages"].extend(operation(it)["messages"]), "one message each way, got 2"),
        (lambda it: operation(it)["reply"].pop("channel"), "its message is no message of the channel None"),
        (
            lambda it: operation(it)["reply"].update(channel={"address": "a"}),
            "its message is no message of the channel a",
        ),
        (
            lambda it: operation(it).update(messages=[{"payload": {}}]),
            "its message is no message of the channel things/thing",
        ),
        (lambda it: it["components"]["schemas"].update(Open={}), "its message should allow one method, not 0"),
        (lambda it: messages(it)["opened"].pop("payload"), "its message has no payload"),
    ],
)
def test_operation_that_is_no_call_is_refused_with_the_reason(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    error = refused(change)
    assert re.search(f"^operation open: .*{re.escape(reason)}$", str(error))
    assert error.location == ("operations", "open")


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a small contract in a folder of its own; contracts are read once by name."""
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    name = f"calls{next(NUMBERS)}"
    write_contract(tmp_path, name)
    return name


def test_calls_are_read_from_the_document_of_the_api(api: str) -> None:
    rpc = load_rpc_contract(api)
    assert rpc
    assert (rpc.api, bool(rpc.calls)) == (api, True)
    assert load_rpc_contract(api) is rpc


def test_api_without_such_a_document_has_no_calls(api: str) -> None:
    (contracts.FOLDER / api / "asyncapi.yaml").unlink()
    assert load_rpc_contract(api) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("        examples: [{payload: {method: LIST}}]\n", "", "operation list: its message has no example"),
        ("x-clauses: [", "x-clauses: [NO-SUCH-1, ", "NO-SUCH-1 is no clause or reading of"),
        ("refused: {pointer: /ok", "refused: {pointer: /fine", "/fine leads to nothing in any documented response"),
    ],
)
def test_error_in_the_document_names_its_file_and_line(api: str, old: str, new: str, reason: str) -> None:
    path = contracts.FOLDER / api / "asyncapi.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ContractError, match=rf"^{re.escape(str(path))}, line \d+: .*{re.escape(reason)}"):
        load_rpc_contract(api)


def test_second_operation_for_the_same_call_is_refused() -> None:
    error = refused(lambda it: it["operations"].update(again=it["operations"]["open"]))
    assert "two operations call the same method at the same endpoint" in str(error)
    assert error.location == ("operations", "again")
