"""Reasons name a generator that was late, busy or stalled, or whose clock jumped; a fit one has none."""

from __future__ import annotations

import time

import pytest

from loadtests.engine.health import MS, SECOND, GeneratorHealth, Limits
from reports.load.load_result import are_arrivals_missing


def watched(seconds: int = 10, cpu: float = 0.3, step: int = 0) -> GeneratorHealth:
    """A generator that used that share of a core for so many seconds, whose wall clock moved by `step` ns half way."""
    health = GeneratorHealth()
    cpu_began, began = health._cpu_began, health.began
    for second in range(1, seconds + 1):
        now = began + second * SECOND
        moved = step if second > seconds // 2 else 0
        health.sample(now, cpu_began + int(second * cpu * SECOND), now + health._offset + moved)
    return health


def reasons(health: GeneratorHealth) -> str:
    texts: list[str] = health.to_json()["reasons"]
    return "; ".join(texts)


def test_a_fit_generator_has_no_reasons_against_it() -> None:
    health = watched()
    health.start_delays.extend([MS] * 1000)
    health.record_delays(MS)
    assert reasons(health) == ""


def test_late_starts_count_against_it() -> None:
    health = watched()
    health.start_delays.extend([MS] * 98 + [30 * MS, 50 * MS])
    health.record_delays(0)
    assert "started late: 1 in 100 by more than 30.0 ms" in reasons(health)


def test_one_late_start_in_a_thousand_does_not() -> None:
    health = watched()
    health.start_delays.extend([MS] * 999 + [500 * MS])
    health.record_delays(0)
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


def test_a_short_run_is_judged_over_its_whole_duration() -> None:
    assert "of a core" in reasons(watched(seconds=2, cpu=0.95))


def test_standing_still_counts_against_it() -> None:
    health = watched(seconds=10)
    health.record_delays(400 * MS)
    assert "stood still 4.0% of the time" in reasons(health)


def test_short_delays_are_no_stall() -> None:
    health = watched(seconds=10)
    for _ in range(200):
        health.record_delays(5 * MS)
    assert health.to_json()["stalled_share"] == 0


FIT = {
    "late_p99_ms": 10.0,
    "cpu_busiest": 0.9,
    "stalled_share": 0.02,
    "clock_step_ms": 100.0,
    "late_seconds": 10,
    "stalled_s": 10.0,
}


def test_figures_at_their_limits_are_fit() -> None:
    assert GeneratorHealth().reasons(FIT) == []
    assert GeneratorHealth().reasons(FIT | {"clock_step_ms": -100.0}) == []


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("late_p99_ms", 10.001, "started late"),
        ("cpu_busiest", 0.9001, "of a core"),
        ("stalled_share", 0.0201, "stood still"),
        ("late_seconds", 11, "most journeys started late for 11 s (allowed 10 s)"),
        ("stalled_s", 10.1, "stood still for 10.1 s in all (allowed 10 s)"),
        ("clock_step_ms", 100.1, "wall clock moved"),
        ("clock_step_ms", -100.1, "wall clock moved"),
    ],
)
def test_figure_beyond_its_limit_is_the_only_reason(name: str, value: float, reason: str) -> None:
    (sentence,) = GeneratorHealth().reasons(FIT | {name: value})
    assert reason in sentence


@pytest.mark.parametrize(("overdue", "stalled"), [(20 * MS, 0), (20 * MS + 1, 20 * MS + 1)])
def test_a_check_is_a_stall_if_it_is_more_than_20_ms_overdue(overdue: int, stalled: int) -> None:
    health = GeneratorHealth()
    health.record_delays(overdue)
    assert health.stalled == stalled


def test_stalls_add_up() -> None:
    health = GeneratorHealth()
    for overdue in (30 * MS, 5 * MS, 40 * MS):
        health.record_delays(overdue)
    assert health.stalled == 70 * MS


@pytest.mark.parametrize(("seconds", "busiest"), [(4.4, 0.0), (4.5, 1.0), (5.5, 1.0)])
def test_processor_share_is_averaged_over_about_five_seconds(seconds: float, busiest: float) -> None:
    health = GeneratorHealth()
    elapsed = int(seconds * SECOND)
    now, cpu = health.began + elapsed, health._cpu_began + elapsed
    health.sample(now, cpu, now + health._offset)
    assert health.busiest == busiest


def test_samples_older_than_the_window_do_not_count() -> None:
    health = GeneratorHealth()
    for second, cpu in ((1, 0), (6, 0), (7, 0)):
        now = health.began + second * SECOND
        health.sample(now, health._cpu_began + cpu, now + health._offset)
    assert [now - health.began for now, _ in health._samples] == [6 * SECOND, 7 * SECOND]


@pytest.mark.parametrize("step", [-3 * SECOND, 3 * SECOND])
def test_a_clock_that_jumps_counts_against_it(step: int) -> None:
    assert f"moved by {step // MS} ms" in reasons(watched(step=step))


