"""Stores the coverage counters of a run: each pytest process writes one file at its end, and the report adds them up.

Rule: counts are only added, never estimated. A file that cannot be read is reported; a killed process leaves no file,
and then the sum is lower than the number of exchanges that its tests recorded.

    {"getflow": {"exchanges": 812, "strangers": 3, "operations": {"GET /tasks": {"exchanges": 40, "<point>": 7}}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.coverage.coverage_counter import EXCHANGES, CoverageCounter
from reports.results.run_manifest import COUNTERS_PREFIX


@dataclass
class ApiCounters:
    """What a run exchanged with one API.

    unmatched: exchanges that belong to no operation and no call ("strangers" in the file). operations: for each
    operation's label the number of exchanges, and for each coverage point the number that exercised it.
    """

    exchanges: int = 0
    unmatched: int = 0
    operations: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, other: ApiCounters) -> None:
        """Add the counts of another process."""
        self.exchanges += other.exchanges
        self.unmatched += other.unmatched
        for label, points in other.operations.items():
            counts = self.operations.setdefault(label, {})
            for key, count in points.items():
                counts[key] = counts.get(key, 0) + count


@dataclass
class Counters:
    """The sum of all files. files: how many were read; problems: one sentence for each that cannot be read."""

    apis: dict[str, ApiCounters] = field(default_factory=dict)
    files: int = 0
    problems: list[str] = field(default_factory=list)


def write_counters(results: Path, worker: str, coverages: Mapping[str, CoverageCounter]) -> None:
    """Write what one process counted, to a file with that worker's name."""
    content = {}
    for api, coverage in coverages.items():
        operations = coverage.counts()
        matched = sum(counts[EXCHANGES] for counts in operations.values())
        content[api] = {
            "exchanges": matched + coverage.unmatched,
            "strangers": coverage.unmatched,
            "operations": operations,
        }
    fresh = results / f"{COUNTERS_PREFIX}{worker}.tmp"
    fresh.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    fresh.replace(results / f"{COUNTERS_PREFIX}{worker}.json")


def read_counters(results: Path) -> Counters:
    """Add up the files of all processes."""
    total = Counters()
    for path in sorted(results.glob(f"{COUNTERS_PREFIX}*.json")):
        try:
            counters = {api: _parse(entry) for api, entry in json.loads(path.read_bytes()).items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            total.problems.append(f"unreadable {path.name}: {error}")
            continue
        total.files += 1
        for api, counted in counters.items():
            total.apis.setdefault(api, ApiCounters()).add(counted)
    return total


def _parse(entry: Mapping[str, object]) -> ApiCounters:
    operations = entry["operations"]
    if not isinstance(operations, dict):
        raise TypeError("operations is no object")
    counts = {
        str(label): {str(key): int(count) for key, count in points.items()} for label, points in operations.items()
    }
    return ApiCounters(int(str(entry["exchanges"])), int(str(entry["strangers"])), counts)
