"""Clauses and readings: what a document promises, and where it leaves a choice.

A clause is one promise in our own words, a reading one question with its possible meanings. Both are in YAML files
beside the OpenAPI document. An id is one token that a text search finds in the contract, the tests, the faults and
the reports.
"""

from __future__ import annotations

from collections.abc import Mapping

import contracts
from contracts.errors import UsageError
from contracts.reader.promises import ANY as ANY
from contracts.reader.promises import Clause as Clause
from contracts.reader.promises import Reading as Reading
from contracts.reader.promises import clauses as clauses
from contracts.reader.promises import readings as readings

GRADES = ("stated", "example", "inferred", "public")
CHECKS = ("wire", "fixture", "client", "document", "none")


def sentence_and_citation(identifier: str) -> tuple[str, str]:
    """What a clause or reading says, and where: (sentence, "line 74, stated"). Raises KeyError for an unknown id."""
    api = identifier.split("-")[0].lower()
    if api not in contracts.apis():
        raise KeyError(identifier)
    if identifier in clauses(api):
        clause = clauses(api)[identifier]
        return clause.says, clause.citation
    reading = readings(api)[identifier]
    return reading.question, f"line {reading.line}, the document leaves it open" if reading.line else "left open"


def meaning_in_force(identifier: str, environ: Mapping[str, str]) -> str:
    """The meaning that a run assumes for a reading: `<API>_READING_<n>` or the default.

    Raises UsageError for a meaning that the reading does not have.
    """
    reading = readings(identifier.partition("-")[0].lower())[identifier]
    variable = reading_variable(identifier)
    meaning = environ.get(variable, reading.default).strip()
    if meaning not in (*reading.meanings, ANY, reading.default):
        raise UsageError(f"{variable}: expected one of {', '.join([*reading.meanings, ANY])}, got {meaning!r}")
    return meaning


def reading_variable(identifier: str) -> str:
    """The environment variable that fixes a reading's meaning: GETFLOW_READING_6 for GETFLOW-AMB-6."""
    api, _, number = identifier.split("-")
    return f"{api}_READING_{number}"


def is_fixed(identifier: str, environ: Mapping[str, str]) -> bool:
    """Whether the environment fixes one meaning of that reading. Raises UsageError as `meaning_in_force` does."""
    return reading_variable(identifier) in environ and meaning_in_force(identifier, environ) != ANY
