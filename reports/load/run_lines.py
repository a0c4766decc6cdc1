"""Reads the lines of figures of a run from its files one by one: a day of them needs no more memory than a line.

Rule: each line counts once, whichever files have it, and none that stands in its file before a reset of the statistics;
the clock decides on those that only workers wrote. The newest
lines are in `seconds.jsonl`, older ones in its numbered segments (`seconds.3.jsonl`), and the oldest in
`minutes.jsonl`, added up by minute and worker. Each worker has the same files with its number in their names, for what
did not reach the master. The lines come in no order of time.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FiguresLine = Mapping[str, Any]

SECONDS_FILE, MINUTES_FILE = "seconds.jsonl", "minutes.jsonl"
NUMBER_KEY, NUMBERS_KEY = "number", "numbers"  # of a line: its number among those of its worker, or first and last
NEEDED_KEYS = ("worker", "from", "to", "operations", "arrivals", "health")
MAX_NUMBER = 1 << 62
SEGMENT = re.compile(r"(minutes|seconds)(?:-(\d+))?(?:\.(\d+))?\.jsonl")  # kind, worker, segment


@dataclass(frozen=True, slots=True)
class RunLines:
    """The lines of the run in that folder; each iteration reads the files anew.

    with_workers: whether lines count that only workers wrote. problems: what the first iteration could not understand.
    """

    folder: Path
    with_workers: bool
    problems: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[FiguresLine]:
        return self._lines([])

    def check(self) -> RunLines:
        """The same, with the problems of all lines."""
        problems: list[str] = []
        for _ in self._lines(problems):
            pass
        return RunLines(self.folder, self.with_workers, problems)

    def _lines(self, problems: list[str]) -> Iterator[FiguresLine]:
        of_master, of_workers = _files(self.folder)
        seen, reset = _Seen(problems), 0.0
        for path in of_master:
            place, instant = _last_reset(path)
            reset = max(reset, instant)
            for position, line in _read(path, problems):
                if seen.add(line) and position > place:
                    yield line
        for path in of_workers if self.with_workers else ():
            for _, line in _read(path, problems):
                if seen.add(line) and line["to"] > reset:
                    yield line


class _Seen:
    """Which lines were read: ranges of numbers by worker, or of older runs worker and interval."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        self._intervals: set[tuple[str, float, float]] = set()

    def add(self, line: FiguresLine) -> bool:
        """Whether the line is a new one."""
        worker, numbers = line["worker"], line.get(NUMBERS_KEY) or [line.get(NUMBER_KEY)] * 2
        if numbers[0] is None:
            key = (worker, line["from"], line["to"])
            is_new = key not in self._intervals
            self._intervals.add(key)
            return is_new
        first, last = numbers
        ranges = self._ranges.setdefault(worker, [])
        at = bisect_right(ranges, (first, MAX_NUMBER))
        before, after = ranges[at - 1] if at else (-2, -2), ranges[at] if at < len(ranges) else (last + 2, last + 2)
        if last <= before[1]:
            return False
        if first <= before[1] or after[0] <= last:
            self._problems.append(f"lines {first} to {last} of {worker} overlap with others")
            return False
        joins_before, joins_after = before[1] == first - 1, after[0] == last + 1
        merged = (before[0] if joins_before else first, after[1] if joins_after else last)
        ranges[at - joins_before : at + joins_after] = [merged]
        return True


def figures_files(folder: Path) -> list[Path]:
    """All files with lines of figures in that folder, in no order."""
    return [path for path in folder.glob("*.jsonl") if SEGMENT.fullmatch(path.name)]


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of the master, or of the only process, and those of the workers: the oldest lines first."""
    known = [(match, path) for path in figures_files(folder) if (match := SEGMENT.fullmatch(path.name))]
    ordered = sorted(known, key=lambda item: (item[0][2] or "", item[0][1], int(item[0][3] or MAX_NUMBER)))
    return [path for match, path in ordered if match[2] is None], [path for match, path in ordered if match[2]]


def _last_reset(path: Path) -> tuple[int, float]:
    """The line number of the last reset in that file, 0 without one, and its instant."""
    place, instant = 0, 0.0
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            if text.startswith('{"reset"') and (known := _reset(text)):
                place, instant = number, max(instant, known)
    return place, instant


def _reset(text: str) -> float:
    try:
        return float(json.loads(text)["reset"])
    except (ValueError, TypeError, KeyError):
        return 0.0


def _read(path: Path, problems: list[str]) -> Iterator[tuple[int, FiguresLine]]:
    """The lines of a file with their numbers; the incomplete last line of a killed process is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith("\n"):
                return
            try:
                content = json.loads(text)
                if "reset" in content:
                    continue
                if all(key in content for key in NEEDED_KEYS):
                    yield number, content
                    continue
            except (ValueError, TypeError):
                pass
            problems.append(f"{path.name} line {number} is no line of figures")
