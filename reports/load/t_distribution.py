"""Student's t distribution, for confidence intervals from few measurements.

Its distribution function uses the continued fraction of the regularised incomplete beta function (NIST DLMF 8.17.22).
"""

from __future__ import annotations

import math

TINY = 1e-300
STEPS = 300
PRECISION = 1e-14  # relative, of a quantile


def upper_tail(t: float, freedom: float) -> float:
    """The probability of a value above `t` (0 or more) with `freedom` degrees of freedom."""
    x = freedom / (freedom + t * t)
    return 0.5 * _beta(x, freedom / 2, 0.5)


def quantile(probability: float, freedom: float) -> float:
    """The value that is exceeded with that probability; raises ValueError unless it is above 0 and at most 0.5."""
    if not 0 < probability <= 0.5:
        raise ValueError(f"expected a probability above 0 and up to 0.5, got {probability}")
    t = 0.0
    for _ in range(STEPS):  # Newton's method: the tail is convex, so each step ends below the value or at it
        step = (upper_tail(t, freedom) - probability) / _density(t, freedom)
        t += step
        if step <= PRECISION * t:
            break
    return t


def _density(t: float, freedom: float) -> float:
    """The probability density at `t`."""
    front = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(front - (freedom + 1) / 2 * math.log1p(t * t / freedom))


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
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _nonzero(1 + factor * d)
            c = _nonzero(1 + factor / c)
            fraction *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return fraction


def _nonzero(value: float) -> float:
    """The value, or a tiny one in its place that can be divided by."""
    return value if abs(value) > TINY else TINY
