"""Records a state of a reference, and compares another one with it, as a drift run does.

Rule: a record is made of two observations of one server, and a change counts when a second observation confirms it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.behaviour.behaviour import Observation
from reports.drift.changes import Change, changes
from reports.drift.record import Record
from reports.drift.record_files import write_record
from reports.drift.recording import merge
from suites.drift_proof.api_observation import observed, record_header
from suites.drift_proof.served_state import State, served

PAUSE = 3.0  # seconds between two observations of one server


def observations(state: State, count: int) -> Iterator[Observation]:
    """That many observations of one server in that state, each other one in another order."""
    with served(state) as (clients, clock):
        for number in range(count):
            clock.put_forward(PAUSE if number else 0)
            yield observed(clients, number, state.labels)


@cache
def record_of(state: State) -> Record:
    """The record of that state; made once in a process."""
    return merge(record_header(state.api), list(observations(state, 2)), None)


@dataclass(frozen=True, slots=True)
class Check:
    """The confirmed changes since a record, and the record that would replace it."""

    changes: tuple[Change, ...]
    record: Record


def check(record: Record, state: State) -> Check:
    """Compares that state with a record; what differs is observed a second time."""
    shown: list[Observation] = []
    confirmed: list[Change] = []
    for observation in observations(state, 2):
        reported = changes(record, observation)
        confirmed = [change for change in reported if not shown or any(_is_same(change, it) for it in confirmed)]
        shown.append(observation)
        if not confirmed:
            break
    return Check(tuple(confirmed), merge(record_header(state.api), shown, None))


def _is_same(change: Change, other: Change) -> bool:
    """Whether both are of one kind at one address; what shares show differs a little each time."""
    return change.number == other.number and not set(change.places).isdisjoint(other.places)


def review_lines(before: Record, after: Record, folder: Path) -> dict[str, float]:
    """How many lines of files differ when the second record replaces the first, and in how many files."""
    texts = []
    for name, record in (("before", before), ("after", after)):
        write_record(record, folder / name)
        files = sorted((folder / name).rglob("*.yaml"))
        texts.append({str(file.relative_to(folder / name)): file.read_text().splitlines() for file in files})
    names = sorted(set(texts[0]) | set(texts[1]))
    differing = [list(_changed(texts[0].get(name, []), texts[1].get(name, []))) for name in names]
    return {"review lines": sum(map(len, differing)), "review files": sum(map(bool, differing))}


def _changed(before: list[str], after: list[str]) -> Iterator[str]:
    """The lines that `git diff` shows with a plus or a minus."""
    for line in difflib.unified_diff(before, after, n=0, lineterm=""):
        if line[:1] in "+-" and not line.startswith(("+++", "---")):
            yield line
