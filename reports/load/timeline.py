"""A run over time: what happened to each operation in equal spans, for plots and comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reports.load.histogram import Histogram
from reports.load.run import LoadRun

MOST = 120  # spans

Key = tuple[str, str]  # operation, transport
ALL: Key = ("", "")


@dataclass(slots=True)
class Span:
    """What happened between `begin` and `end` (seconds since the start). covered: seconds of it that lines tell of."""

    begin: float
    end: float
    covered: float = 0.0
    times: Histogram = field(default_factory=Histogram)  # corrected
    failed: int = 0


def timeline(run: LoadRun, width: float = 0.0, of: str = "operations") -> dict[Key, list[Span]]:
    """The spans of each operation and transport, and of all together under ALL.

    width: seconds of a span; 0 for as few whole ones as make at most MOST. of: operations, or journeys.
    """
    width = width or max(1, math.ceil(run.result.seconds / MOST))
    number = max(1, math.ceil(run.result.seconds / width))

    def spans() -> list[Span]:
        return [Span(at * width, (at + 1) * width, covered[at]) for at in range(number)]

    covered = _covered(run, width, number)
    in_sum = [(tally.operation, tally.transport) for tally in getattr(run.result, of)]
    found: dict[Key, list[Span]] = {key: spans() for key in (ALL, *in_sum)}
    for line in run.lines:
        at = _index(run.middle(line), width, number)
        for known in line.get(of, ()):
            key = (known["operation"], known["transport"])
            times = Histogram.from_json(known["corrected"]) if "corrected" in known else Histogram()
            failed = known["failed"]["count"] if "failed" in known else 0
            if key not in found:
                found[key] = spans()
            for one in (found[ALL][at], found[key][at]):
                one.times.add(times)
                one.failed += failed
    return found


def _covered(run: LoadRun, width: float, number: int) -> list[float]:
    """For each span how many seconds its lines tell of, on an average of the workers that wrote any."""
    seconds = [0.0] * number
    workers: list[set[str]] = [set() for _ in range(number)]
    for line in run.lines:
        at = _index(run.middle(line), width, number)
        seconds[at] += line["to"] - line["from"]
        workers[at].add(line["worker"])
    return [total / len(known) if known else 0.0 for total, known in zip(seconds, workers, strict=True)]


def _index(middle: float, width: float, number: int) -> int:
    return min(max(int(middle / width), 0), number - 1)
