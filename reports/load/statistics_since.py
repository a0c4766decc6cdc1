"""The statistics of a part of a run: those at its end without those at its begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reports.load.histogram import Histogram, bucket_upper_bound
from reports.load.operation_statistics import SERIES, OperationStatistics, StatisticsTable

Counts = Mapping[str, int]


def copy_of(statistics: Iterable[OperationStatistics]) -> list[OperationStatistics]:
    """The same figures, which do not change any more."""
    table = StatisticsTable()
    for entry in statistics:
        table.add(entry)
    return table.all()


def statistics_since(
    before: Sequence[OperationStatistics], now: Sequence[OperationStatistics]
) -> list[OperationStatistics]:
    """What was counted between two instants; the extremes are as exact as the buckets of the histograms."""
    earlier = {(entry.operation, entry.transport): entry for entry in before}
    return [_difference(earlier.get((entry.operation, entry.transport)), entry) for entry in now]


def _difference(before: OperationStatistics | None, now: OperationStatistics) -> OperationStatistics:
    if before is None:
        return now
    since = OperationStatistics(now.operation, now.transport)
    for series in SERIES:
        setattr(since, series, _times_since(getattr(before, series), getattr(now, series)))
    since.failures, since.statuses = _rest(before.failures, now.failures), _rest(before.statuses, now.statuses)
    since.size, since.resent = now.size - before.size, now.resent - before.resent
    return since


def _times_since(before: Histogram, now: Histogram) -> Histogram:
    since = Histogram()
    for bucket, number in now.counts.items():
        if number > before.counts.get(bucket, 0):
            since.counts[bucket] = number - before.counts.get(bucket, 0)
    since.count, since.total = now.count - before.count, now.total - before.total
    if since.counts:
        since.min, longest = (bucket_upper_bound(at(since.counts)) * 1000 for at in (min, max))
        since.max = now.max if now.max > before.max else min(longest, now.max)
    return since


def _rest(before: Counts, now: Counts) -> dict[str, int]:
    return {name: number - before.get(name, 0) for name, number in now.items() if number > before.get(name, 0)}
