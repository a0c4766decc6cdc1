"""An objective is lost when nothing that may still come can meet it, and not before."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from reports.load.feasibility import is_lost
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import FailedRequest, OperationStatistics
from reports.load.slo import read_objectives
from reports.load.statistics_since import copy_of, statistics_since
from suites.selftest.reports.load_sample import FIT, MS, tally


def run_of(times: list[float], failures: dict[str, int] | None = None, **more: Any) -> LoadRun:
    """A run so far, of 10 s, with these times in ms."""
    result = LoadResult("r", 0.0, None, 1, seconds=10.0, operations=[tally("GET /", times, failures)])
    result.health = {"local": more.pop("health", FIT)}
    result.arrivals = more.pop("arrivals", {})
    return LoadRun(Path("r"), {"arrivals": {"U": {}}}, result, False, (), ())


def lost(folder: Path, objective: str, run: LoadRun, to_come: float) -> bool:
    (folder / "slo.yaml").write_text(f"run: {{errors: 100 %, {objective}}}")
    return is_lost(read_objectives(folder / "slo.yaml").objectives[-1], run, to_come)


SLOW, FAST = [30.0] * 100, [1.0] * 100


@pytest.mark.parametrize(
    ("objective", "times", "failures", "to_come", "expected"),
    [
        ("samples: 1, p95: 10 ms", SLOW + FAST * 9, {}, 0.0, True),
        ("samples: 1, p95: 10 ms", SLOW + FAST * 9, {}, 0.3, True),  # 100 of at most 1,900
        ("samples: 1, p95: 10 ms", SLOW + FAST * 9, {}, 0.34, False),  # 100 of at most 2,020: 95 % may be fast
        ("samples: 1, p95: 10 ms", SLOW + FAST * 9, {}, math.inf, False),
        ("samples: 1, p95: 10 ms", FAST, {}, 0.0, False),
        ("samples: 1, good max: 10 ms", [*FAST, 30.0], {}, math.inf, True),
        ("samples: 1, mean: 10 ms", SLOW, {}, 0.6, True),  # 3,000 ms of at most 280 responses
        ("samples: 1, mean: 10 ms", SLOW, {}, 0.7, False),
        ("throughput: 20 /s", FAST, {}, 0.2, True),  # 160 at most, of 240
        ("throughput: 20 /s", FAST, {}, 1.0, False),  # 400 at most, of 400
        ("throughput: 20 /s", FAST, {}, math.inf, False),
        ("violations: 1 %", FAST, {"SHOP-A-1": 10}, 2.6, True),  # 10 of at most 968
        ("violations: 1 %", FAST, {"SHOP-A-1": 10}, 2.7, False),  # 10 of at most 1,001,
        ("violations: 0 %", FAST, {"SHOP-A-1": 1}, math.inf, True),
        ("violations: 0 %", FAST, {"status 500": 1}, 0.0, False),
    ],
)
def test_what_may_still_come_decides(
    tmp_path: Path, objective: str, times: list[float], failures: dict[str, int], to_come: float, expected: bool
) -> None:
    assert lost(tmp_path, objective, run_of(times, failures), to_come) is expected


@pytest.mark.parametrize(("to_come", "expected"), [(2.6, True), (2.7, False)])
def test_errors_count_of_all_requests(tmp_path: Path, to_come: float, expected: bool) -> None:
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %}")
    (objective,) = read_objectives(tmp_path / "slo.yaml").objectives
    assert is_lost(objective, run_of(FAST, {"status 500": 10}), to_come) is expected


def test_failures_of_the_load_generator_are_no_errors(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text("run: {errors: 0 %}")
    (objective,) = read_objectives(tmp_path / "slo.yaml").objectives
    assert not is_lost(objective, run_of(FAST, {"load generator: no free port": 10}), 0.0)


@pytest.mark.parametrize(("to_come", "expected"), [(2.9, True), (3.1, False)])
def test_dropped_arrivals_count_of_all_arrivals(tmp_path: Path, to_come: float, expected: bool) -> None:
    arrivals = {"U": {"started": 90, "dropped": 10, "planned": 100.0}}
    assert lost(tmp_path, "dropped: 1 %", run_of(FAST, arrivals=arrivals), to_come) is expected


def test_an_unfit_generator_ends_no_run_for_its_times(tmp_path: Path) -> None:
    unfit = FIT | {"reasons": ["journeys started late"]}
    assert not lost(tmp_path, "samples: 1, good max: 10 ms", run_of(SLOW, health=unfit), 0.0)


def test_statistics_since_are_what_was_counted_in_between() -> None:
    statistics = tally("GET /", [1.0, 50.0], {"status 500": 1, "timeout": 1})
    before = copy_of([statistics])
    statistics.record_successes([(0, 0, 0, 3 * MS, 7)] * 2)
    statistics.record_failures([FailedRequest("status 500", 0, 0, 9 * MS, 5, 500)])
    statistics.resent += 1
    (since,) = statistics_since(
        before,
        [
            statistics,
        ],
    )
    assert (since.requests, since.failures, since.statuses) == (3, {"status 500": 1}, {"500": 1})
    assert (since.corrected.count, since.corrected.total, since.size, since.resent) == (2, 6 * MS, 19, 1)
    assert since.corrected.max == pytest.approx(3 * MS, rel=0.001)
    assert (since.failed.count, since.failed.max) == (1, 9 * MS)


def test_statistics_of_an_operation_that_is_new_are_all_of_it() -> None:
    statistics = OperationStatistics("GET /", "http")
    statistics.record_successes([(0, 0, 0, MS, 1)])
    assert statistics_since([], [statistics]) == [statistics]


def test_a_copy_does_not_change_with_its_original() -> None:
    statistics = tally("GET /", [1.0])
    (copy,) = copy_of([statistics])
    statistics.record_successes([(0, 0, 0, MS, 1)])
    assert copy.requests == 1
