"""Arrivals come when the plan says, and all shares of a plan together are the plan."""

from __future__ import annotations

import math
from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.engine.arrivals import KINDS, SECOND, Plan, course

points = st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 300)), min_size=1, max_size=5)


def during(plan: Plan, seconds: float) -> list[int]:
    return list(takewhile(lambda at: at < seconds * SECOND, plan.instants()))


def climbing(steps: list[tuple[float, float]]) -> Plan:
    at, course_of = 0.0, []
    for width, rate in steps:
        course_of.append((at, rate))
        at += width
    return Plan.of(course_of, "even")


def test_even_arrivals_are_exactly_spaced() -> None:
    instants = list(islice(Plan.of(200, "even").instants(), 1000))
    assert instants == [2_500_000 + number * 5_000_000 for number in range(1000)]


def test_even_arrivals_of_an_odd_rate_do_not_drift() -> None:
    instants = list(islice(Plan.of(7, "even").instants(), 70_001))
    assert abs(instants[70_000] - 70_000.5 / 7 * SECOND) <= 1


@given(points)
def test_the_number_of_even_arrivals_is_the_area_below_the_rate(steps: list[tuple[float, float]]) -> None:
    plan = climbing(steps)
    seconds = plan.points[-1][0] + 1.0
    assert abs(len(during(plan, seconds)) - plan.expected(seconds)) <= 0.5 + 1e-6


@given(points, st.sampled_from(KINDS))
def test_instants_never_go_back(steps: list[tuple[float, float]], kind: str) -> None:
    instants = during(Plan(climbing(steps).points, kind), 20.0)
    assert instants == sorted(instants)


def test_a_ramp_has_its_arrivals_where_the_rate_is_high() -> None:
    plan = Plan.of([(0, 0), (10, 100)], "even")
    assert (len(during(plan, 5)), len(during(plan, 10))) == (125, 500)


def test_a_step_changes_the_rate_at_once() -> None:
    instants = during(Plan.of([(0, 10), (2, 10), (2, 100)], "even"), 3)
    assert [sum(1 for at in instants if at // SECOND == second) for second in range(3)] == [10, 10, 100]


def test_a_pause_has_no_arrivals() -> None:
    instants = during(Plan.of([(0, 10), (1, 10), (1, 0), (3, 0), (3, 10)], "even"), 4)
    assert [sum(1 for at in instants if at // SECOND == second) for second in range(4)] == [10, 0, 0, 10]


def test_arrivals_end_when_the_last_rate_is_zero() -> None:
    assert len(list(Plan.of([(0, 50), (2, 0)], "even").instants())) == 50


def test_no_arrivals_at_rate_zero() -> None:
    assert list(Plan.of(0).instants()) == []


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert during(Plan.of(100, seed="a"), 5) == during(Plan.of(100, seed="a"), 5) != during(Plan.of(100, seed="b"), 5)


def test_gaps_of_poisson_arrivals_are_exponential() -> None:
    """Kolmogorov-Smirnov: at 20,000 gaps 1 % of samples exceed 1.63 / √n; the seed is fixed."""
    number, rate = 20_000, 500.0
    instants = list(islice(Plan.of(rate).instants(), number + 1))
    gaps = sorted((later - earlier) / SECOND for earlier, later in pairwise(instants))
    distance = max(abs((at + 0.5) / number - (1 - math.exp(-rate * gap))) for at, gap in enumerate(gaps))
    assert distance < 1.63 / math.sqrt(number)


def test_counts_of_poisson_arrivals_vary_as_their_mean() -> None:
    counts = [0] * 400
    for at in during(Plan.of(50), 400):
        counts[at // SECOND] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
    assert (round(mean / 50, 1), 0.8 < variance / mean < 1.2) == (1.0, True)


def test_poisson_arrivals_follow_a_ramp() -> None:
    instants = during(Plan.of([(0, 0), (100, 200)]), 100)
    first = sum(1 for at in instants if at < 50 * SECOND)
    assert abs(len(instants) - 10_000) < 500
    assert abs(first / len(instants) - 0.25) < 0.02


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_shares_of_workers_are_the_plan_together(kind: str, workers: int) -> None:
    plan = Plan.of([(0, 20), (5, 300)], kind)
    whole = during(plan, 6)
    shares = [[at for number, at in enumerate(whole) if number % workers == index] for index in range(workers)]
    assert sorted(at for share in shares for at in share) == whole
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_plan_scales() -> None:
    assert Plan.of([(0, 10), (5, 20)]).times(0.5).points == ((0.0, 5.0), (5.0, 10.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("200", ((0.0, 200.0),)), ("0:10,30:200", ((0.0, 10.0), (30.0, 200.0))), ("0:5", ((0.0, 5.0),))],
)
def test_a_course_is_read(text: str, expected: tuple[tuple[float, float], ...]) -> None:
    assert course(text) == expected


@pytest.mark.parametrize("text", ["", "fast", "-3", "nan", "5:10", "0:10,30", "0:10,5:20,4:30", "0:1:2", "inf"])
def test_what_is_no_course_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="0:10,30:200"):
        course(text)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="poisson, even"):
        Plan.of(10, "uniform")