@pytest.mark.parametrize(
    ("expected", "arrived", "short"),
    [
        (1000, 1000, False),
        (1000, 960, False),
        (1000, 700, True),
        (10, 2, False),
        (0, 0, False),
        (100_000, 97_000, True),
    ],
)
def test_arrivals_are_missing_when_chance_does_not_explain_it(expected: float, arrived: int, short: bool) -> None:
    assert are_arrivals_missing(expected, arrived) is short


def test_figures_of_a_run_are_in_milliseconds_and_shares() -> None:
    health = GeneratorHealth()
    health.start_delays.extend([3 * MS] * 100)
    health.record_delays(30 * MS)
    now = health.began + 8 * SECOND
    health.sample(now, health._cpu_began + 2 * SECOND, now + health._offset - 7 * MS)
    figures = health.to_json()
    late = ("late_p50_ms", "late_p99_ms", "late_p99_9_ms", "late_p99_99_ms", "late_max_ms")
    assert figures == {
        **{name: pytest.approx(3, rel=0.01) for name in late},
        "starts": 100,
        "late_starts": 0,
        "late_seconds": 0,
        "stalled_share": 0.0037,
        "stalled_s": 0.03,
        "longest_stall_ms": 30.0,
        "backoffs": 0,
        "backoff_s": 0.0,
        "cpu_share": 0.25,
        "cpu_window": 0.25,
        "cpu_busiest": 0.25,
        "clock_step_ms": -7.0,
        "limits": {"late_ms": 10.0, "cpu": 0.9, "stalled": 0.02},
        "errors": [],
        "reasons": [],
    }


def test_a_second_is_late_when_most_of_its_starts_are() -> None:
    health = GeneratorHealth()
    for late, punctual in ((2, 1), (1, 1), (1, 0), (0, 0)):
        health.start_delays.extend([30 * MS] * late + [MS] * punctual)
        health.record_delays(0)
        health.measure()
    assert (health.to_json()["late_seconds"], health.to_json()["late_starts"]) == (2, 4)


def test_stalls_of_a_long_run_count_by_their_time() -> None:
    """2 % of four hours would be 288 s."""
    health = watched(seconds=60)
    health._now = health.began + 4 * 3600 * SECOND
    for _ in range(11):
        health.record_delays(SECOND)
    assert reasons(health).startswith("the generator stood still for 11.0 s in all (allowed 10 s)")


def test_a_run_that_has_just_begun_has_figures() -> None:
    health = GeneratorHealth()
    health._cpu_now = health._cpu_began + 1
    assert (health.to_json()["cpu_share"], health.to_json()["clock_step_ms"], health.stalled) == (1.0, 0.0, 0)


def test_half_of_the_starts_are_within_the_median() -> None:
    health = GeneratorHealth()
    health.start_delays.extend([MS] * 50 + [9 * MS] * 50)
    health.record_delays(0)
    assert health.to_json()["late_p50_ms"] == pytest.approx(1, rel=0.01)


def test_clocks_are_those_of_the_system() -> None:
    health = GeneratorHealth()
    assert 0 <= time.perf_counter_ns() - health.began < 60 * SECOND
    health.measure()
    assert abs(health.step) < 60 * SECOND
    assert (health._now >= health.began, health._cpu_now >= health._cpu_began) == (True, True)
    assert abs(health._now + health._offset - time.time_ns()) < 60 * SECOND


@pytest.mark.parametrize(("moves", "step"), [([5, -5], 5), ([5, -6], -6), ([-5, 4], -5), ([-1], -1)])
def test_the_largest_move_of_the_wall_clock_counts(moves: list[int], step: int) -> None:
    health = GeneratorHealth()
    for second, move in enumerate(moves, 1):
        now = health.began + second * SECOND
        health.sample(now, 0, now + health._offset + move)
    assert health.step == step


@pytest.mark.parametrize(("age", "kept"), [(5_500_000_000, 2), (5_500_000_001, 1)])
def test_a_sample_is_kept_for_five_and_a_half_seconds(age: int, kept: int) -> None:
    health = GeneratorHealth()
    health.sample(health.began + age, health._cpu_began, health.began + age + health._offset)
    assert len(health._samples) == kept


def test_errors_of_flowproof_are_the_first_reasons_and_stay_listed() -> None:
    health = GeneratorHealth()
    health.internal_errors.append("broke")
    reasons = health.reasons(FIT | {"cpu_busiest": 1.0})
    assert (reasons[0], len(reasons), health.internal_errors) == ("broke", 2, ["broke"])


def test_own_limits_replace_the_usual_ones() -> None:
    health = GeneratorHealth(Limits(cpu=0.5))
    assert (len(health.reasons(FIT)), GeneratorHealth().limits) == (1, Limits())
