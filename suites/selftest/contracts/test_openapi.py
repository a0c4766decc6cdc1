"""How operations are read from a document: servers, calls, parameters, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import ContractError
from contracts.openapi import Contract, from_document
from contracts.operation import Operation
from suites.selftest.contracts.one_operation import contract_with, only_operation, query

RESPONSES = {"200": {"description": "done"}}


def document(entry: dict[str, Any] | None = None, method: str = "get", **more: Any) -> dict[str, Any]:
    """A document with one operation `<method> /a`; `entry` comes on top of what every operation has."""
    operation = {"operationId": "getA", "x-clauses": ["TODO-A-1"], "responses": RESPONSES, **(entry or {})}
    return {"paths": {"/a": {method: operation}}, **more}


def operation(entry: dict[str, Any] | None = None, method: str = "get", **more: Any) -> Operation:
    return only_operation(from_document("todo", document(entry, method, **more)))


def test_operation_has_defaults_for_what_the_document_leaves_out() -> None:
    read = operation()
    assert (read.api, read.id, read.label, read.method, read.path, read.server) == (
        *("todo", "getA", "GET /a", "GET", "/a"),
        0,
    )
    assert (read.summary, read.section, read.clauses) == ("", "general", ("TODO-A-1",))
    assert (read.parameters, read.body, read.security, read.base_headers, read.refusals) == ((), None, (), {}, {})
    assert str(read) == "todo GET /a"


def test_operation_has_what_the_document_says() -> None:
    refusals = {"missing": {"clause": "TODO-ERR-1"}}
    read = operation({"summary": "Reads.", "tags": ["notes", "other"], "x-refusals": refusals})
    assert (read.summary, read.section, read.refusals) == ("Reads.", "notes", refusals)


@pytest.mark.parametrize("method", ["get", "put", "post", "delete", "patch", "head", "options", "trace"])
def test_each_method_is_an_operation_and_some_are_safe(method: str) -> None:
    read = operation(method=method)
    assert read.label == f"{method.upper()} /a"
    assert read.safe is (method in ("get", "head", "options"))


@pytest.mark.parametrize(("method", "safe"), [("get", False), ("post", True)])
def test_document_may_say_what_is_safe(method: str, safe: bool) -> None:
    assert operation({"x-safe": safe}, method).safe is safe


@pytest.mark.parametrize(
    ("top", "own", "expected", "needed"),
    [
        (None, None, (), False),
        ([{"key": []}], None, ({"key": []},), True),
        ([{"key": []}], [], (), False),
        ([], [{"key": []}], ({"key": []},), True),
        ([{"key": []}], [{"key": []}, {}], ({"key": []}, {}), False),
    ],
)
def test_security_of_an_operation_comes_before_the_documents(top: Any, own: Any, expected: Any, needed: bool) -> None:
    more = {} if top is None else {"security": top}
    read = operation({} if own is None else {"security": own}, **more)
    assert (read.security, read.needs_credentials) == (expected, needed)


def test_each_server_has_the_operation_with_its_path_and_headers() -> None:
    servers = [{"url": "/", "x-headers": {"Accept": "a/b"}}, {"url": "/v2/"}]
    contract = from_document("todo", document(servers=servers))
    assert {label: (it.server, it.base_headers) for label, it in contract.operations.items()} == {
        "GET /a": (0, {"Accept": "a/b"}),
        "GET /v2/a": (1, {}),
    }
    assert contract.find("getA", 1).label == "GET /v2/a"
    assert contract.find("getA").label == "GET /a"


@pytest.mark.parametrize("servers", [None, []])
def test_document_without_servers_has_one(servers: Any) -> None:
    more = {} if servers is None else {"servers": servers}
    assert operation(**more).path == "/a"


@pytest.mark.parametrize(("server", "message"), [(0, "no operation 'getX': expected"), (3, "'getX' at server 4: ")])
def test_unknown_operation_is_an_error_that_names_the_close_ones(server: int, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        from_document("todo", document()).find("getX", server)


def test_same_operation_at_two_servers_with_one_path_is_an_error() -> None:
    with pytest.raises(ContractError, match="two operations are GET /a") as error:
        from_document("todo", document(servers=[{"url": "/"}, {"url": ""}]))
    assert error.value.location == ("paths", "/a", "get")


def test_parameters_of_the_path_are_laid_under_the_operations() -> None:
    shared = [query("q", type="integer"), query("r", type="integer"), {"in": "header", "name": "q", "schema": {}}]
    source = document({"parameters": [{"in": "query", "name": "q", "required": True}]})
    source["paths"]["/a"]["parameters"] = shared
    read = only_operation(from_document("todo", source))
    assert [(it.location, it.name, it.required, it.schema) for it in read.parameters] == [
        ("query", "q", True, {"type": "integer"}),
        ("query", "r", False, {"type": "integer"}),
        ("header", "q", False, {}),
    ]


def test_calls_are_laid_over_their_operation() -> None:
    calls = {
        "one": {"x-clauses": ["TODO-A-2"], "parameters": [query("mode", enum=["1"])], "x-safe": False},
        "two": {"x-without": ["query.limit"], "responses": {"404": {"description": "gone"}}, "tags": ["two"]},
    }
    entry = {"parameters": [query("limit"), {"in": "header", "name": "limit", "schema": {}}], "x-calls": calls}
    contract = from_document("todo", document(entry))
    first, second = contract.operations["GET /a one"], contract.operations["GET /a two"]
    assert (first.id, second.id) == ("getA one", "getA two")
    assert (first.clauses, second.clauses) == (("TODO-A-2",), ("TODO-A-1",))
    assert [f"{it.location}.{it.name}" for it in first.parameters] == ["query.limit", "header.limit", "query.mode"]
    assert [f"{it.location}.{it.name}" for it in second.parameters] == ["header.limit"]
    assert (list(first.responses), list(second.responses)) == (["200"], ["200", "404"])
    assert (first.safe, second.safe, second.section) == (False, True, "two")
    assert contract.locations["GET /a two"] == ("paths", "/a", "get", "x-calls", "two")


def test_call_may_take_the_body_away_and_replaces_schemas_and_examples_whole() -> None:
    body = {"content": {"application/json": {"schema": {"type": "object", "title": "a"}, "example": {"a": 1, "b": 2}}}}
    other = {"content": {"application/json": {"schema": {"type": "array"}, "example": {"b": 3}}}}
    entry = {"requestBody": body, "x-calls": {"none": {"requestBody": None}, "other": {"requestBody": other}}}
    contract = from_document("todo", document(entry, "post"))
    assert contract.operations["POST /a none"].body is None
    changed = contract.operations["POST /a other"].body
    assert changed
    assert changed.schema == {"type": "array"}
    assert changed.examples() == [{"b": 3}]


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({"schema": {"example": 1}}, 1),
        ({"schema": {"example": 1}, "examples": {"a": {"value": 2}}}, 2),
        ({"schema": {}, "example": 3, "examples": {"a": {"value": 2}}}, 3),
        ({"schema": {}, "examples": {"a": {"externalValue": "x"}, "b": {"value": 4}}}, 4),
        ({"content": {"application/json": {"schema": {}, "example": 5}}}, 5),
        ({"content": {"application/json": {"schema": {}, "examples": {"a": {"value": 6}}}}}, 6),
        ({"schema": {}}, None),
    ],
    ids=str,
)
def test_example_of_a_parameter_is_the_nearest(parameter: dict[str, Any], expected: Any) -> None:
    read = operation({"parameters": [{"in": "query", "name": "q", **parameter}]})
    assert read.parameters[0].example == expected


def test_parameter_with_content_has_its_media_type_and_schema() -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    (parameter,) = operation({"parameters": [{"in": "query", "name": "q", "content": content}]}).parameters
    assert (parameter.media_type, parameter.schema) == ("application/json", {"type": "object"})
    (plain,) = operation({"parameters": [query("q", type="object")]}).parameters
    assert plain.media_type is None


def test_source_of_a_value_may_stand_at_the_parameter_or_its_schema() -> None:
    source = {"setting": "thing"}
    for parameter in ({**query("q"), "x-known": source}, query("q", **{"x-known": source})):
        (read,) = operation({"parameters": [parameter]}).parameters
        assert read.value_source == source
    assert operation({"parameters": [query("q")]}).parameters[0].value_source is None


def test_rules_at_the_parameter_come_before_those_of_its_schema() -> None:
    of_schema = {"missing": {"clause": "TODO-A-1"}, "empty": {"clause": "TODO-A-2"}}
    parameter = {**query("q", **{"x-refusals": of_schema}), "x-refusals": {"missing": {"clause": "TODO-A-3"}}}
    (read,) = operation({"parameters": [parameter]}).parameters
    assert read.refusals == {"missing": {"clause": "TODO-A-3"}, "empty": {"clause": "TODO-A-2"}}


def test_media_types_of_responses_are_in_small_letters() -> None:
    responses = {"200": {"description": "a", "content": {"Text/CSV": {"schema": {}}}, "x-clause": "TODO-A-5"}}
    response = operation({"responses": responses}).responses["200"]
    assert (list(response.content), response.status, response.clause) == (["text/csv"], "200", "TODO-A-5")


@pytest.mark.parametrize(
    ("status", "expected"), [(200, "200"), (201, "2XX"), (299, "2XX"), (300, "default"), (404, "404"), (400, "4XX")]
)
def test_response_is_found_by_status_then_class_then_default(status: int, expected: str) -> None:
    keys = ("200", "2XX", "404", "4XX", "default")
    response = operation({"responses": {key: {"description": key} for key in keys}}).response_for(status)
    assert response
    assert response.status == expected


def test_status_that_is_not_documented_has_no_response() -> None:
    assert operation().response_for(404) is None


def with_schemas(**schemas: Any) -> Contract:
    return contract_with(schemas=schemas)


def test_validator_is_compiled_once_for_a_schema_and_knows_formats() -> None:
    contract = with_schemas(Day={"type": "string", "format": "date"})
    schema = contract.schemas["Day"]
    assert contract.validator(schema) is contract.validator(schema)
    assert contract.validator(schema).is_valid("2026-01-31")
    assert not contract.validator(schema).is_valid("2026-01-32")
    assert contract.validator(dict(schema)) is not contract.validator(schema)


def test_validator_knows_schemas_that_contain_themselves() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}
    contract = with_schemas(Tree=tree)
    for schema in (contract.schemas["Tree"], {"$ref": "#/components/schemas/Tree"}):
        assert contract.validator(schema).is_valid({"left": {"left": {}}})
        assert not contract.validator(schema).is_valid({"left": {"left": 1}})


def test_schema_has_the_name_of_its_component() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}
    contract = with_schemas(Tree=tree, Leaf={"type": "string"})
    assert contract.name_of(contract.schemas["Leaf"]) == "Leaf"
    assert contract.name_of({"$ref": "#/components/schemas/Tree"}) == "Tree"
    assert contract.name_of({"type": "string"}) is None
    assert contract.resolve({"$ref": "#/components/schemas/Tree"}) == contract.schemas["Tree"]
    assert contract.resolve(contract.schemas["Leaf"]) is contract.schemas["Leaf"]


def test_contract_has_what_the_document_says_of_refusals_and_records() -> None:
    extension = {"error": {"refused": {"status": "4XX"}}, "refusals": {"empty": {}}, "resources": {"notes": {}}}
    contract = from_document("todo", document(**{"x-flowproof": extension}))
    assert (contract.error_format, contract.refusals, contract.resources) == tuple(extension.values())
    plain = from_document("todo", document())
    assert (plain.error_format, plain.refusals, plain.resources, plain.schemas) == ({}, {}, {}, {})


def test_an_operation_is_shown_by_its_name_alone() -> None:
    assert repr(operation()) == str(operation()) == "todo GET /a"
