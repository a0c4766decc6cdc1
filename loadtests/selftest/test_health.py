"""A generator that was late, busy, stalled or had its clock moved says so; a fit one says nothing."""

from __future__ import annotations

import pytest

from loadtests.engine.health import MS, SECOND, Health
from reports.load.result import incomplete


def watched(seconds: int = 10, cpu: float = 0.3, step: int = 0) -> Health:
    """A generator that used that share of a core for so many seconds, whose wall clock moved by `step` ns half way."""
    health = Health()
    cpu_began, began = health._cpu_began, health.began
    for second in range(1, seconds + 1):
        now = began + second * SECOND
        moved = step if second > seconds // 2 else 0
        health.sample(now, cpu_began + int(second * cpu * SECOND), now + health._offset + moved)
    return health


def reasons(health: Health) -> str:
    found: list[str] = health.to_json()["reasons"]
    return "; ".join(found)


def test_a_fit_generator_has_no_reasons_against_it() -> None:
    health = watched()
    health.late.extend([MS] * 1000)
    health.turn(MS)
    assert reasons(health) == ""


def test_late_starts_count_against_it() -> None:
    health = watched()
    health.late.extend([MS] * 98 + [30 * MS, 50 * MS])
    health.turn(0)
    assert "started late: 1 in 100 by more than 30.0 ms" in reasons(health)


def test_one_late_start_in_a_thousand_does_not() -> None:
    health = watched()
    health.late.extend([MS] * 999 + [500 * MS])
    health.turn(0)
    assert reasons(health) == ""


def test_a_full_core_counts_against_it() -> None:
    assert "used 97% of a core" in reasons(watched(cpu=0.97))


def test_five_busy_seconds_are_enough() -> None:
    health = watched(seconds=60, cpu=0.1)
    cpu, now, wall = health._cpu_now, health._now, health._now + health._offset
    for second in range(1, 6):
        health.sample(now + second * SECOND, cpu + second * SECOND, wall + second * SECOND)
    assert health.to_json()["cpu_share"] < 0.2
    assert "used 100% of a core" in reasons(health)


def test_a_short_run_is_judged_by_its_whole() -> None:
    assert "of a core" in reasons(watched(seconds=2, cpu=0.95))


def test_standing_still_counts_against_it() -> None:
    health = watched(seconds=10)
    health.turn(400 * MS)
    assert "stood still 4.0% of the time" in reasons(health)


def test_short_delays_are_no_stall() -> None:
    health = watched(seconds=10)
    for _ in range(200):
        health.turn(5 * MS)
    assert health.to_json()["stalled_share"] == 0


@pytest.mark.parametrize("step", [-3 * SECOND, 3 * SECOND])
def test_a_clock_that_jumps_counts_against_it(step: int) -> None:
    assert f"moved by {step // MS} ms" in reasons(watched(step=step))


@pytest.mark.parametrize(
    ("expected", "seen", "short"),
    [
        (1000, 1000, False),
        (1000, 960, False),
        (1000, 700, True),
        (10, 2, False),
        (0, 0, False),
        (100_000, 97_000, True),
    ],
)
def test_arrivals_are_missing_when_chance_does_not_explain_it(expected: float, seen: int, short: bool) -> None:
    assert incomplete(expected, seen) is short
