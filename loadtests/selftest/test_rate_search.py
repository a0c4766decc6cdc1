"""The search for the highest rate, against a server whose capacity is known by queueing theory."""

from __future__ import annotations

import math
from random import Random

import pytest

from loadtests.profiles.rate_search import RateSearch

SERVED = 500.0  # requests a second that the simulated server can do
LIMIT = 0.05  # seconds that 95 % of the responses may take
# M/M/1: times in the system are exponential with the rate SERVED - arrivals, so their 95th percentile is known
CAPACITY = SERVED - math.log(20) / LIMIT


def keeps(rate: float, chance: Random, seconds: float = 40.0) -> bool:
    """A step at that rate: whether the 95th percentile of the simulated times is within the limit."""
    arrived = free = 0.0
    slow = number = 0
    while arrived < seconds:
        arrived += chance.expovariate(rate)
        free = max(free, arrived) + chance.expovariate(SERVED)
        number += 1
        slow += free - arrived > LIMIT
    return slow <= 0.05 * number


def searched(bracket: RateSearch, seed: int, flake: float = 0.0) -> int:
    """Runs the search to its end and returns the number of steps; the share `flake` of them gets the wrong result."""
    chance = Random(seed)
    steps = 0
    while bracket.rate is not None:
        is_kept = keeps(bracket.rate, chance)
        bracket.record(is_kept != (chance.random() < flake))
        steps += 1
        assert steps < 200, "the search does not end"
    return steps


@pytest.mark.parametrize("start", [7.0, 100.0, 440.0, 900.0])
def test_a_known_capacity_is_found_within_10_percent(start: float) -> None:
    bracket = RateSearch(start, max_rate=10_000)
    searched(bracket, seed=1)
    assert abs(bracket.highest_passing - CAPACITY) < 0.1 * CAPACITY


@pytest.mark.parametrize("seed", range(5))
def test_a_step_that_fails_by_chance_decides_nothing(seed: int) -> None:
    bracket = RateSearch(20, max_rate=10_000)
    searched(bracket, seed, flake=0.05)
    assert abs(bracket.highest_passing - CAPACITY) < 0.1 * CAPACITY


def test_both_ends_are_near_and_confirmed() -> None:
    bracket = RateSearch(20, max_rate=10_000, precision=0.02, confirmations=3)
    searched(bracket, seed=3)
    assert bracket.lowest_failing is not None
    assert bracket.lowest_failing / bracket.highest_passing <= 1.02
    assert (
        min(len(bracket.measurements[bracket.highest_passing]), len(bracket.measurements[bracket.lowest_failing])) >= 2
    )


def test_a_target_that_bears_everything_ends_the_search_at_the_maximum() -> None:
    bracket = RateSearch(10, max_rate=100)
    while bracket.rate is not None:
        bracket.record(True)
    assert (bracket.highest_passing, bracket.lowest_failing) == (100, None)


def test_a_target_that_bears_nothing_ends_the_search_without_a_rate() -> None:
    bracket = RateSearch(64, max_rate=1000)
    while bracket.rate is not None:
        bracket.record(False)
    assert (bracket.highest_passing, bracket.lowest_failing) == (0.0, 1.0)
