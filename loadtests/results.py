"""What a run came to: the figures of all processes added up, what they mean for its worth, and the files that keep it.

A run's folder holds `plan.json`, `seconds.jsonl` (every line of every process, written as it comes),
`seconds-<n>.jsonl` (the same by each worker for itself) and, as the mark that the run ended, `result.json`. Lines are
flushed at once: a killed process loses the second it is in.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reports.load.result import PLAN, RESULT, SECONDS, Result, together
from reports.load.tally import Tallies, Tally

Line = dict[str, Any]

logger = logging.getLogger(__name__)


class Folder:
    """The files of one run. What cannot be written is told once, and makes the result say so."""

    def __init__(self, path: Path, seconds: str = SECONDS) -> None:
        self.path = path
        self.broken = ""
        self._seconds = path / seconds
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lines = self._seconds.open("w", encoding="utf-8")
        except OSError as wrong:
            self._fail(wrong)

    def append(self, line: Line) -> None:
        """Add a line of figures; it is the system's once this returns."""
        if self.broken:
            return
        try:
            self._lines.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._lines.flush()
        except OSError as wrong:
            self._fail(wrong)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a whole file, so that a reader finds all of it or none."""
        if self.broken:
            return
        try:
            part = self.path / f".{name}.part"
            part.write_text(json.dumps(content, indent=1), encoding="utf-8")
            part.replace(self.path / name)
        except OSError as wrong:
            self._fail(wrong)

    def clear(self) -> None:
        """Remove what an earlier run left in this folder."""
        if self.broken:
            return
        for old in (self.path / PLAN, self.path / RESULT, *self.path.glob("seconds-*.jsonl")):
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """No more lines."""
        if not self.broken:
            self._lines.close()

    def _fail(self, wrong: OSError) -> None:
        self.broken = (
            f"figures could not be written to {self.path}: {wrong.strerror}; name another folder with --results"
        )
        logger.error(self.broken)


class Run:
    """A run going on: takes the lines of all its processes, and no other run's, however late they come."""

    def __init__(
        self, name: str, folder: Folder, planned: float | None, workers: int, options: Mapping[str, Any]
    ) -> None:
        self.folder = folder
        self.result = Result(name, time.time(), planned, workers)
        self.ended: set[str] = set()  # workers whose last line came
        self._began = time.perf_counter()
        self._stopped = 0.0
        self._tallies, self._journeys = Tallies(), Tallies()
        self._arrivals: dict[str, dict[str, dict[str, float]]] = {}
        folder.clear()
        folder.write(
            PLAN, {"name": name, "started": self.result.started, "planned": planned, "workers": workers} | dict(options)
        )

    def take(self, line: Line, counted: tuple[list[Tally], list[Tally]] | None = None) -> None:
        """Add a line of a process; the folder has it first.

        counted: the operations and journeys of the line, for who has them at hand, which saves reading them.
        """
        if line["run"] != self.result.name:
            logger.warning("a line of the run %s came too late", line["run"])
            return
        self.folder.append(line)
        worker = line["worker"]
        operations, journeys = counted or (
            [Tally.from_json(known) for known in line.get(kind, ())] for kind in ("operations", "journeys")
        )
        for tally in operations:
            self._tallies.add(tally)
        for tally in journeys:
            self._journeys.add(tally)
        if line["health"]:
            self.result.health[worker] = line["health"]
        self._arrivals[worker] = line["arrivals"]
        if line.get("last"):
            self.ended.add(worker)
            for name, note in line["notes"].items():
                self.result.notes.setdefault(name, {})[worker] = note
            if not self._stopped:
                self.result.left.append(worker)

    def forget(self) -> None:
        """Statistics were reset: figures of operations begin anew."""
        self._tallies.clear()
        self._journeys.clear()
        self._began = time.perf_counter()
        self.folder.append({"reset": time.time()})

    def stopping(self) -> None:
        """The test is being stopped: this is how long it lasted."""
        self._stopped = self._stopped or time.perf_counter()

    def end(self, lost: list[str]) -> Result:
        """All lines should have come: write the result. If one comes late after all, it is to be written again."""
        self.stopping()
        self.result.lost = lost
        result = self.current()
        result.unwritten = self.folder.broken
        self.folder.write(RESULT, result.to_json())
        return result

    def current(self) -> Result:
        """The result as far as the run has come."""
        self.result.seconds = (self._stopped or time.perf_counter()) - self._began
        self.result.operations = self._tallies.all()
        self.result.journeys = self._journeys.all()
        names = sorted({name for each in self._arrivals.values() for name in each})
        self.result.arrivals = {
            name: together([each[name] for each in self._arrivals.values() if name in each]) for name in names
        }
        return self.result
