"""Divides a run into equal spans and adds up each operation within each span, for plots and comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun
from reports.load.scope import clause_failures

MAX_SPANS = 120  # spans

OperationKey = tuple[str, str]  # operation, transport
ALL_OPERATIONS: OperationKey = ("", "")


@dataclass(slots=True)
class Span:
    """One operation between `begin` and `end` (seconds since the start).

    covered: seconds of it with figures, averaged over the workers that wrote any. failed: all failures; violations:
    those that name a clause.
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
        return [Span(at * width, (at + 1) * width) for at in range(number)]

    keys = [(statistics.operation, statistics.transport) for statistics in getattr(run.result, of)]
    spans_of: dict[OperationKey, list[Span]] = {key: spans() for key in (ALL_OPERATIONS, *keys)}
    seconds = [0.0] * number
    workers: list[set[str]] = [set() for _ in range(number)]
    for line in run.lines:
        at = min(max(int(run.middle(line) / width), 0), number - 1)
        seconds[at] += line["to"] - line["from"]
        workers[at].add(line["worker"])
        for content in line.get(of, ()):
            key = (content["operation"], content["transport"])
            if key not in spans_of:
                spans_of[key] = spans()
            _count(content, spans_of[ALL_OPERATIONS][at], spans_of[key][at])
    covered = [total / len(names) if names else 0.0 for total, names in zip(seconds, workers, strict=True)]
    for of_key in spans_of.values():
        for span, seconds_with_figures in zip(of_key, covered, strict=True):
            span.covered = seconds_with_figures
    return spans_of


def _count(content: Mapping[str, Any], *spans: Span) -> None:
    """Count an operation of a line in these spans."""
    times = Histogram.from_json(content["corrected"]) if "corrected" in content else Histogram()
    for span in spans:
        span.times.add(times)
        span.failed += content["failed"]["count"] if "failed" in content else 0
        span.violations += clause_failures(content.get("failures", {}))
