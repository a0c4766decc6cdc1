"""What single lines of figures say of a run, collected while they are read one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.load.load_result import STATISTICS_FIELDS
from reports.load.run_lines import NUMBERS_KEY, FiguresLine

SPAWNED_KEY = "spawned"  # of a line: how many users of each class its worker has spawned so far


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What single lines say of a run.

    arrivals_began: seconds since the epoch, 0 without any. spawned: the classes of users that were spawned; None in
    older runs. minutes: begin and end of each line that several seconds were added up to.
    """

    arrivals_began: float
    spawned: set[str] | None
    minutes: list[tuple[float, float]]

    @classmethod
    def of(cls, lines: Iterable[FiguresLine]) -> LineFacts:
        """The facts of these lines."""
        first: FiguresLine | None = None
        spawned: set[str] | None = None
        minutes = []
        for line in lines:
            if NUMBERS_KEY in line:
                minutes.append((line["from"], line["to"]))
            if SPAWNED_KEY in line:
                spawned = (spawned or set()) | {name for name, number in line[SPAWNED_KEY].items() if number}
            if any(counts["planned"] for counts in line["arrivals"].values()):
                first = line if first is None or line["to"] < first["to"] else first
        return cls(_arrivals_began(first) if first else 0.0, spawned, minutes)


def _arrivals_began(line: FiguresLine) -> float:
    """When the arrivals of the first line with any began: such a line may span more than a second."""
    return float(max(line["from"], line["to"] - 1))


def last_lines(lines: Iterable[FiguresLine]) -> dict[str, FiguresLine]:
    """The last line of each worker, without its figures of operations and journeys."""
    last: dict[str, FiguresLine] = {}
    for line in lines:
        worker = line["worker"]
        if worker not in last or line["to"] >= last[worker]["to"]:
            last[worker] = {key: value for key, value in line.items() if key not in STATISTICS_FIELDS}
    return dict(sorted(last.items(), key=lambda item: item[1]["to"]))
