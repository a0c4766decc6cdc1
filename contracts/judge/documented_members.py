"""What a schema says about a member that a value lacks: whether it is documented at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contracts.openapi import Contract
from contracts.operation import Schema

ALTERNATIVES = ("allOf", "anyOf", "oneOf")  # keywords with a list of schemas for the same value
CONDITIONAL = ("then", "else")  # keywords with one


def is_documented(contract: Contract, schema: Schema, path: Sequence[str]) -> bool:
    """Whether the schema names a member at that path, whose tokens are names of members and numbers of items."""
    *around, name = path
    return any(name in holder.get("properties", {}) for holder in _schemas_at(contract, schema, around))


def _schemas_at(contract: Contract, schema: Schema, path: Sequence[str]) -> Iterator[Schema]:
    """Every schema that applies at the path, in any of its alternatives."""
    resolved = contract.resolve(schema)
    if not path:
        yield resolved
    else:
        token, rest = path[0], path[1:]
        if isinstance(resolved.get("properties", {}).get(token), Mapping):
            yield from _schemas_at(contract, resolved["properties"][token], rest)
        if isinstance(resolved.get("items"), Mapping) and token.isdecimal():
            yield from _schemas_at(contract, resolved["items"], rest)
    others = [schema for keyword in ALTERNATIVES for schema in resolved.get(keyword, ())]
    for other in [*others, *(resolved[keyword] for keyword in CONDITIONAL if keyword in resolved)]:
        if isinstance(other, Mapping):
            yield from _schemas_at(contract, other, path)
