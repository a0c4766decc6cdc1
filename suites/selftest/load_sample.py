"""Load runs made up for tests: folders as the load tests write them, with times that the test chooses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.load.result import PLAN, RESULT, SECONDS, Result, together
from reports.load.tally import Failed, Tallies, Tally

STARTED = 1_700_000_000.0
MS = 1_000_000
FIT = {"reasons": [], "cpu_busiest": 0.1, "late_p99_ms": 0.1}

Times = Callable[[int], Sequence[float]]  # ms of the answers in that second


def tally(operation: str, times: Sequence[float], failures: Mapping[str, int] | None = None) -> Tally:
    """What was counted of one operation over http: corrected times in ms, of which half is service."""
    made = Tally(operation, "http")
    if times:
        made.take([(0, round(ms * MS / 2), round(ms * MS), round(ms * MS), 10) for ms in times])
        made.connect.record_many([MS])
    for reason, number in (failures or {}).items():
        made.fail([Failed(reason, 0, 0, MS, 0)] * number)
    return made


def line(second: int, tallies: Sequence[Tally], worker: str = "local", **more: Any) -> dict[str, Any]:
    """A line of figures of one second since the start."""
    return {
        "worker": worker,
        "second": int(STARTED) + second,
        "from": STARTED + second,
        "to": STARTED + second + 1,
        "users": 1,
        "operations": [one.to_json() for one in tallies],
        "arrivals": {},
        "health": FIT,
    } | more


def write(folder: Path, lines: Sequence[Mapping[str, Any]], complete: bool = True, **plan: Any) -> Path:
    """A run with these lines; `plan` overrides what it set out to do."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {"name": folder.name, "started": STARTED, "planned": None, "workers": 1, "apis": [], "arrivals": {}} | plan
    (folder / PLAN).write_text(json.dumps(known))
    (folder / SECONDS).write_text("".join(json.dumps(one) + "\n" for one in lines))
    if complete:
        (folder / RESULT).write_text(json.dumps(result(known, lines).to_json()))
    return folder


def result(plan: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Result:
    """What these lines come to."""
    made = Result(plan["name"], STARTED, plan["planned"], plan["workers"])
    tallies, journeys = Tallies(), Tallies()
    for one in lines:
        made.seconds = max(made.seconds, one["to"] - STARTED)
        made.health[one["worker"]] = one["health"]
        made.arrivals = {name: together([counted]) for name, counted in one["arrivals"].items()}
        for known in one["operations"]:
            tallies.add(Tally.from_json(known))
        for known in one.get("journeys", ()):
            journeys.add(Tally.from_json(known))
    made.operations, made.journeys = tallies.all(), journeys.all()
    return made


def steady(folder: Path, times: Times, seconds: int = 30, operation: str = "GET /tasks", **plan: Any) -> Path:
    """A run of one operation."""
    return write(folder, [line(at, [tally(operation, times(at))]) for at in range(seconds)], **plan)
