"""What was seen at one path of JSON responses, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from contracts.behaviour.array_order import ArrayOrders


@dataclass
class PathFacts:
    """What was seen at one path: appearances, nulls among them, and what the others were.

    distinct, distinct_nulls: the same with each entry counted once, however many responses have it.
    """

    appearances: int = 0
    nulls: int = 0
    distinct: int = 0
    distinct_nulls: int = 0
    kinds: set[str] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    numbers: set[str] = field(default_factory=set)
    decimals: int = 0
    values: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)  # values that one response had several times
    has_other_values: bool = False
    orders: list[ArrayOrders] = field(default_factory=list)
    lengths: set[str] = field(default_factory=set)
    ids_differ: list[bool] = field(default_factory=list)
    members: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def sightings(self) -> int:
        """Appearances that are not null."""
        return self.appearances - self.nulls

    @property
    def entries(self) -> int:
        """Different entries in which it is not null."""
        return self.distinct - self.distinct_nulls
