"""`python -m reports times FILE RUN`: is a load run slower than the earlier ones, or its capacity lower?

    python -m reports times times.yaml reports/out/load/RUN            compares the run with those in the file
    python -m reports times times.yaml reports/out/load/RUN --record   adds the run to the file

Rule: exit code 1 when a percentile is slower or the capacity lower, 3 with fewer than three runs in the file or for a
run that is no evidence, 2 for files that cannot be read, else 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts.yaml_reader import UsageError
from reports.load.load_run import LoadRun, NoLoadRun, read_load_run
from reports.load.recorded_times import CAPACITY, LOWER, MIN_RUNS, SAME, SLOWER, TimeRow, compare_with_recorded
from reports.load.times_file import RecordedTimes, add_run, check_plan, figures_of, read_times, write_times
from reports.results.verdicts import EXIT_CODES


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    options = _options(arguments)
    try:
        run = read_load_run(options.run)
        recorded = read_times(options.times) if options.times.is_file() else None
        if options.record:
            return _record(options.times, recorded, run)
        return _compare(options.times, recorded, run)
    except (UsageError, NoLoadRun, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["misuse"]


def _record(path: Path, recorded: RecordedTimes | None, run: LoadRun) -> int:
    if reasons := _doubts(run):
        print(*(f"not recorded: {reason}" for reason in reasons), sep="\n")
        return EXIT_CODES["inconclusive"]
    times = add_run(recorded, run)
    write_times(path, times)
    print(f"{run.result.name} is run {len(times.runs)} of {os.path.relpath(path)}, with {len(times.figures)} figures")
    return EXIT_CODES["pass"]


def _compare(path: Path, recorded: RecordedTimes | None, run: LoadRun) -> int:
    known = len(recorded.runs) if recorded else 0
    if recorded is None or known < MIN_RUNS:
        print(f"{os.path.relpath(path)} has {known} runs: expected at least {MIN_RUNS}; add them with --record")
        return EXIT_CODES["inconclusive"]
    check_plan(recorded, run)
    rows = compare_with_recorded(recorded.figures, figures_of(run))
    reasons = [*_doubts(run), *([] if rows else ["the run has no operation in common with those recorded"])]
    print(*_lines(rows, known), *reasons, sep="\n")
    if reasons:
        return EXIT_CODES["inconclusive"]
    return EXIT_CODES["fail" if any(row.verdict in (SLOWER, LOWER) for row in rows) else "pass"]


def _doubts(run: LoadRun) -> list[str]:
    """Why the run is no evidence."""
    return list(dict.fromkeys([*run.gaps(), *run.result.reasons()]))


def _lines(rows: Sequence[TimeRow], runs: int) -> Iterator[str]:
    """The rows that differ, and how many there are."""
    for row in sorted(rows, key=lambda row: (row.verdict == SAME, row.operation, row.figure)):
        if row.verdict != SAME:
            unit = "a second" if row.figure == CAPACITY else "ms"
            name = " ".join(filter(None, (row.operation, row.figure)))
            yield (
                f"{row.verdict:8} {name}: {row.now:.4g} {unit}, was {row.before:.4g} in {runs} runs"
                f" (a run like them lies between {row.low:.4g} and {row.high:.4g})"
            )
    same = sum(row.verdict == SAME for row in rows)
    yield f"{same} of {len(rows)} figures are as in the {runs} runs before"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m reports times", description="Compares a load run with earlier ones."
    )
    parser.add_argument("times", type=Path, metavar="FILE", help="the file with the times of earlier runs, times.yaml")
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a load run")
    parser.add_argument("--record", action="store_true", help="add the run to the file")
    return parser.parse_args(arguments)
