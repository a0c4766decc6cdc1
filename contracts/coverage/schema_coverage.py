"""Builds the nodes of schemas: every member, limit, listed value and alternative becomes a coverage point.

All schemas that apply to the same part of a value (`allOf`) make one node; a schema that contains itself is expanded
once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.coverage.schema_nodes import SchemaNode
from contracts.openapi import Contract
from contracts.operation import Schema

AddPoint = Callable[[str, str, str], int]  # (display path, description, own name) -> the number of that point
MAX_DEPTH = 8  # levels of members below the root
MAX_SHOWN = 40  # characters of a listed value
Limit = tuple[str, int, tuple[type, ...], str, str]
LIMITS: tuple[Limit, ...] = (  # keyword, direction beyond it, measured types, description at it, and beyond it
    ("minimum", -1, (int, float), "at the minimum {}", "below the minimum {}"),
    ("maximum", 1, (int, float), "at the maximum {}", "above the maximum {}"),
    ("minLength", -1, (str,), "as short as {}", "shorter than {}"),
    ("maxLength", 1, (str,), "as long as {}", "longer than {}"),
    ("minItems", -1, (list,), "as few as {}", "fewer than {}"),
    ("maxItems", 1, (list,), "as many as {}", "more than {}"),
)


@dataclass(frozen=True, slots=True)
class Wording:
    """The descriptions of a member's presence and absence."""

    present: str
    absent: str


SENT = Wording("sent", "left out")  # of a request
SEEN = Wording("present", "absent")  # of a response


@dataclass(frozen=True, slots=True)
class NodeLocation:
    """Location of a schema node: display path, own name, required members, enclosing `$ref`s (which stop recursion)."""

    display_path: str
    name: str = ""
    required: frozenset[str] = frozenset()
    enclosing_refs: tuple[str, ...] = ()

    def member(self, name: str) -> NodeLocation:
        """A member of it."""
        return NodeLocation(
            f"{self.display_path}.{name}" if self.display_path else name, name, enclosing_refs=self.enclosing_refs
        )

    def item(self) -> NodeLocation:
        """Each of its items."""
        return NodeLocation(f"{self.display_path}[]", self.name, enclosing_refs=self.enclosing_refs)


