"""Judges a span of a run that is still going on, from the lines that its file has so far.

Rule: a span is judged like a whole run, by the same objectives; what happened before it does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from reports.load.fitness import span_reasons
from reports.load.load_result import EARLY_DROPS, PLAN_FILE, LoadResult
from reports.load.load_run import LoadRun, sum_lines
from reports.load.load_verdict import LoadVerdict, judge_run
from reports.load.run_lines import FiguresLine
from reports.load.slo import ObjectivesFile

KEPT_SECONDS = 120.0  # of lines kept in memory
BEFORE, AFTER = 0.05, 1.05  # seconds that a line may begin before its span, and end after it


class FiguresTail:
    """The newest lines of a growing file of figures, also when another one takes its place (`FiguresFile`).

    plan: overrides the run's plan.
    """

    def __init__(self, path: Path, plan: Mapping[str, Any]) -> None:
        self._path = path
        self._plan = json.loads((path.parent / PLAN_FILE).read_text("utf-8")) | plan
        self._file: BinaryIO | None = None
        self._rest = b""  # of a line that is not complete
        self._lines: list[FiguresLine] = []

    def judge_span(self, objectives: ObjectivesFile, begin: float, end: float) -> LoadVerdict:
        """Judge the span between two instants of the wall clock, in seconds since the epoch."""
        self._read()
        lines = [line for line in self._lines if line["from"] >= begin - BEFORE and line["to"] <= end + AFTER]
        self._lines = [line for line in self._lines if line["to"] > end - KEPT_SECONDS]
        result = LoadResult("step", begin, None, 0, seconds=end - begin, operations=sum_lines(lines))
        result.journeys = sum_lines(lines, "journeys")
        result.health = self._health(begin, lines, end - begin)
        result.arrivals = self._arrivals(begin, lines)
        plan = {key: value for key, value in self._plan.items() if key not in ("phases", "search")}
        return judge_run(LoadRun(self._path.parent, plan, result, True, tuple(lines), ()), objectives)

    def _health(self, begin: float, lines: list[FiguresLine], seconds: float) -> dict[str, dict[str, Any]]:
        """The fitness of each worker within the span alone; figures count from the begin of the run."""
        before = {line["worker"]: line["health"] for line in self._lines if line["from"] < begin - BEFORE}
        healths: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            if line["health"]:
                healths.setdefault(line["worker"], []).append(line["health"])
        return {
            worker: {"reasons": span_reasons(before.get(worker, {}), known, seconds)}
            for worker, known in healths.items()
        }

    def _read(self) -> None:
        """Read the complete lines that were added since the last time."""
        if self._file is None:
            self._file = self._path.open("rb")
        self._read_file(self._file)
        if os.fstat(self._file.fileno()).st_ino != self._path.stat().st_ino:
            self._read_file(self._file)  # what was added before the file was replaced
            self._file.close()
            self._file = self._path.open("rb")
            self._read_file(self._file)

    def _read_file(self, file: BinaryIO) -> None:
        *complete, self._rest = (self._rest + file.read()).split(b"\n")
        self._lines += [line for text in complete if "reset" not in (line := json.loads(text))]

    def _arrivals(self, begin: float, lines: list[FiguresLine]) -> dict[str, dict[str, float]]:
        """The arrivals within the span: the last count of each worker less its last one before the span."""
        before = {line["worker"]: line["arrivals"] for line in self._lines if line["from"] < begin - BEFORE}
        last = {line["worker"]: line["arrivals"] for line in lines}
        totals: dict[str, dict[str, float]] = {}
        for worker, arrivals in last.items():
            for name, counts in arrivals.items():
                earlier = before.get(worker, {}).get(name, {})
                total = totals.setdefault(name, {"started": 0.0, "dropped": 0.0, EARLY_DROPS: 0.0, "planned": 0.0})
                for key in ("started", "dropped", EARLY_DROPS):
                    total[key] += counts.get(key, 0.0) - earlier.get(key, 0.0)
        return totals
