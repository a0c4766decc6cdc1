"""Draws the plots of a run: times by percentile, times and throughput over time, for one operation or for all."""

from __future__ import annotations

from collections.abc import Sequence

from reports.load.chart import (
    Axis,
    Band,
    ChartLine,
    linear_axis,
    logarithmic_axis,
    render_chart,
    seconds_axis,
    tail_axis,
)
from reports.load.histogram import Histogram
from reports.load.load_result import NS_PER_MS
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import OperationStatistics
from reports.load.timeline import Span

NINES = 5  # 99.999 %
STEPS = 24  # points between two nines


def percentile_plot(name: str, statistics: OperationStatistics, alone: bool = False) -> str:
    """Corrected and service times by percentile, on an axis that stretches the tail."""
    most = _last_percentile(statistics.corrected.count)
    percents = [percent for percent in _percents() if percent <= most + 1e-9]
    corrected, service = (_ms(times, percents) for times in (statistics.corrected, statistics.service))
    y = _time_axis([*corrected, *service])
    lines = [
        ChartLine("corrected: from when it was due", 1, list(zip(percents, corrected, strict=True))),
        ChartLine("service: from when it was sent", 2, list(zip(percents, service, strict=True))),
    ]
    return render_chart(f"{name}: time by percentile", tail_axis("percentile", most), y, lines, alone=alone)


def times_plot(name: str, spans: Sequence[Span], run: LoadRun, alone: bool = False) -> str:
    """Corrected times over the run: median, 95th percentile and maximum of each span."""
    kinds = {"p50": 50.0, "p95": 95.0, "max": 100.0}
    times = [span.times.percentiles(kinds.values()) if span.times.count else None for span in spans]
    lines = []
    for index, (kind, colour) in enumerate(zip(kinds, (1, 4, 3), strict=True)):
        points = [(_middle(span), ns[index] / NS_PER_MS) if ns else None for span, ns in zip(spans, times, strict=True)]
        lines.append(ChartLine(kind, colour, points))
    y = _time_axis([ns / NS_PER_MS for values in times if values for ns in values])
    return render_chart(f"{name}: times over the run", _clock(spans), y, lines, bands(run), alone)


def throughput_plot(name: str, spans: Sequence[Span], run: LoadRun, alone: bool = False) -> str:
    """Good responses and failures per second, over the run."""
    good = [(_middle(span), span.times.count / span.covered) if span.covered else None for span in spans]
    failed = [(_middle(span), span.failed / span.covered) if span.covered else None for span in spans]
    lines = [ChartLine("good responses", 2, good), ChartLine("failures", 3, failed)]
    most = max((point[1] for point in (*good, *failed) if point), default=1.0)
    y = linear_axis("per second", most)
    return render_chart(f"{name}: throughput over time", _clock(spans), y, lines, bands(run), alone)


def bands(run: LoadRun) -> list[Band]:
    """The phases of the profile; those that objectives do not apply to are tinted."""
    end = run.result.seconds
    return [
        Band(phase.name, phase.begin, min(phase.end, end), not phase.judged)
        for phase in run.phases
        if phase.begin < end
    ]


def _clock(spans: Sequence[Span]) -> Axis:
    return seconds_axis("seconds since the start", spans[-1].end)


def _time_axis(values: Sequence[float]) -> Axis:
    known = [value for value in values if value > 0] or [1.0]
    return logarithmic_axis("ms", min(known), max(known))


def _middle(span: Span) -> float:
    return (span.begin + span.end) / 2


def _ms(histogram: Histogram, percents: Sequence[float]) -> list[float]:
    return [ns / NS_PER_MS for ns in histogram.percentiles(percents)]


def _percents() -> list[float]:
    return [100 * (1 - 10 ** (-step / STEPS)) for step in range(NINES * STEPS + 1)]


def _last_percentile(count: int) -> float:
    """The highest percentile with a response beyond it, at least the 90th."""
    return max(90.0, min(100 * (1 - 1 / max(count, 1)), 99.999))
