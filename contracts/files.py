"""Reads a document together with the files beside it that it refers to, as one document.

Rule: `shapes.yaml#/components/schemas/Name` means the file of that name in the same folder. Its components become the
document's own, under the same pointer, so whoever reads the document meets local references only. Two documents that
refer to one file share its very objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from contracts import pointers
from contracts.clauses import load_yaml

COMPONENTS = "/components/"


def read(path: Path) -> dict[str, Any]:
    """The whole document. Raises KeyError for a reference that leads nowhere, ValueError for a name in two files."""
    outside: list[tuple[str, str]] = []
    document: dict[str, Any] = _local(load_yaml(path), outside)
    for name, pointer in outside:
        if not pointers.find(_beside(path.parent / name), pointer):
            raise KeyError(f"{path.parent.name}/{path.name}: {name}#{pointer} leads nowhere")
    for name in dict(outside):
        theirs = _beside(path.parent / name)["components"]
        document["components"] = _joined(document.get("components", {}), theirs, name)
    lost = dangling(document)
    if lost:
        raise KeyError(f"{path.parent.name}/{path.name}: {lost[0]} leads nowhere")
    return document


def sources(folder: Path) -> list[Path]:
    """The files of an API that decide what is sent to it: its documents and what they refer to."""
    return sorted(path for path in folder.glob("*.yaml") if path.name not in ("clauses.yaml", "readings.yaml"))


def references(value: Any) -> Iterator[str]:
    """Every reference in a document, in its order."""
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def dangling(document: Mapping[str, Any]) -> list[str]:
    """The references that lead nowhere, each once."""
    every = dict.fromkeys(references(document))
    return [one for one in every if one[:1] != "#" or len(pointers.find(document, one.removeprefix("#"))) != 1]


@cache
def _beside(path: Path) -> Any:
    """A file that documents refer to, read once, so that all have the same objects; {} when there is none."""
    return load_yaml(path) if path.is_file() else {}


def _local(value: Any, outside: list[tuple[str, str]]) -> Any:
    """A copy in which references to files are local; `outside` gets the name of the file and the pointer of each."""
    if isinstance(value, list):
        return [_local(item, outside) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _local(item, outside) for key, item in value.items()}
    name, mark, pointer = str(made.get("$ref", "")).partition("#")
    if name and mark and pointer.startswith(COMPONENTS):
        outside.append((name, pointer))
        made["$ref"] = f"#{pointer}"
    return made


def _joined(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """All components; `name` is the file that `theirs` come from."""
    made = {kind: dict(entries) for kind, entries in ours.items()}
    for kind, entries in theirs.items():
        twice = sorted(set(made.get(kind, {})) & set(entries))
        if twice:
            raise ValueError(f"{name}: components/{kind}/{twice[0]} stands in the document as well")
        made[kind] = {**made.get(kind, {}), **entries}
    return made