@dataclass(frozen=True, slots=True)
class NodeBuilder:
    """Builds the nodes of a request when `is_expected` is given, else those of a response.

    `is_expected` says whether a kind of invalid request is to be sent at (name, schema). Responses have no points for
    limits and for values that are not listed, which concern only the judge.
    """

    contract: Contract
    add: AddPoint
    is_expected: Callable[[str, Schema, str], bool] | None = None

    def node(self, schemas: Sequence[Schema], location: NodeLocation) -> SchemaNode | None:
        """The node of the part to which all these schemas apply, None when nothing in it can be exercised."""
        references = tuple(schema["$ref"] for schema in schemas if isinstance(schema, Mapping) and "$ref" in schema)
        if set(references) & set(location.enclosing_refs) or location.display_path.count(".") >= MAX_DEPTH:
            return None  # a schema that contains itself is expanded once
        flat = list(self._flatten(schemas))
        required = location.required.union(*(schema.get("required", ()) for schema in flat))
        enclosing_refs = (*location.enclosing_refs, *references)
        location = NodeLocation(location.display_path, location.name, required, enclosing_refs)
        node = SchemaNode(frozenset(_types(flat)))
        self._add_values(node, flat, location)
        for name, member_schemas in _members(flat).items():
            self._add_member(node, name, member_schemas, location)
        others = [schema["additionalProperties"] for schema in flat if _is_mapping(schema, "additionalProperties")]
        node.rest = self.node(others, location.member("*")) if others else None
        items = [schema["items"] for schema in flat if _is_mapping(schema, "items")]
        node.items = self.node(items, location.item()) if items else None
        for schema in flat:
            self._add_branches(node, schema, location)
        return None if node.is_bare() else node

    def _flatten(self, schemas: Sequence[Schema]) -> Iterator[Schema]:
        """The schemas with what their `allOf` adds."""
        for schema in schemas:
            if not isinstance(schema, Mapping):
                continue  # true or false
            resolved = self.contract.resolve(schema)
            yield resolved
            yield from self._flatten(resolved.get("allOf", ()))

    def _add_values(self, node: SchemaNode, flat: Sequence[Schema], location: NodeLocation) -> None:
        """Adds the points of null, of listed values and of limits."""
        path, name = location.display_path, location.name
        listed = [value for schema in flat for value in schema.get("enum", ())]
        if "null" in node.types or None in listed:
            node.null = self.add(path, "null", name)
        for value in listed:
            if value is not None and not isinstance(value, list | dict):
                node.values[isinstance(value, bool), value] = self.add(path, f"value {_shorten(value)}", name)
        if self.is_expected and listed and self.is_expected(name, flat[0], "not_in_enum"):
            node.unlisted = self.add(path, "a value not listed", name)
        for schema in flat if self.is_expected and not listed else ():
            for limit in LIMITS:
                keyword = limit[0]
                if keyword in schema and (schema[keyword] or keyword in ("minimum", "maximum")):
                    self._add_limit(node, schema, limit, location)

    def _add_limit(self, node: SchemaNode, schema: Schema, limit: Limit, location: NodeLocation) -> None:
        keyword, direction, types, at, beyond = limit
        path, name, edge = location.display_path, location.name, schema[keyword]
        is_known = "x-known" in schema  # the target decides which values exist
        is_expected = self.is_expected is not None and self.is_expected(name, schema, "out_of_range")
        points = (
            None if is_known else self.add(path, at.format(edge), name),
            self.add(path, beyond.format(edge), name) if is_expected else None,
        )
        for measured in types:
            node.limits.setdefault(measured, []).append((edge, direction, *points))

    def _add_member(self, node: SchemaNode, name: str, schemas: Sequence[Schema], location: NodeLocation) -> None:
        schema = self.contract.resolve(schemas[0])
        if self.is_expected and schema.get("readOnly"):
            return
        wording = SENT if self.is_expected else SEEN
        member = location.member(name)
        present = self.add(member.display_path, wording.present, name)
        may_be_absent = name not in location.required or bool(
            self.is_expected and self.is_expected(name, schema, "missing")
        )
        absent = self.add(member.display_path, wording.absent, name) if may_be_absent else None
        inner = self.node(schemas, member)
        null = inner.null if inner else None
        node.members.append((name, present, absent, null, None if inner and inner.is_bare(but_null=True) else inner))

    def _add_branches(self, node: SchemaNode, schema: Schema, location: NodeLocation) -> None:
        """Adds the points of if and else, and of each alternative."""
        path, name = location.display_path, location.name
        if "if" in schema:
            title, holds = self._title(schema["if"]), self.contract.validator(schema["if"]).is_valid
            then, other = (self.node([schema[key]], location) if key in schema else None for key in ("then", "else"))
            points = self.add(path, f"if {title}", name), self.add(path, f"if not {title}", name)
            node.choices.append((holds, points[0], then, points[1], other))
        for number, branch in enumerate((*schema.get("anyOf", ()), *schema.get("oneOf", ())), 1):
            point = self.add(path, f"alternative {number}: {self._title(branch)}", name)
            node.alternatives.append((self.contract.validator(branch).is_valid, point, self.node([branch], location)))

    def _title(self, schema: Schema) -> str:
        """A schema in few words: its name, or its keywords."""
        if not isinstance(schema, Mapping):
            return str(schema)
        schema_name = self.contract.name_of(schema)
        if schema_name:
            return schema_name
        keywords = {key: value for key, value in schema.items() if not key.startswith(("x-", "example", "description"))}
        texts = [value if isinstance(value, str) else _shorten(self._named(value)) for value in keywords.values()]
        return ", ".join(f"{key} {text}" for key, text in zip(keywords, texts, strict=True))[: 2 * MAX_SHOWN]

    def _named(self, value: Any) -> Any:
        """A keyword's value in which component schemas are no more than their names."""
        if isinstance(value, list):
            return [self._named(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        schema_name = self.contract.name_of(value)
        if schema_name:
            return {"$ref": f"#/components/schemas/{schema_name}"}
        return {key: self._named(part) for key, part in value.items()}


def _members(flat: Sequence[Schema]) -> dict[str, list[Schema]]:
    """All schemas of each member."""
    members: dict[str, list[Schema]] = {}
    for schema in flat:
        for name, member in schema.get("properties", {}).items():
            members.setdefault(name, []).append(member if isinstance(member, Mapping) else {})
    return members


def _is_mapping(schema: Schema, keyword: str) -> bool:
    return isinstance(schema.get(keyword), Mapping)


def _types(flat: Sequence[Schema]) -> Iterator[str]:
    for schema in flat:
        types = schema.get("type", ())
        yield from (types,) if isinstance(types, str) else types


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
