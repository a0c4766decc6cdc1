"""The line that a load run prints while it goes on: phase, rate, p95, failures and objectives at risk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.locust_plugin import progress_listeners
from loadtests.locust_plugin.progress_listeners import progress_text
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import FailedRequest, OperationStatistics
from reports.load.slo import Objective, Scope

ROOT = Path(__file__).parents[2]
MS = 1_000_000
P95 = Objective(Scope("run"), "p95", 100.0 * MS, 1, series="corrected", percent=95.0, samples=5)
ERRORS = Objective(Scope("run"), "errors", 0.1, 2)
PHASES = ({"name": "warm-up", "end": 30.0}, {"name": "steady", "end": 330.0})
LOCUSTFILE = ["-f", "loadtests/getflow.py", "--headless", "--profile", "smoke"]


def run_so_far(ms: float = 20.0, failures: int = 0, seconds: float = 45.0, **plan: Any) -> LoadRun:
    statistics = OperationStatistics("getflow GET /tasks", "http")
    statistics.record_successes([(0, round(ms * MS), round(ms * MS), round(ms * MS), 10)] * 10)
    statistics.record_failures([FailedRequest("status 500", 0, 0, MS, 0)] * failures)
    result = LoadResult("run", 0.0, None, 1)
    result.seconds, result.operations = seconds, [statistics]
    return LoadRun(Path("run"), plan, result, False, (), ())


def test_line_has_phase_rate_p95_and_failures() -> None:
    text = progress_text(run_so_far(phases=PHASES), (P95, ERRORS), 214.3)
    assert text == "load: steady, 45 of 330 s, 214 requests/s, p95 20 ms, 0 failed"


def test_first_phase_is_named() -> None:
    assert progress_text(run_so_far(seconds=3.0, phases=PHASES), (), 1.0).startswith("load: warm-up, 3 of 330 s, ")


def test_end_of_the_profile_is_not_exceeded() -> None:
    assert "steady, 330 of 330 s" in progress_text(run_so_far(seconds=331.0, phases=PHASES), (), 1.0)


def test_run_without_phases_has_its_time() -> None:
    assert progress_text(run_so_far(), (), 1.0).startswith("load: 45 s, ")


@pytest.mark.parametrize(
    ("ms", "failures", "at_risk"), [(150.0, 0, "run p95"), (20.0, 5, "run errors"), (150.0, 5, "run p95, run errors")]
)
def test_objectives_that_are_missed_so_far_are_at_risk(ms: float, failures: int, at_risk: str) -> None:
    assert progress_text(run_so_far(ms, failures), (P95, ERRORS), 1.0).endswith(f"at risk: {at_risk}")


def test_many_objectives_at_risk_are_counted() -> None:
    assert progress_text(run_so_far(150.0), (P95,) * 5, 1.0).endswith("run p95, run p95, run p95 and 2 more")


def load_run(folder: Path, *options: str) -> str:
    """What a load run of a few seconds prints, with a line twice a second."""
    code = f"import {progress_listeners.__name__} as it, locust.main; it.SECONDS_IN_LOG = 0.5; locust.main.main()"
    ended = subprocess.run(
        [sys.executable, "-c", f"from gevent import monkey; monkey.patch_all(); {code}", *LOCUSTFILE,
         "--scale", "0.3", "--results", str(folder / "run"), *options],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "load: " in ended.stdout + ended.stderr, ended.stderr[-2000:]
    return ended.stdout + ended.stderr


def test_load_run_prints_the_line_and_the_objectives_once(tmp_path: Path) -> None:
    text = load_run(tmp_path)
    assert "load: steady, " in text
    assert text.count("objective  ") == 1
    assert text.count("\nType     Name") == 2, "Locust's tables of figures and of percentiles, at the end alone"


@pytest.mark.slow
def test_load_run_is_quiet_where_the_level_is_warning(tmp_path: Path) -> None:
    assert "load: steady, " not in load_run(tmp_path, "--loglevel", "WARNING")
