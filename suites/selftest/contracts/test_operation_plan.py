"""The points of an operation: one rule at a time, on contracts with one operation."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.coverage.operation_plan import CoveragePoint, OperationPlan, coverage_points, expected_kinds
from contracts.openapi import from_document
from contracts.router import path_pattern
from suites.selftest.contracts.one_operation import contract_with, only_operation, query

ALWAYS = {"unknown", "unknown_method", "unknown_path", "wrong_accept"}  # of an operation without parts
BODY = {"malformed_body", "not_utf8", "not_an_object", "wrong_media_type", "no_media_type", "no_body", "too_large"}


def stable_id(value: object) -> str:
    """The text of a parameter, the same in every process: a set has no order of its own."""
    return ", ".join(sorted(value)) if isinstance(value, set) else str(value)


def kinds(**given: Any) -> set[str]:
    """The kinds of invalid request that are expected of an operation with these parts."""
    contract = contract_with(**given)
    kinds = list(expected_kinds(contract, only_operation(contract)))
    assert len(kinds) == len(set(kinds))
    return set(kinds)


def points(**given: Any) -> list[str]:
    """The points of an operation with these parts, as "side path: description"."""
    contract = contract_with(**given)
    coverage = coverage_points(contract, only_operation(contract))
    return [f"{point.side} {point.display_path}: {point.description}" for point in coverage]


def about(prefix: str, **given: Any) -> set[str]:
    """The points whose display path is the prefix or below it, without that side's name."""
    return {
        text.removeprefix("request ").removeprefix("response ")
        for text in points(**given)
        if text.split(" ", 1)[1].startswith(prefix)
    }


def test_operation_without_parts_expects_the_kinds_of_any_request() -> None:
    assert kinds() == ALWAYS


@pytest.mark.parametrize(
    ("schema", "required", "expected"),
    [
        ({"type": "string"}, False, set()),
        ({"type": "string"}, True, {"missing", "empty"}),
        ({"type": "integer"}, False, {"wrong_type"}),
        ({"type": ["integer", "null"]}, False, {"wrong_type"}),
        ({"type": ["integer", "string"]}, False, set()),
        ({"type": ["string", "null"]}, False, set()),
        ({}, False, set()),
        ({"type": "null"}, False, set()),
        ({"type": "integer", "minimum": 1}, False, {"wrong_type", "out_of_range"}),
        ({"type": "integer", "maximum": 1}, False, {"wrong_type", "out_of_range"}),
        ({"type": "string", "maxLength": 3}, False, {"out_of_range"}),
        ({"type": "string", "minLength": 3}, False, set()),
        ({"type": "array", "maxItems": 3}, False, {"wrong_type", "out_of_range"}),
        ({"type": "integer", "enum": [1]}, False, {"not_in_enum"}),
        ({"const": 1}, False, {"not_in_enum"}),
        ({"type": "string", "enum": ["a"]}, True, {"missing", "empty", "not_in_enum"}),
        ({"type": "string", "format": "date"}, False, {"bad_format"}),
        ({"type": "string", "format": "binary"}, False, set()),
        ({"type": "string", "pattern": "a"}, False, {"bad_format"}),
        ({"type": "string", "x-known": {"operation": "listThings", "pointer": "/id"}}, False, {"unknown_record"}),
        ({"type": "string", "x-known": {"setting": "thing"}}, False, set()),
    ],
    ids=stable_id,
)
def test_kinds_of_a_query_parameter(schema: dict[str, Any], required: bool, expected: set[str]) -> None:
    assert kinds(parameters=[{**query(**schema), "required": required}]) == ALWAYS | expected


def test_path_parameter_cannot_be_missing_or_empty() -> None:
    parameter = {"in": "path", "name": "id", "required": True, "schema": {"type": "string", "pattern": "a"}}
    assert kinds(path="/things/{id}", parameters=[parameter]) == ALWAYS | {"bad_format"}


@pytest.mark.parametrize(
    ("schema", "required", "expected"),
    [
        ({"type": "string"}, False, {"wrong_type"}),
        ({"type": "string"}, True, {"wrong_type", "missing", "empty"}),
        ({"type": "integer"}, True, {"wrong_type", "missing"}),
        ({"type": ["string", "null"]}, False, {"wrong_type"}),
        ({"type": ["string", "integer"]}, False, set()),
        ({"type": "string", "readOnly": True}, True, set()),
        ({"type": "string", "readOnly": False}, False, {"wrong_type"}),
    ],
    ids=stable_id,
)
def test_kinds_of_a_member_of_the_body(schema: dict[str, Any], required: bool, expected: set[str]) -> None:
    body = {"type": "object", "properties": {"name": schema}, "required": ["name"] if required else []}
    assert kinds(body=body) == ALWAYS | BODY | expected


