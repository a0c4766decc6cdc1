"""The table at the end of a run: what was measured, and whether the generators were fit to measure it."""

from __future__ import annotations

from collections.abc import Iterator

from reports.load.histogram import Histogram
from reports.load.result import MS, PERCENTILES, Result

WIDEST = 44  # characters of an operation's name


def lines(result: Result) -> Iterator[str]:
    """The table, in ms: corrected is from when a request was due, service from when it was sent."""
    columns = [f"p{percent:g}" for percent in PERCENTILES] + ["max"]
    wide = min(max([len(tally.operation) for tally in result.operations], default=9), WIDEST)
    head = f"{'operation':<{wide}} {'transport':<10} {'requests':>9} {'failed':>7} {'per s':>8}"
    times = " ".join(f"{column:>8}" for column in columns)
    yield f"{'':<{len(head)}} | corrected (ms){'':<{len(times) - 14}} | service (ms)"
    yield f"{head} | {times} | {times}"
    for tally in result.operations:
        rate = tally.requests / result.seconds if result.seconds else 0.0
        yield (
            f"{_cut(tally.operation, wide):<{wide}} {tally.transport:<10} {tally.requests:>9} {tally.failed.count:>7}"
            f" {rate:>8.1f} | {_times(tally.corrected)} | {_times(tally.service)}"
        )
        for reason, number in sorted(tally.failures.items(), key=lambda each: -each[1])[:5]:
            yield f"  {number} failed: {reason}"
    yield from _journeys(result)
    for name, counted in result.arrivals.items():
        yield (
            f"arrivals of {name}: {counted['planned']:.0f} planned, {counted['started']:.0f} started,"
            f" {counted['dropped']:.0f} dropped"
        )
    reasons = result.reasons()
    yield f"generator: {'not fit, so the figures prove nothing' if reasons else 'fit'}{_fitness(result)}"
    yield from (f"  {reason}" for reason in reasons)


def _journeys(result: Result) -> Iterator[str]:
    """Whole journeys, from when they were due to their end, if all their answers were good."""
    wide = min(max([len(tally.operation) for tally in result.journeys], default=7), WIDEST)
    if result.journeys:
        columns = " ".join(f"{column:>8}" for column in [*(f"p{percent:g}" for percent in PERCENTILES), "max"])
        yield f"{'journey':<{wide}} {'of':<10} {'played':>9} {'failed':>7} {'per s':>8} | {columns}"
    for tally in result.journeys:
        rate = tally.requests / result.seconds if result.seconds else 0.0
        yield (
            f"{_cut(tally.operation, wide):<{wide}} {_cut(tally.transport, 10):<10} {tally.requests:>9}"
            f" {tally.failed.count:>7} {rate:>8.1f} | {_times(tally.corrected)}"
        )


def _cut(name: str, wide: int) -> str:
    return name if len(name) <= wide else name[: wide - 1] + "…"


def _times(histogram: Histogram) -> str:
    times = [*histogram.percentiles(PERCENTILES), histogram.max]
    return " ".join(f"{_ms(ns) if histogram.count else '-':>8}" for ns in times)


def _ms(ns: int) -> str:
    ms = ns / MS
    return f"{ms:.3f}" if ms < 10 else f"{ms:.1f}" if ms < 1000 else f"{ms:.0f}"


def _fitness(result: Result) -> str:
    if not result.health:
        return ""
    busiest = max(figures["cpu_busiest"] for figures in result.health.values())
    late = max(figures["late_p99_ms"] for figures in result.health.values())
    return f" (busiest core {busiest:.0%}, journeys late by {late:.2f} ms at p99)"
