"""Student's t distribution against values of tables."""

from __future__ import annotations

import math

import pytest

from reports.load.t_distribution import TINY, _nonzero, quantile, upper_tail


@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [
        (0.05, 1, 6.313752),
        (0.025, 1, 12.706205),
        (0.1, 2, 1.885618),
        (0.025, 2, 4.302653),
        (0.25, 3, 0.764892),
        (0.05, 5, 2.015048),
        (0.005, 5, 4.032143),
        (0.025, 10, 2.228139),
        (0.001, 10, 4.143700),
        (0.05, 30, 1.697261),
        (0.025, 120, 1.979930),
        (0.4, 4, 0.270722),
    ],
)
def test_quantile_is_that_of_the_tables(probability: float, freedom: float, value: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(value, abs=1e-6)
    assert upper_tail(value, freedom) == pytest.approx(probability, rel=1e-6)


def test_half_of_all_values_are_above_zero() -> None:
    assert upper_tail(0.0, 7) == 0.5
    assert quantile(0.5, 7) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("t", [0.3, 1.0, 2.5, 50.0, 1e6])
def test_one_degree_of_freedom_is_the_cauchy_distribution(t: float) -> None:
    assert upper_tail(t, 1) == pytest.approx(math.atan2(1, t) / math.pi, rel=1e-10)


@pytest.mark.parametrize("t", [0.3, 1.0, 2.5, 50.0])
def test_two_degrees_of_freedom_have_a_closed_form(t: float) -> None:
    assert upper_tail(t, 2) == pytest.approx((1 - t / math.sqrt(2 + t * t)) / 2, rel=1e-9)


def test_many_degrees_of_freedom_are_nearly_the_normal_distribution() -> None:
    assert upper_tail(1.959964, 1e7) == pytest.approx(0.025, rel=1e-5)


def test_a_value_beyond_all_bounds_is_never_exceeded() -> None:
    assert upper_tail(1e200, 3) == 0.0


@pytest.mark.parametrize("probability", [0.0, -0.1, 0.5000001, 1.0])
def test_a_quantile_outside_of_the_upper_half_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"expected a probability above 0 and up to 0\.5"):
        quantile(probability, 3)


@pytest.mark.parametrize(("value", "divisor"), [(0.0, TINY), (-TINY / 2, TINY), (-2.0, -2.0), (2 * TINY, 2 * TINY)])
def test_divisor_is_never_zero(value: float, divisor: float) -> None:
    assert _nonzero(value) == divisor
