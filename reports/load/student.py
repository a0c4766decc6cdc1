"""Student's t distribution, for intervals out of few measurements.

The distribution function by the regularised incomplete beta function's continued fraction (NIST DLMF 8.17.22).
"""

from __future__ import annotations

import math

TINY = 1e-300
STEPS = 300


def above(t: float, freedom: float) -> float:
    """The chance of a value above `t` (0 or more) with so many degrees of freedom."""
    x = freedom / (freedom + t * t)
    return 0.5 * _beta(x, freedom / 2, 0.5)


def quantile(chance: float, freedom: float) -> float:
    """The value that is exceeded with that chance, which is at most a half."""
    if not 0 < chance <= 0.5:
        raise ValueError(f"the chance to exceed it lies above 0 and up to 0.5, not at {chance}")
    low, high = 0.0, 1.0
    while above(high, freedom) > chance:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle, freedom) > chance else (low, middle)
    return high


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function."""
    if x >= 1:
        return 1.0
    if x <= 0:
        return 0.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction, by Lentz's method."""
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _apart(1 + factor * d)
            c = _apart(1 + factor / c)
            found *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return found


def _apart(value: float) -> float:
    """The value, or one next to 0 that can be divided by."""
    return value if abs(value) > TINY else TINY
