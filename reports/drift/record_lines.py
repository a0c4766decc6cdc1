"""Converts all facts about one place of an answer to a short line of a record, and back.

Rule: what nearly every place has is not written: a place with a kind is always present and never null, and everything
was seen as often as its block says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from contracts.behaviour.behaviour import SHARES, Behaviour, Family
from reports.drift.sightings import COUNTED, rounded_share

BODY: dict[str, Family] = {
    "kind": "kind",
    "presence": "presence",
    "null": "null",
    "form": "form",
    "number": "number",
    "values": "values",
    "members": "members",
    "order": "order",
    "length": "length",
    "unique": "unique",
}
HEADERS: dict[str, Family] = {"value": "header value", "presence": "header"}
SECTIONS = {"body": BODY, "headers": HEADERS}
"""Sections in which a line has facts of several families, with the names that these have there. The first may stand
alone."""
TITLED: tuple[Family, ...] = ("outcome", "message", "method", "equality")  # families whose places are questions
ABSENT = "-"  # written where a fact is not there that would otherwise be taken for granted
SEEN = re.compile(r"(.*) \((\d+) seen\)", re.DOTALL)
SHARE = re.compile(r"sometimes (\d+) % of (\d+)")

Fact = Behaviour | tuple[str, ...]  # steady, or the values of an unsteady one
Facts = Mapping[Family, Fact]
Line = str | dict[str, str | list[str]]


class FormatError(ValueError):
    """A text in a record that is none of what may stand there; says what was expected."""


def section_of(family: Family) -> str:
    """The name of the section that has facts of that family."""
    return next((name for name, families in SECTIONS.items() if family in families.values()), family)


def line_of(section: str, place: str, facts: Facts, usual: int) -> Line:
    """The facts of one place as they are written in a block whose facts were usually seen `usual` times."""
    names = SECTIONS[section]
    seen = _seen(names, facts, usual)
    implied = _implied(section, place, facts, seen)
    line: dict[str, str | list[str]] = {}
    for name, family in names.items():
        fact = facts.get(family)
        if fact is None:
            if family in implied:
                line[name] = ABSENT
        elif isinstance(fact, tuple):
            line[f"{name}~"] = list(fact)
        elif implied.get(family) != fact:
            line[name] = fact_text(family, fact, seen)
    first = next(iter(names))
    if seen == usual and line.keys() == {first}:
        return str(line[first])
    return line if seen == usual else {**line, "seen": str(seen)}


def facts_of(section: str, place: str, line: Line, usual: int) -> dict[Family, Fact]:
    """The inverse of `line_of`. Raises FormatError."""
    names = SECTIONS[section]
    written = {next(iter(names)): line} if isinstance(line, str) else dict(line)
    seen = _number(written.pop("seen")) if "seen" in written else usual
    facts: dict[Family, Fact] = {}
    for name, value in written.items():
        family = names.get(name.removesuffix("~"))
        if family is None or name.endswith("~") != isinstance(value, list):
            raise FormatError(f"{name!r} is unknown: expected {', '.join(names)} or seen, with ~ before a list")
        if isinstance(value, list):
            facts[family] = tuple(value)
        elif value != ABSENT:
            facts[family] = parse_fact(family, value, seen)
    left_out = {names[name] for name, value in written.items() if value == ABSENT}
    implied = _implied(section, place, facts, seen)
    return {**{family: fact for family, fact in implied.items() if family not in left_out}, **facts}


def fact_text(family: Family, behaviour: Behaviour, seen: int) -> str:
    """A fact in words; how often it was seen is added where that is not as often as `seen`."""
    if behaviour.value == "sometimes" and family in SHARES:
        return f"sometimes {round(100 * behaviour.count / behaviour.total)} % of {behaviour.total}"
    value = behaviour.value
    if family in COUNTED and (behaviour.total != seen or SEEN.fullmatch(value) or value == ABSENT):
        return f"{value} ({behaviour.total} seen)"
    return value


def parse_fact(family: Family, text: str, seen: int) -> Behaviour:
    """The inverse of `fact_text`. Raises FormatError."""
    if family not in COUNTED:
        return Behaviour(text)
    if family in SHARES and (match := SHARE.fullmatch(text)):
        percent, total = int(match[1]), int(match[2])
        if not (0 < percent < 100 and total > 1):
            raise FormatError(f"got {text!r}: expected 1 to 99 % of 2 or more")
        return rounded_share(percent, total)
    value, total = text, seen
    if match := SEEN.fullmatch(text):
        value, total = match[1], int(match[2])
    if family in SHARES and value not in ("always", "never"):
        raise FormatError(f"got {text!r}: expected always, never or such as 'sometimes 20 % of 40'")
    return Behaviour(value, 0 if value == "never" and family in SHARES else total, total)


def _number(value: str | list[str]) -> int:
    if not isinstance(value, str) or not value.isdecimal():
        raise FormatError(f"seen: got {value!r}, expected a whole number")
    return int(value)


def _seen(names: Mapping[str, Family], facts: Facts, usual: int) -> int:
    """How often the place was seen: as its first steady fact, unless that is a share in between."""
    totals = [
        fact.total
        for family in names.values()
        if family in COUNTED
        and isinstance(fact := facts.get(family), Behaviour)
        and not (family in SHARES and fact.value == "sometimes")
    ]
    return totals[0] if totals else usual


def _implied(section: str, place: str, facts: Facts, seen: int) -> dict[Family, Behaviour]:
    """What a place with these facts is taken to have besides."""
    if section == "headers":
        return {"header": Behaviour("always", seen, seen)} if "header value" in facts else {}
    if "kind" not in facts:
        return {}
    is_member = place not in ("", "/") and not place.endswith("/*")
    present: dict[Family, Behaviour] = {"presence": Behaviour("always", seen, seen)} if is_member else {}
    return {**present, "null": Behaviour("never", 0, seen)}
