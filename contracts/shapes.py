"""Makes the nodes of schemas: every member, limit, listed value and alternative there is, as a point.

Rule: all schemas that hold for one spot (`allOf`, references) are one node; a shape that holds itself is opened once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.document import Contract
from contracts.nodes import Node
from contracts.operation import Schema

Add = Callable[[str, str, str], int]  # (where, what, own name) -> the number of that point
DEEPEST = 8  # levels of members below the root
SHOWN = 40  # characters of a listed value
Words = tuple[str, int, tuple[type, ...], str, str]
LIMITS: tuple[Words, ...] = (  # keyword, its side, what is measured, words for a value at it, words for one beyond it
    ("minimum", -1, (int, float), "at the minimum {}", "below the minimum {}"),
    ("maximum", 1, (int, float), "at the maximum {}", "above the maximum {}"),
    ("minLength", -1, (str,), "as short as {}", "shorter than {}"),
    ("maxLength", 1, (str,), "as long as {}", "longer than {}"),
    ("minItems", -1, (list,), "as few as {}", "fewer than {}"),
    ("maxItems", 1, (list,), "as many as {}", "more than {}"),
)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a member's being there, or not, is told."""

    present: str
    absent: str


SENT = Wording("sent", "left out")
SEEN = Wording("present", "absent")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node stands: told to people, its own name, what must be in it, and the named shapes around it."""

    where: str
    name: str = ""
    required: frozenset[str] = frozenset()
    around: tuple[str, ...] = ()

    def member(self, name: str) -> Spot:
        """A member of it."""
        return Spot(f"{self.where}.{name}" if self.where else name, name, around=self.around)

    def item(self) -> Spot:
        """Each of its items."""
        return Spot(f"{self.where}[]", self.name, around=self.around)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Makes the nodes of a request when `is_due` is given, else of an answer.

    `is_due` says whether a kind of mutation is something to send at (name, schema). Of answers there are no limits to
    reach and no values that are not listed: those are the judge's.
    """

    contract: Contract
    add: Add
    is_due: Callable[[str, Schema, str], bool] | None = None

    def node(self, schemas: Sequence[Schema], spot: Spot) -> Node | None:
        """The node of what all these schemas say of one spot, None when nothing there can be exercised."""
        names = tuple(one["$ref"] for one in schemas if isinstance(one, Mapping) and "$ref" in one)
        if set(names) & set(spot.around) or spot.where.count(".") >= DEEPEST:
            return None  # a shape that holds itself: once is enough
        flat = list(self._flat(schemas))
        required = spot.required.union(*(one.get("required", ()) for one in flat))
        spot = Spot(spot.where, spot.name, required, (*spot.around, *names))
        made = Node(frozenset(_types(flat)))
        self._own(made, flat, spot)
        for name, under in _gathered(flat).items():
            self._member(made, name, under, spot)
        extra = [one["additionalProperties"] for one in flat if isinstance(one.get("additionalProperties"), Mapping)]
        made.rest = self.node(extra, spot.member("*")) if extra else None
        items = [one["items"] for one in flat if isinstance(one.get("items"), Mapping)]
        made.items = self.node(items, spot.item()) if items else None
        for one in flat:
            self._branches(made, one, spot)
        return None if made.is_bare() else made

    def _flat(self, schemas: Sequence[Schema]) -> Iterator[Schema]:
        """The schemas with references and `allOf` opened."""
        for schema in schemas:
            if not isinstance(schema, Mapping):
                continue  # true or false
            whole = self.contract.resolve(schema)
            yield whole
            yield from self._flat(whole.get("allOf", ()))

    def _own(self, made: Node, flat: Sequence[Schema], spot: Spot) -> None:
        """Null, listed values and limits."""
        listed = [value for one in flat for value in one.get("enum", ())]
        if "null" in made.types or None in listed:
            made.null = self.add(spot.where, "null", spot.name)
        for value in listed:
            if value is not None and not isinstance(value, list | dict):
                made.values[isinstance(value, bool), value] = self.add(spot.where, f"value {_short(value)}", spot.name)
        if self.is_due and listed and self.is_due(spot.name, flat[0], "not_in_enum"):
            made.unlisted = self.add(spot.where, "a value not listed", spot.name)
        for one in flat if self.is_due and not listed else ():
            for limit in LIMITS:
                if limit[0] in one and (one[limit[0]] or limit[0] in ("minimum", "maximum")):
                    self._limit(made, one, limit, spot)

    def _limit(self, made: Node, schema: Schema, limit: Words, spot: Spot) -> None:
        keyword, side, kinds, at, beyond = limit
        edge = schema[keyword]
        is_known = "x-known" in schema  # nobody chooses what a target knows
        is_due = self.is_due is not None and self.is_due(spot.name, schema, "out_of_range")
        points = (
            None if is_known else self.add(spot.where, at.format(edge), spot.name),
            self.add(spot.where, beyond.format(edge), spot.name) if is_due else None,
        )
        for kind in kinds:
            made.limits.setdefault(kind, []).append((edge, side, *points))

    def _member(self, made: Node, name: str, schemas: Sequence[Schema], spot: Spot) -> None:
        whole = self.contract.resolve(schemas[0])
        if self.is_due and whole.get("readOnly"):
            return
        wording = SENT if self.is_due else SEEN
        here = spot.member(name)
        present = self.add(here.where, wording.present, name)
        may_lack = name not in spot.required or bool(self.is_due and self.is_due(name, whole, "missing"))
        absent = self.add(here.where, wording.absent, name) if may_lack else None
        node = self.node(schemas, here)
        null = node.null if node else None
        made.members.append((name, present, absent, null, None if node and node.is_bare(but_null=True) else node))

    def _branches(self, made: Node, schema: Schema, spot: Spot) -> None:
        if "if" in schema:
            told, holds = _title(schema["if"]), self.contract.validator(schema["if"]).is_valid
            then, other = (self.node([schema[key]], spot) if key in schema else None for key in ("then", "else"))
            points = self.add(spot.where, f"if {told}", spot.name), self.add(spot.where, f"if not {told}", spot.name)
            made.choices.append((holds, points[0], then, points[1], other))
        for number, one in enumerate((*schema.get("anyOf", ()), *schema.get("oneOf", ())), 1):
            point = self.add(spot.where, f"alternative {number}: {_title(one)}", spot.name)
            made.alternatives.append((self.contract.validator(one).is_valid, point, self.node([one], spot)))


def _gathered(flat: Sequence[Schema]) -> dict[str, list[Schema]]:
    """All that is said of each member."""
    found: dict[str, list[Schema]] = {}
    for one in flat:
        for name, schema in one.get("properties", {}).items():
            found.setdefault(name, []).append(schema if isinstance(schema, Mapping) else {})
    return found


def _types(flat: Sequence[Schema]) -> Iterator[str]:
    for one in flat:
        kind = one.get("type", ())
        yield from (kind,) if isinstance(kind, str) else kind


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _title(schema: Schema) -> str:
    """A schema in few words: its name, or what it asks for."""
    if not isinstance(schema, Mapping):
        return str(schema)
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    asks = {key: value for key, value in schema.items() if not key.startswith(("x-", "example", "description"))}
    told = [f"{key} {value}" if isinstance(value, str) else f"{key} {_short(value)}" for key, value in asks.items()]
    return ", ".join(told)[: 2 * SHOWN]
