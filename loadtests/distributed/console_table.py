"""The table at the end of a run: the figures, and whether the load generators were fit to measure them."""

from __future__ import annotations

from collections.abc import Iterator

from reports.load.histogram import Histogram
from reports.load.load_result import NS_PER_MS, PERCENTILES, LoadResult
from reports.load.operation_statistics import OperationStatistics

MAX_NAME_WIDTH = 44  # characters of an operation's name
MAX_REASONS = 5  # of failures, for each operation
COLUMNS = " ".join(f"{column:>8}" for column in [*(f"p{percent:g}" for percent in PERCENTILES), "max"])


def lines(result: LoadResult) -> Iterator[str]:
    """The lines of the table, in ms: corrected is from the intended start of a request, service from its sending."""
    width = min(max([len(statistics.operation) for statistics in result.operations], default=9), MAX_NAME_WIDTH)
    head = f"{'operation':<{width}} {'transport':<10} {'requests':>9} {'failed':>7} {'per s':>8}"
    yield f"{'':<{len(head)}} | corrected (ms){'':<{len(COLUMNS) - 14}} | service (ms)"
    yield f"{head} | {COLUMNS} | {COLUMNS}"
    for statistics in result.operations:
        yield (
            f"{_shorten(statistics.operation, width):<{width}} {statistics.transport:<10} {statistics.requests:>9}"
            f" {statistics.failed.count:>7} {_rate(statistics, result):>8.1f} | {_times(statistics.corrected)}"
            f" | {_times(statistics.service)}"
        )
        for reason, number in sorted(statistics.failures.items(), key=lambda item: -item[1])[:MAX_REASONS]:
            yield f"  {number} failed: {reason}"
    yield from _journey_lines(result)
    for name, arrivals in result.arrivals.items():
        yield (
            f"journeys of {name}: {arrivals['planned']:.0f} planned, {arrivals['started']:.0f} started,"
            f" {arrivals['dropped']:.0f} dropped"
        )
    reasons = result.reasons()
    yield f"generator: {'not fit, so the figures prove nothing' if reasons else 'fit'}{_fitness(result)}"
    yield from (f"  {reason}" for reason in reasons)


def _journey_lines(result: LoadResult) -> Iterator[str]:
    """Times of whole journeys, from their intended start to their end; failed ones are only counted."""
    width = min(max([len(statistics.operation) for statistics in result.journeys], default=7), MAX_NAME_WIDTH)
    if result.journeys:
        yield f"{'journey':<{width}} {'of':<10} {'ended':>9} {'failed':>7} {'per s':>8} | {COLUMNS}"
    for statistics in result.journeys:
        yield (
            f"{_shorten(statistics.operation, width):<{width}} {_shorten(statistics.transport, 10):<10}"
            f" {statistics.requests:>9} {statistics.failed.count:>7} {_rate(statistics, result):>8.1f}"
            f" | {_times(statistics.corrected)}"
        )


def _rate(statistics: OperationStatistics, result: LoadResult) -> float:
    return statistics.requests / result.seconds if result.seconds else 0.0


def _shorten(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _times(histogram: Histogram) -> str:
    times = [*histogram.percentiles(PERCENTILES), histogram.max]
    return " ".join(f"{_ms(ns) if histogram.count else '-':>8}" for ns in times)


def _ms(ns: int) -> str:
    ms = ns / NS_PER_MS
    return f"{ms:.3f}" if ms < 10 else f"{ms:.1f}" if ms < 1000 else f"{ms:.0f}"


def _fitness(result: LoadResult) -> str:
    if not result.health:
        return ""
    busiest = max(figures["cpu_busiest"] for figures in result.health.values())
    late = max(figures["late_p99_ms"] for figures in result.health.values())
    return f" (busiest core {busiest:.0%}, journeys late by {late:.2f} ms at p99)"
