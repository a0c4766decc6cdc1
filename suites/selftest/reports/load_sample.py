"""Load runs for tests: folders as load runs write them, with times that the test chooses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.load.load_result import PLAN_FILE, RESULT_FILE, LoadResult, merge_arrivals
from reports.load.operation_statistics import FailedRequest, OperationStatistics, StatisticsTable
from reports.load.run_lines import SECONDS_FILE

STARTED = 1_700_000_000.0
MS = 1_000_000
FIT = {"reasons": [], "cpu_busiest": 0.1, "late_p99_ms": 0.1}

Times = Callable[[int], Sequence[float]]  # ms of the answers in that second


def tally(operation: str, times: Sequence[float], failures: Mapping[str, int] | None = None) -> OperationStatistics:
    """The statistics of one operation over http: corrected times in ms, of which half is service."""
    statistics = OperationStatistics(operation, "http")
    if times:
        statistics.record_successes([(0, round(ms * MS / 2), round(ms * MS), round(ms * MS), 10) for ms in times])
        statistics.connect.record_many([MS])
    for reason, number in (failures or {}).items():
        statistics.record_failures([FailedRequest(reason, 0, 0, MS, 0)] * number)
    return statistics


def line(second: int, operations: Sequence[OperationStatistics], worker: str = "local", **more: Any) -> dict[str, Any]:
    """A line of figures of one second since the start."""
    return {
        "worker": worker,
        "second": int(STARTED) + second,
        "from": STARTED + second,
        "to": STARTED + second + 1,
        "users": 1,
        "operations": [operation.to_json() for operation in operations],
        "arrivals": {},
        "health": FIT,
    } | more


def write(folder: Path, lines: Sequence[Mapping[str, Any]], complete: bool = True, **plan: Any) -> Path:
    """Write a run with these lines; `plan` overrides parts of its plan."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "name": folder.name,
        "started": STARTED,
        "planned": None,
        "workers": 1,
        "apis": [],
        "arrivals": {},
    } | plan
    (folder / PLAN_FILE).write_text(json.dumps(content))
    (folder / SECONDS_FILE).write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    if complete:
        (folder / RESULT_FILE).write_text(json.dumps(result(content, lines).to_json()))
    return folder


def result(plan: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> LoadResult:
    """The result that these lines add up to."""
    total = LoadResult(plan["name"], STARTED, plan["planned"], plan["workers"])
    operations, journeys = StatisticsTable(), StatisticsTable()
    for entry in lines:
        total.seconds = max(total.seconds, entry["to"] - STARTED)
        total.health[entry["worker"]] = entry["health"]
        total.arrivals = {name: merge_arrivals([counts]) for name, counts in entry["arrivals"].items()}
        for content in entry["operations"]:
            operations.add(OperationStatistics.from_json(content))
        for content in entry.get("journeys", ()):
            journeys.add(OperationStatistics.from_json(content))
    total.operations, total.journeys = operations.all(), journeys.all()
    return total


def steady(folder: Path, times: Times, seconds: int = 30, operation: str = "GET /tasks", **plan: Any) -> Path:
    """A run of one operation."""
    return write(folder, [line(at, [tally(operation, times(at))]) for at in range(seconds)], **plan)
