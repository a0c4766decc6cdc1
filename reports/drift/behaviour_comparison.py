"""Compares behaviours place by place; `changes.py` makes changes of the differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from contracts.behaviour.behaviour import SHARES, Address, Behaviour, Family

SHAPE: tuple[Family, ...] = (
    "kind", "presence", "null", "form", "number", "values", "members", "order", "length", "unique",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of change at one address. explains: other addresses that differ for the same reason."""

    kind: str
    address: Address
    before: str
    after: str
    subject: str
    explains: tuple[Address, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The steady behaviours of a record, the addresses of unsteady ones, and what is observed now."""

    before: Mapping[Address, Behaviour]
    unsteady: Iterable[Address]
    after: Mapping[Address, Behaviour]
    _below: dict[tuple[str, str], list[Address]] = field(default_factory=dict)

    @cached_property
    def differing(self) -> list[Address]:
        """Addresses at which the record and now are not the same, sorted; unsteady ones are left out."""
        unsteady = set(self.unsteady)
        return sorted(
            address
            for address in {*self.before, *self.after} - unsteady
            if address.operation in self.operations and self._differs(address)
        )

    def _differs(self, address: Address) -> bool:
        before, after = self.before.get(address), self.after.get(address)
        if before is None or after is None or before.value != after.value:
            return True
        return address.family in SHARES and before.value == "sometimes" and before != after

    @cached_property
    def operations(self) -> set[str]:
        """The operations that are observed now."""
        return {address.operation for address in self.after}

    @cached_property
    def answers_before(self) -> set[tuple[str, str]]:
        """Operations with the answers that the record has of them."""
        return {(address.operation, address.answer) for address in self.before if address.answer}

    @cached_property
    def answers_after(self) -> set[tuple[str, str]]:
        """The same for now."""
        return {(address.operation, address.answer) for address in self.after if address.answer}

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], list[Address]]:
        """The differing addresses in the shapes of bodies by operation and answer."""
        places: dict[tuple[str, str], list[Address]] = defaultdict(list)
        for address in self.differing:
            if address.family in SHAPE:
                places[address.operation, address.answer].append(address)
        return places

    def below(self, address: Address) -> tuple[Address, ...]:
        """Differing addresses at the place of this one and within it."""
        inner = "/" if address.place == "/" else f"{address.place}/"
        return tuple(
            other
            for other in self._places[address.operation, address.answer]
            if other.place == address.place or other.place.startswith(inner)
        )

    def values(self, address: Address, family: Family | None = None, place: str | None = None) -> tuple[str, str]:
        """What was and is seen at the address, or at another family or place of its answer; "" for nothing."""
        other = address._replace(family=family or address.family, place=address.place if place is None else place)
        return tuple(  # type: ignore[return-value]
            seen[other].value if other in seen else "" for seen in (self.before, self.after)
        )


def parent_of(place: str) -> str:
    """The JSON path around that one."""
    return place.rpartition("/")[0] or "/"


def name_of(place: str) -> str:
    """The last name of a JSON path that is no `*`."""
    names = [token for token in place.split("/") if token not in ("", "*")]
    return names[-1] if names else "the body"


def is_error(answer: str) -> bool:
    """Whether answers of that class are refusals."""
    return answer[:1] in ("4", "5") or answer.endswith("refused")
