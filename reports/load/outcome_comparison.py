"""Compares what became of the requests of two load runs: errors, violations and good responses a second.

Rule: a run that answers quickly because it refuses its work is no better run, so times are never compared alone. Shares
are compared as differences in percentage points, throughput as a ratio; both by the batches that times are compared by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reports.load.difference import (
    BETTER,
    MAX_BATCHES,
    MIN_BATCHES,
    OUTCOME_ERROR_RATE,
    SAME,
    WORSE,
    Difference,
    compare_batches,
)
from reports.load.timeline import Span

THROUGHPUT = "throughput"
SHARES = {"errors": "failed", "violations": "violations"}  # the attribute of a span that counts them
DIGITS = 9  # of a value: equal figures stay equal however they were added up
GOOD_PER_BATCH = 10  # good responses that a batch needs in one of the runs for its throughput to be compared
NEGLIGIBLE = 0.01  # of throughput: a start or a stop between two seconds makes so much
FLIPPED = {BETTER: WORSE, WORSE: BETTER}


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One operation or journey and one metric. before, after: shares of 1, or good responses a second.

    The figures of `difference` are in percentage points of 1 for shares, in shares of `before` for throughput.
    """

    operation: str
    metric: str
    before: float
    after: float
    difference: Difference

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share of the requests."""
        return self.metric in SHARES


def compare_outcomes(pairs: Sequence[tuple[str, Sequence[Span], Sequence[Span]]]) -> list[OutcomeRow]:
    """Compare the spans of each name, before and after. Shares that are 0 in both runs have a row in the first pair."""
    keys = [
        (name, metric, before, after)
        for metric in (THROUGHPUT, *SHARES)
        for number, (name, before, after) in enumerate(pairs)
        if metric == THROUGHPUT or not number or _value(before, metric) or _value(after, metric)
    ]
    differences: list[Difference] = []
    for kind in ((THROUGHPUT,), tuple(SHARES)):  # apart, since their correlations have nothing to do with each other
        rows = [_batches(metric, a, b) for _, metric, a, b in keys if metric in kind]
        differences += compare_batches(rows, OUTCOME_ERROR_RATE / 2)
    return [
        OutcomeRow(name, metric, _value(before, metric), _value(after, metric), _oriented(metric, difference))
        for (name, metric, before, after), difference in zip(keys, differences, strict=True)
    ]


def _oriented(metric: str, difference: Difference) -> Difference:
    if metric == THROUGHPUT:  # more of it is better
        verdict = FLIPPED.get(difference.verdict, difference.verdict)
        is_negligible = verdict in FLIPPED and abs(difference.change) < NEGLIGIBLE
        return replace(difference, verdict=SAME if is_negligible else verdict)
    return difference.of_plain_values()


def _batches(metric: str, a: Sequence[Span], b: Sequence[Span]) -> tuple[list[float], list[float]]:
    number = min(MAX_BATCHES, len(a), len(b))
    if metric == THROUGHPUT:
        number = min(number, max(_good(a), _good(b)) // GOOD_PER_BATCH)
    if number < MIN_BATCHES:
        return [], []
    return list(_series(metric, a, number)), list(_series(metric, b, number))


def _series(metric: str, spans: Sequence[Span], number: int) -> Iterator[float]:
    """The metric in each batch that has requests; throughput as its logarithm, with half a response for none."""
    for index in range(number):
        batch = spans[index * len(spans) // number : (index + 1) * len(spans) // number]
        if metric == THROUGHPUT:
            yield round(math.log(max(_good(batch), 0.5) / _seconds(batch)), DIGITS)
        elif _requests(batch):
            yield round(_value(batch, metric), DIGITS)


def _value(spans: Sequence[Span], metric: str) -> float:
    if metric == THROUGHPUT:
        return _good(spans) / _seconds(spans)
    requests = _requests(spans)
    return sum(getattr(span, SHARES[metric]) for span in spans) / requests if requests else 0.0


def _good(spans: Sequence[Span]) -> int:
    return sum(span.times.count for span in spans)


def _requests(spans: Sequence[Span]) -> int:
    return _good(spans) + sum(span.failed for span in spans)


def _seconds(spans: Sequence[Span]) -> float:
    return sum(span.covered for span in spans) or 1.0
