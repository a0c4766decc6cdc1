"""Keeps the last runs of each API as lines of JSON, which the page shows as a strip."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.drift.drift_verdict import DriftVerdict

FILE = "history.jsonl"
MOST = 30  # runs of each API


@dataclass(frozen=True, slots=True)
class DriftRun:
    """day: of the run, as text. digest: of its result, so that none is counted twice. counts: changes by severity."""

    api: str
    day: str
    verdict: str
    digest: str
    counts: dict[str, int]


def add_runs(folder: Path, judged: Sequence[DriftVerdict]) -> dict[str, list[DriftRun]]:
    """Add these to the history in the folder and return the runs of each API, the oldest first. Raises OSError."""
    runs = read_runs(folder)
    for verdict in judged:
        own = runs.setdefault(verdict.result.api, [])
        path = folder / f"{verdict.result.api}.json"
        digest = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()[:12]
        if not own or own[-1].digest != digest:
            numbers = dict(Counter(str(change.severity) for change in verdict.result.changes))
            own.append(DriftRun(verdict.result.api, str(verdict.result.day), verdict.verdict, digest, numbers))
        del own[:-MOST]
    lines = [
        json.dumps({name: getattr(run, name) for name in DriftRun.__slots__}) for own in runs.values() for run in own
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return runs


def read_runs(folder: Path) -> dict[str, list[DriftRun]]:
    """The runs of each API, the oldest first; a line that cannot be read, as a killed run leaves it, is left out."""
    runs: dict[str, list[DriftRun]] = {}
    path = folder / FILE
    for line in path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            run = DriftRun(**json.loads(line))
        except (ValueError, TypeError):
            continue
        runs.setdefault(run.api, []).append(run)
    return runs
