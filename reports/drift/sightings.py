"""Rounds what was counted to few steps, so that a record stays the same while the behaviour does.

Rule: numbers of sightings are rounded down, so that a record never claims more evidence than there was. From
`ENOUGH` on they make no difference, except for a share that is neither always nor never.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.behaviour.behaviour import SHARES, Behaviour, Family

ENOUGH = 20  # sightings from which on `always` and `never` count as such
STEPS = (0, 1, 2, 5, 10, 14, 20, 40, 80)
PERCENTS = (1, 2, 5, *range(10, 91, 10), 95, 98, 99)
COUNTED: tuple[Family, ...] = (
    "presence",
    "null",
    "header",
    "kind",
    "form",
    "number",
    "values",
    "members",
    "order",
    "length",
    "unique",
    "header value",
)
"""Families in which a difference means something only after enough sightings."""


def rounded(family: Family, behaviour: Behaviour) -> Behaviour:
    """The behaviour as a record keeps it; rounding it again changes nothing."""
    if family not in COUNTED:
        return Behaviour(behaviour.value)
    total = _step(behaviour.total)
    if behaviour.value == "sometimes" and family in SHARES:
        return rounded_share(100 * behaviour.count / max(behaviour.total, 1), max(total, 2))
    total = min(total, ENOUGH)
    return Behaviour(behaviour.value, 0 if behaviour.value == "never" and family in SHARES else total, total)


def rounded_share(percent: float, total: int) -> Behaviour:
    """`sometimes` in about that percentage of `total` sightings, 2 or more."""
    count = _count(percent, total)
    return Behaviour("sometimes", _count(percent_of(count, total), total), total)


def percent_of(count: int, total: int) -> int:
    """The step that is nearest to the percentage."""
    return _nearest(100 * count / total, PERCENTS)


def _count(percent: float, total: int) -> int:
    return min(max(round(_nearest(percent, PERCENTS) * total / 100), 1), total - 1)


def _step(total: int) -> int:
    return max(step for step in STEPS if step <= max(total, 0))


def _nearest(value: float, steps: Sequence[int]) -> int:
    return min(steps, key=lambda step: abs(step - value))
