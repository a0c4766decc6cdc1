"""By which members the entries of an array are sorted, so far as several of them show it.

Rule: an order is seen where a member has several values. A time of which there are few values may be the sort key as
well: it is noted as `perhaps`, and neither confirms nor contradicts anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

MIN_ENTRIES = 6  # fewer may be in order by chance
MIN_VALUES = 4  # different ones
OF_TIMES = ("created", "date", "time", "_at")  # parts of names
PREFERRED = (*OF_TIMES, "id", "name")  # the likeliest sort key first
UNORDERED = "none"
PERHAPS = "perhaps "
BETWEEN = ", "


class ArrayOrders(NamedTuple):
    """Orders such as `up by NAME` that an array is in, and those that it may be in: too few values tell."""

    certain: frozenset[str]
    possible: frozenset[str] = frozenset()

    @property
    def every(self) -> frozenset[str]:
        """The orders that the array does not contradict."""
        return self.certain | self.possible


def sorted_members(entries: Sequence[dict[str, Any]]) -> ArrayOrders | None:
    """The orders of these objects; None for too few of them."""
    if len(entries) < MIN_ENTRIES:
        return None
    certain, possible = set(), set()
    for name in set.intersection(*(set(entry) for entry in entries)):
        values = [entry[name] for entry in entries]
        if not (all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values)):
            continue
        orders = {f"up by {name}"} if values == sorted(values) else set()
        orders |= {f"down by {name}"} if values == sorted(values, reverse=True) else set()
        if len(set(values)) >= MIN_VALUES:
            certain |= orders
        elif any(part in name.lower() for part in OF_TIMES):
            possible |= orders
    return ArrayOrders(frozenset(certain), frozenset(possible))


def common_orders(orders: Iterable[ArrayOrders]) -> ArrayOrders:
    """The orders that all arrays may be in; certain are those that one of them shows."""
    arrays = list(orders)
    if not arrays:
        return ArrayOrders(frozenset())
    every = frozenset.intersection(*(array.every for array in arrays))
    certain = every & frozenset.union(*(array.certain for array in arrays))
    return ArrayOrders(certain, every - certain)


def order_text(orders: ArrayOrders) -> str:
    """The orders as text, the likeliest first, and those that are possible only; `none` where there is neither."""
    words = [*sorted(orders.certain, key=_rank), *(f"{PERHAPS}{order}" for order in sorted(orders.possible, key=_rank))]
    return BETWEEN.join(words) or UNORDERED


def parse_orders(text: str) -> ArrayOrders:
    """The inverse of `order_text`."""
    words = [word for word in text.split(BETWEEN) if word != UNORDERED]
    possible = frozenset(word.removeprefix(PERHAPS) for word in words if word.startswith(PERHAPS))
    return ArrayOrders(frozenset(word for word in words if not word.startswith(PERHAPS)), possible)


def joint_order(first: str, second: str) -> str:
    """The text of the orders that two arrays with these texts have in common."""
    return order_text(common_orders(map(parse_orders, (first, second))))


def is_other_order(before: str, after: str) -> bool:
    """Whether an array was certainly in an order that it is not in any more."""
    was, now = parse_orders(before), parse_orders(after)
    return bool(was.certain) and not (was.certain & now.every or now.certain & was.possible)


def _rank(order: str) -> tuple[int, str]:
    name = order.partition(" by ")[2].lower()
    return next((rank for rank, part in enumerate(PREFERRED) if part in name), len(PREFERRED)), order


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
