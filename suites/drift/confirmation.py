"""Confirms what is different by asking again: only what both answers show is a change.

Rule: what the second answer shows as the record has it has flipped, and is watched again next time; what is another
value each time has flipped too.
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
    """What both observations show, and the addresses at which they differ."""

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
        value = _of_both(address, before, after)
        if value is None:
            flipped.append(address)
            value = known
        if value is None:
            behaviours.pop(address, None)
        else:
            behaviours[address] = value
    return Confirmed(behaviours, tuple(flipped))


def _of_both(address: Address, before: Behaviour | None, after: Behaviour | None) -> Behaviour | None:
    """What two sightings show together, None where they differ."""
    if before is None or after is None:
        return None
    if address.family in SHARES and before.total and after.total:
        if before.value == after.value != "sometimes":
            return before
        return share(before.count + after.count, before.total + after.total)
    return before if before.value == after.value else None
