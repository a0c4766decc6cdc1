"""What an operation has of its parameters, bodies and responses, and what it has when the document leaves it out."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.openapi import from_document
from contracts.operation import Operation, documented_examples
from suites.selftest.contracts.one_operation import contract_with, only_operation

TREE = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}


def operation(**entry: Any) -> Operation:
    return only_operation(contract_with(schemas={"Tree": TREE}, **entry))


def test_parameter_of_a_schema_that_contains_itself_is_opened_once() -> None:
    reference = {"$ref": "#/components/schemas/Tree"}
    (parameter,) = operation(parameters=[{"in": "query", "name": "q", "schema": reference}]).parameters
    assert parameter.schema == TREE


def test_parameter_without_schema_takes_anything() -> None:
    for entry in ({}, {"content": {"application/json": {}}}):
        (parameter,) = operation(parameters=[{"in": "query", "name": "q", **entry}]).parameters
        assert (parameter.schema, parameter.example, parameter.required, parameter.refusals) == ({}, None, False, {})


@pytest.mark.parametrize("entry", [{"example": 1}, {"examples": {"a": {"value": 1}}}])
def test_example_beside_the_content_of_a_parameter_is_its_own(entry: dict[str, Any]) -> None:
    content = {"application/json": {"schema": {"example": 2}}}
    (parameter,) = operation(parameters=[{"in": "query", "name": "q", "content": content, **entry}]).parameters
    assert parameter.example == 1


@pytest.mark.parametrize(("entry", "required"), [({"required": True}, True), ({"required": False}, False), ({}, False)])
def test_body_may_be_left_out_unless_it_is_required(entry: dict[str, Any], required: bool) -> None:
    body = operation(requestBody={"content": {"text/csv": {}, "application/json": {"schema": TREE}}, **entry}).body
    assert body is not None
    assert (body.required, body.media_type, body.schema, body.examples()) == (required, "text/csv", {}, [])


@pytest.mark.parametrize(
    ("media", "examples"),
    [
        ({}, []),
        ({"example": 1}, [1]),
        ({"examples": {"a": {"value": 2}, "b": {"externalValue": "x"}, "c": {"value": None}}}, [2, None]),
        ({"example": 1, "examples": {"a": {"value": 2}}}, [1, 2]),
    ],
)
def test_examples_are_the_one_and_the_named_ones(media: dict[str, Any], examples: list[Any]) -> None:
    assert documented_examples(media) == examples


def test_response_has_headers_and_links() -> None:
    more = {"headers": {"Link": {"schema": {}}}, "links": {"next": {"operationId": "makeThing"}}}
    read = operation(responses={"200": {"description": "done", **more}, "404": {"description": "gone"}})
    full, empty = read.responses["200"], read.responses["404"]
    assert (full.headers, full.links) == (more["headers"], more["links"])
    assert (empty.headers, empty.links, empty.content, empty.clause) == ({}, {}, {}, None)


def test_path_of_a_server_keeps_its_letters() -> None:
    entry = {"operationId": "getA", "x-clauses": [], "responses": {}}
    contract = from_document("todo", {"servers": [{"url": "/X/"}], "paths": {"/a": {"get": entry}}})
    assert list(contract.operations) == ["GET /X/a"]
    assert contract.security_schemes == {}
    assert list(contract_with().security_schemes) == ["key"]
