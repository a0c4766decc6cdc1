"""Divides a run into equal spans and adds up each operation within each span, for plots and comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun
from reports.load.scope import clause_failures

MAX_SPANS = 120  # spans

OperationKey = tuple[str, str]  # operation, transport
ALL_OPERATIONS: OperationKey = ("", "")


@dataclass(slots=True)
class Span:
    """One operation between `begin` and `end` (seconds since the start).

    covered: seconds of it with figures. failed: all failures; violations: those that name a clause.
    """

    begin: float
    end: float
    covered: float = 0.0
    times: Histogram = field(default_factory=Histogram)  # corrected
    failed: int = 0
    violations: int = 0


def timeline(run: LoadRun, width: float = 0.0, of: str = "operations") -> dict[OperationKey, list[Span]]:
    """The spans of each operation and transport, and of all together under ALL_OPERATIONS.

    width: seconds of a span; 0 for as few whole seconds as give at most MAX_SPANS. of: "operations" or "journeys".
    """
    width = width or max(1, math.ceil(run.result.seconds / MAX_SPANS))
    number = max(1, math.ceil(run.result.seconds / width))

    def spans() -> list[Span]:
        return [Span(at * width, (at + 1) * width, covered[at]) for at in range(number)]

    covered = _covered(run, width, number)
    keys = [(statistics.operation, statistics.transport) for statistics in getattr(run.result, of)]
    spans_of: dict[OperationKey, list[Span]] = {key: spans() for key in (ALL_OPERATIONS, *keys)}
    for line in run.lines:
        at = _index(run.middle(line), width, number)
        for content in line.get(of, ()):
            key = (content["operation"], content["transport"])
            times = Histogram.from_json(content["corrected"]) if "corrected" in content else Histogram()
            failed = content["failed"]["count"] if "failed" in content else 0
            violations = clause_failures(content.get("failures", {}))
            if key not in spans_of:
                spans_of[key] = spans()
            for span in (spans_of[ALL_OPERATIONS][at], spans_of[key][at]):
                span.times.add(times)
                span.failed += failed
                span.violations += violations
    return spans_of


def _covered(run: LoadRun, width: float, number: int) -> list[float]:
    """The seconds of each span that have figures, averaged over the workers that wrote any."""
    seconds = [0.0] * number
    workers: list[set[str]] = [set() for _ in range(number)]
    for line in run.lines:
        at = _index(run.middle(line), width, number)
        seconds[at] += line["to"] - line["from"]
        workers[at].add(line["worker"])
    return [total / len(names) if names else 0.0 for total, names in zip(seconds, workers, strict=True)]


def _index(middle: float, width: float, number: int) -> int:
    return min(max(int(middle / width), 0), number - 1)