@pytest.mark.parametrize(("depth", "is_expected"), [(0, True), (1, True), (2, True), (3, False)])
def test_members_are_invalid_down_to_the_second_level_below_the_body(depth: int, is_expected: bool) -> None:
    schema: dict[str, Any] = {"type": ["string", "integer"], "enum": ["a"]}
    for _ in range(depth + 1):
        schema = {"type": ["object", "array"], "properties": {"inner": schema}}
    assert ("not_in_enum" in kinds(body=schema)) is is_expected


def test_form_is_always_an_object() -> None:
    assert kinds(body={"type": "object"}, media_type="application/x-www-form-urlencoded") == (
        ALWAYS | BODY - {"not_an_object"}
    )


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ([], set()),
        ([{"key": []}], {"no_credentials", "wrong_credentials", "empty_credentials"}),
        ([{"key": []}, {}], set()),
    ],
    ids=["open", "closed", "optional"],
)
def test_credentials_are_invalid_where_they_are_needed(security: list[Any], expected: set[str]) -> None:
    assert kinds(security=security) == ALWAYS | expected


@pytest.mark.parametrize(("path", "is_expected"), [("/things", True), ("/{id}", False), ("/{id}/parts", True)])
def test_path_is_unknown_where_a_segment_is_fixed(path: str, is_expected: bool) -> None:
    parameter = {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}
    assert ("unknown_path" in kinds(path=path, parameters=[parameter])) is is_expected


def test_unknown_method_is_expected_once_for_a_path() -> None:
    entry = {"x-clauses": ["TODO-MAKE-1"], "responses": {"200": {"description": "done"}}}
    document = {
        "paths": {
            "/a": {"get": {"operationId": "getA", **entry}, "post": {"operationId": "postA", **entry}},
            "/b": {"post": {"operationId": "postB", **entry}},
        },
        "x-flowproof": {"refusals": {"unknown_method": {"clause": "TODO-ERR-1"}}},
    }
    contract = from_document("todo", document)
    expected = {label: list(expected_kinds(contract, it)) for label, it in contract.operations.items()}
    assert expected == {"GET /a": ["unknown_method"], "POST /a": [], "POST /b": ["unknown_method"]}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, set()),
        ({"wrong_accept": {"clause": "TODO-ERR-1"}}, {"wrong_accept"}),
        ({"wrong_accept": {"unstated": "TODO-AMB-1"}}, {"wrong_accept"}),
        ({"wrong_accept": {"not_applicable": "no"}}, set()),
        ({"query.wrong_type": {"clause": "TODO-ERR-1"}}, {"wrong_type"}),
        ({"body.wrong_type": {"clause": "TODO-ERR-1"}}, set()),
        ({"wrong_type": {"clause": "TODO-ERR-1"}, "query.wrong_type": {"not_applicable": "no"}}, set()),
        ({"body.no_body": {"clause": "TODO-ERR-1"}}, {"no_body"}),
        ({"unknown": {"clause": "TODO-ERR-1"}}, {"unknown"}),
        ({"query.unknown": {"clause": "TODO-ERR-1"}}, set()),
    ],
    ids=stable_id,
)
def test_only_kinds_with_a_rule_that_applies_are_expected(rules: dict[str, Any], expected: set[str]) -> None:
    assert kinds(parameters=[query(type="integer")], body={"type": "object"}, refusals=rules) == expected


@pytest.mark.parametrize(("kind", "is_of_bodies"), [("wrong_type", True), ("wrong_accept", False)])
def test_rule_for_bodies_is_for_what_is_in_one(kind: str, is_of_bodies: bool) -> None:
    rules = {kind: {"clause": "TODO-ERR-1"}, f"body.{kind}": {"not_applicable": "no"}}
    body = {"type": "object", "properties": {"size": {"type": "integer"}}}
    assert (kind not in kinds(body=body, refusals=rules)) is is_of_bodies


def test_member_that_may_be_anything_is_never_invalid() -> None:
    assert kinds(body={"type": "object", "properties": {"any": True}}) == ALWAYS | BODY


def test_rule_at_the_parameter_decides() -> None:
    parameter = {**query(type="integer"), "x-refusals": {"wrong_type": {"not_applicable": "no"}}}
    assert "wrong_type" not in kinds(parameters=[parameter])


def test_rule_at_the_member_decides() -> None:
    member = {"type": "integer", "x-refusals": {"wrong_type": {"not_applicable": "no"}}}
    assert "wrong_type" not in kinds(body={"type": "object", "properties": {"size": member}})


@pytest.mark.parametrize(
    ("parameter", "descriptions"),
    [
        ({**query(type="string"), "required": True}, {"sent", "left out"}),
        ({**query(type="string"), "required": False}, {"sent", "left out"}),
        (
            {**query(type="string"), "required": True, "x-refusals": {"missing": {"not_applicable": "no"}}},
            {"sent"},
        ),
    ],
    ids=["required", "optional", "never missing"],
)
def test_parameter_is_sent_or_left_out_where_both_can_be(parameter: dict[str, Any], descriptions: set[str]) -> None:
    assert about("query q", parameters=[parameter]) == {f"query q: {text}" for text in descriptions}


