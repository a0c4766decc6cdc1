"""Reads a load run from its folder: its plan, its figures second by second, and their totals.

Rule: with `result.json` the run came to its end and the totals of that file count; without it they are computed from
the lines of master and workers (`run_lines`). If the master was killed, our own reference ended with it, and lines that
only workers wrote do not count. A line that cannot be read is a problem, except the incomplete last line of a killed
process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from reports.load.figure_sums import contradictions
from reports.load.line_facts import LineFacts, last_lines
from reports.load.load_causes import plan_acceptances
from reports.load.load_result import PLAN_FILE, RESULT_FILE, STATISTICS_FIELDS, LoadResult, merge_arrivals
from reports.load.operation_statistics import OperationStatistics, StatisticsTable
from reports.load.run_lines import MINUTES_FILE, FiguresLine, RunLines

LEFT_OUT_FILE = "left-out.json"  # which APIs were not loaded, and why
JOURNEY_CLASSES_KEY = "journey_classes"  # of the plan: the names of the classes whose users run journeys
NO_END_MARK = "the run has no end mark: it was killed or is still running; its last second may be missing"


class NoLoadRun(ValueError):
    """The folder holds no load run; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a profile, in seconds since the start; `judged` says whether objectives apply to it."""

    name: str
    begin: float
    end: float
    judged: bool


@dataclass(frozen=True)
class LoadRun:
    """A run. complete: whether it came to its end. problems: what cannot be read.

    lines: of all workers, in no order; they are read from the disk each time.
    """

    path: Path
    plan: Mapping[str, Any]
    result: LoadResult
    complete: bool
    lines: Iterable[FiguresLine]
    problems: tuple[str, ...]

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs whose journeys were run; none when the locustfile uses no contract."""
        return tuple(self.plan.get("apis", ()))

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of the profile, counted from the first arrivals; the last one lasts to the end of the run."""
        offset = max(0.0, self._facts.arrivals_began - self.result.started)
        planned = [Phase(**phase) for phase in self.plan.get("phases", ())]
        phases = [replace(phase, begin=phase.begin + offset, end=phase.end + offset) for phase in planned]
        return (*phases[:-1], *(replace(phase, end=max(phase.end, self.result.seconds)) for phase in phases[-1:]))

    def gaps(self) -> list[str]:
        """Which parts of the run did not happen or cannot be read."""
        marks = [] if self.complete else [NO_END_MARK]
        return [*marks, *self.problems, *self.result.gaps(), *self.absences(), *self._blurs()]

    def _blurs(self) -> list[str]:
        """Added-up lines of which a part is judged and another is not."""
        borders = [b.begin for a, b in pairwise(self.phases) if a.judged != b.judged]
        spans = [(begin - self.result.started, end - self.result.started) for begin, end in self._facts.minutes]
        blurred = sum(any(begin < border < end for border in borders) for begin, end in spans)
        return [f"{blurred} lines of {MINUTES_FILE} are of two phases"] if blurred else []

    @property
    def is_thinned(self) -> bool:
        """Whether old seconds were added up to minutes."""
        return bool(self._facts.minutes)

    @cached_property
    def _facts(self) -> LineFacts:
        return LineFacts.of(self.lines)

    def absences(self) -> list[str]:
        """What the plan has and nobody played: APIs without a request, and classes without a user."""
        requested = [operation.operation for operation in self.result.operations if operation.requests]
        absences = [
            f"{api}: no request was made, although the plan has it; use more --users or a longer run"
            for api in self.apis
            if requested and not any(name.startswith(f"{api} ") for name in requested)
        ]
        spawned = self._facts.spawned
        planned = set(self.plan.get(JOURNEY_CLASSES_KEY, ())) if spawned is not None else set()
        return absences + [
            f"{name}: no user was spawned; use more --users" for name in sorted(planned - (spawned or set()))
        ]

    @cached_property
    def judged_operations(self) -> list[OperationStatistics]:
        """The statistics that objectives apply to: of the judged phases, or of the whole run when it has no phases."""
        return self._judged_statistics("operations")

    @cached_property
    def judged_journeys(self) -> list[OperationStatistics]:
        """The same for whole journeys; each counts in the phase in which it ended."""
        return self._judged_statistics("journeys")

    def _judged_statistics(self, of: str) -> list[OperationStatistics]:
        if all(phase.judged for phase in self.phases):
            statistics: list[OperationStatistics] = getattr(self.result, of)
            return statistics
        return self._judged_sums[of]

    @cached_property
    def _judged_sums(self) -> dict[str, list[OperationStatistics]]:
        return sum_kinds(line for line in self.lines if self.is_judged(self.middle(line)))

    @cached_property
    def judged_seconds(self) -> float:
        """How long the judged phases lasted."""
        if all(phase.judged for phase in self.phases):
            return self.result.seconds
        seconds = self.result.seconds
        return sum(max(0.0, min(phase.end, seconds) - phase.begin) for phase in self.phases if phase.judged)

    def is_judged(self, at: float) -> bool:
        """Whether objectives apply to that instant, in seconds since the start."""
        last = self.phases[-1]
        return (at >= last.end and last.judged) or any(
            phase.judged and phase.begin <= at < phase.end for phase in self.phases
        )

    def middle(self, line: FiguresLine) -> float:
        """The middle of a line's interval, in seconds since the start."""
        return float((line["from"] + line["to"]) / 2 - self.result.started)

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {f"{api} {label}": api for api in self.apis for label in operation_names(api)}

    def api_of(self, operation: str) -> str:
        """The API of the run whose contract has that operation (or its invalid requests), or ""."""
        return self._owners.get(operation.removesuffix(" (refused)"), "")


