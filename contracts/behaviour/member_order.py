"""The order of an object's members, merged from objects that each have some of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise

VARIES = "varies"
FEW = 0.1  # share of the objects that may be written otherwise, such as records that another program has made


def merged_order(orders: Mapping[tuple[str, ...], int]) -> str:
    """The names in one order that agrees with all of these, or with all but a few; `varies` where there is none.

    `orders`: in how many objects each was seen. The result does not depend on the order of the orders.
    """
    if merged := _merged(orders):
        return ", ".join(merged)
    total, usual = sum(orders.values()), dict(orders)
    for order in sorted(orders, key=lambda it: (orders[it], it)):
        del usual[order]
        if sum(usual.values()) < (1 - FEW) * total:
            break
        if merged := _merged(usual):
            return ", ".join([*merged, *sorted({name for it in orders for name in it} - set(merged))])
    return VARIES


def _merged(orders: Iterable[tuple[str, ...]]) -> list[str] | None:
    """The names in an order that agrees with all orders, None where there is none."""
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
            return None
        del pending[free]
        merged.append(free)
        for name in after.get(free, ()):
            pending[name] -= 1
    return merged
