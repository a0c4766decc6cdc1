"""What a run came to: the figures of all processes added up, and why they may prove nothing.

`result.json` in a run's folder is this, and the mark that the run came to its end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from reports.load.histogram import Histogram
from reports.load.tally import Tally

MS = 1_000_000
PERCENTILES = (50.0, 95.0, 99.0, 99.9)
TALLIES = ("operations", "journeys")
PLAN, SECONDS, RESULT = "plan.json", "seconds.jsonl", "result.json"


@dataclass
class Result:
    """A run, as far as it is known.

    seconds: from the start to the stop; planned: seconds by `--run-time`, None without. workers: how many were to
    play; operations: figures of each; journeys: the same of whole journeys, whose transport is the API or the class of
    users that plays them; arrivals: of each class with open arrivals: planned, started, dropped; health: of each
    process; notes: what locustfiles added, by name and worker; lost, left: workers that vanished, or quit before the
    end.
    """

    name: str
    started: float
    planned: float | None
    workers: int
    seconds: float = 0.0
    operations: list[Tally] = field(default_factory=list)
    journeys: list[Tally] = field(default_factory=list)
    arrivals: dict[str, dict[str, float]] = field(default_factory=dict)
    health: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unwritten: str = ""

    def reasons(self) -> list[str]:
        """Why this run proves nothing, whatever its figures; none if it was complete and its generators were fit."""
        return self.gaps() + self.drops() + self.unfit()

    def gaps(self) -> list[str]:
        """What of the run did not happen, or was not seen."""
        found = [f"{name} vanished, and with it up to a second of its figures" for name in self.lost]
        found += [f"{name} left before the end" for name in self.left]
        if len(self.health) < self.workers:
            found.append(f"{len(self.health)} of {self.workers} workers played")
        if self.planned is not None and self.seconds < 0.98 * self.planned - 1:
            found.append(f"the run was stopped after {self.seconds:.1f} of {self.planned:.1f} s, so it was cut short")
        if not any(tally.requests for tally in self.operations):
            found.append("no request was made")
        for name, counted in self.arrivals.items():
            came = int(counted["started"] + counted["dropped"])
            if incomplete(counted["planned"], came):
                found.append(f"{name}: {came} of {counted['planned']:.0f} planned arrivals came to a worker that plays")
        return found + ([self.unwritten] if self.unwritten else [])

    def drops(self) -> list[str]:
        """The classes whose arrivals could not all start."""
        return [
            f"{name}: {counted['dropped']:.0f} of {counted['planned']:.0f} arrivals found all users busy and"
            " were dropped; use more --users, or a higher --spawn-rate if it was while they were spawned"
            for name, counted in self.arrivals.items()
            if counted["dropped"]
        ]

    def unfit(self) -> list[str]:
        """Why the generators were not fit to measure."""
        return [f"{worker}: {reason}" for worker, figures in self.health.items() for reason in figures["reasons"]]

    def to_json(self) -> dict[str, Any]:
        """Everything, with percentiles in ms for people beside the histograms for machines."""
        known = {key: value for key, value in vars(self).items() if key not in TALLIES}
        operations = [tally.to_json() | {"summary": summary(tally, self.seconds)} for tally in self.operations]
        return (
            known
            | {"healthy": not self.reasons(), "reasons": self.reasons(), "operations": operations}
            | {"journeys": [tally.to_json() for tally in self.journeys]}
        )

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Result:
        """The result that `to_json` wrote. Raises ValueError, KeyError or TypeError when it did not."""
        named = {each.name: known[each.name] for each in fields(cls) if each.name not in TALLIES}
        journeys = known.get("journeys", [])  # results of older runs have none
        operations, played = ([Tally.from_json(each) for each in found] for found in (known["operations"], journeys))
        return cls(**named, operations=operations, journeys=played)


def summary(tally: Tally, seconds: float) -> dict[str, Any]:
    """The figures that people look for; times in ms, rate a second."""
    found: dict[str, Any] = {
        "requests": tally.requests,
        "failures": tally.failed.count,
        "rate": round(tally.requests / seconds, 3) if seconds else 0.0,
    }
    for name in ("corrected", "service", "first", "connect"):
        histogram: Histogram = getattr(tally, name)
        times = histogram.percentiles(PERCENTILES)
        found[name] = {f"p{p:g}": ns / MS for p, ns in zip(PERCENTILES, times, strict=True)} | {
            "max": histogram.max / MS
        }
    return found


def incomplete(expected: float, seen: int) -> bool:
    """Whether fewer arrivals were seen, started or dropped, than chance explains: five standard deviations and one."""
    return seen < expected - 5 * math.sqrt(expected) - 1 and seen < 0.98 * expected


def together(shares: list[dict[str, float]]) -> dict[str, float]:
    """Every worker knows the whole plan; what started and was dropped is each one's own."""
    whole = {name: sum(share[name] for share in shares) for name in ("started", "dropped")}
    return whole | {"planned": max(share["planned"] for share in shares)}
