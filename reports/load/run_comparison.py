"""Compares two load runs: what got better or worse from run A to run B.

Rule: both runs are divided into the same number of batches. What cannot be told apart is reported as such, with the
smallest difference that would have been seen. The comparison knows the variation within these two runs. It cannot know
what differs between runs of the same system (a restart, other programs on the machine), so compare two runs of the same
version as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.load.difference import (
    BETTER,
    ERROR_RATE,
    MAX_BATCHES,
    MIN_BATCHES,
    OUTCOME_ERROR_RATE,
    SAME,
    WORSE,
    Difference,
    compare_batches,
)
from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun
from reports.load.outcome_comparison import OutcomeRow, compare_outcomes
from reports.load.plan_comparison import run_differences
from reports.load.scope import OWNERS
from reports.load.timeline import ALL_OPERATIONS, OperationKey, Span, timeline
from reports.results.verdicts import EXIT_CODES

PERCENTILES = (50.0, 95.0, 99.0)
SLOWER_PER_BATCH = 5  # responses slower than a percentile that each batch needs
EVERYTHING = "all operations"
NAMES = {"operations": "{} over {}", "journeys": "journey {} of {}"}


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One operation or journey and one percentile: its value in both runs (ns), and whether they differ."""

    operation: str
    percent: float
    before: int
    after: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of two runs.

    times, outcomes: a row for each operation or journey and metric. differences: what the runs do not share, which
    makes them no comparison. doubts: why one of them is no evidence. is_unfit: whether a load generator was not fit.
    """

    times: tuple[ComparisonRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    differences: tuple[str, ...]
    doubts: tuple[str, ...]
    is_unfit: bool

    @property
    def verdict(self) -> str:
        """fail when anything is worse; inconclusive without a comparison or when a run is no evidence; else pass."""
        if self.differences:
            return "inconclusive"
        return verdict(self.times, self.doubts, self.outcomes, self.is_unfit)

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict."""
        return EXIT_CODES[self.verdict]


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same operation or journey in both runs, second by second."""

    name: str
    before: list[Span]
    after: list[Span]


def compare(before: LoadRun, after: LoadRun) -> RunComparison:
    """Compare two runs in everything."""
    pairs = [pair for of in NAMES for pair in _pairs(before, after, of)]
    runs = (("A", before), ("B", after))
    return RunComparison(
        tuple(compare_runs(before, after)),
        tuple(compare_outcomes([(pair.name, pair.before, pair.after) for pair in pairs])),
        tuple(run_differences(before, after)),
        tuple(f"{name}: {reason}" for name, run in runs for reason in _doubts(run)),
        any(run.result.unfit_reasons() for _, run in runs),
    )


def compare_runs(before: LoadRun, after: LoadRun) -> list[ComparisonRow]:
    """Compare the times of each operation and journey that both runs have, and of all operations together."""
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
        for (pair, percent), difference in zip(
            keys, compare_batches(batches, ERROR_RATE - OUTCOME_ERROR_RATE), strict=True
        )
    ]


def _pairs(before: LoadRun, after: LoadRun, of: str) -> list[_Pair]:
    a, b = _judged_seconds(before, of), _judged_seconds(after, of)
    pairs = [_Pair(_name(of, key), a[key], b[key]) for key in sorted(a.keys() & b.keys() - {ALL_OPERATIONS})]
    if of == "operations":
        return [_Pair(EVERYTHING, a[ALL_OPERATIONS], b[ALL_OPERATIONS]), *pairs]
    return pairs


def _name(of: str, key: OperationKey) -> str:
    """The name of a row: of an operation, a journey, a step or a tag."""
    kind = next((kind for kind, owner in OWNERS.items() if key[1] == owner), "")
    return f"{kind} {key[0]}" if kind else NAMES[of].format(*key)


def _judged_seconds(run: LoadRun, of: str) -> dict[OperationKey, list[Span]]:
    """The judged seconds of the run, without the first and the last one, which are incomplete.

    Of a long run they are longer spans: its old seconds were added up.
    """
    spans_of = timeline(run, 0.0 if run.is_thinned else 1.0, of)
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


def verdict(
    rows: Sequence[ComparisonRow],
    doubts: Sequence[str],
    outcomes: Sequence[OutcomeRow] = (),
    is_unfit: bool = False,
) -> str:
    """fail when anything is worse; inconclusive when nothing could be compared or a run is doubtful; else pass.

    Times and throughput of an unfit load generator blame nobody; errors and violations still do.
    """
    worse_times = any(row.difference.verdict == WORSE for row in rows)
    worse = [row for row in outcomes if row.difference.verdict == WORSE]
    if (worse_times and not is_unfit) or any(row.is_share or not is_unfit for row in worse):
        return "fail"
    is_compared = any(row.difference.verdict in (SAME, BETTER) for row in rows)
    has_outcomes = all(row.difference.verdict in (SAME, BETTER) for row in outcomes if row.operation == EVERYTHING)
    return "pass" if is_compared and has_outcomes and not worse_times and not worse and not doubts else "inconclusive"


def _doubts(run: LoadRun) -> list[str]:
    return [*run.gaps(), *run.result.drop_reasons(), *run.result.unfit_reasons()]
