"""Records a state of a reference, and compares another one with it, as a drift run does.

Rule: a record is made of two observations of one server, the second one in reverse order and with other records. A
change counts when it is there again when what differs is asked for once more.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Container, Iterator, Sequence
from functools import cache
from pathlib import Path

from contracts.behaviour.behaviour import Address, Behaviour, Observation
from contracts.behaviour.evidence import completed, settled
from reports.drift.changes import Change, changes
from reports.drift.record import Record
from reports.drift.record_files import write_record
from reports.drift.recording import merge
from suites.drift.behaviour_check import SHIFT
from suites.drift.confirmation import confirm, titles_to_ask
from suites.drift.drift_summary import with_steady_rates
from suites.drift_proof.api_observation import ApiObserver, record_header
from suites.drift_proof.served_state import Clock, State, served

PAUSE = 3.0  # seconds between two observations of one server


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


def check(
    record: Record,
    state: State,
    first: Container[str] = (),
    is_enough: Callable[[Sequence[Change]], bool] = lambda _: False,
) -> list[Change]:
    """The confirmed changes of that state since a record; what differs is asked for a second time.

    Labels in `first` come first; no more are observed once the changes of one are enough.
    """
    after: dict[Address, Behaviour] = {}
    with served(state) as (clients, clock), ApiObserver(clients, state.labels) as observer:
        for label in sorted(observer.labels, key=lambda label: label not in first):
            own = record.part({label})
            shown = _confirmed(observer, label, own, clock)
            after |= shown
            if is_enough(changes(own, shown)):
                break
    seen = {address.operation for address in after}
    steady = {address: behaviour for address, behaviour in record.steady.items() if address.operation in seen}
    return changes(Record(record.header, steady, record.unsteady), after)


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


def in_whole_record(record: Record) -> Record:
    """The record with the other operations of the unchanged reference: what a reviewer has before them."""
    operations = {address.operation for address in (*record.steady, *record.unsteady)}
    others = record_of(State(record.header.api)).without(operations)
    return Record(record.header, {**others.steady, **record.steady}, {**others.unsteady, **record.unsteady})


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
