"""Two load runs compared: nothing is called better or worse by chance, and what changed is found."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest

from reports.__main__ import main
from reports.load.difference import BETTER, MAX_BATCHES, SAME, TOO_SHORT, WORSE, compare_batches
from reports.load.load_run import read_load_run
from reports.load.run_comparison import compare_runs
from reports.load.t_distribution import quantile, upper_tail
from suites.selftest.reports.load_sample import Times, line, steady, tally, write


def wandering(chance: Random, seconds: int, alike: float, spread: float, shift: float = 0.0) -> list[float]:
    """Logarithms of times, second by second; each follows from the one before (an AR(1) process)."""
    now, values = chance.gauss(0, 1), []
    for _ in range(seconds):
        now = alike * now + math.sqrt(1 - alike * alike) * chance.gauss(0, 1)
        values.append(shift + spread * now)
    return values


def batches(seconds: list[float]) -> list[float]:
    width = len(seconds) // MAX_BATCHES
    return [sum(seconds[at * width : (at + 1) * width]) / width for at in range(MAX_BATCHES)]


@pytest.mark.parametrize(
    "alike", [pytest.param(alike, marks=() if alike == 0.5 else pytest.mark.slow) for alike in (0.0, 0.5, 0.8, 0.9)]
)
def test_runs_of_the_same_seldom_differ_anywhere(alike: float) -> None:
    """200 comparisons of 12 rows: a false alarm anywhere in at most 5 % of them."""
    chance, alarms = Random(7), 0
    for _ in range(200):
        rows = [
            (batches(wandering(chance, 120, alike, 0.2)), batches(wandering(chance, 120, alike, 0.2)))
            for _ in range(12)
        ]
        alarms += any(difference.verdict in (BETTER, WORSE) for difference in compare_batches(rows))
    assert alarms <= 10


def test_a_shift_of_20_percent_is_found_with_enough_data() -> None:
    chance, detected, rightly = Random(7), 0, 0
    for _ in range(100):
        rows = [
            (
                batches(wandering(chance, 300, 0.5, 0.1)),
                batches(wandering(chance, 300, 0.5, 0.1, shift * math.log(1.2))),
            )
            for shift in (1, 0, 0, 0, 0, 0)
        ]
        first, *rest = compare_batches(rows)
        detected += first.verdict == WORSE and first.low < 0.2 < first.high
        rightly += all(difference.verdict == SAME for difference in rest)
    assert (detected >= 95, rightly >= 95) == (True, True)


def test_the_smallest_difference_is_seen_as_often_as_is_said() -> None:
    """8 of 10 times: measured over 300 comparisons whose shift is what an earlier one gave as the smallest."""
    chance = Random(3)
    differences = [
        compare_batches([(batches(wandering(chance, 240, 0, 0.2)), batches(wandering(chance, 240, 0, 0.2)))])[0]
        for _ in range(100)
    ]
    least = math.log1p(sorted(difference.least for difference in differences)[50])
    detected = sum(
        compare_batches([(batches(wandering(chance, 240, 0, 0.2)), batches(wandering(chance, 240, 0, 0.2, least)))])[
            0
        ].verdict
        == WORSE
        for _ in range(300)
    )
    assert 0.7 < detected / 300 < 0.95


def test_a_run_that_hardly_ever_changes_course_is_too_short() -> None:
    rising = [float(at) for at in range(MAX_BATCHES)]
    assert compare_batches([(rising, rising)])[0].verdict == TOO_SHORT


@pytest.mark.parametrize(("freedom", "chance", "t"), [(1, 0.025, 12.7062), (10, 0.025, 2.22814), (4, 0.0005, 8.6103)])
def test_students_t_agrees_with_the_tables(freedom: float, chance: float, t: float) -> None:
    assert (quantile(chance, freedom), upper_tail(t, freedom)) == (
        pytest.approx(t, rel=1e-5),
        pytest.approx(chance, rel=1e-4),
    )


def noisy(seed: int, factor: float = 1.0, number: int = 30) -> Times:
    """Times in ms of a busy second."""
    chance = Random(seed)
    return lambda _: [factor * chance.lognormvariate(3, 0.3) for _ in range(number)]


def test_a_slower_run_is_worse_and_a_faster_one_better(tmp_path: Path) -> None:
    before = read_load_run(steady(tmp_path / "a", noisy(1), 120))
    after = read_load_run(steady(tmp_path / "b", noisy(2, 1.6), 120))
    assert {row.difference.verdict for row in compare_runs(before, after)} == {WORSE}
    assert {row.difference.verdict for row in compare_runs(after, before)} == {BETTER}


def test_journeys_are_compared_beside_their_operations(tmp_path: Path) -> None:
    for name, factor in {"a": 1.0, "b": 1.6}.items():
        request_times, journey_times = noisy(1), noisy(2, factor)
        lines = [
            line(
                at,
                [tally("GET /tasks", request_times(at))],
                journeys=[tally("read_all_pages", journey_times(at)).to_json()],
            )
            for at in range(120)
        ]
        write(tmp_path / name, lines)
    verdicts = {
        row.operation: row.difference.verdict
        for row in compare_runs(read_load_run(tmp_path / "a"), read_load_run(tmp_path / "b"))
    }
    assert verdicts == {"all operations": SAME, "GET /tasks over http": SAME, "journey read_all_pages of http": WORSE}


@pytest.mark.slow
def test_200_pairs_of_equal_runs_seldom_differ_anywhere(tmp_path: Path) -> None:
    """The whole way from histograms on; few answers a second, so that it is quick."""
    runs = [read_load_run(steady(tmp_path / str(seed), noisy(seed, number=4), 30)) for seed in range(21)]
    pairs = [(runs[a], runs[b]) for a in range(21) for b in range(a)][:200]
    alarms = sum(any(row.difference.verdict in (BETTER, WORSE) for row in compare_runs(*pair)) for pair in pairs)
    assert alarms <= 10


@pytest.mark.parametrize(
    ("factor", "code", "summary"), [(1.0, 0, "0 worse"), (2.0, 1, "6 worse"), (0.5, 0, "6 better")]
)
def test_the_exit_code_says_whether_anything_is_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], factor: float, code: int, summary: str
) -> None:
    steady(tmp_path / "a", noisy(1), 120)
    steady(tmp_path / "b", noisy(2, factor), 120)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == code
    assert summary in capsys.readouterr().out


def test_a_comparison_with_a_run_that_was_cut_short_is_no_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate("ab"):
        steady(tmp_path / name, noisy(seed), 120)
    (tmp_path / "b" / "result.json").unlink()
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 3
    assert "B: the run has no end mark" in capsys.readouterr().out


def test_runs_without_enough_answers_are_no_evidence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        steady(tmp_path / name, lambda _: [5.0], 6)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 3
    assert "6 without enough evidence" in capsys.readouterr().out


def test_a_folder_without_a_run_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "holds no load run" in capsys.readouterr().err
