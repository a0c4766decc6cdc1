"""Reads clauses and readings: what a document promises, and where it leaves a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import contracts
from contracts.errors import ContractError, raise_first
from contracts.reader.document_reader import read_checked
from contracts.reader.yaml_file import YamlFile

ANY = "any"
NO_MEANING = "none"  # the default of a reading without meanings


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
    def citation(self) -> str:
        """Where it stands and how strongly: "line 74, stated", "RFC 6455, 5.4, public"."""
        source = self.line if self.line.startswith("RFC ") else f"line {self.line}" if self.line else "no line"
        return f"{source}, {self.grade}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One question that the document leaves open; `default` is "any" when every meaning passes.

    `kinds` are the kinds of invalid request that it is about.
    """

    id: str
    line: str
    question: str
    meanings: Mapping[str, str]
    default: str
    evidence: str | None = None
    untouched: str | None = None
    kinds: Sequence[str] = ()
    section: str | None = None  # a reading has none, but is listed beside clauses, which have one


@cache
def clauses(api: str) -> Mapping[str, Clause]:
    """All clauses of that API by id, in the document's order. Raises ContractError."""
    file = read_checked(contracts.FOLDER / api / "clauses.yaml")
    raise_first(_id_errors(api, file))
    return {entry["id"]: Clause(**entry) for entry in file.data}


@cache
def readings(api: str) -> Mapping[str, Reading]:
    """All readings of that API by id. Raises ContractError."""
    file = read_checked(contracts.FOLDER / api / "readings.yaml")
    raise_first([*_id_errors(api, file), *_default_errors(file)])
    return {entry["id"]: Reading(**entry) for entry in file.data}


def _id_errors(api: str, file: YamlFile) -> Iterator[ContractError]:
    """Ids of another API, and ids that stand twice."""
    ids: set[str] = set()
    for number, entry in enumerate(file.data):
        prefix = f"{api.upper()}-"
        if not entry["id"].startswith(prefix):
            yield file.error((number, "id"), f"got the id {entry['id']}: expected one that starts with {prefix}")
        if entry["id"] in ids:
            yield file.error((number, "id"), f"{entry['id']} stands here twice: expected each id once")
        ids.add(entry["id"])


def _default_errors(file: YamlFile) -> Iterator[ContractError]:
    for number, entry in enumerate(file.data):
        expected = [ANY, *entry["meanings"]] if entry["meanings"] else [NO_MEANING]
        if entry["default"] not in expected:
            reason = f"default: got {entry['default']!r}, expected one of {', '.join(expected)}"
            yield file.error((number, "default"), reason)