def test_path_parameter_is_never_left_out_and_never_empty() -> None:
    schema = {"type": "string", "minLength": 1, "maxLength": 5}
    parameter = {"in": "path", "name": "id", "required": False, "schema": schema}
    assert about("path id", path="/things/{id}", parameters=[parameter]) == {
        "path id: sent",
        "path id: as long as 5",
        "path id: longer than 5",
    }


def test_path_parameter_may_have_a_longer_minimum() -> None:
    parameter = {"in": "path", "name": "id", "required": True, "schema": {"type": "string", "minLength": 2}}
    assert "path id: as short as 2" in about("path id", path="/things/{id}", parameters=[parameter])


def test_query_parameter_keeps_its_minimum_of_one_character() -> None:
    assert "query q: as short as 1" in about("query q", parameters=[query(type="string", minLength=1)])


@pytest.mark.parametrize(
    ("required", "rules", "descriptions"),
    [
        (True, {}, {"sent", "as application/json"}),
        (False, {}, {"sent", "left out", "as application/json"}),
        (True, {"no_body": {"clause": "TODO-ERR-1"}}, {"sent", "left out", "as application/json"}),
    ],
    ids=["required", "optional", "required and refused without"],
)
def test_body_is_sent_or_left_out_where_both_can_be(
    required: bool, rules: dict[str, Any], descriptions: set[str]
) -> None:
    content = {"application/json": {"schema": {"type": "object"}}}
    texts = about("body", requestBody={"required": required, "content": content}, refusals=rules)
    assert texts == {f"body: {text}" for text in descriptions}


def test_each_media_type_of_the_body_is_a_point() -> None:
    content = {kind: {"schema": {"type": "object"}} for kind in ("application/json", "text/plain")}
    texts = about("body", requestBody={"required": True, "content": content}, refusals={})
    assert texts == {"body: sent", "body: as application/json", "body: as text/plain"}


def test_statuses_and_media_types_of_responses_are_points() -> None:
    responses = {
        "201": {"description": "made", "content": {"application/json": {"schema": {"type": "object"}}}},
        "4XX": {"description": "refused", "content": {"": {"schema": {}}}},
        "default": {"description": "other"},
    }
    assert [text for text in points(responses=responses) if text.startswith("response")] == [
        "response status: 201",
        "response media type: application/json with 2XX",
        "response status: class 4XX",
        "response media type: none with 4XX",
        "response status: default",
    ]


def test_response_without_schema_has_points_for_its_status_and_media_type() -> None:
    responses = {"200": {"description": "done", "content": {"text/plain": {}}}}
    contract = contract_with(responses=responses)
    points = [point for point in coverage_points(contract, only_operation(contract)) if point.side == "response"]
    assert [(point.display_path, point.description, point.location) for point in points] == [
        ("status", "200", ""),
        ("media type", "text/plain with 2XX", ""),
    ]


def test_response_is_named_after_its_schema_or_else_its_status() -> None:
    thing = {"type": "object", "properties": {"id": {"type": "integer"}}}
    responses = {
        "200": {
            "description": "a",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
        },
        "201": {
            "description": "b",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
        },
        "202": {"description": "c", "content": {"application/json": {"schema": dict(thing)}}},
    }
    texts = points(responses=responses, schemas={"Thing": thing})
    assert [text for text in texts if ".id" in text or " id" in text or "id:" in text] == [
        "response Thing.id: present",
        "response Thing.id: absent",
        "response 202.id: present",
        "response 202.id: absent",
    ]


def test_kinds_of_invalid_requests_are_points() -> None:
    assert "request invalid requests: wrong accept" in points()


def test_points_with_the_same_key_are_one() -> None:
    plan = OperationPlan(only_operation(contract_with()), path_pattern("/things"), ())
    first = plan.add("request", "query", "query q", "sent", "q")
    assert plan.add("request", "query", "query q", "left out", "q") == first + 1
    assert plan.add("request", "query", "query q", "sent", "q") == first
    assert [point.key for point in plan.points] == ["request\tquery q\tsent", "request\tquery q\tleft out"]
    assert plan.points[0] == CoveragePoint("request", "query q", "sent", "query", "q")


def test_points_know_the_location_and_the_name_of_what_they_are_about() -> None:
    parameters = [{**query("q", type="integer", minimum=1), "required": True}]
    body = {"type": "object", "properties": {"size": {"type": "string", "enum": ["a"]}}}
    contract = contract_with(parameters=parameters, body=body)
    points = coverage_points(contract, only_operation(contract))
    about = {(point.display_path, point.location, point.name) for point in points if point.side == "request"}
    assert about == {
        ("query q", "query", "q"),
        ("body", "body", ""),
        ("body.size", "body", "size"),
        ("invalid requests", "", ""),
    }
