"""Seeded changes: each must be detected, with the right kind, at the right address, with the right severity."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from reports.drift.changes import Change as ReportedChange
from reports.drift.kept_changes import with_edits
from reports.drift.record_files import write_record
from suites.drift_proof.drift_seeds import Seed, read_seeds
from suites.drift_proof.proof_case import CaseResult, Figure, median_figure, most_figure, share_figure
from suites.drift_proof.recorded_state import check, in_whole_record, record_of, review_lines
from suites.drift_proof.served_state import State

SHARED = 4  # seeds at one place, above which its record is made before they are run
MEASURES = ("detected", "right kind", "right address", "right severity")


@cache
def _seeds() -> dict[str, Seed]:
    return {seed.name: seed for seed in read_seeds()}


def names() -> list[str]:
    """The names of the seeds."""
    return list(_seeds())


def prepare(chosen: Sequence[str]) -> None:
    """Records the states that several seeds share, each where its seeds are, and whole references for reviews."""
    for api in {_seeds()[name].api for name in chosen}:
        record_of(State(api))
    shared = Counter(_before(_seeds()[name]) for name in chosen if not _seeds()[name].needs_socket)
    for state, count in shared.items():
        if count > SHARED:
            record_of(state)


def run(name: str) -> CaseResult:
    """Records the seed's first state, checks its second one, and judges what is reported."""
    started = time.perf_counter()
    seed = _seeds()[name]
    record = record_of(_before(seed))
    reported = check(record, replace(_before(seed), changes=seed.after, seed=1))
    verdicts = judged(seed, reported)
    measures: dict[str, float] = {measure: float(measure in verdicts) for measure in MEASURES}
    measures |= {"reported": len(reported), "kind": seed.number}
    complete = in_whole_record(record)
    with TemporaryDirectory() as folder:
        measures |= review_lines(complete, with_edits(complete, reported), Path(folder))
        write_record(complete, Path(folder) / "size")
        measures["kib"] = sum(file.stat().st_size for file in (Path(folder) / "size").rglob("*.yaml")) / 1024
    return CaseResult(name, _problems(seed, reported, verdicts), measures, time.perf_counter() - started)


def judged(seed: Seed, reported: Sequence[ReportedChange]) -> list[str]:
    """Which of MEASURES hold, in their order: each of them only where those before it do."""
    of_operation = [change for change in reported if any(map(seed.is_of_operation, change.places))]
    of_kind = [change for change in of_operation if change.number == seed.number]
    at_address = [change for change in of_kind if any(map(seed.is_at, change.places))]
    severe = [change for change in at_address if change.severity == seed.severity]
    held = (of_operation, of_kind, at_address, severe)
    return [measure for measure, changes in zip(MEASURES, held, strict=True) if changes]


def _problems(seed: Seed, reported: Sequence[ReportedChange], verdicts: Sequence[str]) -> tuple[str, ...]:
    if len(verdicts) == len(MEASURES):
        return ()
    missed = next(measure for measure in MEASURES if measure not in verdicts)
    kinds = ", ".join(sorted({f"{change.number} {change.kind} ({change.severity})" for change in reported}))
    expected = f"kind {seed.number}, {seed.severity}, at {seed.operation} {'/'.join(seed.families)} {seed.place}"
    return (f"not {missed}: expected {expected}; reported: {kinds or 'nothing'}",)


def _before(seed: Seed) -> State:
    return State(seed.api, seed.before, on_socket=seed.needs_socket, labels=seed.operation)


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How many seeds were named rightly, how long a review of them is, and how large the records are."""
    lines = [result.measure("review lines") for result in results if result.measure("detected")]
    return [
        *(share_figure(f"seeds {measure}", results, measure, 1.0) for measure in MEASURES),
        Figure(
            "kinds among them",
            str(len({result.measure("kind") for result in results})),
            "at least 110",
            len({result.measure("kind") for result in results}) >= 110,
        ),
        median_figure("lines of git diff, median", lines, "lines", 5),
        most_figure("lines of git diff, most", lines, "lines", 40),
        most_figure("size of a record", [result.measure("kib") for result in results], "KiB", 100),
    ]
