"""Resolves the references of a document once, so that whoever reads it afterwards meets none.

A reference (`$ref`) becomes the very object that it leads to; what stands beside it is laid over a copy. All places
that refer to one schema share one object. Only a reference to a schema that contains itself stays, since that schema
has no finite form without it; `Contract.resolve` opens such a reference, one level at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts import json_pointer
from contracts.errors import ContractError, Location
from contracts.operation import Schema

SCHEMAS_POINTER = "#/components/schemas/"


class Resolver:
    """Resolves one document. `names` has the name of each component schema, also of a copy of it, by identity."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises ContractError for a reference that leads nowhere."""
        for location, reference in dangling_references(document):
            raise ContractError(f"{reference} leads nowhere", location)
        self._document = document
        self._recursive = recursive_schemas(document)
        self._targets: dict[str, Any] = {}  # by reference
        self._ahead: list[str] = []  # the references that are being resolved, each within the one before
        self._resolved: dict[int, tuple[Any, Any]] = {}  # by identity of the source, which is held so that it stays
        self.names: dict[int, str] = {}
        self.document: dict[str, Any] = self.resolve(document)
        for name in document.get("components", {}).get("schemas", {}):
            self._target(f"{SCHEMAS_POINTER}{name}")

    def resolve(self, value: Any) -> Any:
        """The value without references, except for those to schemas that contain themselves."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if id(value) not in self._resolved:
            self._resolved[id(value)] = (value, self._opened(value))
        return self._resolved[id(value)][1]

    def _opened(self, value: Mapping[str, Any]) -> Any:
        reference = value.get("$ref")
        if not isinstance(reference, str) or reference in self._recursive:
            return {key: self.resolve(part) for key, part in value.items()}
        target = self._target(reference)
        beside = {key: self.resolve(part) for key, part in value.items() if key != "$ref"}
        if not beside or not isinstance(target, Mapping):
            return target
        joined = {**target, **beside}
        if reference.startswith(SCHEMAS_POINTER):
            self.names[id(joined)] = _name(reference)
        return joined

    def _target(self, reference: str) -> Any:
        if reference in self._ahead:
            raise ContractError(f"{reference} leads back to itself")
        if reference not in self._targets:
            self._ahead.append(reference)
            (source,) = json_pointer.find(self._document, reference.removeprefix("#"))
            target = self._targets[reference] = self.resolve(source)
            self._ahead.pop()
            if reference.startswith(SCHEMAS_POINTER):
                self.names.setdefault(id(target), _name(reference))
        return self._targets[reference]


def open_reference(schemas: Mapping[str, Schema], schema: Schema) -> Schema:
    """The schema that a remaining reference leads to, with what stands beside the reference laid over it."""
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**schemas[schema["$ref"].removeprefix(SCHEMAS_POINTER)], **beside}
    return schema


def references(document: Any) -> list[tuple[Location, str]]:
    """(location, reference) of every reference in a document, in its order; what stands at two places comes once."""
    return list(_references(document, (), set()))


def _references(value: Any, location: tuple[str | int, ...], seen: set[int]) -> Iterator[tuple[Location, str]]:
    if isinstance(value, dict):
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value.get("$ref"), str):
            yield location, value["$ref"]
        for key, part in value.items():
            if isinstance(part, dict | list):
                yield from _references(part, (*location, key), seen)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if isinstance(part, dict | list):
                yield from _references(part, (*location, number), seen)


def dangling_references(document: Mapping[str, Any]) -> list[tuple[Location, str]]:
    """(location, reference) of each reference that leads to nothing in the document; each reference once."""
    first: dict[str, Location] = {}
    for location, reference in references(document):
        first.setdefault(reference, location)
    return [(location, reference) for reference, location in first.items() if not _leads(document, reference)]


def _leads(document: Mapping[str, Any], reference: str) -> bool:
    return reference.startswith("#/") and len(json_pointer.find(document, reference.removeprefix("#"))) == 1


def recursive_schemas(document: Mapping[str, Any]) -> frozenset[str]:
    """The references to those component schemas that contain themselves, however deep."""
    schemas = document.get("components", {}).get("schemas", {})
    inner = {f"{SCHEMAS_POINTER}{name}": {to for _, to in references(schema)} for name, schema in schemas.items()}
    aliases = {f"{SCHEMAS_POINTER}{name}": {schema["$ref"]} for name, schema in schemas.items() if "$ref" in schema}
    for reference in aliases:
        if reference in _reachable(aliases, reference):
            raise ContractError(f"{reference} leads back to itself", ("components", "schemas", _name(reference)))
    return frozenset(reference for reference in inner if reference in _reachable(inner, reference))


def _name(reference: str) -> str:
    return reference.removeprefix(SCHEMAS_POINTER)


def _reachable(inner: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    ahead = list(inner.get(start, ()))
    while ahead:
        reference = ahead.pop()
        if reference not in reached:
            reached.add(reference)
            ahead += inner.get(reference, ())
    return reached
