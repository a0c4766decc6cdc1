"""Arrivals come when the plan says, and all shares of a plan together are the plan."""

from __future__ import annotations

import math
import random
from itertools import accumulate, islice, pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.engine.arrival_plan import KINDS, SECOND, ArrivalPlan, parse_rates

points = st.lists(st.tuples(st.floats(0.1, 5), st.floats(0, 300)), min_size=1, max_size=5)


def during(plan: ArrivalPlan, seconds: float) -> list[int]:
    return list(takewhile(lambda at: at < seconds * SECOND, plan.arrival_times()))


def climbing(steps: list[tuple[float, float]]) -> ArrivalPlan:
    at, course_of = 0.0, []
    for width, rate in steps:
        course_of.append((at, rate))
        at += width
    return ArrivalPlan.from_rates(course_of, "even")


def test_even_arrivals_are_exactly_spaced() -> None:
    instants = list(islice(ArrivalPlan.from_rates(200, "even").arrival_times(), 1000))
    assert instants == [2_500_000 + number * 5_000_000 for number in range(1000)]


def test_even_arrivals_of_an_odd_rate_do_not_drift() -> None:
    instants = list(islice(ArrivalPlan.from_rates(7, "even").arrival_times(), 70_001))
    assert abs(instants[70_000] - 70_000.5 / 7 * SECOND) <= 1


@given(points)
def test_the_number_of_even_arrivals_is_the_area_below_the_rate(steps: list[tuple[float, float]]) -> None:
    plan = climbing(steps)
    seconds = plan.points[-1][0] + 1.0
    assert abs(len(during(plan, seconds)) - plan.expected_arrivals(seconds)) <= 0.5 + 1e-6


@given(points, st.sampled_from(KINDS))
def test_arrival_times_never_go_back(steps: list[tuple[float, float]], kind: str) -> None:
    instants = during(ArrivalPlan(climbing(steps).points, kind), 20.0)
    assert instants == sorted(instants)


def test_a_ramp_has_its_arrivals_where_the_rate_is_high() -> None:
    plan = ArrivalPlan.from_rates([(0, 0), (10, 100)], "even")
    assert (len(during(plan, 5)), len(during(plan, 10))) == (125, 500)


