"""What people see of a run: times by percentile, times and throughput over time, each for one operation or for all."""

from __future__ import annotations

from collections.abc import Sequence

from reports.load.chart import Axis, Band, Line, linear, logarithmic, seconds, svg, tail
from reports.load.histogram import Histogram
from reports.load.result import MS
from reports.load.run import LoadRun
from reports.load.tally import Tally
from reports.load.timeline import Span

NINES = 5  # 99.999 %
STEPS = 24  # points from one nine to the next


def by_percentile(name: str, tally: Tally, alone: bool = False) -> str:
    """Corrected and service times by percentile, the tail as wide as the rest."""
    most = _last_percentile(tally.corrected.count)
    percents = [percent for percent in _percents() if percent <= most + 1e-9]
    corrected, service = (_ms(times, percents) for times in (tally.corrected, tally.service))
    y = _time_axis([*corrected, *service])
    lines = [
        Line("corrected: from when it was due", 1, list(zip(percents, corrected, strict=True))),
        Line("service: from when it was sent", 2, list(zip(percents, service, strict=True))),
    ]
    return svg(f"{name}: time by percentile", tail("percentile", most), y, lines, alone=alone)


def times(name: str, spans: Sequence[Span], run: LoadRun, alone: bool = False) -> str:
    """Corrected times over time: median, 95th percentile and the slowest of each span."""
    kinds = {"p50": 50.0, "p95": 95.0, "max": 100.0}
    found = [one.times.percentiles(kinds.values()) if one.times.count else None for one in spans]
    lines = []
    for at, (kind, colour) in enumerate(zip(kinds, (1, 4, 3), strict=True)):
        points = [(_middle(span), ns[at] / MS) if ns else None for span, ns in zip(spans, found, strict=True)]
        lines.append(Line(kind, colour, points))
    y = _time_axis([ns / MS for each in found if each for ns in each])
    return svg(f"{name}: time over time", _clock(spans), y, lines, bands(run), alone)


def throughput(name: str, spans: Sequence[Span], run: LoadRun, alone: bool = False) -> str:
    """Good answers and failures a second, over time."""
    good = [(_middle(one), one.times.count / one.covered) if one.covered else None for one in spans]
    failed = [(_middle(one), one.failed / one.covered) if one.covered else None for one in spans]
    lines = [Line("good answers", 2, good), Line("failures", 3, failed)]
    most = max((point[1] for point in (*good, *failed) if point), default=1.0)
    y = linear("a second", most)
    return svg(f"{name}: throughput over time", _clock(spans), y, lines, bands(run), alone)


def bands(run: LoadRun) -> list[Band]:
    """The phases of a run's profile; those in which nothing is judged are tinted."""
    end = run.result.seconds
    return [Band(one.name, one.begin, min(one.end, end), not one.judged) for one in run.phases if one.begin < end]


def _clock(spans: Sequence[Span]) -> Axis:
    return seconds("seconds since the start", spans[-1].end)


def _time_axis(values: Sequence[float]) -> Axis:
    known = [value for value in values if value > 0] or [1.0]
    return logarithmic("ms", min(known), max(known))


def _middle(span: Span) -> float:
    return (span.begin + span.end) / 2


def _ms(histogram: Histogram, percents: Sequence[float]) -> list[float]:
    return [ns / MS for ns in histogram.percentiles(percents)]


def _percents() -> list[float]:
    return [100 * (1 - 10 ** (-step / STEPS)) for step in range(NINES * STEPS + 1)]


def _last_percentile(count: int) -> float:
    """The highest percentile that so many answers tell of, at least the 90th: beyond it lies one answer."""
    return max(90.0, min(100 * (1 - 1 / max(count, 1)), 99.999))
