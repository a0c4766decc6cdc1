"""The part of a run so far to which objectives apply, while the run goes on, and how much of it is still to come."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtests.engine.arrival_plan import ArrivalPlan
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import merge_statistics
from reports.load.statistics_since import copy_of, statistics_since

SETTLING = 5.0  # seconds after which figures of an earlier phase do not come any more
KINDS = ("operations", "journeys")

Span = tuple[float, float]  # seconds since the arrivals began


class JudgedPart:
    """Follows one run by its results so far, and leaves out the phases of the profile that are not judged."""

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self._folder = folder
        self._plan = {**plan, "phases": ()}
        self._spans = judged_spans(plan)
        self._work = _work_between(plan)
        self._arrivals_began: float | None = None if plan.get("arrivals") else 0.0
        self._seen: dict[Span, tuple[float, dict[str, list[OperationStatistics]]]] = {}
        self._before: dict[str, list[OperationStatistics]] = {kind: [] for kind in KINDS}
        self._from = 0.0

    def update(self, result: LoadResult) -> tuple[LoadRun, float] | None:
        """The judged part of the run, and the rest as a multiple of what has passed; None outside of that part."""
        if self._arrivals_began is None:
            if not any(counts["planned"] for counts in result.arrivals.values()):
                return None
            self._arrivals_began = max(0.0, result.seconds - 1)
        now = result.seconds - self._arrivals_began
        span = next(((begin, end) for begin, end in self._spans if begin <= now < end), None)
        if span is None or (span[0] > 0 and now < span[0] + SETTLING):
            self._before = {kind: copy_of(getattr(result, kind)) for kind in KINDS}
            self._from = now
            return None
        begin = max(span[0], self._from)
        self._seen[span] = (
            begin, {kind: statistics_since(self._before[kind], getattr(result, kind)) for kind in KINDS}
        )  # fmt: skip
        return self._run(result, now), self._to_come(now)

    def _run(self, result: LoadResult, now: float) -> LoadRun:
        parts = {kind: [entry for _, seen in self._seen.values() for entry in seen[kind]] for kind in KINDS}
        seconds = sum(min(now, end) - begin for (_, end), (begin, _) in self._seen.items())
        merged = {kind: _merged(entries) for kind, entries in parts.items()}
        judged = replace(result, seconds=seconds, operations=merged["operations"], journeys=merged["journeys"])
        return LoadRun(self._folder, self._plan, judged, False, (), ())

    def _to_come(self, now: float) -> float:
        passed = sum(self._work(begin, min(now, end)) for (_, end), (begin, _) in self._seen.items())
        rest = sum(self._work(max(now, begin), end) for begin, end in self._spans if end > now)
        return rest / passed if passed > 0 else math.inf


def judged_spans(plan: Mapping[str, Any]) -> list[Span]:
    """The judged phases, or the whole run; a run without a known end is endless."""
    phases = plan.get("phases") or [{"begin": 0.0, "end": plan.get("planned") or math.inf, "judged": True}]
    return [(phase["begin"], phase["end"]) for phase in phases if phase["judged"]]


def _work_between(plan: Mapping[str, Any]) -> Callable[[float, float], float]:
    """How much is to be done between two instants: by planned arrivals, or by time without any."""
    plans = [
        ArrivalPlan(tuple((at, rate) for at, rate in entry["points"]), entry["kind"], entry["seed"])
        for entry in plan.get("arrivals", {}).values()
    ]

    def arrivals(begin: float, end: float) -> float:
        return sum(it.expected_arrivals(end) - it.expected_arrivals(begin) for it in plans)

    return arrivals if plans else lambda begin, end: end - begin


def _merged(entries: Sequence[OperationStatistics]) -> list[OperationStatistics]:
    """Statistics of one operation in several phases, added up."""
    groups: dict[tuple[str, str], list[OperationStatistics]] = {}
    for entry in entries:
        groups.setdefault((entry.operation, entry.transport), []).append(entry)
    merged = []
    for (operation, transport), group in groups.items():
        total = merge_statistics(group)
        total.operation, total.transport = operation, transport
        merged.append(total)
    return merged
