"""The course of a run as columns of numbers: arrivals, users, outcomes, percentiles and a heatmap of times.

Lines may come in any order and be of any length: what a line counts belongs to the span with its middle.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from reports.load.histogram import Histogram, bucket_upper_bound
from reports.load.load_result import NS_PER_MS
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import NO_RESPONSE

MAX_SPANS = 400
STEPS_PER_DECADE = 8  # rows of the heatmap
PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
GOOD = "good"

Line = Mapping[str, Any]


@dataclass(slots=True)
class Moment:
    """What all workers together did in one span. users, arrivals: the highest count of each worker, by its name."""

    times: Histogram = field(default_factory=Histogram)  # of good responses, corrected
    everything: Histogram = field(default_factory=Histogram)  # of all
    outcomes: Counter[str] = field(default_factory=Counter)
    users: dict[str, int] = field(default_factory=dict)
    arrivals: dict[tuple[str, str, str], float] = field(default_factory=dict)
    covered: Counter[str] = field(default_factory=Counter)  # seconds, by worker


def time_series(run: LoadRun) -> dict[str, Any]:
    """The columns as JSON: times in ms, rates a second, shares in percent; None where nothing was measured."""
    longest = max((line["to"] - line["from"] for line in run.lines), default=1.0)
    width = max(math.ceil(run.result.seconds / MAX_SPANS), round(longest), 1)
    number = max(1, math.ceil(run.result.seconds / width))
    moments = [Moment() for _ in range(number)]
    for line in run.lines:
        _count(line, moments[min(max(int(run.middle(line) / width), 0), number - 1)])
    seconds = [max(moment.covered.values(), default=0.0) for moment in moments]
    names = sorted({name for moment in moments for name in moment.outcomes} - {GOOD})
    return {
        "at": [(at + 0.5) * width for at in range(number)],
        "users": [sum(moment.users.values()) if moment.users else None for moment in moments],
        "arrivals": {kind: _rates(_increments(moments, kind), seconds) for kind in ("started", "dropped")},
        "outcomes": {
            name: _rates([moment.outcomes[name] for moment in moments], seconds) for name in (GOOD, *names)
        },
        "errors": [_error_share(moment.outcomes) for moment in moments],
        "times": _percentiles(moments),
        "heat": heatmap([moment.everything for moment in moments]),
    }  # fmt: skip


def _count(line: Line, moment: Moment) -> None:
    worker = line["worker"]
    moment.covered[worker] += line["to"] - line["from"]
    moment.users[worker] = max(moment.users.get(worker, 0), line.get("users", 0))
    for name, counts in line["arrivals"].items():
        for kind in ("started", "dropped"):
            key = worker, name, kind
            moment.arrivals[key] = max(moment.arrivals.get(key, 0.0), counts[kind])
    for content in line.get("operations", ()):
        if "corrected" in content:
            times = Histogram.from_json(content["corrected"])
            moment.times.add(times)
            moment.everything.add(times)
            moment.outcomes[GOOD] += times.count
        if "failed" in content:
            moment.everything.add(Histogram.from_json(content["failed"]))
            statuses = content.get("statuses") or {NO_RESPONSE: content["failed"]["count"]}
            moment.outcomes.update({_outcome(status): count for status, count in statuses.items()})


def _outcome(status: str) -> str:
    """A failure by its status. A failed response may have a good status: its content was refused."""
    return f"failed, {status}" if status.isdecimal() else status


def _increments(moments: Sequence[Moment], kind: str) -> list[float]:
    """How many arrivals each span had: the counts only grow, and belong to a worker and a class of users."""
    totals = [0.0] * len(moments)
    for key in sorted({key for moment in moments for key in moment.arrivals if key[2] == kind}):
        known = list(accumulate((moment.arrivals.get(key, 0.0) for moment in moments), max))
        for at, (before, now) in enumerate(zip([0.0, *known], known, strict=False)):
            totals[at] += now - before
    return totals


def _rates(counts: Iterable[float], seconds: Sequence[float]) -> list[float | None]:
    return [round(count / lasted, 3) if lasted else None for count, lasted in zip(counts, seconds, strict=True)]


def _error_share(outcomes: Counter[str]) -> float | None:
    number = outcomes.total()
    return round(100 * (number - outcomes[GOOD]) / number, 4) if number else None


def _percentiles(moments: Sequence[Moment]) -> dict[str, list[float | None]]:
    columns: dict[str, list[float | None]] = {name: [] for name in (*PERCENTILES, "max")}
    for moment in moments:
        values = [*moment.times.percentiles(PERCENTILES.values()), moment.everything.max]
        counts = [*[moment.times.count] * len(PERCENTILES), moment.everything.count]
        for column, value, count in zip(columns.values(), values, counts, strict=True):
            column.append(round(value / NS_PER_MS, 4) if count else None)
    return columns


def heatmap(spans: Sequence[Histogram]) -> dict[str, Any]:
    """How many responses of each span took how long, in rows of equal ratio.

    low: the lower end of row 0 in ms; ratio: of a row's ends; cells: for each span, pairs of row and count.
    """
    rows = [Counter[int]() for _ in spans]
    for counts, times in zip(rows, spans, strict=True):
        for bucket, number in times.counts.items():
            counts[math.floor(STEPS_PER_DECADE * math.log10(max(bucket_upper_bound(bucket), 1)))] += number
    low = min((row for counts in rows for row in counts), default=0)
    return {
        "low": round(10 ** (low / STEPS_PER_DECADE) / 1000, 6),
        "ratio": 10 ** (1 / STEPS_PER_DECADE),
        "cells": [sorted([row - low, number] for row, number in counts.items()) for counts in rows],
    }
