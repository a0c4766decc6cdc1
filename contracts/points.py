"""Everything that there is to exercise in an operation, as points, and the plan by which an exchange finds them.

Rule: a point is a fact of the contract alone. What a suite is able to send, or did send, has no say in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contracts.document import Contract
from contracts.nodes import Node
from contracts.operation import Operation, Parameter, Schema
from contracts.refusals import OF_A_VALUE, OF_THE_BODY, OF_THE_REQUEST, Mutation, rule
from contracts.route import HOLE, template
from contracts.shapes import Shapes, Spot

FORM = "application/x-www-form-urlencoded"
REQUEST, ANSWER = "request", "answer"
BROKEN = "broken requests"
PLAIN_FORMATS = ("date", "date-time", "time", "email", "uuid", "uri")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to exercise: `side` is request or answer, `where` the spot, `what` about it; all for people.

    `place` and `name` are those of a `Mutation` at that spot.
    """

    side: str
    where: str
    what: str
    place: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """What it is counted under, unique within its operation."""
        return f"{self.side}\t{self.where}\t{self.what}"


@dataclass(slots=True)
class Plan:
    """The points of one operation, and where an exchange hits them by their numbers.

    A parameter is itself with the points of its being sent and left out and its value's node. `answers` has the node
    of each answer's shape by the identity of its schema.
    """

    operation: Operation
    path: re.Pattern[str]
    in_path: tuple[str, ...]  # the names of what the groups of `path` hold
    points: list[Point] = field(default_factory=list)
    parameters: list[tuple[Parameter, int, int | None, Node | None]] = field(default_factory=list)
    body: tuple[int, int | None] | None = None
    body_types: dict[str, int] = field(default_factory=dict)
    body_node: Node | None = None
    kinds: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    media: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: dict[int, Node | None] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, side: str, place: str, where: str, what: str, name: str = "") -> int:
        """The number of that point; the same words are the same point."""
        point = Point(side, where, what, place, name)
        number = self._numbers.setdefault(point.key, len(self.points))
        if number == len(self.points):
            self.points.append(point)
        return number


def points(contract: Contract, operation: Operation) -> list[Point]:
    """Everything there is to exercise, requests first."""
    return plan(contract, operation).points


def plan(contract: Contract, operation: Operation) -> Plan:
    """The plan of an operation; making it takes some milliseconds, so it is kept by who needs it."""
    in_path = tuple(hole[1:-1] for hole in HOLE.findall(operation.path))
    made = Plan(operation, template(operation.path), in_path)
    for one in operation.parameters:
        _parameter(contract, made, one)
    _body(contract, made)
    for kind in kinds(contract, operation):
        made.kinds[kind] = made.add(REQUEST, "", BROKEN, kind.replace("_", " "))
    _answers(contract, made)
    return made


def _parameter(contract: Contract, made: Plan, one: Parameter) -> None:
    where = f"{one.place} {one.name}"
    add = partial(made.add, REQUEST, one.place)
    is_due = partial(_is_due, contract, made.operation, one)
    sent = add(where, "sent", one.name)
    may_lack = one.place != "path" and (not one.required or is_due(one.name, one.schema, "missing"))
    schema = one.schema
    if one.place == "path" and schema.get("minLength") == 1:  # an empty segment is another path
        schema = {key: value for key, value in schema.items() if key != "minLength"}
    node = Shapes(contract, add, is_due).node([schema], Spot(where, one.name))
    made.parameters.append((one, sent, add(where, "left out", one.name) if may_lack else None, node))


def _body(contract: Contract, made: Plan) -> None:
    body = made.operation.body
    if not body:
        return
    add = partial(made.add, REQUEST, "body")
    is_due = partial(_is_due, contract, made.operation, None)
    may_lack = not body.required or is_due("", {}, "no_body")
    made.body = add("body", "sent"), add("body", "left out") if may_lack else None
    made.body_types = {kind: add("body", f"as {kind}") for kind in body.content}
    made.body_node = Shapes(contract, add, is_due).node([body.schema], Spot("body"))


