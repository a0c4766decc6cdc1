"""The result of a load run: the statistics of all processes added up, and why they may be no evidence.

It is stored as `result.json` in the run's folder; that file also marks that the run came to its end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from reports.load.histogram import Histogram
from reports.load.operation_statistics import OperationStatistics

NS_PER_MS = 1_000_000
EARLY_DROPS = "dropped_while_spawning"  # of a class's arrivals: those dropped before all users were there
ABORT_NOTE = "aborted"  # name of the note on an objective that ended the run: {after (s), why}
TRAFFIC_NOTE = "traffic"  # name of the note on recorded traffic: {planned, sent, answered, left_out}
PERCENTILES = (50.0, 95.0, 99.0, 99.9)
STATISTICS_FIELDS = ("operations", "journeys")
PLAN_FILE, RESULT_FILE = "plan.json", "result.json"


@dataclass
class LoadResult:
    """The result of a run, as far as it is known.

    started: wall clock, in seconds since the epoch. planned: seconds of `--run-time`, None without. workers: how many
    were to take part. seconds: from start to stop. operations: statistics of each operation and transport. journeys:
    the same of whole journeys, whose transport is their API or user class. arrivals: planned, started and dropped
    arrivals of each user class with open arrivals. health: of each process. notes: what locustfiles added, by name and
    worker. lost, left: workers that vanished, or quit before the end. unwritten: why figures could not be written, or
    "".
    """

    name: str
    started: float
    planned: float | None
    workers: int
    seconds: float = 0.0
    operations: list[OperationStatistics] = field(default_factory=list)
    journeys: list[OperationStatistics] = field(default_factory=list)
    arrivals: dict[str, dict[str, float]] = field(default_factory=dict)
    health: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unwritten: str = ""

    def reasons(self) -> list[str]:
        """Why this run is no evidence; empty if it was complete and its generators were fit."""
        return self.gaps() + self.drop_reasons() + self.unfit_reasons()

    def gaps(self) -> list[str]:
        """Which parts of the run did not happen or were not recorded."""
        gaps = [f"{name} vanished, and with it up to a second of its figures" for name in self.lost]
        gaps += [f"{name} left before the end" for name in self.left]
        if len(self.health) < self.workers:
            gaps.append(f"{len(self.health)} of {self.workers} workers played")
        ends = [note["why"] for note in self.notes.get(ABORT_NOTE, {}).values()]
        gaps += [f"the run was ended after {self.seconds:.1f} s: {why}" for why in ends]
        if not ends and self.planned is not None and self.seconds < 0.98 * self.planned - 1:
            gaps.append(f"the run was stopped after {self.seconds:.1f} of {self.planned:.1f} s, so it was cut short")
        gaps += [
            f"{worker}: {note['sent']} of {note['planned']} recorded requests were sent"
            for worker, note in self.notes.get(TRAFFIC_NOTE, {}).items()
            if note["sent"] < note["planned"]
        ]
        if not any(operation.requests for operation in self.operations):
            gaps.append("no request was made")
        for name, counts in self.arrivals.items():
            arrived = int(counts["started"] + counts["dropped"])
            if are_arrivals_missing(counts["planned"], arrived):
                gaps.append(
                    f"{name}: {arrived} of {counts['planned']:.0f} planned arrivals came to a worker that runs users"
                )
        return gaps + ([self.unwritten] if self.unwritten else [])

    def drop_reasons(self) -> list[str]:
        """A sentence for each user class whose arrivals could not all start although all users were there."""
        return [
            f"{name}: {counts['dropped']:.0f} of {counts['planned']:.0f} arrivals found all users busy and"
            " were dropped; use more --users"
            for name, counts in self.arrivals.items()
            if counts["dropped"] > counts.get(EARLY_DROPS, 0)
        ]

    def early_drop_reasons(self) -> list[str]:
        """A sentence for each user class with arrivals that were dropped before all users were there."""
        return [
            f"{name}: {counts[EARLY_DROPS]:.0f} of {counts['planned']:.0f} arrivals were dropped while users were being"
            " spawned; leave out --spawn-rate (-r), or use a higher one"
            for name, counts in self.arrivals.items()
            if counts.get(EARLY_DROPS)
        ]

    def unfit_reasons(self) -> list[str]:
        """Why the generators were not fit to measure."""
        of_workers = [f"{worker}: {reason}" for worker, health in self.health.items() for reason in health["reasons"]]
        return of_workers + self.own_failure_reasons() + self.early_drop_reasons()

    def own_failure_reasons(self) -> list[str]:
        """A sentence for each reason for which the generators could not send requests."""
        counts: Counter[str] = Counter()
        for operation in self.operations:
            counts.update(operation.own_failures)
        return [f"{number} requests could not be sent: {reason}" for reason, number in counts.most_common()]

    def to_json(self) -> dict[str, Any]:
        """Everything, with percentiles in ms for readers and the histograms for programs."""
        content = {key: value for key, value in vars(self).items() if key not in STATISTICS_FIELDS}
        return content | {
            "healthy": not self.reasons(),
            "reasons": self.reasons(),
            "operations": [
                operation.to_json() | {"summary": summary(operation, self.seconds)} for operation in self.operations
            ],
            "journeys": [journey.to_json() for journey in self.journeys],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> LoadResult:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError for other content."""
        values = {member.name: content[member.name] for member in fields(cls) if member.name not in STATISTICS_FIELDS}
        operations = [OperationStatistics.from_json(entry) for entry in content["operations"]]
        journeys = [OperationStatistics.from_json(entry) for entry in content.get("journeys", [])]  # not in older runs
        return cls(**values, operations=operations, journeys=journeys)


def summary(statistics: OperationStatistics, seconds: float) -> dict[str, Any]:
    """The figures that readers look for; times in ms, rate per second."""
    figures: dict[str, Any] = {
        "requests": statistics.requests,
        "failures": statistics.failed.count,
        "rate": round(statistics.requests / seconds, 3) if seconds else 0.0,
    }
    for name in ("corrected", "service", "first", "connect"):
        histogram: Histogram = getattr(statistics, name)
        times = histogram.percentiles(PERCENTILES)
        figures[name] = {f"p{p:g}": ns / NS_PER_MS for p, ns in zip(PERCENTILES, times, strict=True)} | {
            "max": histogram.max / NS_PER_MS
        }
    return figures


def are_arrivals_missing(expected: float, arrived: int) -> bool:
    """Whether fewer arrivals started or were dropped than chance explains: 5 standard deviations and 1, and 2 %."""
    return arrived < expected - 5 * math.sqrt(expected) - 1 and arrived < 0.98 * expected


def merge_arrivals(parts: list[dict[str, float]]) -> dict[str, float]:
    """Add up what started and was dropped; every worker knows the whole plan, so `planned` is not added."""
    total = {name: sum(part.get(name, 0) for part in parts) for name in ("started", "dropped", EARLY_DROPS)}
    return total | {"planned": max(part["planned"] for part in parts)}
