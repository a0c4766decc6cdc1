"""The order of an object's members, merged from objects that each have some of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

VARIES = "varies"


def merged_order(orders: Iterable[tuple[str, ...]]) -> str:
    """The names in one order that agrees with all of these, `varies` where there is none; the same for any order of
    the orders.
    """
    after: dict[str, set[str]] = defaultdict(set)
    names: set[str] = set()
    for order in orders:
        names |= set(order)
        for before, behind in pairwise(order):
            after[before].add(behind)
    pending = {name: sum(name in behind for behind in after.values()) for name in names}
    merged: list[str] = []
    while pending:
        free = min((name for name, number in pending.items() if not number), default=None)
        if free is None:
            return VARIES
        del pending[free]
        merged.append(free)
        for name in after.get(free, ()):
            pending[name] -= 1
    return ", ".join(merged)
