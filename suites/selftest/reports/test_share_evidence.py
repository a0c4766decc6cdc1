"""What shares of two records are evidence of: a probability, and how small it has to be among many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drift.share_evidence import fisher, significant


def test_fisher_takes_any_number_of_sightings() -> None:
    assert fisher(5000, 10_000, 5000, 10_000) == pytest.approx(1.0)
    assert fisher(4000, 10_000, 6000, 10_000) < 1e-9


def test_fisher_agrees_with_a_published_example() -> None:
    assert fisher(1, 10, 11, 14) == pytest.approx(0.0027594, rel=1e-4)
    assert fisher(3, 4, 1, 4) == pytest.approx(0.4857143, rel=1e-6)  # the lady tasting tea


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_fisher_is_a_probability_and_symmetric(first: int, second: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    probability = fisher(a, first, b, second)
    assert 0 < probability <= 1
    assert probability == pytest.approx(fisher(b, second, a, first))


def test_many_shares_need_stronger_evidence() -> None:
    counts = (20, 40, 33, 40)
    assert significant([counts]) == [True]
    assert significant([counts, *[(20, 40, 20, 40)] * 30]) == [False] * 31
