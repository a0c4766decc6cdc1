"""Records a state of a reference, and compares another one with it, as a drift run does.

Rule: a record is made of two observations of one server, the second one in reverse order and with other records. A
change counts when it is there again when what differs is asked for once more.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.behaviour.behaviour import Address, Behaviour, Observation
from contracts.behaviour.evidence import completed, settled
from reports.drift.changes import Change, changes
from reports.drift.kept_changes import with_edits
from reports.drift.record import Record
from reports.drift.record_files import write_record
from reports.drift.recording import merge
from suites.drift.behaviour_check import SHIFT
from suites.drift.confirmation import confirm, titles_to_ask
from suites.drift.drift_summary import with_steady_rates
from suites.drift_proof.api_observation import ApiObserver, record_header
from suites.drift_proof.served_state import Clock, State, served

PAUSE = 3.0  # seconds between two observations of one server


@dataclass(frozen=True, slots=True)
class Check:
    """The confirmed changes since a record, and the record after `--keep` of all of them."""

    changes: tuple[Change, ...]
    record: Record


@cache
def record_of(state: State) -> Record:
    """The record of that state; made once in a process."""
    with served(state) as (clients, clock), ApiObserver(clients, state.labels) as observer:
        first = _all_of(observer, observer.labels, 0)
        clock.put_forward(PAUSE)
        second = _all_of(observer, observer.labels[::-1], SHIFT)
    passes = completed(first, second)
    return with_steady_rates(merge(record_header(state.api), passes, None), passes)


def _all_of(observer: ApiObserver, labels: list[str], shift: int) -> dict[Address, Behaviour]:
    shown: dict[Address, Behaviour] = {}
    for label in labels:
        shown |= observer.observe(label, shift) or {}
    return shown


def check(record: Record, state: State) -> Check:
    """Compares that state with a record; what differs is asked for a second time."""
    after: dict[Address, Behaviour] = {}
    with served(state) as (clients, clock), ApiObserver(clients, state.labels) as observer:
        for label in observer.labels:
            after |= _confirmed(observer, label, record.part({label}), clock)
    seen = {address.operation for address in after}
    steady = {address: behaviour for address, behaviour in record.steady.items() if address.operation in seen}
    reported = changes(Record(record.header, steady, record.unsteady), after)
    return Check(tuple(reported), with_edits(record, reported))


def _confirmed(observer: ApiObserver, label: str, own: Record, clock: Clock) -> Observation:
    """What an operation shows, twice where it differs from its part of the record; nothing where too little shows."""
    observation = observer.observe(label, own=own)
    if observation is None or not own.steady:
        return {}
    first = settled(own.steady, observation)
    different = changes(own, first)
    if not different:
        return first
    clock.put_forward(PAUSE)
    titles = titles_to_ask(different)
    again = observer.observe(label, only=titles)
    return {} if again is None else confirm(own, first, settled(own.steady, again), titles).behaviours


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
