"""Which members a schema names, wherever in it they are named."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.judge.documented_members import is_documented
from suites.selftest.contracts.one_operation import contract_with

SIZE = {"type": "object", "properties": {"size": {"type": "integer"}}}
IN_DATA = {"properties": {"data": SIZE}}
REFERENCE = {"$ref": "#/components/schemas/Size"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (SIZE, "size"),
        (IN_DATA, "data/size"),
        ({"items": SIZE}, "3/size"),
        ({"properties": {"rows": {"items": SIZE}}}, "rows/0/size"),
        ({"allOf": [{}, SIZE]}, "size"),
        ({"anyOf": [SIZE, {}]}, "size"),
        ({"oneOf": [{}, IN_DATA]}, "data/size"),
        ({"if": {}, "then": SIZE}, "size"),
        ({"if": {}, "else": IN_DATA}, "data/size"),
        ({"properties": {"data": {"anyOf": [{"items": SIZE}]}}}, "data/1/size"),
        (REFERENCE, "size"),
        ({"properties": {"data": REFERENCE}}, "data/size"),
    ],
)
def test_a_named_member_is_documented(schema: dict[str, Any], path: str) -> None:
    assert is_documented(contract_with(schemas={"Size": SIZE}), schema, path.split("/"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, "size"),
        (SIZE, "other"),
        (SIZE, "size/size"),
        (IN_DATA, "size"),
        ({"items": SIZE}, "rows/size"),
        ({"items": SIZE}, "size"),
        ({"items": True}, "0/size"),
        ({"properties": {"data": False}}, "data/size"),
        ({"if": SIZE}, "size"),
        ({"if": {}, "then": False}, "size"),
    ],
)
def test_another_member_is_not_documented(schema: dict[str, Any], path: str) -> None:
    assert not is_documented(contract_with(), schema, path.split("/"))
