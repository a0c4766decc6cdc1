"""Which words of the vendor's document bear a demand: the lines behind a keyword, and the clause that is blamed for it.

Rule: a clause of the grade stated or example is blamed only for what its own lines say, which `x-lines` names. What no
such line bears is reported under a clause of the grade inferred or public: the nearest one, or the API's clause for
what the document is silent about (`x-flowproof.silent`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from contracts.reader.promises import Clause, clauses

SILENT_PARTS = ("response", "status", "request")  # of x-flowproof.silent: what the document does not say
OF_THE_DOCUMENT = ("stated", "example")  # the grades of clauses that are blamed only for their own lines


class HasSilent(Protocol):
    """A contract: the API's name, and its clauses for what the document is silent about, by part."""

    @property
    def api(self) -> str: ...
    @property
    def silent(self) -> Mapping[str, str]: ...


@cache
def line_numbers(lines: str) -> frozenset[int]:
    """The numbers in a list of lines: "5,7-9" is 5, 7, 8 and 9; none for a section of a standard and for ""."""
    if lines.startswith("RFC "):
        return frozenset()
    ranges = [part.strip().partition("-") for part in lines.split(",") if part.strip()]
    return frozenset(number for first, _, last in ranges for number in range(int(first), int(last or first) + 1))


def lines_of(part: Any, keyword: str, name: str | None = None) -> str:
    """The lines that bear a keyword of a part, "" for none: with a `name` those of the member or value that it lists.

    A list without a name is borne when all of it is; of several types, by the lines of any.
    """
    lines = part.get("x-lines", {}).get(keyword, "") if isinstance(part, Mapping) else ""
    if not isinstance(lines, Mapping):
        return str(lines)
    if name is not None:
        return str(lines.get(name, ""))
    listed = part.get(keyword, ())
    names = lines if keyword == "type" else [listed_name(value) for value in listed]
    return ",".join(str(lines[known]) for known in names) if all(known in lines for known in names) else ""


def listed_name(value: object) -> str:
    """The name in `x-lines` of a member, a type or a value that a keyword lists: a text itself, else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def bears(clause: Clause, lines: str) -> bool:
    """Whether a clause may be blamed for what these lines say: any lines will do unless its grade is the document's."""
    if clause.grade not in OF_THE_DOCUMENT:
        return True
    return bool(lines) and line_numbers(lines) <= line_numbers(clause.line)


def blamed_clause(contract: HasSilent, around: Sequence[str], lines: str, part: str) -> str:
    """The clause or reading that a violation is reported under.

    `around` are the ids of those around the broken keyword, the nearest first; `lines` bear the keyword; `part` is one
    of SILENT_PARTS. A contract that does not name its lines yet has the nearest one blamed.
    """
    if not contract.silent:
        return around[0]
    known = clauses(contract.api)
    for identifier in around:
        if identifier not in known or bears(known[identifier], lines):  # a reading is open, so it needs no lines
            return identifier
    return contract.silent[part]


class HasClauses(Protocol):
    """An operation or a call."""

    @property
    def api(self) -> str: ...
    @property
    def clauses(self) -> Sequence[str]: ...
    @property
    def served_if(self) -> object: ...


def reported_clause(contract: HasSilent, subject: HasClauses, identifier: str) -> str:
    """The clause that a breach at this operation or call is reported under.

    What the document does not have breaks none of its promises: instead of one of these, and of what the document is
    silent about in general, the first clause of the operation is broken.
    """
    if subject.served_if is None or identifier in subject.clauses:
        return identifier
    known = clauses(subject.api)
    is_general = identifier in {contract.silent.get(part) for part in SILENT_PARTS}
    is_of_document = identifier in known and known[identifier].grade in OF_THE_DOCUMENT
    return subject.clauses[0] if is_general or is_of_document else identifier


def of_operation(contract: HasSilent, identifiers: Sequence[str]) -> list[str]:
    """The clauses of an operation or call that a violation may be reported under.

    Those of the grades inferred and public are about something else, so nothing falls back on them.
    """
    if not contract.silent:
        return list(identifiers[:1])
    known = clauses(contract.api)
    return [it for it in identifiers if it in known and known[it].grade in OF_THE_DOCUMENT]
