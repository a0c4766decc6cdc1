"""Everything that can be exercised in an operation, as coverage points, and the plan by which exchanges reach them.

The points follow from the contract alone, not from what a suite can send or did send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contracts.coverage.schema_coverage import NodeBuilder, NodeLocation
from contracts.coverage.schema_nodes import SchemaNode
from contracts.errors import ContractError
from contracts.invalid_kinds import BODY_KINDS, INVALID_KINDS, VALUE_KINDS
from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from contracts.openapi import Contract
from contracts.operation import TEMPLATE_EXPRESSION, Operation, Parameter, Schema
from contracts.router import path_pattern

FORM = "application/x-www-form-urlencoded"
REQUEST, RESPONSE = "request", "response"
INVALID_REQUESTS = "invalid requests"
PLAIN_FORMATS = ("date", "date-time", "time", "email", "uuid", "uri")
MAX_DEPTH = 2  # levels of a body's members below its own
CREDENTIALS = {"no_credentials", "wrong_credentials", "empty_credentials"}


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """One thing to exercise. `side` is request or response; `display_path` and `description` are shown in reports.

    `location` and `name` are those of an `InvalidCase` about the same value.
    """

    side: str
    display_path: str
    description: str
    location: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """The key under which it is counted, unique within its operation."""
        return f"{self.side}\t{self.display_path}\t{self.description}"


@dataclass(slots=True)
class OperationPlan:
    """The points of one operation, and which parts of an exchange reach them, by their numbers.

    `parameters` has (parameter, point of being sent, point of being left out, node of its value); `body` has the
    points of a body that is sent and left out; `responses` has the node of each response schema by the schema's
    identity. A number is None where there is no such point.
    """

    operation: Operation
    path: re.Pattern[str]
    path_parameters: tuple[str, ...]  # the names of the groups of `path`
    points: list[CoveragePoint] = field(default_factory=list)
    parameters: list[tuple[Parameter, int, int | None, SchemaNode | None]] = field(default_factory=list)
    body: tuple[int, int | None] | None = None
    body_types: dict[str, int] = field(default_factory=dict)
    body_node: SchemaNode | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    media: dict[tuple[str, str], int] = field(default_factory=dict)
    responses: dict[int, SchemaNode | None] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, side: str, location: str, display_path: str, description: str, name: str = "") -> int:
        """The number of that point; points with the same key are the same point."""
        point = CoveragePoint(side, display_path, description, location, name)
        number = self._numbers.setdefault(point.key, len(self.points))
        if number == len(self.points):
            self.points.append(point)
        return number


def coverage_points(contract: Contract, operation: Operation) -> list[CoveragePoint]:
    """Everything that can be exercised, requests first."""
    return plan_operation(contract, operation).points


def plan_operation(contract: Contract, operation: Operation) -> OperationPlan:
    """The plan of an operation. It takes some milliseconds, so callers keep it."""
    path_parameters = tuple(expression[1:-1] for expression in TEMPLATE_EXPRESSION.findall(operation.path))
    plan = OperationPlan(operation, path_pattern(operation.path), path_parameters)
    for parameter in operation.parameters:
        _add_parameter(contract, plan, parameter)
    _add_body(contract, plan)
    for kind in expected_kinds(contract, operation):
        plan.kinds[kind] = plan.add(REQUEST, "", INVALID_REQUESTS, kind.replace("_", " "))
    _add_responses(contract, plan)
    return plan


def _add_parameter(contract: Contract, plan: OperationPlan, parameter: Parameter) -> None:
    display_path = f"{parameter.location} {parameter.name}"
    in_path = parameter.location == "path"
    add = partial(plan.add, REQUEST, parameter.location)
    is_expected = partial(_is_expected, contract, plan.operation, parameter)
    sent = add(display_path, "sent", parameter.name)
    may_be_absent = not in_path and (not parameter.required or is_expected(parameter.name, parameter.schema, "missing"))
    schema = parameter.schema
    if in_path and schema.get("minLength") == 1:  # an empty segment is another path
        schema = {key: value for key, value in schema.items() if key != "minLength"}
    node = NodeBuilder(contract, add, is_expected).node([schema], NodeLocation(display_path, parameter.name))
    absent = add(display_path, "left out", parameter.name) if may_be_absent else None
    plan.parameters.append((parameter, sent, absent, node))


def _add_body(contract: Contract, plan: OperationPlan) -> None:
    body = plan.operation.body
    if not body:
        return
    add = partial(plan.add, REQUEST, "body")
    is_expected = partial(_is_expected, contract, plan.operation, None)
    may_be_absent = not body.required or is_expected("", {}, "no_body")
    plan.body = add("body", "sent"), add("body", "left out") if may_be_absent else None
    plan.body_types = {media_type: add("body", f"as {media_type}") for media_type in body.content}
    plan.body_node = NodeBuilder(contract, add, is_expected).node([body.schema], NodeLocation("body"))


def _is_expected(
    contract: Contract, operation: Operation, parameter: Parameter | None, name: str, schema: Schema, kind: str
) -> bool:
    """Whether the contract has a rule for such an invalid value, and none that says it cannot be sent."""
    location = parameter.location if parameter else "body"
    rules = parameter.refusals if parameter else schema.get("x-refusals")
    return _has_rule(contract, operation, InvalidCase(kind, location, name, rules))


def _has_rule(contract: Contract, operation: Operation, case: InvalidCase) -> bool:
    try:
        return "not_applicable" not in refusal_rule(contract, operation, case)
    except ContractError:
        return False


def expected_kinds(contract: Contract, operation: Operation) -> Iterator[str]:
    """The kinds of invalid request that the contract calls for at this operation."""
    possible = {"unknown", "wrong_accept", *_value_kinds(contract, operation)}
    if operation.body:
        possible |= set(BODY_KINDS) - ({"not_an_object"} if operation.body.media_type == FORM else set())
    if operation.needs_credentials:
        possible |= CREDENTIALS
    first = next(other for other in contract.operations.values() if other.path == operation.path)
    if first is operation:  # once for a path
        possible.add("unknown_method")
    if any(segment and "{" not in segment for segment in operation.path.split("/")):
        possible.add("unknown_path")
    for kind in INVALID_KINDS:
        location = "body" if kind in BODY_KINDS else ""
        is_decided = kind in VALUE_KINDS and kind != "unknown"  # by the rules for each value
        if kind in possible and (is_decided or _has_rule(contract, operation, InvalidCase(kind, location))):
            yield kind


def _value_kinds(contract: Contract, operation: Operation) -> Iterator[str]:
    """The kinds that make a parameter or a property invalid."""
    values: list[tuple[Parameter | None, str, Schema, bool]] = [
        (parameter, parameter.name, parameter.schema, parameter.required) for parameter in operation.parameters
    ]
    if operation.body:
        values += [(None, *member) for member in _properties(contract, operation.body.schema, 0)]
    for parameter, name, schema, required in values:
        for kind in _kinds_of(schema, required, parameter):
            if _is_expected(contract, operation, parameter, name, schema, kind):
                yield kind


def _properties(contract: Contract, schema: Schema, depth: int) -> Iterator[tuple[str, Schema, bool]]:
    """(name, schema, whether it is required) of the members that a client may send."""
    schema = contract.resolve(schema)
    for name, member in schema.get("properties", {}).items():
        resolved = contract.resolve(member) if isinstance(member, Mapping) else {}
        if not resolved.get("readOnly"):
            yield name, resolved, name in schema.get("required", ())
            if depth < MAX_DEPTH:
                yield from _properties(contract, resolved, depth + 1)


def _kinds_of(schema: Schema, required: bool, parameter: Parameter | None) -> Iterator[str]:
    """The ways in which a value with that schema can be invalid; `parameter` is None for a property."""
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    in_path = parameter is not None and parameter.location == "path"
    if required and not in_path:
        yield "missing"
        if parameter or "string" in types:
            yield "empty"
    source = schema.get("x-known")
    if source and "operation" in source:
        yield "unknown_record"
    if "enum" in schema or "const" in schema:
        yield "not_in_enum"
        return
    if len(types - {"null"}) == 1 and (not parameter or "string" not in types):
        yield "wrong_type"
    if {"minimum", "maximum", "maxLength", "maxItems"} & set(schema):
        yield "out_of_range"
    if schema.get("format") in PLAIN_FORMATS or "pattern" in schema:
        yield "bad_format"


def _add_responses(contract: Contract, plan: OperationPlan) -> None:
    add = partial(plan.add, RESPONSE, "")
    for status, response in plan.operation.responses.items():
        plan.statuses[status] = add("status", f"class {status}" if status.endswith("XX") else status)
        for media_type in response.content:
            family = f"{status[0]}XX"
            plan.media[family, media_type] = add("media type", f"{media_type or 'none'} with {family}")
    builder = NodeBuilder(contract, add)
    nodes: dict[str, SchemaNode | None] = {}  # by the schema's name, or else the response's status
    for status, response in plan.operation.responses.items():
        for media in response.content.values():
            schema: Mapping[str, Any] = media.get("schema", {})
            name = contract.name_of(schema) or status
            if name not in nodes:
                nodes[name] = builder.node([schema], NodeLocation(name))
            plan.responses[id(schema)] = nodes[name]
