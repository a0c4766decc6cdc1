"""Confirms what is different by asking again: only what both answers show is a change.

Rule: what the second answer shows as the record has it has flipped, and is watched again next time; a value that
differs each time has flipped too. Of a question that has flipped, what its first answer had in its body is not named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from contracts.behaviour.behaviour import SHARES, Address, Behaviour, Family, share
from reports.drift.changes import Change
from reports.drift.record import Record

BY_QUESTION: tuple[Family, ...] = ("outcome", "access", "method", "message")  # families that one question shows


@dataclass(frozen=True)
class Confirmed:
    """What both observations show, and the addresses at which they differ for a reason of their own."""

    behaviours: Mapping[Address, Behaviour]
    flipped: tuple[Address, ...]


def titles_to_ask(changes: Iterable[Change]) -> Collection[str] | None:
    """The titles of the questions that show these changes, None when it takes all questions."""
    places = [address for change in changes for address in change.places]
    if all(address.family in BY_QUESTION for address in places):
        return {address.place for address in places}
    return None


def confirm(
    record: Record,
    first: Mapping[Address, Behaviour],
    second: Mapping[Address, Behaviour],
    titles: Collection[str] | None,
) -> Confirmed:
    """What two observations of an operation show together; `titles`: of the questions that the second one asked,
    None for all.
    """
    behaviours = dict(first)
    flipped: list[Address] = []
    for address in sorted({*first, *second}):
        if titles is not None and not (address.family in BY_QUESTION and address.place in titles):
            continue
        known, before, after = record.steady.get(address), first.get(address), second.get(address)
        is_different = before is None or known is None or before.value != known.value
        if not is_different or address in record.unsteady:
            continue
        value = _of_both(address, known, before, after)
        if value is None:
            flipped.append(address)
            value = known
        if value is None:
            behaviours.pop(address, None)
        else:
            behaviours[address] = value
    answers = [f"{first[it].value} " for it in flipped if it.family in BY_QUESTION and it in first]
    return Confirmed(behaviours, tuple(it for it in flipped if not _is_of_any(it, answers)))


def _is_of_any(address: Address, answers: Collection[str]) -> bool:
    """Whether the address is of the class of any of these answers, as an outcome says them."""
    return bool(address.answer) and any(answer.startswith(f"{address.answer} ") for answer in answers)


def _of_both(
    address: Address, known: Behaviour | None, before: Behaviour | None, after: Behaviour | None
) -> Behaviour | None:
    """What two sightings show together, None where they differ."""
    if before is None or after is None:
        return None
    if address.family in SHARES and before.total and after.total:
        if before.value == after.value != "sometimes":
            return before
        if known is not None and after.value == known.value != "sometimes":
            return None
        return share(before.count + after.count, before.total + after.total)
    return before if before.value == after.value else None
