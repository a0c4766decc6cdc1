"""Judges a span of a run that still goes on, from the lines that its file has so far.

Rule: the same objectives and the same judge as at the end; only what was before the span does not count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.load.result import Result
from reports.load.run import Line, LoadRun, summed
from reports.load.slo import Objectives
from reports.load.verdict import Judged, judge

KEPT = 120.0  # seconds of lines that are kept in memory


class Tail:
    """The newest lines of a file of figures that grows; `plan` is what the run's plan says."""

    def __init__(self, path: Path, plan: Mapping[str, Any]) -> None:
        self._path = path
        self._whole = json.loads((path.parent / "plan.json").read_text("utf-8")) | plan
        self._at = 0
        self._lines: list[Line] = []

    def judged(self, objectives: Objectives, begin: float, end: float) -> Judged:
        """What the objectives say of the span between two instants of the wall clock, in seconds since the epoch."""
        self._read()
        spanned = [line for line in self._lines if line["from"] >= begin - 0.05 and line["to"] <= end + 1.05]
        self._lines = [line for line in self._lines if line["to"] > end - KEPT]
        result = Result("step", begin, None, 0, seconds=end - begin, operations=summed(spanned))
        result.journeys = summed(spanned, "journeys")
        result.health = {line["worker"]: line["health"] for line in spanned}
        result.arrivals = self._arrivals(begin, spanned)
        plan = {key: value for key, value in self._whole.items() if key not in ("phases", "search")}
        return judge(LoadRun(self._path.parent, plan, result, True, tuple(spanned), ()), objectives)

    def _read(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._at)
            found = file.read()
        whole = found[: found.rfind(b"\n") + 1]
        self._at += len(whole)
        self._lines += [line for text in whole.splitlines() if "reset" not in (line := json.loads(text))]

    def _arrivals(self, begin: float, spanned: list[Line]) -> dict[str, dict[str, float]]:
        """What came of the arrivals within the span: the last count of each worker less its last one before."""
        before = {line["worker"]: line["arrivals"] for line in self._lines if line["from"] < begin - 0.05}
        after = {line["worker"]: line["arrivals"] for line in spanned}
        found: dict[str, dict[str, float]] = {}
        for worker, arrivals in after.items():
            for name, counted in arrivals.items():
                earlier = before.get(worker, {}).get(name, {})
                known = found.setdefault(name, {"started": 0.0, "dropped": 0.0, "planned": 0.0})
                for key in ("started", "dropped"):
                    known[key] += counted[key] - earlier.get(key, 0.0)
        return found
