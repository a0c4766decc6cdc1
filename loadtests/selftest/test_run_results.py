"""A run's figures add up, missing figures are reported, and its files are complete or say that they are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.distributed import console_table
from loadtests.distributed.run_results import Run, RunFolder
from reports.load.operation_statistics import FailedRequest, OperationStatistics

MS = 1_000_000
FIT = {"cpu_busiest": 0.2, "late_p99_ms": 0.3, "reasons": []}


def line(worker: str = "worker 0", requests: int = 10, failures: int = 0, **more: Any) -> dict[str, Any]:
    """A line of figures: requests of 10 ms each, and failures."""
    statistics = OperationStatistics("GET /tasks", "http")
    if requests:
        statistics.record_successes([(0, 2 * MS, 9 * MS, 10 * MS, 100)] * requests)
    statistics.record_failures([FailedRequest("status 500", 0, 0, MS, 0)] * failures)
    known = {"run": "run", "worker": worker, "second": 1, "from": 1.0, "to": 2.0, "users": 3}
    return known | {"operations": [statistics.to_json()], "arrivals": {}, "health": FIT, "notes": {}} | more


def running(folder: Path, planned: float | None = None, workers: int = 1) -> Run:
    return Run("run", RunFolder(folder / "run"), planned, workers, {"users": 3})


def reasons(run: Run, lost: list[str] | None = None) -> str:
    return "; ".join(run.end(lost or []).reasons())


def test_lines_of_all_workers_add_up(tmp_path: Path) -> None:
    run = running(tmp_path, workers=2)
    for statistics_line in (line("worker 0", 10), line("worker 1", 5, 2), line("worker 0", 1)):
        run.add_line(statistics_line)
    (statistics,) = run.current_result().operations
    assert (statistics.requests, statistics.failures) == (18, {"status 500": 2})


def test_a_complete_run_has_no_reasons_against_it(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line())
    run.stopping()
    run.add_line(line(last=True))
    assert reasons(run) == ""


@pytest.mark.parametrize(
    ("planned", "workers", "lines", "lost", "reason"),
    [
        (None, 1, [], [], "no request was made"),
        (60.0, 1, [line()], [], "the run was stopped after 0.0 of 60.0 s"),
        (None, 3, [line()], [], "1 of 3 workers played"),
        (None, 1, [line()], ["worker 1"], "worker 1 vanished"),
        (None, 1, [line(last=True)], [], "worker 0 left before the end"),
        (None, 1, [line(health=FIT | {"reasons": ["the clock jumped"]})], [], "worker 0: the clock jumped"),
        (
            None,
            1,
            [line(arrivals={"Getflow": {"started": 90, "dropped": 10, "planned": 100.0}})],
            [],
            "10 of 100 arrivals",
        ),
        (
            None,
            1,
            [line(arrivals={"Getflow": {"started": 40, "dropped": 0, "planned": 200.0}})],
            [],
            "40 of 200 planned",
        ),
    ],
    ids=["nothing", "short", "few", "lost", "left", "unfit", "dropped", "missing"],
)
def test_missing_figures_are_a_reason(
    tmp_path: Path, planned: float | None, workers: int, lines: list[dict[str, Any]], lost: list[str], reason: str
) -> None:
    run = running(tmp_path, planned, workers)
    for statistics_line in lines:
        run.add_line(statistics_line)
    assert reason in reasons(run, lost)


def test_a_line_of_another_run_is_not_counted(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line(run="the one before"))
    assert run.current_result().operations == []


def test_a_late_line_is_in_the_result_when_it_is_written_again(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line(requests=1))
    run.end([])
    run.add_line(line(requests=2))
    run.end([])
    known = json.loads((tmp_path / "run" / "result.json").read_text())
    assert known["operations"][0]["summary"]["requests"] == 3


def test_a_reset_begins_anew(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line(requests=5))
    run.reset()
    run.add_line(line(requests=1))
    assert run.current_result().operations[0].requests == 1


def test_what_an_earlier_run_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("result.json", "plan.json", "seconds.jsonl", "seconds-3.jsonl", "notes.txt"):
        (folder / name).write_text("{}\n")
    running(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "plan.json", "seconds.jsonl"]
    assert (folder / "seconds.jsonl").read_text() == ""


def test_each_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line())
    assert json.loads((tmp_path / "run" / "seconds.jsonl").read_text())["worker"] == "worker 0"


def test_a_folder_that_cannot_be_written_is_a_reason_that_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, not a folder")
    run = running(tmp_path)
    run.add_line(line())
    assert "name another folder with --results" in reasons(run)


def test_the_table_has_corrected_beside_service_times(tmp_path: Path) -> None:
    run = running(tmp_path)
    run.add_line(line(requests=10, failures=1))
    run.stopping()
    (row,) = (text_line for text_line in console_table.lines(run.end([])) if text_line.startswith("GET /tasks"))
    _, corrected, service = row.split("|")
    assert (corrected.split(), service.split()) == (["10.0"] * 5, ["8.000"] * 5)


def test_the_table_says_why_the_figures_prove_nothing(tmp_path: Path) -> None:
    run = running(tmp_path, workers=2)
    run.add_line(line())
    shown = "\n".join(console_table.lines(run.end(["worker 1"])))
    assert "not fit, so the figures prove nothing" in shown
    assert "  worker 1 vanished" in shown


def test_the_table_cuts_long_names(tmp_path: Path) -> None:
    run = running(tmp_path)
    known = line()
    known["operations"][0]["operation"] = "GET /" + "x" * 200
    run.add_line(known)
    assert all(len(text_line) < 200 for text_line in console_table.lines(run.end([])) if text_line.startswith("GET"))
