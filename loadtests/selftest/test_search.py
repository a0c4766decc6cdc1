"""The search for the highest rate, against a server whose capacity is known by queueing theory."""

from __future__ import annotations

import math
from random import Random

import pytest

from loadtests.search import Bracket

SERVED = 500.0  # requests a second that the simulated server can do
LIMIT = 0.05  # seconds that 95 % of the answers may take
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


def searched(bracket: Bracket, seed: int, flake: float = 0.0) -> int:
    """Plays the search to its end; `flake` of the steps are turned round. Gives the number of steps."""
    chance = Random(seed)
    steps = 0
    while bracket.rate is not None:
        kept = keeps(bracket.rate, chance)
        bracket.came(kept != (chance.random() < flake))
        steps += 1
        assert steps < 200, "the search does not end"
    return steps


@pytest.mark.parametrize("start", [7.0, 100.0, 440.0, 900.0])
def test_a_known_capacity_is_found_within_10_percent(start: float) -> None:
    bracket = Bracket(start, most=10_000)
    searched(bracket, seed=1)
    assert abs(bracket.good - CAPACITY) < 0.1 * CAPACITY


@pytest.mark.parametrize("seed", range(5))
def test_a_step_that_goes_wrong_by_chance_decides_nothing(seed: int) -> None:
    bracket = Bracket(20, most=10_000)
    searched(bracket, seed, flake=0.05)
    assert abs(bracket.good - CAPACITY) < 0.1 * CAPACITY


def test_both_ends_are_near_and_confirmed() -> None:
    bracket = Bracket(20, most=10_000, precision=0.02, confirm=3)
    searched(bracket, seed=3)
    assert bracket.bad is not None
    assert bracket.bad / bracket.good <= 1.02
    assert min(len(bracket.tried[bracket.good]), len(bracket.tried[bracket.bad])) >= 2


def test_a_target_that_bears_everything_ends_the_search_at_the_most() -> None:
    bracket = Bracket(10, most=100)
    while bracket.rate is not None:
        bracket.came(True)
    assert (bracket.good, bracket.bad) == (100, None)


def test_a_target_that_bears_nothing_ends_the_search_without_a_rate() -> None:
    bracket = Bracket(64, most=1000)
    while bracket.rate is not None:
        bracket.came(False)
    assert (bracket.good, bracket.bad) == (0.0, 1.0)
