"""A run ends as soon as an objective with `abort: true` can no longer be met, and says so; other runs do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests.distributed.judged_part import JudgedPart
from loadtests.selftest.locust_run import LocustRun, distributed_options, finished_run
from loadtests.selftest.shop_server import running_shop
from reports.load.load_result import LoadResult
from reports.load.operation_statistics import FailedRequest, OperationStatistics

LOCUSTFILE = """
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    @journey
    def home(self):
        yield self.request("GET", "/home")  # which a stranger is refused
"""
PLANNED = 200  # seconds


def run_with(folder: Path, slo: str, options: str) -> LocustRun:
    (folder / "slo.yaml").write_text(slo)
    with running_shop() as shop:
        return finished_run(
            folder, shop.url, LOCUSTFILE, f"--headless --rate 20 -u 20 {options} --slo {folder}/slo.yaml"
        )


@pytest.mark.parametrize(
    "options_of_processes",
    [pytest.param(str, id="one process"), pytest.param(distributed_options, id="two workers", marks=pytest.mark.slow)],
)
def test_a_run_that_cannot_pass_any_more_ends_and_fails(
    tmp_path: Path, options_of_processes: Callable[[], str]
) -> None:
    run = run_with(tmp_path, "run: {errors: 1 %, abort: true}", f"-t {PLANNED}s {options_of_processes()}")
    verdict = json.loads((run.results / "verdict.json").read_text())
    assert (run.process.returncode, verdict["verdict"]) == (1, "fail"), run.output[-3000:]
    assert run.result["seconds"] < PLANNED / 2
    (reason,) = [reason for reason in verdict["reasons"] if "can no longer be met" in reason]
    assert reason.startswith("the run was ended after ")
    assert reason.endswith("s: run errors can no longer be met: at most 1 %, measured 100 %")
    assert "run errors can no longer be met" in run.output


def test_without_abort_a_run_goes_on_to_its_end(tmp_path: Path) -> None:
    run = run_with(tmp_path, "run: {errors: 1 %}", "-t 4s")
    assert (run.process.returncode, "can no longer be met" in run.output) == (1, False)
    assert run.result["seconds"] > 3.5


def part_of(phases: list[tuple[float, float, bool]], rate: float = 10.0) -> JudgedPart:
    """A part of a run with arrivals at that rate and these phases: begin, end, judged."""
    names = ("begin", "end", "judged")
    plan: dict[str, Any] = {
        "arrivals": {"U": {"points": [[0, rate]], "kind": "even", "seed": "1"}} if rate else {},
        "phases": [{"name": "p", **dict(zip(names, phase, strict=True))} for phase in phases],
    }
    return JudgedPart(Path("r"), plan)


def result_at(seconds: float, failed: int, good: int) -> LoadResult:
    statistics = OperationStatistics("GET /", "http")
    statistics.record_successes([(0, 0, 1, 1, 0)] * good)
    statistics.record_failures([FailedRequest("status 500", 0, 0, 1, 0, 500)] * failed)
    result = LoadResult("r", 0.0, None, 1, seconds=seconds, operations=[statistics])
    result.arrivals = {"U": {"started": 1, "dropped": 0, "planned": 1.0}}
    return result


def test_failures_of_a_phase_that_is_not_judged_do_not_count() -> None:
    part = part_of([(0, 10, False), (10, 100, True)])
    assert part.update(result_at(1, 1, 0)) is None  # the arrivals have begun
    assert part.update(result_at(9, 50, 0)) is None
    assert part.update(result_at(14, 60, 10)) is None  # late figures of the first phase may still come
    so_far = part.update(result_at(36, 60, 110))
    assert so_far is not None
    run, to_come = so_far
    (operation,) = run.judged_operations
    assert (operation.failed.count, operation.corrected.count, run.judged_seconds) == (0, 100, 22.0)
    assert to_come == pytest.approx(64 / 22)


def test_two_judged_phases_are_added_up() -> None:
    part = part_of([(0, 10, True), (10, 20, False), (20, 40, True)])
    for seconds, good in ((1, 1), (9, 9), (15, 15), (24, 24)):
        part.update(result_at(seconds, 0, good))
    so_far = part.update(result_at(31, 0, 31))
    assert so_far is not None
    assert so_far[0].judged_operations[0].corrected.count == 9 + 7
    assert so_far[1] == pytest.approx(9 / (10 + 7))


def test_of_a_run_without_an_end_everything_is_still_to_come() -> None:
    part = JudgedPart(Path("r"), {"arrivals": {}, "planned": None})
    so_far = part.update(result_at(5, 1, 1))
    assert so_far is not None
    assert so_far[1] == float("inf")


def test_of_a_run_without_a_rate_time_decides() -> None:
    part = JudgedPart(Path("r"), {"arrivals": {}, "planned": 20.0})
    so_far = part.update(result_at(5, 1, 1))
    assert so_far is not None
    assert so_far[1] == 3.0
