"""The counters of a run: each pytest process leaves a file of its own at its end, and here they become one again.

Rule: counts are added and never guessed. A file that cannot be read is told; a process that was killed left none, and
the sum then lacks exchanges that the tests say they made.

    {"getflow": {"exchanges": 812, "strangers": 3, "operations": {"GET /tasks": {"exchanges": 40, "<point>": 7}}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.coverage import EXCHANGES, Coverage
from reports.run import COVERAGE


@dataclass
class Counted:
    """What a run exchanged with one API; `strangers` are the exchanges that fit no operation and no call."""

    exchanges: int = 0
    strangers: int = 0
    operations: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class Counters:
    """The sum of all files: `files` is how many there were, `problems` are those that could not be read."""

    apis: dict[str, Counted] = field(default_factory=dict)
    files: int = 0
    problems: list[str] = field(default_factory=list)


def write(results: Path, worker: str, coverages: Mapping[str, Coverage]) -> None:
    """Leaves what one process counted, under its own name."""
    found = {}
    for api, coverage in coverages.items():
        operations = coverage.counts()
        known = sum(counts[EXCHANGES] for counts in operations.values())
        found[api] = {
            "exchanges": known + coverage.strangers,
            "strangers": coverage.strangers,
            "operations": operations,
        }
    fresh = results / f"{COVERAGE}{worker}.tmp"
    fresh.write_text(json.dumps(found, ensure_ascii=False), "utf-8")
    fresh.replace(results / f"{COVERAGE}{worker}.json")


def read(results: Path) -> Counters:
    """The sum of what all processes left."""
    whole = Counters()
    for path in sorted(results.glob(f"{COVERAGE}*.json")):
        try:
            found = {api: _counted(entry) for api, entry in json.loads(path.read_bytes()).items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            whole.problems.append(f"unreadable {path.name}: {error}")
            continue
        whole.files += 1
        for api, one in found.items():
            _add(whole.apis.setdefault(api, Counted()), one)
    return whole


def _counted(entry: Mapping[str, object]) -> Counted:
    operations = entry["operations"]
    if not isinstance(operations, dict):
        raise TypeError("operations is no object")
    counts = {
        str(label): {str(key): int(count) for key, count in points.items()} for label, points in operations.items()
    }
    return Counted(int(str(entry["exchanges"])), int(str(entry["strangers"])), counts)


def _add(whole: Counted, one: Counted) -> None:
    whole.exchanges += one.exchanges
    whole.strangers += one.strangers
    for label, points in one.operations.items():
        known = whole.operations.setdefault(label, {})
        for key, count in points.items():
            known[key] = known.get(key, 0) + count
