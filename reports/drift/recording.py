"""Makes a record from observations: what they agree on is steady, what differs is unsteady.

Rule: an unsteady behaviour never becomes steady by itself, so a record only gets calmer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.behaviour.behaviour import SHARES, Address, Behaviour, Family, Observation, share
from reports.drift.record import Record, RecordHeader
from reports.drift.sightings import rounded

OF_BODIES: tuple[Family, ...] = ("presence", "null", "kind", "form", "number", "values", "members")
ENTRY = "*"  # in a JSON path: what is below is seen in the entries of arrays, which are the same in each pass
NOT_SEEN = "not seen"  # the value of an address that an observation did not have


def merge(header: RecordHeader, observations: Sequence[Observation], earlier: Record | None) -> Record:
    """The record of these observations, added to an earlier one of the same target.

    Shares are added up; of other behaviours each observation must have the same value. What only some observations have
    is unsteady, unless the earlier record did not know of it.
    """
    seen: list[Observation] = [*([earlier.steady] if earlier else []), *observations]
    steady: dict[Address, Behaviour] = {}
    unsteady: dict[Address, tuple[str, ...]] = dict(earlier.unsteady) if earlier else {}
    for address in sorted({address for observation in seen for address in observation}):
        behaviours = _behaviours(address, observations, earlier)
        if address in unsteady:
            unsteady[address] = _values([*unsteady[address], *_texts(behaviours)])
        elif (common := agreed(address, behaviours)) is not None:
            steady[address] = rounded(address, common)
        else:
            unsteady[address] = _values(_texts(behaviours))
    return Record(_header(header, earlier), steady, unsteady)


def _behaviours(
    address: Address, observations: Sequence[Observation], earlier: Record | None
) -> list[Behaviour | None]:
    """What was seen there: None for an observation that shows nothing there."""
    seen = [observation.get(address) for observation in observations]
    return [earlier.steady[address], *seen] if earlier and address in earlier.steady else list(seen)


def agreed(address: Address, behaviours: Sequence[Behaviour | None]) -> Behaviour | None:
    """The behaviour that all of these agree on, with their sightings added up; None if they do not."""
    present = [behaviour for behaviour in behaviours if behaviour is not None]
    values = {behaviour.value for behaviour in present}
    is_of_entries = address.family in OF_BODIES and ENTRY in address.place.split("/")
    if is_of_entries and len(values) == 1 and values != {"sometimes"}:
        is_everywhere = address.family in SHARES or len(present) == len(behaviours)
        return max(present, key=lambda behaviour: behaviour.total) if is_everywhere else None
    total = sum(behaviour.total for behaviour in present)
    if address.family in SHARES:
        return share(sum(behaviour.count for behaviour in present), total) if total else present[0]
    if len(present) < len(behaviours) or len({behaviour.value for behaviour in present}) > 1:
        return None
    return Behaviour(present[0].value, total, total)


def _texts(behaviours: Sequence[Behaviour | None]) -> list[str]:
    return [behaviour.value if behaviour else NOT_SEEN for behaviour in behaviours]


def _values(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


def _header(header: RecordHeader, earlier: Record | None) -> RecordHeader:
    days = {*header.days, *(earlier.header.days if earlier else ())}
    return replace(header, days=tuple(sorted(days)), not_asked=dict(sorted(header.not_asked.items())))
