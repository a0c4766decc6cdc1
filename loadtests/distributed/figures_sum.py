"""Adds up the lines of a load generator: to minutes, which take the place of old lines, and to the totals of the run.

Rule: no minute has lines of two phases of a profile, of which objectives may apply to one alone. Long work is done in
pieces, between which responses are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contracts.secret_mask import mask_value
from loadtests.distributed.figures_file import Minute
from reports.load.load_result import STATISTICS_FIELDS
from reports.load.operation_statistics import OperationStatistics, StatisticsTable
from reports.load.packed_statistics import PackedStatistics, pack, unpack
from reports.load.run_lines import NUMBER_KEY, NUMBERS_KEY

MINUTE = 60  # seconds
GUARD = 10.0  # seconds before and after a phase begins in which lines are not added up: workers begin apart

Line = dict[str, Any]
Statistics = tuple[list[OperationStatistics], list[OperationStatistics]]  # of requests, and of journeys


def encode_line(line: Line, secrets: Sequence[str]) -> str:
    """The line as its file has it, in which these secrets are masked."""
    return json.dumps(mask_value(line, secrets), separators=(",", ":"))


class FiguresSum:
    """The figures of one load generator in one run. Its recorder bounds how many operations these can be.

    pause: called between pieces of long work. phase_begins: seconds after the first arrivals at which phases of the
    profile begin. age: seconds since the plans of arrivals began.
    """

    def __init__(
        self,
        pause: Callable[[], None],
        secrets: Sequence[str] = (),
        phase_begins: Sequence[float] = (),
        age: float = 0.0,
    ) -> None:
        self._pause = pause
        self._secrets = secrets
        self._phase_begins = phase_begins
        self._age = age
        self._borders: list[float] | None = None  # seconds since the epoch at which phases begin
        self._totals: list[dict[tuple[str, str], PackedStatistics]] = [{} for _ in STATISTICS_FIELDS]
        self._tables = _tables()  # of the current minute
        self._closing = _tables()  # of the minute before, while it is moved to the totals
        self._head: Line | None = None  # of the current minute: its line without figures
        self._key: tuple[int, int] | None = None
        self._resets = 0

    def add(self, line: Line, statistics: Statistics) -> Minute | None:
        """Add a line with these figures; returns the minute that it ends."""
        key = self._minute_of(line)
        ended = self._end_minute() if self._head is not None and key != self._key else None
        head = {name: value for name, value in line.items() if name not in (*STATISTICS_FIELDS, NUMBER_KEY)}
        if self._head is None:
            self._head = head | {NUMBERS_KEY: [line[NUMBER_KEY]] * 2}
        else:
            first = {name: self._head[name] for name in ("from", "second")}
            self._head = head | first | {NUMBERS_KEY: [self._head[NUMBERS_KEY][0], line[NUMBER_KEY]]}
        self._key = key
        for table, entries in zip(self._tables, statistics, strict=True):
            for entry in entries:
                table.add(entry)
        return ended

    def current(self) -> Statistics:
        """The totals of the run so far."""
        operations, journeys = (list(self._summed(index)) for index in range(len(STATISTICS_FIELDS)))
        return operations, journeys

    def encode_current(self) -> dict[str, list[dict[str, Any]]]:
        """The totals of the run so far, for JSON."""
        return {
            name: [entry.to_json() for entry in self._summed(index)] for index, name in enumerate(STATISTICS_FIELDS)
        }

    def clear(self) -> None:
        """Forget all figures, since statistics were reset."""
        self._resets += 1
        for totals in self._totals:
            totals.clear()
        for table in (*self._closing, *self._tables):
            table.clear()
        self._head = None

    def _summed(self, index: int) -> Iterator[OperationStatistics]:
        """The totals of each operation or journey, with a pause after each."""
        totals, tables = self._totals[index], (self._closing[index], self._tables[index])
        for key in sorted({*totals, *(key for table in tables for key in table.all_keys())}):
            total = self._total(index, key)
            for table in (self._closing[index], self._tables[index]):
                if entry := table.find(*key):
                    total.add(entry)
            yield total
            self._pause()

    def _total(self, index: int, key: tuple[str, str]) -> OperationStatistics:
        """The sum of all minutes that have ended, of one operation or journey."""
        packed = self._totals[index].get(key)
        return unpack(packed) if packed is not None else OperationStatistics(*key)

    def _end_minute(self) -> Minute | None:
        """The minute as a line; its figures become a part of the totals, one by one."""
        head, resets = self._head, self._resets
        assert head is not None
        self._closing, self._tables = self._tables, _tables()
        self._head = None
        for index, (name, closing) in enumerate(zip(STATISTICS_FIELDS, self._closing, strict=True)):
            head[name] = []
            for key in closing.all_keys():
                if resets == self._resets:
                    entry, total = closing.pop(*key), self._total(index, key)
                    total.add(entry)
                    self._totals[index][key] = pack(total)
                    head[name].append(entry.to_json())
                    self._pause()
        if resets != self._resets:  # in the meantime
            return None
        first, last = head[NUMBERS_KEY]
        return Minute(head["worker"], first, last, encode_line(head, self._secrets))

    def _minute_of(self, line: Line) -> tuple[int, int]:
        """What lines of one minute have in common; a line near the begin of a phase has it alone."""
        if self._borders is None and any(counts["planned"] for counts in line["arrivals"].values()):
            began = max(line["from"], line["to"] - 1) - self._age
            self._borders = [began + begin for begin in self._phase_begins]
        is_near = any(line["from"] - GUARD < border < line["to"] + GUARD for border in self._borders or ())
        return int(line["from"] // MINUTE), line[NUMBER_KEY] if is_near else -1


def _tables() -> list[StatisticsTable]:
    """A table of operations, and one of journeys."""
    return [StatisticsTable() for _ in STATISTICS_FIELDS]
