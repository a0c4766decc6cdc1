"""A schema as a tree of coverage points: walking a value through it gives the points that the value exercises.

The walk runs for every exchange, so nodes hold the numbers of points and need no look-up. It judges nothing and never
raises: a value that does not fit the tree exercises nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_PATTERNS = 200  # sets of members' names that a node remembers

Holds = Callable[[Any], bool]
Member = tuple[str, int, int | None, int | None, "SchemaNode | None"]
Pattern = tuple[tuple[int, ...], tuple[tuple[str, int | None, "SchemaNode | None"], ...]]
Limit = tuple[float, int, int | None, int | None]  # the limit, direction beyond it, the points at it and beyond it


@dataclass(slots=True)
class SchemaNode:
    """One part of a value.

    A member is its name, the points of its presence, its absence and its being null, and its own node. `choices` have
    a test, the point and node if it holds, and those if it does not; `alternatives` a test, a point and a node. A
    number is None where there is no such point.
    """

    types: frozenset[str] = frozenset()
    null: int | None = None
    values: dict[tuple[bool, Any], int] = field(default_factory=dict)
    unlisted: int | None = None
    limits: dict[type, list[Limit]] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    rest: SchemaNode | None = None
    items: SchemaNode | None = None
    choices: list[tuple[Holds, int, SchemaNode | None, int, SchemaNode | None]] = field(default_factory=list)
    alternatives: list[tuple[Holds, int, SchemaNode | None]] = field(default_factory=list)
    _patterns: dict[tuple[str, ...], Pattern] = field(default_factory=dict)

    def walk(self, value: Any, hits: set[int], text: bool = False) -> None:
        """Adds every point that the value exercises to `hits`; with `text`, a text may stand for another type."""
        if text and type(value) is str:
            value = parse_text(self.types, value)
        kind = type(value)
        if kind is dict:
            self._walk_members(value, hits, text)
        elif kind is list:
            if self.items:
                walk = self.items.walk
                for item in value:
                    walk(item, hits, text)
        elif value is None:
            if self.null is not None:
                hits.add(self.null)
            return
        elif self.values:
            point = self.values.get((kind is bool, value), self.unlisted)
            if point is not None:
                hits.add(point)
        if self.limits:
            self._measure(value, hits)
        for holds, yes, then, no, otherwise in self.choices:
            point, node = (yes, then) if holds(value) else (no, otherwise)
            hits.add(point)
            if node:
                node.walk(value, hits, text)
        for holds, point, node in self.alternatives:
            if holds(value):
                hits.add(point)
                if node:
                    node.walk(value, hits, text)

    def _measure(self, value: Any, hits: set[int]) -> None:
        kind = type(value)
        limits = self.limits.get(kind)
        if not limits:
            return
        size = value if kind is int or kind is float else len(value)
        for limit, direction, at, beyond in limits:
            point = at if size == limit else beyond if (size - limit) * direction > 0 else None
            if point is not None:
                hits.add(point)

    def _walk_members(self, value: dict[str, Any], hits: set[int], text: bool) -> None:
        names = tuple(value)
        pattern = self._patterns.get(names) or self._pattern(names)
        hits.update(pattern[0])
        for name, null, node in pattern[1]:
            inner = value[name]
            if inner is None:
                if null is not None:
                    hits.add(null)
            elif node:
                node.walk(inner, hits, text)

    def _pattern(self, names: tuple[str, ...]) -> Pattern:
        """The points that the names of an object's members exercise by themselves, and the members to look into."""
        known = [member for member in self.members if member[0] in names]
        points = [present for _, present, _, _, _ in known]
        points += [absent for name, _, absent, _, _ in self.members if absent is not None and name not in names]
        inner = [(name, null, node) for name, _, _, null, node in known if node or null is not None]
        if self.rest:
            listed = {member[0] for member in self.members}
            inner += [(name, self.rest.null, self.rest) for name in names if name not in listed]
        pattern = (tuple(points), tuple(inner))
        if len(self._patterns) < MAX_PATTERNS:
            self._patterns[names] = pattern
        return pattern

    def is_bare(self, but_null: bool = False) -> bool:
        """Whether nothing in this node can be exercised except null."""
        parts = (self.values, self.limits, self.members, self.rest, self.items, self.choices, self.alternatives)
        return (but_null or self.null is None) and not any(parts)


def parse_text(types: frozenset[str], text: str) -> Any:
    """A text as the type that it stands for; the text itself when it does not read as one of them."""
    if not types or "string" in types:
        return text
    if "array" in types:
        return text.split(",") if text else []
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if "integer" in types else float(text) if "number" in types else text
    except ValueError:
        return text
