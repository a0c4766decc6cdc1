"""Compares a run with the last one at the same target: which causes are new, still there or gone.

Rule: a cause is gone only if a test that had found it has run again. One whose tests did not run is neither gone nor
still there, and the next run that tries it is compared with the run that saw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from reports.history.target_history import (
    MAX_RUNS,
    TARGET_KEY,
    HistoryEntry,
    SeenCause,
    history_file,
    read_history,
    write_history,
)
from reports.results.records import RunRecords
from reports.results.verdicts import ApiVerdict

MAX_TESTS = 5  # of a cause that are remembered


@dataclass(frozen=True, slots=True)
class RunChanges:
    """What is different since the last run at this target.

    previous: when that run ended, None for a first run. new, still: ids of causes of this run. gone: causes that were
    tried and not seen again, by id. not_tried: causes of earlier runs whose tests did not run. readings: a sentence for
    each that has other meanings now. since: for each cause of this run, since when runs have seen it. strip: the
    verdicts of the last runs, oldest first, the last one that of this run.
    """

    previous: float | None = None
    new: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    gone: Mapping[str, SeenCause] = field(default_factory=dict)
    not_tried: Mapping[str, SeenCause] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    since: Mapping[str, float] = field(default_factory=dict)
    strip: tuple[str, ...] = ()


Changes = Mapping[str, RunChanges]  # by API


def update_history(folder: Path, verdicts: Sequence[ApiVerdict], records: RunRecords) -> dict[str, RunChanges]:
    """Add the run to the histories of its targets, and say what has changed. Raises OSError.

    A run that is there already, of which the report is made again, takes its own place.
    """
    changes: dict[str, RunChanges] = {}
    for judged in verdicts:
        target = records.environment.get(TARGET_KEY.format(api=judged.api))
        if not (target and records.run):
            continue
        path = history_file(folder, judged.api, target)
        earlier = [entry for entry in read_history(path) if entry.run != records.run.run]
        changes[judged.api], entry = compare(judged, records, earlier)
        write_history(path, [*earlier, entry])
    return changes


def compare(
    judged: ApiVerdict, records: RunRecords, earlier: Sequence[HistoryEntry]
) -> tuple[RunChanges, HistoryEntry]:
    """What is different since the last of the `earlier` runs, with accepted causes too, and the line of this run."""
    ended = records.run.span[1] if records.run else 0.0
    previous = earlier[-1] if earlier else HistoryEntry("", 0.0, "", 0, 0)
    known, causes = previous.causes, (*judged.causes, *(accepted.cause for accepted in judged.accepted))
    # smaller runs know the parts of a cause by ids of their own
    before = {it.id: [known[name] for name in it.ids if name in known] for it in causes}
    since = {name: min((cause.since for cause in earlier_ones), default=ended) for name, earlier_ones in before.items()}
    names = {name for it in causes for name in it.ids}
    others = {name: cause for name, cause in known.items() if name not in names}
    gone = {name: cause for name, cause in others.items() if _is_tried(cause, records)}
    not_tried = {name: cause for name, cause in others.items() if name not in gone}
    seen = {
        cause.id: SeenCause(cause.clause, cause.is_warning, since[cause.id], cause.tests[:MAX_TESTS])
        for cause in causes
    }
    carried = {
        name: SeenCause(cause.clause, cause.is_warning, cause.since, cause.tests, False)
        for name, cause in not_tried.items()
    }
    meanings = _meanings(judged.readings)
    run = records.run.run if records.run else ""
    entry = HistoryEntry(
        run,
        ended,
        judged.verdict,
        judged.checks,
        len(judged.findings),
        seen | carried,
        {**previous.readings, **meanings},
    )
    changes = RunChanges(
        previous=previous.ended if earlier else None,
        new=tuple(name for name in since if not before[name]) if earlier else (),
        still=tuple(name for name in since if before[name]),
        gone=gone,
        not_tried=not_tried,
        readings=tuple(_changed_readings(previous.readings, meanings)),
        since=since,
        strip=(*(run.verdict for run in earlier), judged.verdict)[-MAX_RUNS:],
    )
    return changes, entry


def moment(seconds: float) -> str:
    """For example: 2026-11-28 03:41 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _is_tried(cause: SeenCause, records: RunRecords) -> bool:
    """Whether a test that found the cause has run to its end, or is no longer among all the tests that there are."""
    judged = {test.node: test.is_judged for test in records.tests}
    if any(judged.get(node) for node in cause.tests):
        return True
    is_everything = records.run is not None and records.run.complete and not records.run.is_selection
    return is_everything and not any(node in judged for node in cause.tests)


def _meanings(readings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The meanings that were seen by reading, from texts such as "GETFLOW-AMB-15: clamped"."""
    meanings: dict[str, tuple[str, ...]] = {}
    for text in readings:
        name, _, meaning = text.partition(": ")
        meanings[name] = (*meanings.get(name, ()), meaning)
    return meanings


def _changed_readings(before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]]) -> list[str]:
    """Readings of which the target used none of the meanings that the last run saw."""
    return [
        f"{name}: {' and '.join(now[name])}, before it was {' and '.join(before[name])}"
        for name in sorted(now)
        if name in before and not set(now[name]) & set(before[name])
    ]
