"""Walks through the parts of a document: every mapping with its location, examples left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from contracts.errors import Location

Part = tuple[Location, Mapping[str, Any]]
Problem = tuple[Location, str]  # where something is wrong, and what
EXAMPLES = ("example", "examples", "default", "const", "enum")  # their values are data, not parts of the document
FREE = {"properties", "patternProperties", "schemas", "parameters", "headers"}  # holders of members of any name


def parts(document: Any) -> list[Part]:
    """(location, mapping) of every mapping that is no part of an example; an object at two places comes once."""
    return list(_parts(document, (), set()))


def _parts(value: Any, location: tuple[str | int, ...], seen: set[int]) -> Iterator[Part]:
    if isinstance(value, dict):
        if id(value) in seen:
            return
        seen.add(id(value))
        yield location, value
        is_free = bool(location) and location[-1] in FREE
        for key, part in value.items():
            if isinstance(part, dict | list) and (is_free or key not in EXAMPLES):
                yield from _parts(part, (*location, key), seen)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _parts(part, (*location, number), seen)


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown name: the names that are close to it, if any."""
    near = get_close_matches(name, known, 3, 0.8)
    return f": expected {' or '.join(near)}" if near else ""
