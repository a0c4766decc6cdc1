"""Two observations that are no different where they only had other things to show.

Rule: an observation has no evidence against a behaviour that it could not have shown, such as the members of an entry
of a list that was empty. What was seen at times only, both know.
"""

from __future__ import annotations

from collections.abc import Collection

from contracts.behaviour.array_order import joint_order
from contracts.behaviour.behaviour import Address, Behaviour, Family, Observation

JOINT = " or "
JOINED: tuple[Family, ...] = ("kind", "form", "number", "length")  # families whose values are joined
ENOUGH = 20  # sightings that show that something is not seen any more


def completed(first: Observation, second: Observation) -> tuple[dict[Address, Behaviour], dict[Address, Behaviour]]:
    """Both observations, each with what only the other one had the chance to show, as seen no time."""
    return _completed(first, second), _completed(second, first)


def settled(known: Observation, observed: Observation) -> dict[Address, Behaviour]:
    """The observation, with the known behaviour where it shows a part of that one and too little to tell."""
    return {
        address: known[address] if address in known and _is_part(address, known[address], behaviour) else behaviour
        for address, behaviour in observed.items()
    }


def _is_part(address: Address, known: Behaviour, observed: Behaviour) -> bool:
    """Whether the known behaviour includes the observed one, of which there are few sightings or that is about data."""
    is_little = observed.total < ENOUGH or address.family == "length"
    return is_little and known.value != observed.value and _joint(address, known, observed) == known.value


def _completed(own: Observation, other: Observation) -> dict[Address, Behaviour]:
    groups = {(address.operation, address.answer) for address in own if address.answer}
    both = {address: _widest(address, it, other[address]) if address in other else it for address, it in own.items()}
    unseen = (address for address in other if address not in own)
    return both | {
        address: Behaviour(other[address].value) for address in unseen if not _is_missing(address, own, groups)
    }


def _widest(address: Address, own: Behaviour, other: Behaviour) -> Behaviour:
    """The behaviour that includes the other one: both kinds where one observation saw one and the other both."""
    return Behaviour(_joint(address, own, other) or own.value, own.count, own.total)


def _joint(address: Address, first: Behaviour, second: Behaviour) -> str | None:
    """The value that includes both, None where neither includes the other."""
    if address.family in JOINED:
        mine, others = set(first.value.split(JOINT)), set(second.value.split(JOINT))
        is_joint = mine <= others or others <= mine or (address.family == "length" and mine & others)
        return JOINT.join(sorted(mine | others)) if is_joint else None
    if address.family == "members":
        is_joint = _same_order(first.value.split(", "), second.value.split(", "))
        return max(first.value, second.value, key=lambda names: (names.count(", "), names)) if is_joint else None
    return joint_order(first.value, second.value) if address.family == "order" else None


def _same_order(before: list[str], after: list[str]) -> bool:
    common = set(before) & set(after)
    return bool(common) and [name for name in before if name in common] == [name for name in after if name in common]


def _is_missing(address: Address, observation: Observation, groups: Collection[tuple[str, str]]) -> bool:
    """Whether the observation would have the address if the target behaved so."""
    if address.family == "header":
        return (address.operation, address.answer) in groups
    return address.family == "presence" and _could_show(address, observation)


def _could_show(address: Address, observation: Observation) -> bool:
    """Whether objects were seen that the member at this path would be in."""
    parent, _, name = address.place.rpartition("/")
    kinds: Behaviour | None = observation.get(address._replace(family="kind", place=parent or "/"))
    return name not in ("", "*") and kinds is not None and kinds.total > 0 and "object" in kinds.value.split(JOINT)
