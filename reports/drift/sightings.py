"""Rounds counts to a few steps, so that a record stays the same while the behaviour does.

Rule: numbers of sightings are rounded down, so that a record never claims more evidence than there was. From
`ENOUGH` on they make no difference, except for a share that is neither always nor never.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.behaviour.behaviour import SHARES, Address, Behaviour, Family
from reports.drift.behaviour_comparison import is_error

ENOUGH_REFUSALS = 2
ENOUGH = 20  # sightings from which on `always` and `never` count as such
STEPS = (0, 1, 2, 10, 20)
STEPS_OF_RATES = (2, 5, 10, 20, 40, 80)  # of what is neither always nor never
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
    "header value",
)
"""Families in which a difference means something only after enough sightings."""


def enough(answer: str) -> int:
    """How many sightings of such an answer are as good as more: the same question is always refused alike, while
    records differ.
    """
    return ENOUGH_REFUSALS if is_error(answer) else ENOUGH


def rounded(address: Address, behaviour: Behaviour) -> Behaviour:
    """The behaviour as a record keeps it; rounding it again changes nothing."""
    family, answer = address.family, address.answer
    if family not in COUNTED:
        return Behaviour(behaviour.value)
    if behaviour.value == "sometimes" and family in SHARES:
        total = _step(max(behaviour.total, STEPS_OF_RATES[0]), STEPS_OF_RATES)
        return rounded_share(100 * behaviour.count / max(behaviour.total, 1), total)
    total = _step(min(behaviour.total, enough(answer)), STEPS)
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


def _step(total: int, steps: Sequence[int]) -> int:
    return max(step for step in steps if step <= max(total, 0))


def _nearest(value: float, steps: Sequence[int]) -> int:
    return min(steps, key=lambda step: abs(step - value))
