"""Statistics that are kept for long: the counts of their histograms in arrays, 6 bytes a bucket in place of a hundred.

A bucket that is counted for the first time makes a histogram larger; in a long run with many operations these are some
hundred thousand.
"""

from __future__ import annotations

from array import array

from reports.load.operation_statistics import SERIES, OperationStatistics

UINT32_MAX = (1 << 32) - 1

Columns = tuple["array[int]", "array[int]"]  # buckets, and the count of each
PackedStatistics = tuple[OperationStatistics, tuple[Columns, ...]]  # without counts, and the counts of each series


def pack(statistics: OperationStatistics) -> PackedStatistics:
    """The same statistics packed; those that were given are empty afterwards."""
    columns = []
    rest = OperationStatistics(statistics.operation, statistics.transport)
    for series in SERIES:
        counts = getattr(statistics, series).counts
        kind = "I" if max(counts.values(), default=0) <= UINT32_MAX else "Q"
        columns.append((array("H", counts), array(kind, counts.values())))
        counts.clear()
    rest.add(statistics)
    return rest, tuple(columns)


def unpack(packed: PackedStatistics) -> OperationStatistics:
    """A copy of the statistics that were packed."""
    rest, columns = packed
    statistics = OperationStatistics(rest.operation, rest.transport)
    statistics.add(rest)
    for series, (buckets, numbers) in zip(SERIES, columns, strict=True):
        getattr(statistics, series).counts.update(zip(buckets, numbers, strict=True))
    return statistics
