"""What the contract says about a value in a response: the values that it lists, and whether its members are names.

Rule: a raw value may be kept only where the contract lists what may stand there, or where it is written like a code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.openapi import Contract
from contracts.operation import Schema

COMBINED = ("allOf", "oneOf", "anyOf")
MAX_LEVELS = 12  # of schemas within each other


@dataclass(frozen=True, eq=False)
class DocumentedValues:
    """The schema of one response, read by JSON path; `schema` is None where nothing is documented."""

    contract: Contract
    schema: Schema | None

    def listed(self, path: str) -> frozenset[str]:
        """The texts and numbers that the contract lists at that path (`enum`, `const`), as text."""
        values: list[Any] = []
        for schema in self._schemas_at(path):
            values += schema.get("enum", [])
            values += [schema["const"]] if "const" in schema else []
        return frozenset(str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool))

    def is_map(self, path: str) -> bool:
        """Whether the members of the object at that path are entries with names that nobody has documented."""
        schemas = list(self._schemas_at(path))
        members = [schema for schema in schemas if schema.get("properties")]
        return not members and any(isinstance(schema.get("additionalProperties"), dict) for schema in schemas)

    def _schemas_at(self, path: str) -> Iterator[Schema]:
        if self.schema is None:
            return
        schemas = list(_branches(self.contract, self.schema, 0))
        for token in path.split("/")[1:] if path != "/" else ():
            schemas = [branch for schema in schemas for branch in _below(self.contract, schema, token)]
        yield from schemas


def _branches(contract: Contract, schema: Schema, level: int) -> Iterator[Schema]:
    """The schema and those that it combines."""
    resolved = contract.resolve(schema)
    yield resolved
    if level < MAX_LEVELS:
        for keyword in COMBINED:
            for part in resolved.get(keyword, ()):
                yield from _branches(contract, part, level + 1)


def _below(contract: Contract, schema: Schema, token: str) -> Iterator[Schema]:
    """The schemas of a member of an object, or of an item of an array."""
    name = token.replace("~1", "/").replace("~0", "~")
    inner = [schema.get("properties", {}).get(name)]
    if token == "*":
        inner += [schema.get("items"), schema.get("additionalProperties")]
    for part in inner:
        if isinstance(part, dict):
            yield from _branches(contract, part, 0)
