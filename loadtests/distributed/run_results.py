"""The results of a run: the figures of all processes added up, and the files that store them.

A run's folder holds `plan.json`, `seconds.jsonl` (every line of every process, written as it comes; in longer runs also
the files of older lines, see `figures_file`), `seconds-<n>.jsonl` (the same by each worker for itself) and, as the mark
that the run ended, `result.json`. Lines are flushed at once: a killed process loses only its current second.

Rule: a master adds up no lines. Each worker adds up its own, and sends the totals every few seconds and with its last
line; a worker that was lost is added up from the files.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from contracts.secret_mask import mask_value
from loadtests.distributed.figures_file import FiguresFile, Minute
from loadtests.distributed.figures_sum import Line, Statistics, encode_line
from reports.load.load_result import PLAN_FILE, RESULT_FILE, STATISTICS_FIELDS, LoadResult, merge_arrivals
from reports.load.load_run import sum_kinds
from reports.load.operation_statistics import OperationStatistics, StatisticsTable
from reports.load.run_lines import NUMBER_KEY, SECONDS_FILE, RunLines, figures_files

Totals = Callable[[], Statistics]

logger = logging.getLogger(__name__)


class RunFolder:
    """The files of one run, in which these secrets are masked.

    An error in writing is logged once, ends the writing, and is a part of the result.
    """

    def __init__(self, path: Path, seconds: str = SECONDS_FILE, secrets: Sequence[str] = ()) -> None:
        self.path = path
        self.secrets = secrets
        self.error = ""
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lines = FiguresFile(path, seconds)
        except OSError as error:
            self._fail(error)

    def append(self, line: Line) -> None:
        """Add a line of figures; once this returns, it survives the end of this process."""
        self.append_text(encode_line(line, self.secrets), line["worker"], line.get(NUMBER_KEY))

    def append_text(self, text: str, worker: str, number: int | None) -> None:
        """The same for the text of a line that is encoded already."""
        self._try(lambda: self._lines.append(text, worker, number))

    def append_minute(self, minute: Minute) -> None:
        """Add the sum of earlier lines, which takes their place later."""
        self._try(lambda: self._lines.append_minute(minute))

    def reset(self, instant: float) -> None:
        """Statistics were reset: earlier lines do not count any more."""
        self._try(lambda: self._lines.reset(json.dumps({"reset": instant})))

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file in one step: a reader sees all of it or nothing."""
        if self.error:
            return
        try:
            part = self.path / f".{name}.part"
            part.write_text(json.dumps(mask_value(content, self.secrets), indent=1), encoding="utf-8")
            part.replace(self.path / name)
        except OSError as error:
            self._fail(error)

    def clear(self) -> None:
        """Remove what an earlier run left in this folder."""
        if self.error:
            return
        for path in (self.path / PLAN_FILE, self.path / RESULT_FILE, *figures_files(self.path)):
            if path.name != SECONDS_FILE:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """No more lines."""
        if not self.error:
            self._lines.close()

    def _try(self, write: Callable[[], None]) -> None:
        if self.error:
            return
        try:
            write()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.error = (
            f"figures could not be written to {self.path}: {error.strerror}; name another folder with --results"
        )
        logger.error(self.error)