def operation_names(api: str) -> list[str]:
    """The operations and calls of an API's contract, counted under these names after the API's; none without one."""
    if api not in contracts.apis():
        return []
    contract = load_contract(api)
    rpc_contract = load_rpc_contract(api)
    return [*(rpc_contract.calls if rpc_contract else ()), *contract.operations]


def read_load_run(folder: Path) -> LoadRun:
    """Read the run in that folder; raises NoLoadRun when there is none, or when its files cannot be understood."""
    plan = _json(folder / PLAN_FILE)
    if plan is None:
        raise NoLoadRun(
            f"{folder} holds no load run: expected a folder with {PLAN_FILE}, as load runs leave in reports/out/load"
        )
    reference_ended = bool(plan.get("embedded")) and not (folder / RESULT_FILE).exists()
    lines = RunLines(folder, with_workers=not reference_ended)
    try:
        result, complete = _result(folder, plan, lines)
        plan_acceptances(plan)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoLoadRun(
            f"{folder}: {PLAN_FILE}, {RESULT_FILE} or a line of figures cannot be understood: {error!r}"
        ) from None
    problems = lines.check().problems
    if complete:
        problems += contradictions(result, lines)
    return LoadRun(folder, plan, result, complete, lines, tuple(problems))


def left_out(folder: Path) -> dict[str, str]:
    """The APIs that Locust was to load into that folder and did not, with the reason; empty when there are none."""
    content = _json(folder / LEFT_OUT_FILE)
    return {str(api): str(reason) for api, reason in content.items()} if content else {}


def run_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that hold a run, oldest first."""
    folders = [path.parent for path in folder.glob(f"*/{PLAN_FILE}")]
    return sorted(folders, key=lambda path: (path / PLAN_FILE).stat().st_mtime_ns)


def sum_lines(lines: Iterable[FiguresLine], of: str = "operations") -> list[OperationStatistics]:
    """Add up the `operations` or `journeys` of these lines, by name and transport; older runs have no journeys."""
    return sum_kinds(lines, (of,))[of]


def sum_kinds(
    lines: Iterable[FiguresLine], kinds: Sequence[str] = STATISTICS_FIELDS
) -> dict[str, list[OperationStatistics]]:
    """The same of several kinds, in one pass."""
    tables = {kind: StatisticsTable() for kind in kinds}
    for line in lines:
        for kind in kinds:
            for content in line.get(kind, ()):
                tables[kind].add(OperationStatistics.from_json(content))
    return {kind: table.all() for kind, table in tables.items()}


def _result(folder: Path, plan: FiguresLine, lines: Iterable[FiguresLine]) -> tuple[LoadResult, bool]:
    content = _json(folder / RESULT_FILE)
    if content is not None:
        return LoadResult.from_json(content), True
    result = LoadResult(plan["name"], plan["started"], plan["planned"], plan["workers"])
    last = last_lines(lines)
    result.seconds = max((line["to"] for line in last.values()), default=result.started) - result.started
    sums = sum_kinds(lines)
    result.operations, result.journeys = sums["operations"], sums["journeys"]
    result.health = {worker: line["health"] for worker, line in last.items() if line["health"]}
    for worker, line in last.items():
        for name, note in line.get("notes", {}).items():
            result.notes.setdefault(name, {})[worker] = note
    names = sorted({name for line in last.values() for name in line["arrivals"]})
    result.arrivals = {
        name: merge_arrivals([line["arrivals"][name] for line in last.values() if name in line["arrivals"]])
        for name in names
    }
    return result, False


def _json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None when there is no file. Raises NoLoadRun when it cannot be read or is no object."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NoLoadRun(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise NoLoadRun(f"{path} should hold a JSON object")
    return content
