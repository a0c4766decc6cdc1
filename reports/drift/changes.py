"""Finds the changes between two records, or a record and what is observed now: kind, severity and clause of each.

Rule: what has one reason is one change. The widest reasons come first, and explain what follows from them: an
operation that is gone explains all its answers, a member that is gone its form and its values.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.behaviour.behaviour import Address, Behaviour
from reports.drift.behaviour_comparison import Comparison, Difference, is_error
from reports.drift.change_kinds import SECURITY, SEVERITIES, ChangeKind, Severity, change_kinds
from reports.drift.header_changes import header_differences
from reports.drift.member_changes import member_differences, share_differences
from reports.drift.outcome_changes import outcome_differences
from reports.drift.outcome_text import parse_outcome
from reports.drift.place_changes import place_differences
from reports.drift.record import Record
from reports.drift.recording import agreed
from reports.drift.severity_rules import SeverityRules, clause_line, rules_of
from reports.drift.sightings import rounded
from reports.drift.value_changes import value_differences

BROKEN, KEPT = "broken", "kept"
BY_QUESTION = ("outcome", "access", "method", "message", "equality", "walk")
SOME_CLIENTS_ADAPTED = ("outcome", "kind", "presence")  # families in which a repair may break who made up for it
OUTCOMES = ("outcome", "access")  # families by which answers of a class are seen
Edit = tuple[Address, Behaviour | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A steady behaviour that is another one now.

    id: 12 hex digits of what the change is, not of how it is worded. number: of its kind; kind: its name. places: all
    addresses at which it shows. clause: id, "" where the document is silent; clause_line: where it stands. question:
    title of one that shows it, "" for none. edits: what a record has to say instead, None for nothing.
    """

    id: str
    number: int
    kind: str
    severity: Severity
    operation: str
    places: tuple[Address, ...]
    before: str
    after: str
    clause: str = ""
    clause_line: str = ""
    question: str = ""
    is_confirmed: bool = False
    subject: str = ""
    edits: tuple[Edit, ...] = ()


def changes(
    before: Record, after: Mapping[Address, Behaviour], severity_rules: SeverityRules | None = None
) -> list[Change]:
    """What is different now, the worst first. Without `severity_rules` those of the record's API are used."""
    rules = severity_rules or rules_of(before.header.api)
    comparison = Comparison(before.steady, before.unsteady, after)  # all of its sightings are evidence
    groups: dict[tuple[str, ...], list[Difference]] = defaultdict(list)
    for difference in _differences(comparison, rules):
        groups[_group(difference)].append(difference)
    all_changes = [_change(before.header.api, group, comparison, rules) for group in groups.values()]
    return sorted(_with_clauses(all_changes), key=rank)


def _kept(address: Address, behaviour: Behaviour | None) -> Behaviour | None:
    """As a record keeps it, seen twice."""
    twice = behaviour and agreed(address, (behaviour, behaviour))
    return twice and rounded(address, twice)


def not_comparable(before: Record, after: Mapping[Address, Behaviour]) -> list[Address]:
    """The steady addresses of which nothing is observed now, and which no change explains, sorted."""
    explained = {address for change in changes(before, after) for address, _ in change.edits}
    answers = {(address.operation, address.answer) for address in after}
    answers |= answers_to_no_question(before)
    return sorted(
        address
        for address in before.steady
        if address not in after and address not in explained
        and (address.family in BY_QUESTION or (address.operation, address.answer) not in answers)
    )  # fmt: skip


def answers_to_no_question(record: Record) -> set[tuple[str, str]]:
    """Operations with the classes of answers that none of their questions has: they are kept from an earlier day."""
    known = {(it.operation, it.answer) for it in record.steady if it.answer and it.family != "rpc"}
    outcomes = [(it.operation, value.value) for it, value in record.steady.items() if it.family in OUTCOMES]
    current = {(operation, parse_outcome(text).answer) for operation, text in outcomes}
    with_outcomes = {operation for operation, _ in outcomes}
    return {answer for answer in known - current if answer[0] in with_outcomes}


def rank(change: Change) -> tuple[bool, int, int, str, str]:
    """The order in which changes are shown: what concerns security, then the worst."""
    return (
        change.number not in SECURITY, SEVERITIES.index(change.severity), change.number, change.operation, change.id,
    )  # fmt: skip


def sentence(change: Change) -> str:
    """The change in one sentence."""
    operations = sorted({address.operation for address in change.places if address.operation})
    more = len(operations) - 1
    where = change.operation + (f" (and {more} more operation{'s' if more > 1 else ''})" if more > 0 else "")
    others = len({address.place for address in change.places}) - 1
    subject = change.subject + (
        f" (and {others} more)" if others > 0 and change.places[0].family in BY_QUESTION else ""
    )
    says = change_kinds()[change.kind].says
    return says.format(subject=subject, before=change.before, after=change.after, where=where or "the API")


