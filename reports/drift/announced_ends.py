"""Ends that a vendor announces in headers: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contracts.behaviour.behaviour import Address, Behaviour
from reports.drift.changes import Change

HEADERS = ("deprecation", "sunset")


class AnnouncedEnd(NamedTuple):
    """What a header of an operation's answers says of its end."""

    operation: str
    header: str
    text: str


def announced_ends(recorded: Mapping[Address, Behaviour], changes: Iterable[Change]) -> list[AnnouncedEnd]:
    """The ends that the record has, with what changed since, sorted by operation."""
    now: dict[Address, Behaviour | None] = dict(recorded)
    now.update(edit for change in changes for edit in change.edits)
    return sorted(
        {
            AnnouncedEnd(address.operation, address.place, behaviour.value)
            for address, behaviour in now.items()
            if behaviour and address.family == "header value" and address.place in HEADERS
        }
    )
