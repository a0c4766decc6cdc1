"""Checks the ids of clauses and readings in a document: each is one of the API's, and each meaning its reading's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from contracts.errors import Location
from contracts.reader.document_lines import OF_THE_DOCUMENT
from contracts.reader.document_parts import Part, Problem, nearest
from contracts.reader.promises import clauses, readings


def promise_problems(api: str, known: Sequence[Part]) -> Iterator[Problem]:
    """Ids that no clause or reading has, and meanings that their reading does not have."""
    for location, mapping in known:
        checks = EXTENSIONS | (OF_THE_WHOLE if location[:1] == ("x-flowproof",) else {})
        for key in mapping.keys() & checks.keys():
            yield from checks[key](api, (*location, key), mapping[key])
        if {"x-served-if", "x-clauses"} <= mapping.keys():
            yield from _clauses_of_optional(api, location, mapping)


def _any_promise(api: str, location: Location, identifier: str) -> Iterator[Problem]:
    if identifier not in clauses(api) and identifier not in readings(api):
        known = (*clauses(api), *readings(api))
        yield location, f"{identifier} is no clause or reading of {api}{nearest(identifier, known)}"


def _promises(api: str, location: Location, identifiers: Sequence[str]) -> Iterator[Problem]:
    for number, identifier in enumerate(identifiers):
        yield from _any_promise(api, (*location, number), identifier)


def _clause_of(api: str, location: Location, entry: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _any_promise(api, (*location, "clause"), entry["clause"])


def _known(api: str, location: Location, entry: Mapping[str, Any]) -> Iterator[Problem]:
    if "clause" in entry:
        yield from _clause_of(api, location, entry)


def _reading(api: str, location: Location, identifier: str) -> Iterator[Problem]:
    if identifier not in readings(api):
        yield location, f"{identifier} is no reading of {api}{nearest(identifier, readings(api))}"


def _meanings(api: str, location: Location, chosen: Mapping[str, str]) -> Iterator[Problem]:
    for identifier, meaning in chosen.items():
        if identifier not in readings(api):
            yield from _reading(api, (*location, identifier), identifier)
        elif meaning not in readings(api)[identifier].meanings:
            meanings = ", ".join(readings(api)[identifier].meanings)
            yield (*location, identifier), f"{meaning!r} is no meaning of {identifier}: expected {meanings}"


def _rules(api: str, location: Location, rules: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    for kind, rule in rules.items():
        if "clause" in rule:
            yield from _any_promise(api, (*location, kind, "clause"), rule["clause"])
        if "unstated" in rule:
            yield from _reading(api, (*location, kind, "unstated"), rule["unstated"])
        yield from _meanings(api, (*location, kind, "accepted"), rule.get("accepted", {}))


def _served_if(api: str, location: Location, entry: Mapping[str, Any]) -> Iterator[Problem]:
    if entry["reading"] not in readings(api):
        yield from _reading(api, (*location, "reading"), entry["reading"])
        return
    meanings = readings(api)[entry["reading"]].meanings
    for number, meaning in enumerate(entry["meanings"]):
        if meaning not in meanings:
            reason = f"{meaning!r} is no meaning of {entry['reading']}: expected {', '.join(meanings)}"
            yield (*location, "meanings", number), reason
    if set(meanings) <= set(entry["meanings"]):
        yield (*location, "meanings"), f"all meanings of {entry['reading']}: expected one of them to be left out"


def _clauses_of_optional(api: str, location: Location, mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """Clauses of the document at an operation that it does not have."""
    for number, identifier in enumerate(mapping["x-clauses"]):
        if identifier in clauses(api) and clauses(api)[identifier].grade in OF_THE_DOCUMENT:
            grade = clauses(api)[identifier].grade
            reason = f"{identifier} is {grade}: expected clauses that are inferred or public beside x-served-if"
            yield (*location, "x-clauses", number), reason


def _correlation(api: str, location: Location, entry: Mapping[str, str]) -> Iterator[Problem]:
    if "unstated" in entry:
        yield from _reading(api, (*location, "unstated"), entry["unstated"])


def _kept(api: str, location: Location, by_action: Mapping[str, str]) -> Iterator[Problem]:
    for action, identifier in by_action.items():
        yield from _any_promise(api, (*location, action), identifier)


def _shown(api: str, location: Location, places: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for number, place in enumerate(places):
        yield from _clause_of(api, (*location, number), place)


Check = Callable[[str, Location, Any], Iterator[Problem]]
EXTENSIONS: dict[str, Check] = {
    "x-clause": _any_promise,
    "x-clauses": _promises,
    "x-refusals": _rules,
    "x-may-be-refused": _reading,
    "x-maximum": _any_promise,
    "x-known": _known,
    "x-reading": _meanings,
    "x-correlation": _correlation,
    "x-served-if": _served_if,
}
OF_THE_WHOLE: dict[str, Check] = {
    "refusals": _rules,
    "unique": _clause_of,
    "keeps": _kept,
    "shown": _shown,
    "after_refusal": _clause_of,
}
