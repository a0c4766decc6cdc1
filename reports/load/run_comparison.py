"""`python -m reports compare A B`: which operations got slower or faster from load run A to load run B.

Rule: both runs are divided into the same number of batches. What cannot be told apart is reported as such, with the
smallest difference that would have been seen. Exit code 1 when anything is worse; 3 when nothing could be compared, a
run was cut short or its generator was unfit; 2 when a folder holds no run. The comparison knows the variation within
these two runs. It cannot know what differs between runs of the same system (a restart, other programs on the machine),
so compare two runs of the same version as well.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.load.difference import BETTER, MAX_BATCHES, MIN_BATCHES, SAME, WORSE, Difference, compare_batches
from reports.load.histogram import Histogram
from reports.load.load_result import NS_PER_MS
from reports.load.load_run import LoadRun, NoLoadRun, read_load_run
from reports.load.timeline import ALL_OPERATIONS, OperationKey, Span, timeline
from reports.results.verdicts import EXIT_CODES

PERCENTILES = (50.0, 95.0, 99.0)
SLOWER_PER_BATCH = 5  # responses slower than a percentile that each batch needs
EVERYTHING = "all operations"
NAMES = {"operations": "{} over {}", "journeys": "journey {} of {}"}
COLUMNS = ("operation", "percentile", "A ms", "B ms", "change", "interval", "smallest seen", "verdict")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One operation or journey and one percentile: its value in both runs (ns), and whether they differ."""

    operation: str
    percent: float
    before: int
    after: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same operation or journey in both runs, second by second."""

    name: str
    before: list[Span]
    after: list[Span]


def compare_runs(before: LoadRun, after: LoadRun) -> list[ComparisonRow]:
    """Compare each operation and journey that both runs have, and all operations together."""
    pairs = [pair for of in NAMES for pair in _pairs(before, after, of)]
    keys = [(pair, percent) for pair in pairs for percent in PERCENTILES]
    batches = [batches_of_both(pair.before, pair.after, percent) for pair, percent in keys]
    return [
        ComparisonRow(
            pair.name,
            percent,
            _merged(pair.before).percentile(percent),
            _merged(pair.after).percentile(percent),
            difference,
        )
        for (pair, percent), difference in zip(keys, compare_batches(batches), strict=True)
    ]


def _pairs(before: LoadRun, after: LoadRun, of: str) -> list[_Pair]:
    a, b = _judged_seconds(before, of), _judged_seconds(after, of)
    pairs = [_Pair(NAMES[of].format(*key), a[key], b[key]) for key in sorted(a.keys() & b.keys() - {ALL_OPERATIONS})]
    if of == "operations":
        return [_Pair(EVERYTHING, a[ALL_OPERATIONS], b[ALL_OPERATIONS]), *pairs]
    return pairs


def _judged_seconds(run: LoadRun, of: str) -> dict[OperationKey, list[Span]]:
    """The judged seconds of the run, without the first and the last one, which are incomplete."""
    spans_of = timeline(run, 1.0, of)
    everything = enumerate(spans_of[ALL_OPERATIONS])
    compared = [number for number, span in everything if span.covered > 0 and _is_judged(run, span)][1:-1]
    return {key: [spans[number] for number in compared] for key, spans in spans_of.items()}


def _is_judged(run: LoadRun, span: Span) -> bool:
    return not run.phases or run.is_judged((span.begin + span.end) / 2)


def batches_of_both(a: Sequence[Span], b: Sequence[Span], percent: float) -> tuple[list[float], list[float]]:
    """The logarithms of that percentile in the batches of both runs; none when the batches would be too small."""
    needed = SLOWER_PER_BATCH / (1 - percent / 100)
    responses = min(sum(span.times.count for span in spans) for spans in (a, b))
    number = min(MAX_BATCHES, int(round(responses / needed, 6)), len(a) // 3, len(b) // 3)
    if number < MIN_BATCHES:
        return [], []
    return _batches(a, number, percent), _batches(b, number, percent)


def _batches(spans: Sequence[Span], number: int, percent: float) -> list[float]:
    """The logarithms of that percentile in each batch that has responses."""
    logarithms = []
    for index in range(number):
        batch = _merged(spans[index * len(spans) // number : (index + 1) * len(spans) // number])
        if batch.count:
            logarithms.append(math.log(max(batch.percentile(percent), 1)))
    return logarithms


def _merged(spans: Sequence[Span]) -> Histogram:
    total = Histogram()
    for span in spans:
        total.add(span.times)
    return total


def console_lines(rows: Sequence[ComparisonRow]) -> list[str]:
    """A table with what differs first, and a sentence with the totals."""
    ranks = {WORSE: 0, BETTER: 1, SAME: 2}
    ordered = sorted(rows, key=lambda row: ranks.get(row.difference.verdict, 3))
    table = [COLUMNS, *map(_cells, ordered)]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    counts = {name: sum(row.difference.verdict == name for row in rows) for name in ranks}
    rest = len(rows) - sum(counts.values())
    totals = ", ".join(f"{number} {name}" for name, number in counts.items())
    return [*lines, f"compared {len(rows)} percentiles: {totals}, {rest} without enough evidence"]


def _cells(row: ComparisonRow) -> tuple[str, ...]:
    difference = row.difference
    figures: Sequence[str] = ("-",) * 3
    if difference.verdict in (WORSE, BETTER, SAME):
        interval = f"{difference.low:+.1%} to {difference.high:+.1%}"
        figures = (f"{difference.change:+.1%}", interval, f"{difference.least:.1%}")
    times = (f"{row.before / NS_PER_MS:.4g}", f"{row.after / NS_PER_MS:.4g}")
    return (row.operation, f"p{row.percent:g}", *times, *figures, difference.verdict)


def main(arguments: Sequence[str]) -> int:
    """Print the comparison; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reports compare", description="Compares two load runs.")
    parser.add_argument("before", type=Path, metavar="A", help="folder of the run before")
    parser.add_argument("after", type=Path, metavar="B", help="folder of the run after")
    options = parser.parse_args(arguments)
    try:
        before, after = read_load_run(options.before), read_load_run(options.after)
    except NoLoadRun as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["broken"]
    rows = compare_runs(before, after)
    doubts = [f"{name}: {reason}" for name, run in (("A", before), ("B", after)) for reason in _doubts(run)]
    print(*console_lines(rows), *doubts, sep="\n")
    return EXIT_CODES[verdict(rows, doubts)]


def verdict(rows: Sequence[ComparisonRow], doubts: Sequence[str]) -> str:
    """fail when anything is worse; inconclusive when nothing could be compared or a run is doubtful; else pass."""
    verdicts = {row.difference.verdict for row in rows}
    if WORSE in verdicts:
        return "fail"
    return "pass" if verdicts & {SAME, BETTER} and not doubts else "inconclusive"


def _doubts(run: LoadRun) -> list[str]:
    return [*run.gaps(), *run.result.drop_reasons(), *run.result.unfit_reasons()]
