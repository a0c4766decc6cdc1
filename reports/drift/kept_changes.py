"""Makes a change the new normal: the record says from then on what was observed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from contracts.yaml_reader import UsageError
from reports.drift.changes import Change
from reports.drift.drift_results import DriftResult
from reports.drift.record import Record
from reports.drift.record_files import read_record, write_record
from reports.drift.sightings import rounded

ID = re.compile(r"[0-9a-f]{6,12}")


def keep_changes(results: Sequence[DriftResult], identifiers: Sequence[str]) -> list[tuple[DriftResult, Change]]:
    """Edit the records of these results so that the changes with these ids, or beginnings of ids, are no changes.

    Returns what was kept. Raises UsageError for an id that no change has or several have, before anything is edited.
    """
    chosen = [_chosen(results, identifier) for identifier in dict.fromkeys(identifiers)]
    for result in results:
        own = [change for of_result, change in chosen if of_result is result]
        if own:
            folder = Path(result.folder)
            write_record(with_edits(read_record(folder), own), folder)
    return chosen


def with_edits(record: Record, changes: Sequence[Change]) -> Record:
    """The record as it would be, had these changes always been so."""
    steady = dict(record.steady)
    for address, behaviour in (edit for change in changes for edit in change.edits):
        steady.pop(address, None)
        if behaviour is not None and address not in record.unsteady:
            steady[address] = rounded(address, behaviour)
    return Record(record.header, dict(sorted(steady.items())), record.unsteady)


def _chosen(results: Sequence[DriftResult], identifier: str) -> tuple[DriftResult, Change]:
    every = [(result, change) for result in results for change in result.changes]
    if not ID.fullmatch(identifier):
        raise UsageError(f"--keep: expected the id of a change, 6 to 12 hex digits, got {identifier!r}")
    fitting = [(result, change) for result, change in every if change.id.startswith(identifier)]
    if not fitting:
        known = ", ".join(change.id for _, change in every[:10]) or "none, since it found no change"
        raise UsageError(f"--keep: {identifier} is no change of the last run: expected one of {known}")
    if len({change.id for _, change in fitting}) > 1:
        raise UsageError(f"--keep: {identifier} begins several ids: {', '.join(change.id for _, change in fitting)}")
    return fitting[0]
