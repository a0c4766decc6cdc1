"""Writes lines of figures into files, and replaces old seconds by their minutes: a day of them fits on a disk.

Rule: a line is on the disk when `append` returns. The file is continued in a new segment every ten minutes. A segment
is removed when the one after it is full, if its lines are in minutes, which are written before; otherwise it stays for
ever, such as that in which a worker was lost. So whenever a process is killed, no line is missing, and what is in two
files has the same numbers (`reports.load.run_lines`).
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from reports.load.run_lines import MINUTES_FILE, SECONDS_FILE

SEGMENT_SECONDS = 600.0


class Minute(NamedTuple):
    """Lines of a worker added up: the numbers of the first and the last, and the text of the line."""

    worker: str
    first: int
    last: int
    text: str


@dataclass(slots=True)
class _Segment:
    """A file of lines. numbers: the first and the last one of each worker's; is_kept: some line has no number."""

    path: Path
    began: float
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    is_kept: bool = False

    def last_of(self, worker: str) -> int:
        """The number of the last line of a worker, -1 without any."""
        return self.numbers.get(worker, (-1, -1))[1]


class FiguresFile:
    """The lines of one process, or on a master of all its workers. All methods raise OSError."""

    def __init__(self, folder: Path, name: str = SECONDS_FILE) -> None:
        self._path = folder / name
        self._minutes_path = folder / name.replace(Path(SECONDS_FILE).stem, Path(MINUTES_FILE).stem, 1)
        self._segments = 0
        self._full: deque[_Segment] = deque()
        self._minutes: deque[Minute] = deque()  # not written yet
        self._covered: dict[str, int] = {}  # by worker: the last number of its minutes so far
        self._kept: dict[str, int] = {}  # by worker: up to which number a minute is missing
        self._reset_text = ""
        self._begin_segment()

    def append(self, text: str, worker: str = "", number: int | None = None) -> None:
        """Add the line with that number of that worker."""
        if time.monotonic() - self._segment.began >= SEGMENT_SECONDS:
            self._end_segment()
        self._file.write(text + "\n")
        self._file.flush()
        if number is None:
            self._segment.is_kept = True
        else:
            first, last = self._segment.numbers.get(worker, (number, number))
            self._segment.numbers[worker] = (min(first, number), max(last, number))

    def append_minute(self, minute: Minute) -> None:
        """Remember a minute; it is written when it takes the place of its lines."""
        covered = self._covered.get(minute.worker, -1)
        self._covered[minute.worker] = minute.last
        if minute.first == covered + 1:
            self._minutes.append(minute)
        else:  # the minute before was lost, or it began before a reset
            self._kept[minute.worker] = minute.last

    def reset(self, text: str) -> None:
        """Add that line; what was before it counts no more."""
        for segment in self._full:
            segment.path.unlink(missing_ok=True)
        self._full.clear()
        self._minutes.clear()
        self._minutes_path.unlink(missing_ok=True)
        self._covered |= {worker: last for worker, (_, last) in self._segment.numbers.items()}
        self._kept |= self._covered
        self._reset_text = text
        self._file.write(text + "\n")
        self._file.flush()

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _begin_segment(self) -> None:
        self._segment = _Segment(self._path, time.monotonic())
        self._file = self._path.open("w", encoding="utf-8")

    def _end_segment(self) -> None:
        self._file.close()
        segment = self._segment
        segment.path = self._path.with_name(f"{self._path.stem}.{self._segments}.jsonl")
        self._path.rename(segment.path)
        self._segments += 1
        self._full.append(segment)
        self._begin_segment()
        while len(self._full) > 1:
            self._thin(self._full.popleft())

    def _thin(self, segment: _Segment) -> None:
        """Replace the lines of a segment by their minutes, if there are minutes of all."""
        is_covered = all(
            last <= self._covered.get(worker, -1) and first > self._kept.get(worker, -1)
            for worker, (first, last) in segment.numbers.items()
        )
        if is_covered and not segment.is_kept:
            self._write([it for it in self._minutes if it.first <= segment.last_of(it.worker)])
            self._minutes = deque(it for it in self._minutes if it.first > segment.last_of(it.worker))
            segment.path.unlink()
        else:
            self._minutes = deque(it for it in self._minutes if it.last > segment.last_of(it.worker))

    def _write(self, minutes: list[Minute]) -> None:
        is_new = not self._minutes_path.exists()
        with self._minutes_path.open("a", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in ([self._reset_text] if is_new and self._reset_text else []))
            file.writelines(f"{minute.text}\n" for minute in minutes)
