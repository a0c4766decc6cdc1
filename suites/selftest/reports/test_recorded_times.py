"""Times of many load runs: a new run is compared with the spread between runs, and kept in a file on request."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from contracts.yaml_reader import UsageError
from reports.load import times_command
from reports.load.load_run import read_load_run
from reports.load.recorded_times import CAPACITY, FASTER, HIGHER, LOWER, SAME, SLOWER, compare_with_recorded
from reports.load.times_file import RecordedTimes, add_run, figures_of, read_times, write_times
from suites.selftest.python_runs import run_module
from suites.selftest.reports.load_sample import steady

ROOT = Path(__file__).parents[3]
OPERATIONS = 8
SPREAD = 0.02  # between runs, of logarithms
Rows = dict[tuple[str, str], list[float]]


def logarithms(*times: float) -> list[float]:
    return [math.log(time) for time in times]


def verdict(earlier: Sequence[float], now: float, row: tuple[str, str] = ("GET /tasks", "p50")) -> str:
    (compared,) = compare_with_recorded({row: logarithms(*earlier)}, {row: math.log(now)})
    return compared.verdict


@pytest.mark.parametrize(
    ("earlier", "now", "expected"),
    [
        ((100, 101, 99, 100, 102), 131, SLOWER),
        ((100, 101, 99, 100, 102), 70, FASTER),
        ((100, 101, 99, 100, 102), 103, SAME),
        ((100, 140, 80, 110, 95), 131, SAME),
        ((100, 100, 100), 109, SAME),
        ((100, 100, 100), 111, SLOWER),
        ((10, 10, 10), 14, SAME),
        ((10, 10, 10), 16, SLOWER),
    ],
)
def test_a_run_is_compared_with_the_spread_between_runs(earlier: Sequence[float], now: float, expected: str) -> None:
    assert verdict(earlier, now) == expected


@pytest.mark.parametrize(("now", "expected"), [(80, LOWER), (99, SAME), (130, HIGHER)])
def test_capacity_is_better_when_it_is_higher(now: float, expected: str) -> None:
    assert verdict((100, 101, 99, 100, 102), now, ("", CAPACITY)) == expected


def test_two_runs_decide_nothing() -> None:
    assert compare_with_recorded({("a", "p50"): logarithms(100, 100)}, {("a", "p50"): math.log(500)}) == []


def runs(source: random.Random, factor: float = 1.0) -> tuple[Rows, dict[tuple[str, str], float]]:
    """Five runs of some operations, and another one in which the first operation takes `factor` times as long."""
    names = [(f"GET /{number}", f"p{percent}") for number in range(OPERATIONS) for percent in (50, 95, 99)]
    means = {name: math.log(100) + source.gauss(0, 0.5) for name in names}
    earlier = {name: [mean + source.gauss(0, SPREAD) for _ in range(5)] for name, mean in means.items()}
    now = {name: mean + source.gauss(0, SPREAD) for name, mean in means.items()}
    return earlier, {name: value + (math.log(factor) if name[0] == "GET /0" else 0) for name, value in now.items()}


def test_equal_runs_seldom_alarm() -> None:
    source = random.Random(1)
    alarms = sum(any(row.verdict != SAME for row in compare_with_recorded(*runs(source))) for _ in range(100))
    assert alarms <= 5


def test_a_slower_operation_is_seen() -> None:
    source = random.Random(2)
    seen = sum(
        any((row.operation, row.verdict) == ("GET /0", SLOWER) for row in compare_with_recorded(*runs(source, 1.3)))
        for _ in range(100)
    )
    assert seen >= 90


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "observed" / "times.yaml"


def load_run(tmp_path: Path, name: str, ms: float = 100.0, **plan: object) -> Path:
    """A run of 30 s with 5 responses a second of about that time."""
    return steady(tmp_path / name, lambda at: [ms + at % 3] * 5, **plan)


def record(tmp_path: Path, file: Path, number: int = 3) -> None:
    for run in range(number):
        assert times_command.main([str(file), str(load_run(tmp_path, f"run-{run}", 100 + run)), "--record"]) == 0


def test_recorded_runs_read_back(tmp_path: Path, file: Path) -> None:
    record(tmp_path, file)
    recorded = read_times(file)
    assert recorded.runs == ("run-0", "run-1", "run-2")
    assert {len(values) for values in recorded.figures.values()} == {3}
    write_times(file, recorded)
    assert read_times(file) == recorded


@pytest.mark.parametrize(
    ("ms", "code", "text"), [(101, 0, "3 of 3 figures are as"), (150, 1, "slower   GET /tasks over http p50")]
)
def test_a_slower_run_fails(tmp_path: Path, file: Path, ms: float, code: int, text: str) -> None:
    record(tmp_path, file)
    process = run_module("reports", ["times", str(file), str(load_run(tmp_path, "new", ms))], os.environ)
    assert (process.returncode, process.stderr) == (code, "")
    assert text in process.stdout


def test_too_few_runs_are_inconclusive(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, file, 2)
    assert times_command.main([str(file), str(load_run(tmp_path, "new"))]) == 3
    assert "has 2 runs: expected at least 3; add them with --record" in capsys.readouterr().out


def test_a_run_that_was_cut_short_is_not_recorded(tmp_path: Path, file: Path) -> None:
    run = load_run(tmp_path, "cut", planned=600.0)
    assert times_command.main([str(file), str(run), "--record"]) == 3
    assert not file.exists()


def test_runs_of_another_plan_are_not_mixed(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, file)
    other = load_run(tmp_path, "other", users=5)
    for arguments in ([], ["--record"]):
        assert times_command.main([str(file), str(other), *arguments]) == 2
        assert "expected a run with the plan, target and machine of those recorded" in capsys.readouterr().err


def test_a_run_is_recorded_once(tmp_path: Path, file: Path) -> None:
    run = read_load_run(load_run(tmp_path, "run"))
    with pytest.raises(UsageError, match="is recorded already"):
        add_run(add_run(None, run), run)
    del file


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    run = read_load_run(load_run(tmp_path, "run"))
    recorded = add_run(None, run)
    names = tuple(f"run-{number}" for number in range(30))
    full = RecordedTimes(recorded.plan, names, {row: values * 30 for row, values in recorded.figures.items()})
    added = add_run(full, run)
    assert added.runs == (*names[1:], "run")
    assert {len(values) for values in added.figures.values()} == {30}


def test_an_operation_with_few_responses_has_no_figures(tmp_path: Path) -> None:
    run = read_load_run(steady(tmp_path / "few", lambda _: [100.0], seconds=5))
    assert figures_of(run) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plan: a\n", "expected runs, figures as well"),
        (
            "plan: a\nruns: [x]\nfigures: {a: {p51: [1]}}\n",
            "line 3: 'p51' is unknown: expected p50, p95, p99, capacity",
        ),
        ("plan: a\nruns: [x]\nfigures: {a: {p50: [1, 2]}}\n", "line 3: expected 1 numbers, one for each run, got 2"),
        ("plan: a\nruns: [x]\nfigures: {a: {p50: [fast]}}\n", "line 3: expected a number, got 'fast'"),
        ("runs: [x\n", "this is no YAML"),
    ],
)
def test_a_file_is_read_strictly(text: str, message: str, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_times(file)
    assert message in str(raised.value)


def test_a_folder_without_a_run_is_misuse(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert times_command.main([str(file), str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