def change_id(api: str, address: Address, kind: str, before: str, after: str) -> str:
    """The id of a change at that address."""
    return hashlib.sha256("\n".join([api, *address, kind, before, after]).encode()).hexdigest()[:12]


def _differences(comparison: Comparison, rules: SeverityRules) -> Iterator[Difference]:
    """All differences, each address explained once."""
    explained: set[Address] = set()

    def needs_evidence(address: Address) -> bool:
        return not is_error(address.answer) and rules.needs_evidence(address)

    def left() -> list[Address]:
        return [address for address in comparison.differing if address not in explained]

    steps: Sequence[Callable[[], Iterable[Difference]]] = (
        lambda: outcome_differences(comparison),
        lambda: member_differences(comparison, needs_evidence),
        lambda: header_differences(comparison),
        lambda: value_differences(comparison, [it for it in left() if it.family == "kind"], needs_evidence),
        lambda: share_differences(comparison, left(), needs_evidence),
        lambda: value_differences(comparison, left(), needs_evidence),
        lambda: place_differences(comparison, left()),
    )
    for step in steps:
        for difference in step():
            if difference.address not in explained:
                explained |= {difference.address, *difference.explains}
                yield difference


def _group(difference: Difference) -> tuple[str, ...]:
    """What differences share that are one change: kind, subject, before and after; questions do not count."""
    subject = "" if difference.address.family in BY_QUESTION else difference.subject
    return difference.kind, subject, difference.before, difference.after


def _change(api: str, group: Sequence[Difference], comparison: Comparison, rules: SeverityRules) -> Change:
    differences = sorted(group, key=lambda difference: difference.address)
    first = differences[0]
    kind = change_kinds()[first.kind]
    addresses = dict.fromkeys(
        address for difference in differences for address in (difference.address, *difference.explains)
    )
    clause = rules.clause_of(first.address)
    return Change(
        id=change_id(api, first.address, kind.name, first.before, first.after),
        number=kind.number,
        kind=kind.name,
        severity=_severity(kind, first.address, clause, comparison, rules),
        operation=first.address.operation,
        places=tuple(difference.address for difference in differences),
        before=first.before,
        after=first.after,
        clause=clause,
        clause_line=clause_line(clause),
        question=_question(first.address, comparison),
        subject=first.subject,
        edits=tuple(
            (address, _kept(address, comparison.after.get(address)))
            for address in addresses
            if not _is_answer_gone(address, comparison)
        ),
    )


def _is_answer_gone(address: Address, comparison: Comparison) -> bool:
    """Whether no answer of that class is seen any more: a record keeps what it had, for the day when one is."""
    is_gone = (address.operation, address.answer) not in comparison.answers_after
    return bool(address.answer) and address not in comparison.after and is_gone


def _severity(
    kind: ChangeKind, address: Address, clause: str, comparison: Comparison, rules: SeverityRules
) -> Severity:
    """The severity of the kind, unless the contract declares one, or a clause is broken or mended."""
    if declared := rules.declared(address):
        return declared
    was, now = comparison.values(Address("", "", "clause", clause)) if clause else ("", "")
    if (was, now) == (KEPT, BROKEN):
        return "breaking"
    if (was, now) == (BROKEN, KEPT) and address.family != "clause":
        return "risky" if address.family in SOME_CLIENTS_ADAPTED else "repaired"
    return kind.severity


def _with_clauses(all_changes: Sequence[Change]) -> list[Change]:
    """The changes, without a line of its own for a clause that another change breaks or mends."""
    shown = {change.clause for change in all_changes if change.clause and change.places[0].family != "clause"}
    merged = [change for change in all_changes if change.places[0].family != "clause" or change.clause not in shown]
    by_clause = {change.clause: change for change in all_changes if change.places[0].family == "clause"}
    taken: set[str] = set()
    result = []
    for change in merged:
        own = by_clause.get(change.clause)
        if own is not None and own is not change and change.clause not in taken:
            taken.add(change.clause)
            change = replace(change, edits=(*change.edits, *own.edits))
        result.append(change)
    return result


def _question(address: Address, comparison: Comparison) -> str:
    """The title of a question that shows the address: its own, or a valid one with such an answer."""
    if address.family in BY_QUESTION:
        return address.place
    titles = sorted(
        (not other.place.startswith("valid: as documented"), not other.place.startswith("valid"), other.place)
        for other, behaviour in comparison.after.items()
        if other.operation == address.operation
        and other.family == "outcome"
        and behaviour.value.startswith(address.answer or "2")
    )
    return titles[0][2] if titles else ""
