"""Keeps what the runs at one target found: a line for each of the last 30 runs, in a file of its own.

Rule: a target is an API at one address, so the first run at a vendor's server is compared with nothing, least of all
with our own reference. Only the last two lines have causes and readings: that of this run, which a report may be made
of again, and that of the run before it.

    {"run": "5b6c…", "ended": 1798518060.0, "verdict": "fail", "checks": 560, "findings": 46,
     "causes": {"1f2e…": {"clause": "GETFLOW-ERR-10", "is_warning": false, "since": 1798431660.0, "is_seen": true,
     "tests": ["suites/getflow/…"]}}, "readings": {"GETFLOW-AMB-15": ["clamped"]}}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

MAX_RUNS = 30
WITH_CAUSES = 2  # lines at the end of a file
FOLDER = "history"
TARGET_KEY = "target of {api}"  # of the environment in a run's manifest


@dataclass(frozen=True, slots=True)
class SeenCause:
    """A cause as a run left it. since: when the first of the runs ended that have seen it since it was last gone.

    tests: some of those that found it, by which a later run knows whether it has tried again. is_seen: whether that run
    saw it, or only an earlier one and its tests did not run.
    """

    clause: str
    is_warning: bool
    since: float
    tests: tuple[str, ...]
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A run at one target. ended: seconds since 1970, in UTC. readings: the meanings that were seen, by id."""

    run: str
    ended: float
    verdict: str
    checks: int
    findings: int
    causes: Mapping[str, SeenCause] = field(default_factory=dict)
    readings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def history_file(folder: Path, api: str, target: str) -> Path:
    """The file of that API's target in `folder`; its name shows the host."""
    host = re.sub(r"[^\w.]+", "-", re.sub(r"^\w+://", "", target)).strip("-")[:40]
    digest = hashlib.sha256(target.encode(errors="backslashreplace")).hexdigest()[:8]
    return folder / f"{api}-{host}-{digest}.jsonl"


def read_history(path: Path) -> list[HistoryEntry]:
    """The runs, oldest first; none without a file. A line that cannot be read is left out."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    entries: list[HistoryEntry] = []
    for line in lines:
        try:
            entries.append(_entry(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return entries


def write_history(path: Path, entries: Sequence[HistoryEntry]) -> None:
    """Write the last runs; the file is replaced at once. Raises OSError."""
    kept = list(entries[-MAX_RUNS:])
    kept = [replace(entry, causes={}, readings={}) for entry in kept[:-WITH_CAUSES]] + kept[-WITH_CAUSES:]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    lines = [json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in kept]
    fresh.write_text("".join(lines), "utf-8", errors="backslashreplace")
    fresh.replace(path)


def _entry(content: Mapping[str, Any]) -> HistoryEntry:
    causes = {
        str(name): SeenCause(**{**cause, "tests": tuple(cause["tests"])}) for name, cause in content["causes"].items()
    }
    readings = {str(name): tuple(map(str, meanings)) for name, meanings in content["readings"].items()}
    return HistoryEntry(**{**content, "causes": causes, "readings": readings})
