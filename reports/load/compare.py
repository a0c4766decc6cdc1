"""`python -m reports compare A B`: what became better or worse from load run A to B, operation by operation.

Rule: both runs are cut into as many batches of equal length; what cannot be told apart is said to be so, with the
smallest difference that would have been seen. Exit code 1 when anything is worse, 3 when nothing could be compared or
a run was cut short or its generator unfit, 2 for folders that hold no run. It knows the chance within these two runs;
what differs from run to run on the same system (a restart, a neighbour on the machine) it cannot know, so a pair of
runs of one version is worth having.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.load.difference import BATCHES, BETTER, FEWEST, SAME, WORSE, Difference, differences
from reports.load.histogram import Histogram
from reports.load.result import MS
from reports.load.run import LoadRun, NoRun, read
from reports.load.timeline import ALL, Key, Span, timeline

PERCENTILES = (50.0, 95.0, 99.0)
BEYOND = 5  # answers slower than a percentile that each batch needs
EVERYTHING = "all operations"
NAMES = {"operations": "{} over {}", "journeys": "journey {} of {}"}
HEAD = ("operation", "percentile", "A ms", "B ms", "change", "interval", "smallest seen", "verdict")


@dataclass(frozen=True, slots=True)
class Row:
    """One operation, or journey, and percentile: its value in both runs (ns), and whether they differ."""

    operation: str
    percent: float
    before: int
    after: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same in both runs, second by second."""

    name: str
    before: list[Span]
    after: list[Span]


def compare(before: LoadRun, after: LoadRun) -> list[Row]:
    """Every operation and journey that both runs have, and all operations together."""
    pairs = [pair for of in NAMES for pair in _pairs(before, after, of)]
    rows = [(pair, percent) for pair in pairs for percent in PERCENTILES]
    series = [_both(pair.before, pair.after, percent) for pair, percent in rows]
    return [
        Row(pair.name, percent, _whole(pair.before, percent), _whole(pair.after, percent), found)
        for (pair, percent), found in zip(rows, differences(series), strict=True)
    ]


def _pairs(before: LoadRun, after: LoadRun, of: str) -> list[_Pair]:
    a, b = _seconds(before, of), _seconds(after, of)
    pairs = [_Pair(NAMES[of].format(*key), a[key], b[key]) for key in sorted(a.keys() & b.keys() - {ALL})]
    if of == "operations":
        return [_Pair(EVERYTHING, a[ALL], b[ALL]), *pairs]
    return pairs


def _seconds(run: LoadRun, of: str) -> dict[Key, list[Span]]:
    """The run second by second: the judged ones, without those at both ends, which are not whole."""
    found = timeline(run, 1.0, of)
    kept = [at for at, one in enumerate(found[ALL]) if one.covered > 0 and _counts(run, one)][1:-1]
    return {key: [spans[at] for at in kept] for key, spans in found.items()}


def _counts(run: LoadRun, span: Span) -> bool:
    return not run.phases or run.is_judged((span.begin + span.end) / 2)


def _both(a: Sequence[Span], b: Sequence[Span], percent: float) -> tuple[list[float], list[float]]:
    """Logarithms of that percentile in the batches of both; none where they would be too small."""
    needed = BEYOND / (1 - percent / 100)
    answers = min(sum(one.times.count for one in spans) for spans in (a, b))
    number = min(BATCHES, int(answers / needed), len(a) // 3, len(b) // 3)
    if number < FEWEST:
        return [], []
    return _batches(a, number, percent), _batches(b, number, percent)


def _batches(spans: Sequence[Span], number: int, percent: float) -> list[float]:
    """The logarithms, of batches with answers."""
    found = []
    for at in range(number):
        batch = _merged(spans[at * len(spans) // number : (at + 1) * len(spans) // number])
        if batch.count:
            found.append(math.log(max(batch.percentile(percent), 1)))
    return found


def _merged(spans: Sequence[Span]) -> Histogram:
    whole = Histogram()
    for one in spans:
        whole.add(one.times)
    return whole


def _whole(spans: Sequence[Span], percent: float) -> int:
    return _merged(spans).percentile(percent)


def lines(rows: Sequence[Row]) -> list[str]:
    """A table, what can be told first, and a sentence."""
    ranks = {WORSE: 0, BETTER: 1, SAME: 2}
    ordered = sorted(rows, key=lambda row: ranks.get(row.difference.verdict, 3))
    cells = [HEAD, *map(_cells, ordered)]
    wide = [max(len(each[at]) for each in cells) for at in range(len(HEAD))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(each, wide, strict=True)).rstrip() for each in cells]
    counts = {name: sum(row.difference.verdict == name for row in rows) for name in (WORSE, BETTER, SAME)}
    rest = len(rows) - sum(counts.values())
    summed = ", ".join(f"{number} {name}" for name, number in counts.items())
    return [*told, f"compared {len(rows)} percentiles: {summed}, {rest} without enough evidence"]


def _cells(row: Row) -> tuple[str, ...]:
    one = row.difference
    known = one.verdict in (WORSE, BETTER, SAME)
    figures = (f"{one.change:+.1%}", f"{one.low:+.1%} to {one.high:+.1%}", f"{one.least:.1%}") if known else ("-",) * 3
    times = (f"{row.before / MS:.4g}", f"{row.after / MS:.4g}")
    return (row.operation, f"p{row.percent:g}", *times, *figures, one.verdict)


def main(arguments: Sequence[str]) -> int:
    """Prints the comparison; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reports compare", description="Compares two load runs.")
    parser.add_argument("before", type=Path, metavar="A", help="folder of the run before")
    parser.add_argument("after", type=Path, metavar="B", help="folder of the run after")
    asked = parser.parse_args(arguments)
    try:
        before, after = read(asked.before), read(asked.after)
    except NoRun as wrong:
        print(wrong, file=sys.stderr)
        return 2
    rows = compare(before, after)
    print(*lines(rows), sep="\n")
    doubts = [
        f"{name}: {reason}"
        for name, run in (("A", before), ("B", after))
        for reason in (*run.gaps(), *run.result.drops(), *run.result.unfit())
    ]
    print(*doubts, sep="\n", end="\n" if doubts else "")
    found = {row.difference.verdict for row in rows}
    if WORSE in found:
        return 1
    return 0 if found & {SAME, BETTER} and not doubts else 3
