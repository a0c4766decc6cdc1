"""Detects changes of values: their kinds, forms, numbers, constants and orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from contracts.behaviour.array_order import UNORDERED, is_other_order
from contracts.behaviour.behaviour import Address, Behaviour
from reports.drift.behaviour_comparison import Comparison, Difference, is_error, name_of
from reports.drift.sightings import ENOUGH

SEEN_FOR_A_VALUE = 10  # sightings of an address from which on a value that is not among them is new
SEEN_FOR_A_CONSTANT = 2
CODE_NAMES = re.compile(r"code|error|type|reason", re.IGNORECASE)
FRACTION = re.compile(r" \d+ digits")


def value_differences(
    comparison: Comparison, left: Sequence[Address], needs_evidence: Callable[[Address], bool]
) -> Iterator[Difference]:
    """Differences at these addresses, of the families in the shape of a body; kinds first, since they explain forms.

    `needs_evidence` says where a few sightings are not enough.
    """
    explained: set[Address] = set()
    for address in sorted(left, key=lambda it: (it.family != "kind", it)):
        if address in explained or address.family not in CLASSIFIED:
            continue
        before, after = comparison.before.get(address), comparison.after.get(address)
        if before is None or after is None or before.value == after.value:
            continue
        is_of_envelope = address.place.count("/") == 1  # not one of the values of records
        least = SEEN_FOR_A_CONSTANT if is_of_envelope else SEEN_FOR_A_VALUE
        if address.family == "values" and before.total < least and needs_evidence(address):
            continue
        if kind := CLASSIFIED[address.family](comparison, address, before, after):
            explains = _explained(comparison, address)
            explained |= set(explains)
            yield Difference(kind, address, before.value, after.value, _subject(address), explains)


def _subject(address: Address) -> str:
    return name_of(address.place)


def _explained(comparison: Comparison, address: Address) -> tuple[Address, ...]:
    """What follows from the difference: of another kind of value everything below it, of a form its values."""
    if address.family == "kind":
        return comparison.below(address)
    same_place = [address._replace(family=family) for family in ("values", "form", "number")]
    return tuple(other for other in same_place if other != address and other in comparison.differing)


def _kind(comparison: Comparison, address: Address, before: Behaviour, after: Behaviour) -> str:
    was, now = (set(behaviour.value.split(" or ")) for behaviour in (before, after))
    if is_error(address.answer):
        return "error envelope changed"
    if was < now:
        return "kind of value added" if before.total >= SEEN_FOR_A_VALUE or after.value != before.value else ""
    if now < was:
        return "kind of value lost" if after.total >= ENOUGH else ""
    if "boolean" in was ^ now:
        return "boolean in another form"
    if {"array", "object"} <= was | now:
        return "object or list"
    if "array" in was ^ now:
        return "single value or list"
    if "number" in was and "text" in now:
        form = comparison.values(address, "form")[1]
        if any(it in form for it in ("uuid", "hexadecimal")):
            return "kind of id"
        return "number as text" if set(form.split(" or ")) <= {"digits", "number"} else "kind of value changed"
    return "kind of value changed"


def _form(_comparison: Comparison, address: Address, before: Behaviour, after: Behaviour) -> str:
    was, now = (set(behaviour.value.split(" or ")) for behaviour in (before, after))
    if now < was:
        return ""  # what is rarer may not be among today's data
    is_free = "text" in was
    gained = now - was
    if is_free and not gained & {"escaped text", "markup"}:
        return "form of a text" if now.isdisjoint(was) and after.total >= ENOUGH <= before.total else ""
    if was < now and before.total < SEEN_FOR_A_VALUE:
        return ""
    if gained == {"empty"} and before.total < ENOUGH:
        return ""
    return _form_kind(" or ".join(sorted(was)), " or ".join(sorted(gained)), address)


def _form_kind(was: str, gained: str, address: Address) -> str:
    """The kind of change from one form to another."""
    if "escaped" in gained or "markup" in gained:
        return "form of a text"
    if "date-time" in was and "date-time" in gained:
        lost = "without zone" in gained and "without zone" not in was
        return "zone of a time lost" if lost else "form of a time"
    if "date" in was or "date" in gained:
        return "date or date and time"
    if "uuid" in was and "uuid" in gained:
        return "form of an id"
    if "URL" in was and "URL" in gained:
        return "form of a URL"
    ids = ("uuid", "digits", "hexadecimal")
    is_id = any(it in was for it in ids) and any(it in gained for it in (*ids, "text"))
    if is_id or (any(it in gained for it in ids) and address.place.lower().endswith("id")):
        return "form of an id" if "hexadecimal" in was + gained and "uuid" in was + gained else "kind of id"
    return "form of a text"


def _number(_comparison: Comparison, _address: Address, before: Behaviour, after: Behaviour) -> str:
    was, now = (set(behaviour.value.split(" or ")) for behaviour in (before, after))
    if now < was or (was < now and before.total < SEEN_FOR_A_VALUE):
        return ""
    if all("decimal" in number and "point" not in number for number in was ^ now):
        return "magnitude or decimals" if min(before.total, after.total) >= SEEN_FOR_A_VALUE else ""
    fractional = {number for number in now - was if "decimal" in number}
    if "whole" in was and fractional and not any("decimals" in number or number == "1 decimal" for number in was):
        return "whole number with fraction"
    return "magnitude or decimals"


def _values(_comparison: Comparison, address: Address, before: Behaviour, after: Behaviour) -> str:
    was, now = (set(behaviour.value.split(", ")) for behaviour in (before, after))
    gained, lost = now - was, was - now
    if {value.lower() for value in was} == {value.lower() for value in now}:
        return "case of values"
    if lost and {value.lower() for value in lost} >= {value.lower() for value in gained} and gained:
        return "case of values"
    if gained and lost and is_error(address.answer) and _is_code(address):
        return "error code changed"
    if len(was) == 1 and len(now) == 1:
        return "constant changed"
    if gained:
        return "error code new" if is_error(address.answer) and _is_code(address) else "value new"
    return (
        "value no longer seen"
        if min(before.total, after.total) >= SEEN_FOR_A_VALUE and not is_error(address.answer)
        else ""
    )


def _is_code(address: Address) -> bool:
    return bool(CODE_NAMES.search(name_of(address.place)))


def _members(_comparison: Comparison, _address: Address, before: Behaviour, after: Behaviour) -> str:
    if before.value == "varies" or before.total < SEEN_FOR_A_VALUE:  # a few objects may be alike by chance
        return ""
    was, now = (behaviour.value.split(", ") for behaviour in (before, after))
    common = set(was) & set(now)
    is_same = [it for it in was if it in common] == [it for it in now if it in common]
    return "" if is_same and after.value != "varies" else "order of members"


def _order(_comparison: Comparison, _address: Address, before: Behaviour, after: Behaviour) -> str:
    if not is_other_order(before.value, after.value):
        return ""
    return "order not stable" if after.value == UNORDERED else "order of a list"


def _unique(_comparison: Comparison, address: Address, _before: Behaviour, after: Behaviour) -> str:
    if after.value == "unique":
        return ""
    return "error id not unique" if is_error(address.answer) else "ids repeat in a list"


CLASSIFIED: Mapping[str, Callable[[Comparison, Address, Behaviour, Behaviour], str]] = {
    "kind": _kind,
    "form": _form,
    "number": _number,
    "values": _values,
    "members": _members,
    "order": _order,
    "unique": _unique,
}
"""By family the name of the kind of change, "" for none. The length of a list is data, and changes nothing."""
