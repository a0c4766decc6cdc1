"""By which member the entries of an array are sorted, so far as several of them show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MIN_ENTRIES = 6  # fewer may be in order by chance
MIN_VALUES = 4  # different ones
PREFERRED = ("created", "date", "time", "_at", "id", "name")  # parts of names, the likeliest sort key first


def sorted_members(entries: Sequence[dict[str, Any]]) -> frozenset[str] | None:
    """`up by NAME` or `down by NAME` for each member by which these objects are sorted; None for too few of them."""
    if len(entries) < MIN_ENTRIES:
        return None
    orders = set()
    for name in set.intersection(*(set(entry) for entry in entries)):
        values = [entry[name] for entry in entries]
        if all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values):
            if len(set(values)) < MIN_VALUES:
                continue
            if values == sorted(values):
                orders.add(f"up by {name}")
            elif values == sorted(values, reverse=True):
                orders.add(f"down by {name}")
    return frozenset(orders)


def common_orders(orders: Sequence[frozenset[str]]) -> frozenset[str]:
    """The orders that all arrays have."""
    return frozenset.intersection(*orders) if orders else frozenset()


def order_text(orders: frozenset[str]) -> str:
    """The likeliest of the orders, `none` where there is none."""
    return min(orders, key=lambda order: (_rank(order.partition(" by ")[2]), order), default="none")


def _rank(name: str) -> int:
    return next((rank for rank, part in enumerate(PREFERRED) if part in name.lower()), len(PREFERRED))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
