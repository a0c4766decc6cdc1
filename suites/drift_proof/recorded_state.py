"""Records a state of a reference, and compares another one with it, as a drift run does.

Rule: a record is made of two observations of one server, and a change counts when a second observation confirms it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from reports.drift.changes import Change, changes
from reports.drift.record_files import write_record
from reports.drift.recording import merge
from suites.drift_proof.observing import observed, record_header, severity_rules

from contracts.behaviour.behaviour import Observation
from reports.drift.record import Record
from suites.drift_proof.served_state import State, served

PAUSE = 3.0  # seconds between two observations of one server


def observations(state: State, count: int) -> Iterator[Observation]:
    """That many observations of one server in that state, each other one in another order."""
    with served(state) as (api, clock):
        for number in range(count):
            clock.put_forward(PAUSE if number else 0)
            yield observed(api, number)


@cache
def record_of(state: State) -> Record:
    """The record of that state; made once in a process."""
    return merge(record_header(state), list(observations(state, 2)), None)


def changes_since(record: Record, state: State) -> list[Change]:
    """The confirmed changes between the record and that state."""
    seen: list[dict[str, Change]] = []
    for observation in observations(state, 2):
        seen.append({change.id: change for change in changes(record, observation, severity_rules(state.api))})
        if not seen[-1]:
            return []
    return [change for identity, change in seen[1].items() if identity in seen[0]]


def review_lines(before: Record, after: Record, folder: Path) -> dict[str, float]:
    """How many lines of files differ when the second record replaces the first, and in how many files."""
    texts = []
    for name, record in (("before", before), ("after", after)):
        write_record(record, folder / name)
        files = sorted((folder / name).rglob("*.yaml"))
        texts.append({str(file.relative_to(folder / name)): file.read_text().splitlines() for file in files})
    names = sorted(set(texts[0]) | set(texts[1]))
    differing = {name: list(_changed(texts[0].get(name, []), texts[1].get(name, []))) for name in names}
    return {
        "review lines": len(list(chain.from_iterable(differing.values()))),
        "review files": sum(bool(lines) for lines in differing.values()),
    }


def _changed(before: list[str], after: list[str]) -> Iterator[str]:
    """The lines that `git diff` shows with a plus or a minus."""
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if line[:1] in "+-" and not line.startswith(("+++", "---")):
            yield line