class Run:
    """A running run: adds up the lines of all its processes. Lines of another run, which come too late, are refused."""

    def __init__(
        self, name: str, folder: RunFolder, planned: float | None, workers: int, options: Mapping[str, Any]
    ) -> None:
        self.folder = folder
        self.result = LoadResult(name, time.time(), planned, workers)
        self.ended: set[str] = set()  # workers whose last line came
        self._began = time.perf_counter()
        self._stopped = 0.0
        self._options = dict(options)
        self._is_timed = False
        self._own = {kind: StatisticsTable() for kind in STATISTICS_FIELDS}  # of lines that nobody else adds up
        self._totals: dict[str, Totals] = {}  # by worker: the newest ones
        self._read_back: Statistics = ([], [])  # from the files, at the end
        self._arrivals: dict[str, dict[str, dict[str, float]]] = {}
        folder.clear()
        self._write_plan()

    def _write_plan(self) -> None:
        of_result = {name: getattr(self.result, name) for name in ("name", "started", "planned", "workers")}
        self.folder.write(PLAN_FILE, of_result | self._options)

    def start_clock(self) -> None:
        """Its users may send from now on: the time of the run counts from here, not from its preparation.

        Calling it again changes nothing.
        """
        if self._is_timed:
            return
        self._is_timed = True
        self.result.started, self._began = time.time(), time.perf_counter()
        self._write_plan()

    def add_line(self, line: Line) -> None:
        """Add a line of a process, and its figures to the totals."""
        if self.add_summed_line(line, encode_line(line, self.folder.secrets)):
            for kind, table in self._own.items():
                for content in line.get(kind, ()):
                    table.add(OperationStatistics.from_json(content))

    def add_summed_line(self, head: Line, text: str, minute: Minute | None = None) -> bool:
        """Add a line whose process adds up its figures itself; False for one that came too late. It is written first.

        head: the line, with or without figures; text: the line as it is written; minute: of earlier lines.
        """
        if head["run"] != self.result.name:
            logger.warning("a line of the run %s came too late", head["run"])
            return False
        worker = head["worker"]
        self.folder.append_text(text, worker, head.get(NUMBER_KEY))
        if minute is not None:
            self.folder.append_minute(minute)
        if head["health"]:
            self.result.health[worker] = head["health"]
        self._arrivals[worker] = head["arrivals"]
        if head.get("last"):
            self.ended.add(worker)
            for name, note in head["notes"].items():
                self.result.notes.setdefault(name, {})[worker] = note
            if not self._stopped:
                self.result.left.append(worker)
        return True

    def set_totals(self, worker: str, totals: Totals) -> None:
        """What the figures of a worker add up to so far; called anew for each result."""
        self._totals[worker] = totals

    def reset(self) -> None:
        """Statistics were reset: figures of operations begin anew."""
        for table in self._own.values():
            table.clear()
        self._began = time.perf_counter()
        self.folder.reset(time.time())

    def stopping(self) -> None:
        """The test is being stopped, which ends the time that the run has lasted."""
        self._stopped = self._stopped or time.perf_counter()

    def end(self, lost: list[str], unsummed: Collection[str] = ()) -> LoadResult:
        """Write the result once all lines should have come. If a line comes later, call it again.

        unsummed: the workers whose totals are not known; their lines are added up from the files.
        """
        self.stopping()
        self.result.lost = lost
        self._read_back = self._sum_of_files(unsummed)
        result = self.current_result()
        result.unwritten = self.folder.error
        self.folder.write(RESULT_FILE, result.to_json())
        return result

    def current_result(self) -> LoadResult:
        """The result of the run so far. It is not kept, since histograms of a long run are large."""
        seconds = (self._stopped or time.perf_counter()) - self._began
        own = [table.all() for table in self._own.values()]
        parts = [own, self._read_back, *(totals() for totals in self._totals.values())]
        operations, journeys = (merge_entries(lists) for lists in zip(*parts, strict=True))
        names = sorted({name for arrivals in self._arrivals.values() for name in arrivals})
        arrived = {
            name: merge_arrivals([arrivals[name] for arrivals in self._arrivals.values() if name in arrivals])
            for name in names
        }
        return replace(self.result, seconds=seconds, operations=operations, journeys=journeys, arrivals=arrived)

    def _sum_of_files(self, workers: Collection[str]) -> Statistics:
        for worker in workers:
            self._totals.pop(worker, None)
        if not workers or self.folder.error:
            return [], []
        lines = RunLines(self.folder.path, with_workers=True)
        sums = sum_kinds(line for line in lines if line["worker"] in workers)
        return sums["operations"], sums["journeys"]


def merge_entries(lists: Iterable[list[OperationStatistics]]) -> list[OperationStatistics]:
    """The sum of these statistics; the only list that is not empty is returned as it is."""
    filled = [entries for entries in lists if entries]
    if len(filled) <= 1:
        return filled[0] if filled else []
    table = StatisticsTable()
    for entry in chain.from_iterable(filled):
        table.add(entry)
    return table.all()