def test_a_step_changes_the_rate_at_once() -> None:
    instants = during(ArrivalPlan.from_rates([(0, 10), (2, 10), (2, 100)], "even"), 3)
    assert [sum(1 for at in instants if at // SECOND == second) for second in range(3)] == [10, 10, 100]


def test_a_pause_has_no_arrivals() -> None:
    instants = during(ArrivalPlan.from_rates([(0, 10), (1, 10), (1, 0), (3, 0), (3, 10)], "even"), 4)
    assert [sum(1 for at in instants if at // SECOND == second) for second in range(4)] == [10, 0, 0, 10]


def test_arrivals_end_when_the_last_rate_is_zero() -> None:
    assert len(list(ArrivalPlan.from_rates([(0, 50), (2, 0)], "even").arrival_times())) == 50


def test_no_arrivals_at_rate_zero() -> None:
    assert list(ArrivalPlan.from_rates(0).arrival_times()) == []


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert (
        during(ArrivalPlan.from_rates(100, seed="a"), 5)
        == during(ArrivalPlan.from_rates(100, seed="a"), 5)
        != during(ArrivalPlan.from_rates(100, seed="b"), 5)
    )


def test_gaps_of_poisson_arrivals_are_exponential() -> None:
    """Kolmogorov-Smirnov: at 20,000 gaps 1 % of samples exceed 1.63 / √n; the seed is fixed."""
    number, rate = 20_000, 500.0
    instants = list(islice(ArrivalPlan.from_rates(rate).arrival_times(), number + 1))
    gaps = sorted((later - earlier) / SECOND for earlier, later in pairwise(instants))
    distance = max(abs((at + 0.5) / number - (1 - math.exp(-rate * gap))) for at, gap in enumerate(gaps))
    assert distance < 1.63 / math.sqrt(number)


def test_counts_of_poisson_arrivals_vary_as_their_mean() -> None:
    counts = [0] * 400
    for at in during(ArrivalPlan.from_rates(50), 400):
        counts[at // SECOND] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
    assert (round(mean / 50, 1), 0.8 < variance / mean < 1.2) == (1.0, True)


def test_poisson_arrivals_follow_a_ramp() -> None:
    instants = during(ArrivalPlan.from_rates([(0, 0), (100, 200)]), 100)
    first = sum(1 for at in instants if at < 50 * SECOND)
    assert abs(len(instants) - 10_000) < 500
    assert abs(first / len(instants) - 0.25) < 0.02


def shares(plan: ArrivalPlan, workers: int, seconds: float) -> list[list[int]]:
    return [
        list(takewhile(lambda at: at < seconds * SECOND, plan.arrival_times((index, workers))))
        for index in range(workers)
    ]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_even_shares_of_workers_are_the_plan_in_turn(workers: int) -> None:
    plan = ArrivalPlan.from_rates([(0, 20), (5, 300)], "even")
    arrivals = during(plan, 6)
    assert shares(plan, workers, 6) == [arrivals[index::workers] for index in range(workers)]


@pytest.mark.parametrize("workers", [2, 50])
def test_random_shares_of_workers_are_one_stream_of_the_whole_rate(workers: int) -> None:
    """Kolmogorov-Smirnov, as for a single stream: the union of the shares has exponential gaps of the rate."""
    number, rate = 20_000, 500.0
    arrivals = sorted(at for share in shares(ArrivalPlan.from_rates(rate), workers, number / rate) for at in share)
    gaps = sorted((later - earlier) / SECOND for earlier, later in pairwise(arrivals))
    distance = max(abs((at + 0.5) / len(gaps) - (1 - math.exp(-rate * gap))) for at, gap in enumerate(gaps))
    assert (distance < 1.63 / math.sqrt(number), abs(len(arrivals) - number) < 5 * math.sqrt(number)) == (True, True)


def test_a_random_share_has_a_seed_of_its_own() -> None:
    gap = random.Random("seed/1 of 3").expovariate
    arrivals = list(islice(ArrivalPlan.from_rates(1, seed="seed").arrival_times((1, 3)), 3))
    assert arrivals == [round(area * SECOND) for area in accumulate(3 * gap(1.0) for _ in range(3))]


def test_the_only_worker_has_the_seed_of_the_plan() -> None:
    plan = ArrivalPlan.from_rates(50)
    assert shares(plan, 1, 5) == [during(plan, 5)]


@pytest.mark.parametrize(
    ("share", "after", "expected"),
    [
        ((0, 1), 0.0, [0.5, 1.5]),
        ((0, 1), 0.5, [0.5, 1.5]),
        ((0, 1), 0.51, [1.5, 2.5]),
        ((1, 3), 0.0, [1.5, 4.5]),
        ((1, 3), 1.5, [1.5, 4.5]),
        ((1, 3), 2.0, [4.5, 7.5]),
        ((2, 3), 1e6, [1_000_001.5, 1_000_004.5]),
    ],
)
def test_even_arrivals_after_an_instant(share: tuple[int, int], after: float, expected: list[float]) -> None:
    plan = ArrivalPlan.from_rates(1, "even")
    assert list(islice(plan.arrival_times(share, after), 2)) == [round(at * SECOND) for at in expected]


def test_random_arrivals_after_an_instant_follow_the_rate_from_there() -> None:
    gap = random.Random("seed").expovariate
    plan = ArrivalPlan.from_rates([(0, 10), (1000, 10), (1000, 1)], seed="seed")
    arrivals = list(islice(plan.arrival_times(after=2000.0), 2))
    expected = [round((1000 + area - 10_000) * SECOND) for area in accumulate([11_000, gap(1.0), gap(1.0)])][1:]
    assert arrivals == expected


def test_arrivals_late_in_a_plan_cost_no_more_than_at_its_begin() -> None:
    """A walk over the plan would take years."""
    plan = ArrivalPlan.from_rates(1e9)
    assert next(plan.arrival_times((0, 50), 1e6)) >= 10**15


def test_a_plan_scales() -> None:
    assert ArrivalPlan.from_rates([(0, 10), (5, 20)]).scaled(0.5).points == ((0.0, 5.0), (5.0, 10.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("200", ((0.0, 200.0),)), ("0:10,30:200", ((0.0, 10.0), (30.0, 200.0))), ("0:5", ((0.0, 5.0),))],
)
def test_rates_are_parsed(text: str, expected: tuple[tuple[float, float], ...]) -> None:
    assert parse_rates(text) == expected


@pytest.mark.parametrize("text", ["", "fast", "-3", "nan", "5:10", "0:10,30", "0:10,5:20,4:30", "0:1:2", "inf"])
def test_an_invalid_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="0:10,30:200"):
        parse_rates(text)


@pytest.mark.parametrize("text", ["0", "0:0", "0:1,0:2", "0:1,5:2,5:3"])
def test_zero_rates_and_steps_are_valid(text: str) -> None:
    assert parse_rates(text)


def test_no_arrival_comes_after_thirty_years() -> None:
    assert list(ArrivalPlan.from_rates(1e-9, "even").arrival_times()) == pytest.approx([10**18 // 2])
    assert list(ArrivalPlan.from_rates(0.5001e-9, "even").arrival_times()) == pytest.approx([0.9998 * 10**18])
    assert list(ArrivalPlan.from_rates(0.4999e-9, "even").arrival_times()) == []


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (1, 10), (2, 20), (3, 20 + 15), (4, 20 + 40), (5, 20 + 40 + 30), (7, 150)]
)
def test_expected_arrivals_are_the_area_below_the_rate(seconds: float, expected: float) -> None:
    plan = ArrivalPlan.from_rates([(0, 10), (2, 10), (4, 30)], "even")
    assert plan.expected_arrivals(seconds) == pytest.approx(expected)


@pytest.mark.parametrize("factor", [0, 1, 2.5])
def test_a_scaled_plan_keeps_kind_and_seed(factor: float) -> None:
    plan = ArrivalPlan.from_rates(10, "even", "seed").scaled(factor)
    assert (plan.points, plan.kind, plan.seed) == (((0.0, 10 * factor),), "even", "seed")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="poisson, even"):
        ArrivalPlan.from_rates(10, "uniform")


def test_arrivals_come_at_random_with_seed_1_unless_the_plan_says_otherwise() -> None:
    assert ArrivalPlan.from_rates(10) == ArrivalPlan(((0.0, 10.0),), "poisson", "1")


@pytest.mark.parametrize("rates", [[(0, 0), (2, 50)], [(0, 50), (2, 0)], [(0, 10), (2, 30), (3, 0)]])
def test_even_arrivals_on_a_ramp_are_where_the_area_says(rates: list[tuple[float, float]]) -> None:
    plan = ArrivalPlan.from_rates(rates, "even")
    areas = [plan.expected_arrivals(at / SECOND) for at in during(plan, rates[-1][0])]
    assert areas == pytest.approx([number + 0.5 for number in range(len(areas))])
    assert len(areas) == round(plan.expected_arrivals(rates[-1][0]))


def test_poisson_arrivals_are_sums_of_exponential_gaps_of_the_seed() -> None:
    gap = random.Random("seed").expovariate
    instants = list(islice(ArrivalPlan.from_rates(1, seed="seed").arrival_times(), 3))
    assert instants == [round(area * SECOND) for area in accumulate(gap(1.0) for _ in range(3))]


@pytest.mark.parametrize("points", [(), ((1.0, 5.0),), ((0.0, 1.0), (2.0, 1.0), (1.0, 1.0)), ((0.0, -0.1),)])
def test_points_that_are_no_course_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"course of rates|0 or more"):
        ArrivalPlan(points)
