"""Checks the lines of the document behind keywords (`x-lines`), and the clauses for what it is silent about.

Rule: lines are named for a keyword that stands beside them. A response's clause of the grade stated or example bears at
least one keyword, and all that a line is named for is borne by a clause: otherwise one of the two is in vain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from contracts.errors import Location
from contracts.reader.checked_contract import CheckedContract
from contracts.reader.document_lines import OF_THE_DOCUMENT, bears, listed_name
from contracts.reader.document_parts import Part, Problem, nearest
from contracts.reader.promises import clauses
from contracts.reader.response_demands import response_demands

STANDING = {
    "path": "operationId",
    "address": "action",
    "required": "in",
}  # keywords that may stand unsaid, by what does


def line_problems(contract: CheckedContract, known: Sequence[Part]) -> Iterator[Problem]:
    """Lines of keywords that are not there, silent clauses of another grade, and clauses that no line bears."""
    yield from keyword_problems(known)
    yield from silent_problems(contract)
    if contract.silent:
        yield from _unborne_clauses(contract)


def keyword_problems(known: Sequence[Part]) -> Iterator[Problem]:
    """Lines of keywords, or of members and values, that do not stand beside them."""
    for location, mapping in known:
        if "x-lines" in mapping and location[-1:] != ("properties",) and not _is_anchor(location):
            yield from _keyword_problems(location, mapping)


def silent_problems(contract: CheckedContract) -> Iterator[Problem]:
    """Clauses for what the document is silent about that are unknown, or of a grade that says something."""
    of_api = clauses(contract.api) if contract.silent else {}
    for part, identifier in contract.silent.items():
        location = ("x-flowproof", "silent", part)
        if identifier not in of_api:
            yield location, f"{identifier} is no clause of {contract.api}{nearest(identifier, of_api)}"
        elif of_api[identifier].grade in OF_THE_DOCUMENT:
            yield location, f"{identifier} is {of_api[identifier].grade}: expected a clause that is inferred or public"


def _keyword_problems(location: Location, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    for keyword, lines in mapping["x-lines"].items():
        where = (*location, "x-lines", keyword)
        if keyword not in mapping and STANDING.get(keyword) not in mapping and not _is_overlay(location, keyword):
            yield where, f"{keyword!r} does not stand beside its lines: expected one of {', '.join(_keywords(mapping))}"
        elif isinstance(lines, Mapping):
            listed = mapping.get(keyword, ())
            names = [listed_name(name) for name in ([listed] if isinstance(listed, str) else listed)]
            for name in lines:
                if name not in names:
                    yield (*where, name), f"{name!r} is not listed by {keyword}{nearest(name, names)}"


def _is_anchor(location: Location) -> bool:
    """Whether this is in a part at the top that only holds YAML anchors: it is checked where they are used."""
    return str(location[0]).startswith("x-") and location[0] != "x-flowproof" if location else False


def _is_overlay(location: Location, keyword: str) -> bool:
    """Whether this is a call of an operation or an operation trait, which need not have what they lay over."""
    return keyword in STANDING and ("x-calls" in location[-2:] or "operationTraits" in location[-2:])


def _keywords(mapping: Mapping[str, Any]) -> list[str]:
    return [key for key in mapping if not key.startswith("x-")]


def _unborne_clauses(contract: CheckedContract) -> Iterator[Problem]:
    """Clauses in responses whose lines bear no keyword there, and lines that no clause around bears."""
    known = clauses(contract.api)
    demands = list(response_demands(contract))

    @cache  # the same parts are demanded of many operations
    def is_borne(identifier: str, lines: str) -> bool:
        clause = known.get(identifier)
        return clause is not None and clause.grade in OF_THE_DOCUMENT and bears(clause, lines)

    places = {(demand.around, demand.lines) for demand in demands}
    borne = {identifier for around, lines in places for identifier in around if is_borne(identifier, lines)}
    in_vain: set[tuple[str, str, str]] = set()  # each part is shared by many operations, and reported once
    for demand in demands:
        for identifier in demand.around:
            is_own = identifier not in demand.operation.clauses
            if (
                is_own
                and identifier in known
                and known[identifier].grade in OF_THE_DOCUMENT
                and identifier not in borne
            ):
                borne.add(identifier)  # is reported once
                reason = f"{identifier} bears no keyword of the responses: expected x-lines within line "
                yield contract.locations[demand.operation.label], f"{reason}{known[identifier].line}"
        key = (demand.keyword, demand.lines, demand.around[0] if demand.around else "")
        if demand.lines and key not in in_vain and not any(is_borne(it, demand.lines) for it in demand.around):
            in_vain.add(key)
            reason = f"line {demand.lines} of {demand.place} is borne by none of {', '.join(demand.around)}"
            yield contract.locations[demand.operation.label], f"{reason}: expected an x-clause whose line it is"
