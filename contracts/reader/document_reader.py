"""Reads a document of a contract together with the files beside it that it refers to, as one document.

`schemas.yaml#/components/schemas/Name` means the file of that name in the same folder. Its components become the
document's own, under the same pointer, so that every reference of the document is local.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contracts import json_pointer
from contracts.errors import ContractError, Location, raise_first
from contracts.reader.references import references
from contracts.reader.schema_check import schema_errors
from contracts.reader.yaml_file import YamlFile, display_path, read_contract_file

COMPONENTS = "/components/"


@dataclass(frozen=True)
class Document:
    """One document as data, and the files that it was joined from; its own file is the first."""

    data: dict[str, Any]
    files: tuple[YamlFile, ...]

    def error(self, location: Location, reason: str) -> ContractError:
        """The error about the part at that location, with the file that it comes from and the line."""
        return max(self.files, key=lambda file: _depth(file.data, location)).error(location, reason)


def read_document(path: Path) -> Document:
    """The document with its references made local. Raises ContractError for what breaks the format of its files."""
    file = read_checked(path)
    known = references(file.data)
    names = {reference.partition("#")[0] for _, reference in known} - {""}
    beside = {name: _beside(path.parent / name) for name in sorted(names) if (path.parent / name).is_file()}
    for location, reference in known:
        name, _, pointer = reference.partition("#")
        if name and (name not in beside or not _is_component(beside[name].data, pointer)):
            raise file.error(location, f"{reference} leads nowhere: expected the pointer of a component in {name}")
    data: dict[str, Any] = _with_local_references(file.data, {}) if beside else file.data
    for other in beside.values():
        data["components"] = _joined(data.get("components", {}), other, file)
    return Document(data, (file, *beside.values()))


def read_checked(path: Path) -> YamlFile:
    """One file that keeps its schema. Raises ContractError."""
    file = read_contract_file(path)
    raise_first(schema_errors(file))
    return file


@cache
def _beside(path: Path) -> YamlFile:
    """A file that documents refer to, read once for all of them."""
    return read_checked(path)


def _is_component(data: Any, pointer: str) -> bool:
    return pointer.startswith(COMPONENTS) and len(json_pointer.find(data, pointer)) == 1


def _depth(value: Any, location: Location) -> int:
    """How many parts of the location lead to something in the value."""
    for depth, part in enumerate(location):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(location)


def _with_local_references(value: Any, copies: dict[int, Any]) -> Any:
    """A copy whose references to files are local; an object at several places (`copies`) is copied once."""
    if isinstance(value, list):
        return [_with_local_references(item, copies) for item in value]
    if not isinstance(value, dict):
        return value
    if id(value) not in copies:
        copy = {key: _with_local_references(part, copies) for key, part in value.items()}
        if isinstance(copy.get("$ref"), str):
            copy["$ref"] = f"#{copy['$ref'].partition('#')[2]}"
        copies[id(value)] = copy
    return copies[id(value)]


def _joined(components: Mapping[str, Any], other: YamlFile, file: YamlFile) -> dict[str, Any]:
    """The document's components with those of the other file. Raises ContractError for a name in both."""
    joined = {kind: dict(entries) for kind, entries in components.items()}
    for kind, entries in other.data["components"].items():
        for name in entries:
            if name in joined.get(kind, {}):
                there = display_path(other.path)
                reason = f"components/{kind}/{name} stands in {there} as well: expected it in one of the two"
                raise file.error(("components", kind, name), reason)
        joined[kind] = {**joined.get(kind, {}), **entries}
    return joined
