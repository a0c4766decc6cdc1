"""Clauses and readings: what a document promises, and where it leaves a choice.

Rule: a clause is one promise in our own words, a reading one question with its possible meanings. Both live in
YAML beside the OpenAPI document; an id is one token that is found by grep in contract, test, fault and report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contracts import HERE

GRADES = ("stated", "example", "inferred", "public")
CHECKS = ("wire", "fixture", "client", "document", "none")
ANY = "any"


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise: `line` is the document's, or "RFC …" for a section of that; `check` is how it can be decided."""

    id: str
    section: str
    line: str
    grade: str
    check: str
    says: str
    untested: str | None = None

    @property
    def where(self) -> str:
        """Where it stands and how strongly: "line 74, stated", "RFC 6455, 5.4, public"."""
        place = self.line if self.line.startswith("RFC ") else f"line {self.line}" if self.line else "no line"
        return f"{place}, {self.grade}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One question that the document leaves open; `default` is "any" when every meaning passes."""

    id: str
    line: str
    question: str
    meanings: Mapping[str, str]
    default: str
    evidence: str | None = None
    untouched: str | None = None
    section: str | None = field(default=None)


def load_yaml(path: Path) -> Any:
    """A YAML file as data, by the C loader when there is one."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # both are safe loaders


@cache
def clauses(api: str) -> Mapping[str, Clause]:
    """All clauses of that API by id, in the document's order."""
    return {entry["id"]: Clause(**entry) for entry in load_yaml(HERE / api / "clauses.yaml")}


@cache
def readings(api: str) -> Mapping[str, Reading]:
    """All readings of that API by id."""
    return {entry["id"]: Reading(**entry) for entry in load_yaml(HERE / api / "readings.yaml")}


def says(identifier: str) -> tuple[str, str]:
    """What a clause or reading says, and where: (sentence, "line 74, stated"). Unknown ids raise KeyError."""
    api = identifier.split("-")[0].lower()
    if identifier in clauses(api):
        clause = clauses(api)[identifier]
        return clause.says, clause.where
    reading = readings(api)[identifier]
    return reading.question, f"line {reading.line}, the document leaves it open" if reading.line else "left open"


def in_force(identifier: str, environ: Mapping[str, str]) -> str:
    """The meaning that a run assumes for a reading: `<API>_READING_<n>` or the default.

    Raises ValueError for a meaning that the reading does not have.
    """
    api, _, number = identifier.split("-")
    reading = readings(api.lower())[identifier]
    variable = f"{api}_READING_{number}"
    meaning = environ.get(variable, reading.default)
    if meaning not in (*reading.meanings, ANY, reading.default):
        raise ValueError(f"{variable}: expected one of {', '.join([*reading.meanings, ANY])}, got {meaning!r}")
    return meaning
