"""The figures of a run that goes on as metrics, for systems that watch it: counters, gauges and histograms.

Names and units are those of OpenTelemetry; all counts are since the begin of the run.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reports.load.histogram import Histogram, bucket_index
from reports.load.load_run import LoadRun
from reports.load.objective_outcomes import FAIL, is_relevant, judge_objective
from reports.load.operation_statistics import OperationStatistics
from reports.load.slo import Objective

NS_PER_SECOND = 1e9
COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds
LAST_BUCKETS = [bucket_index(round(bound * 1e6)) for bound in BOUNDS]  # of our histograms, for each bound


class Times(NamedTuple):
    """A histogram: its number and sum (s), and how many lie up to each of BOUNDS and above the one before."""

    number: int
    total: float
    buckets: tuple[int, ...]  # one more than BOUNDS


class Point(NamedTuple):
    """A value with the labels that it has."""

    labels: Mapping[str, str]
    value: float | Times


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. unit: `s`, or "" for a number."""

    name: str
    kind: str
    unit: str
    description: str
    points: tuple[Point, ...]


def live_metrics(
    run: LoadRun, objectives: Sequence[Objective], users: int, pause: Callable[[], None] = lambda: None
) -> list[Metric]:
    """All metrics of the run so far. pause: called every few milliseconds, so that others can work in between."""
    return [
        Metric("flowproof.requests", COUNTER, "", "Requests by outcome", tuple(_requests(run.result.operations))),
        Metric("flowproof.failures", COUNTER, "", "Failed requests by reason", tuple(_failures(run.result.operations))),
        Metric(
            "flowproof.request.duration",
            HISTOGRAM,
            "s",
            "Times of good responses from the intended start of the request",
            tuple(_durations(run.result.operations, "operation", "transport", pause)),
        ),
        Metric(
            "flowproof.journey.duration",
            HISTOGRAM,
            "s",
            "Times of good journeys and steps, and of requests by tag",
            tuple(_durations(run.result.journeys, "journey", "of", pause)),
        ),
        Metric("flowproof.arrivals", COUNTER, "", "Arrivals of journeys", tuple(_arrivals(run))),
        Metric("flowproof.users", GAUGE, "", "Users that run", (Point({}, users),)),
        *_objectives(run, objectives, pause),
    ]


def _requests(operations: Iterable[OperationStatistics]) -> Iterator[Point]:
    for operation in operations:
        labels = {"operation": operation.operation, "transport": operation.transport}
        yield Point({**labels, "outcome": "good"}, operation.corrected.count)
        yield Point({**labels, "outcome": "failed"}, operation.failed.count)


def _failures(operations: Iterable[OperationStatistics]) -> Iterator[Point]:
    for operation in operations:
        for reason, number in operation.failures.items():
            labels = {"operation": operation.operation, "transport": operation.transport, "reason": reason}
            yield Point(labels, number)


def _durations(
    statistics: Iterable[OperationStatistics], name: str, owner: str, pause: Callable[[], None]
) -> Iterator[Point]:
    for entry in statistics:
        pause()
        yield Point({name: entry.operation, owner: entry.transport}, _times(entry.corrected))


def _times(histogram: Histogram) -> Times:
    buckets = [0] * (len(BOUNDS) + 1)
    for bucket, number in histogram.counts.items():
        buckets[bisect_left(LAST_BUCKETS, bucket)] += number
    return Times(histogram.count, histogram.total / NS_PER_SECOND, tuple(buckets))


def _arrivals(run: LoadRun) -> Iterator[Point]:
    for name, counts in run.result.arrivals.items():
        for outcome in ("started", "dropped"):
            yield Point({"user_class": name, "outcome": outcome}, counts[outcome])


def _objectives(run: LoadRun, objectives: Sequence[Objective], pause: Callable[[], None]) -> Iterator[Metric]:
    """Whether each objective is at risk, that is missed by the figures so far; what was measured, and its limit."""
    outcomes = []
    for objective in objectives:
        if is_relevant(objective, run):
            pause()
            outcomes.append(judge_objective(objective, run, False))
    rows = [
        (
            {"objective": f"{outcome.objective.scope} {outcome.objective.metric}"},
            NS_PER_SECOND if outcome.objective.is_time else 1.0,
            outcome,
        )
        for outcome in outcomes
    ]
    at_risk = tuple(Point(labels, float(outcome.verdict == FAIL)) for labels, _, outcome in rows)
    limits = tuple(Point(labels, outcome.objective.limit / scale) for labels, scale, outcome in rows)
    measured = tuple(
        Point(labels, outcome.measured / scale) for labels, scale, outcome in rows if outcome.measured is not None
    )
    words = "in seconds, as a share of 1, or a second"
    yield Metric("flowproof.objective.at_risk", GAUGE, "", "1 if the figures so far miss the objective", at_risk)
    yield Metric("flowproof.objective.limit", GAUGE, "", f"The limit, {words}", limits)
    yield Metric("flowproof.objective.measured", GAUGE, "", f"What was measured so far, {words}", measured)