def _is_due(
    contract: Contract, operation: Operation, parameter: Parameter | None, name: str, schema: Schema, kind: str
) -> bool:
    """Whether the contract has a rule for such a broken request, and none that says it cannot be sent."""
    rules = parameter.refusals if parameter else schema.get("x-refusals")
    try:
        due = rule(contract, operation, Mutation(kind, parameter.place if parameter else "body", name, rules))
    except KeyError:
        return False
    return "not_applicable" not in due


def kinds(contract: Contract, operation: Operation) -> Iterator[str]:
    """The kinds of mutation that the contract calls for at this operation."""
    able = set(_kinds_of_values(contract, operation)) | {"unknown"}
    if operation.body:
        able |= set(OF_THE_BODY) - ({"not_an_object"} if operation.body.media_type == FORM else set())
    able |= {"wrong_accept"}
    if operation.needs_credentials:
        able |= {"no_credentials", "wrong_credentials", "empty_credentials"}
    siblings = [one for one in contract.operations.values() if one.path == operation.path]
    if siblings[0] is operation:  # once for a path
        able.add("unknown_method")
    if any(part and "{" not in part for part in operation.path.split("/")):
        able.add("unknown_path")
    for kind in (*OF_A_VALUE, *OF_THE_BODY, *OF_THE_REQUEST):
        place = "body" if kind in OF_THE_BODY else ""
        own = kind in OF_A_VALUE and kind != "unknown"  # has been asked of each value
        if kind in able and (own or _unscoped(contract, operation, kind, place)):
            yield kind


def _unscoped(contract: Contract, operation: Operation, kind: str, place: str) -> bool:
    try:
        return "not_applicable" not in rule(contract, operation, Mutation(kind, place))
    except KeyError:
        return False


def _kinds_of_values(contract: Contract, operation: Operation) -> Iterator[str]:
    """The kinds that break some parameter or property."""
    spots = [(one, one.name, one.schema, one.required) for one in operation.parameters]
    found: list[tuple[Parameter | None, str, Schema, bool]] = list(spots)
    if operation.body:
        found += [(None, *one) for one in _properties(contract, operation.body.schema, 0)]
    for parameter, name, schema, required in found:
        for kind in _breakable(schema, required, parameter):
            if _is_due(contract, operation, parameter, name, schema, kind):
                yield kind


def _properties(contract: Contract, schema: Schema, depth: int) -> Iterator[tuple[str, Schema, bool]]:
    whole = contract.resolve(schema)
    for name, inner in whole.get("properties", {}).items():
        resolved = contract.resolve(inner) if isinstance(inner, Mapping) else {}
        if not resolved.get("readOnly"):
            yield name, resolved, name in whole.get("required", ())
            if depth < 2:
                yield from _properties(contract, resolved, depth + 1)


def _breakable(schema: Schema, required: bool, parameter: Parameter | None) -> Iterator[str]:
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    in_path = parameter is not None and parameter.place == "path"
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
    if {"minimum", "maximum"} & set(schema) or {"maxLength", "maxItems"} & set(schema):
        yield "out_of_range"
    if schema.get("format") in PLAIN_FORMATS or "pattern" in schema:
        yield "bad_format"


def _answers(contract: Contract, made: Plan) -> None:
    add = partial(made.add, ANSWER, "")
    for key, response in made.operation.responses.items():
        made.statuses[key] = add("status", f"class {key}" if key.endswith("XX") else key)
        for kind in response.content:
            family = f"{key[0]}XX"
            made.media[family, kind] = add("media type", f"{kind or 'none'} with {family}")
    shapes = Shapes(contract, add)
    by_name: dict[str, Node | None] = {}
    for key, response in made.operation.responses.items():
        for media in response.content.values():
            schema: Mapping[str, Any] = media.get("schema", {})
            name = str(schema.get("$ref", key)).rpartition("/")[2] or key
            if name not in by_name:
                by_name[name] = shapes.node([schema], Spot(name))
            made.answers[id(schema)] = by_name[name]
