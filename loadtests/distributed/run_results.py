"""The results of a run: the figures of all processes added up, and the files that store them.

A run's folder holds `plan.json`, `seconds.jsonl` (every line of every process, written as it comes),
`seconds-<n>.jsonl` (the same by each worker for itself) and, as the mark that the run ended, `result.json`. Lines are
flushed at once: a killed process loses only its current second.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.secret_mask import mask_secrets
from reports.load.load_result import PLAN_FILE, RESULT_FILE, SECONDS_FILE, LoadResult, merge_arrivals
from reports.load.operation_statistics import OperationStatistics, StatisticsTable

Line = dict[str, Any]

logger = logging.getLogger(__name__)


class RunFolder:
    """The files of one run, in which these secrets are masked.

    An error in writing is logged once, ends the writing, and is a part of the result.
    """

    def __init__(self, path: Path, seconds: str = SECONDS_FILE, secrets: Sequence[str] = ()) -> None:
        self.path = path
        self.secrets = secrets
        self.error = ""
        self._seconds = path / seconds
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lines = self._seconds.open("w", encoding="utf-8")
        except OSError as error:
            self._fail(error)

    def append(self, line: Line) -> None:
        """Add a line of figures; once this returns, it survives the end of this process."""
        if self.error:
            return
        try:
            self._lines.write(mask_secrets(json.dumps(line, separators=(",", ":")), self.secrets) + "\n")
            self._lines.flush()
        except OSError as error:
            self._fail(error)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a file in one step: a reader sees all of it or nothing."""
        if self.error:
            return
        try:
            part = self.path / f".{name}.part"
            part.write_text(mask_secrets(json.dumps(content, indent=1), self.secrets), encoding="utf-8")
            part.replace(self.path / name)
        except OSError as error:
            self._fail(error)

    def clear(self) -> None:
        """Remove what an earlier run left in this folder."""
        if self.error:
            return
        for path in (self.path / PLAN_FILE, self.path / RESULT_FILE, *self.path.glob("seconds-*.jsonl")):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """No more lines."""
        if not self.error:
            self._lines.close()

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
        self._operations, self._journeys = StatisticsTable(), StatisticsTable()
        self._arrivals: dict[str, dict[str, dict[str, float]]] = {}
        folder.clear()
        folder.write(
            PLAN_FILE,
            {"name": name, "started": self.result.started, "planned": planned, "workers": workers} | dict(options),
        )

    def add_line(
        self, line: Line, statistics: tuple[list[OperationStatistics], list[OperationStatistics]] | None = None
    ) -> None:
        """Add a line of a process; it is written to the folder first.

        statistics: the operations and journeys of the line, if the caller has them, which saves parsing them.
        """
        if line["run"] != self.result.name:
            logger.warning("a line of the run %s came too late", line["run"])
            return
        self.folder.append(line)
        worker = line["worker"]
        operations, journeys = statistics or (
            [OperationStatistics.from_json(item) for item in line.get(kind, ())] for kind in ("operations", "journeys")
        )
        for operation in operations:
            self._operations.add(operation)
        for journey in journeys:
            self._journeys.add(journey)
        if line["health"]:
            self.result.health[worker] = line["health"]
        self._arrivals[worker] = line["arrivals"]
        if line.get("last"):
            self.ended.add(worker)
            for name, note in line["notes"].items():
                self.result.notes.setdefault(name, {})[worker] = note
            if not self._stopped:
                self.result.left.append(worker)

    def reset(self) -> None:
        """Statistics were reset: figures of operations begin anew."""
        self._operations.clear()
        self._journeys.clear()
        self._began = time.perf_counter()
        self.folder.append({"reset": time.time()})

    def stopping(self) -> None:
        """The test is being stopped, which ends the time that the run has lasted."""
        self._stopped = self._stopped or time.perf_counter()

    def end(self, lost: list[str]) -> LoadResult:
        """Write the result once all lines should have come. If a line comes later, call it again."""
        self.stopping()
        self.result.lost = lost
        result = self.current_result()
        result.unwritten = self.folder.error
        self.folder.write(RESULT_FILE, result.to_json())
        return result

    def current_result(self) -> LoadResult:
        """The result of the run so far."""
        self.result.seconds = (self._stopped or time.perf_counter()) - self._began
        self.result.operations = self._operations.all()
        self.result.journeys = self._journeys.all()
        names = sorted({name for arrivals in self._arrivals.values() for name in arrivals})
        self.result.arrivals = {
            name: merge_arrivals([arrivals[name] for arrivals in self._arrivals.values() if name in arrivals])
            for name in names
        }
        return self.result
