"""The statistics of an operation: histograms of its times and its failures by reason. Two of them add up exactly.

Memory does not grow with the number of requests, names or error texts: what exceeds a bound is counted as `OTHER`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from operator import sub
from typing import Any, NamedTuple

from reports.load.histogram import Histogram

OTHER = "(other)"
GENERATOR_FAILURE = "load generator: "  # in the reason of a failure that is the load generator's, not the target's
TURNED_AWAY = "turned away (429)"  # the reason of a failure that is the target's rate limit, which breaks no clause
NO_RESPONSE = "no response"  # in place of a status
BY_TAG, AS_STEP = "by tag", "as a step"  # in place of an owner: of statistics of all requests with a tag, and of steps
MAX_OPERATIONS = 1000
MAX_TRANSPORTS = 16
MAX_REASONS = 50  # different ones per operation
FEW = 3  # requests that are counted one by one, which costs less than to prepare more for it

SERIES = ("corrected", "service", "first", "connect", "failed")


class RequestTimes(NamedTuple):
    """When a request was due, was sent, got its first byte and its last one (ns), and the bytes of the body.

    The engine appends plain tuples in this order, which are cheaper to make.
    """

    intended: int
    sent: int
    first: int
    done: int
    size: int


class FailedRequest(NamedTuple):
    """A failed request: the reason, its times as in `RequestTimes`, and the status of its response, 0 without one."""

    reason: str
    intended: int
    sent: int
    done: int
    size: int
    status: int = 0


class OperationStatistics:
    """The statistics of one operation on one transport over some time.

    corrected: times of good responses from the intended start to the last byte. service: the same from the send. first:
    from the send to the first byte. connect: times to connect. failed: times of requests without a good response, from
    the intended start. failures: how often each reason occurred. statuses: how many failed requests had each status.
    size: bytes of all bodies. resent: requests that were sent once more, on a new connection.
    """

    __slots__ = ("failures", "operation", "resent", "size", "statuses", "transport", *SERIES)

    def __init__(self, operation: str, transport: str) -> None:
        self.operation = operation
        self.transport = transport
        self.corrected = Histogram()
        self.service = Histogram()
        self.first = Histogram()
        self.connect = Histogram()
        self.failed = Histogram()
        self.failures: dict[str, int] = {}
        self.statuses: dict[str, int] = {}
        self.size = self.resent = 0

    def __bool__(self) -> bool:
        return bool(self.corrected.count or self.failed.count or self.connect.count)

    @property
    def requests(self) -> int:
        """The number of good responses and failures."""
        return self.corrected.count + self.failed.count

    def times(self, series: str) -> Histogram:
        """The histogram of that name; `all` is of good and failed responses from the intended start."""
        if series != "all":
            histogram: Histogram = getattr(self, series)
            return histogram
        total = Histogram()
        total.add(self.corrected)
        total.add(self.failed)
        return total

    @property
    def own_failures(self) -> dict[str, int]:
        """The failures that are the load generator's, by reason."""
        return {reason: number for reason, number in self.failures.items() if GENERATOR_FAILURE in reason}

    def record_successes(self, times: list[tuple[int, int, int, int, int]]) -> None:
        """Count good responses.

        In a closed model nearly all requests are sent when they are due and their responses come in one piece: then
        both times are the very same object, and one duration counts for all three series.
        """
        if len(times) <= FEW:
            for intended, sent, first, done, size in times:
                self.corrected.record(done - intended)
                self.service.record(done - sent)
                self.first.record(first - sent)
                self.size += size
            return
        plain = [done - sent for intended, sent, first, done, _ in times if intended is sent and first is done]
        if plain:
            self._count(plain, self.corrected, self.service, self.first)
        if len(plain) < len(times):
            self._record_separately([entry for entry in times if entry[0] is not entry[1] or entry[2] is not entry[3]])
        self.size += sum([entry[4] for entry in times])

    def _record_separately(self, times: list[tuple[int, int, int, int, int]]) -> None:
        intended, sent, first, done, _ = zip(*times, strict=True)
        service = list(map(sub, done, sent))
        self.corrected.record_many(list(map(sub, done, intended)))
        if first == done:
            self._count(service, self.service, self.first)
        else:
            self.service.record_many(service)
            self.first.record_many(list(map(sub, first, sent)))

    @staticmethod
    def _count(durations: list[int], *histograms: Histogram) -> None:
        """Count the same durations in each of these histograms."""
        counted = Histogram()
        counted.record_many(durations)
        for histogram in histograms:
            histogram.add(counted)

    def record_failures(self, failed: Sequence[FailedRequest]) -> None:
        """Count failures."""
        _count(self.failures, Counter([request.reason for request in failed]))
        _count(self.statuses, Counter([str(request.status or NO_RESPONSE) for request in failed]))
        self.failed.record_many([request.done - request.intended for request in failed])
        self.size += sum([request.size for request in failed])

    def add(self, other: OperationStatistics, detailed: Collection[str] = SERIES) -> None:
        """Count everything that `other` counted; of series that are not `detailed`, number, sum and extremes only."""
        for series in SERIES:
            if series in detailed:
                getattr(self, series).add(getattr(other, series))
            else:
                getattr(self, series).add_summary(getattr(other, series))
        _count(self.failures, other.failures)
        _count(self.statuses, other.statuses)
        self.size += other.size
        self.resent += other.resent

    def to_json(self) -> dict[str, Any]:
        """Everything, for JSON; empty series are left out."""
        content: dict[str, Any] = {"operation": self.operation, "transport": self.transport, "size": self.size}
        content |= {name: value for name in ("failures", "statuses", "resent") if (value := getattr(self, name))}
        for series in SERIES:
            histogram: Histogram = getattr(self, series)
            if histogram.count:
                content[series] = histogram.to_json()
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> OperationStatistics:
        """Read what `to_json` wrote; raises ValueError or KeyError for other content."""
        statistics = cls(content["operation"], content["transport"])
        statistics.size = content["size"]
        statistics.resent = content.get("resent", 0)
        statistics.failures = dict(content.get("failures", {}))
        statistics.statuses = dict(content.get("statuses", {}))  # not in older runs
        for series in SERIES:
            if series in content:
                setattr(statistics, series, Histogram.from_json(content[series]))
        return statistics


def _count(table: dict[str, int], counts: Mapping[str, int]) -> None:
    """Add counts to a table of at most MAX_REASONS names."""
    for name, number in counts.items():
        key = name if name in table or len(table) < MAX_REASONS else OTHER
        table[key] = table.get(key, 0) + number


class StatisticsTable:
    """The statistics of each operation and transport, up to MAX_OPERATIONS and MAX_TRANSPORTS."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], OperationStatistics] = {}
        self._bounds = KeyBounds()

    def add(self, statistics: OperationStatistics) -> None:
        """Count everything that `statistics` counted."""
        self.entry(statistics.operation, statistics.transport).add(statistics)

    def entry(self, operation: str, transport: str) -> OperationStatistics:
        """The statistics of that operation, or of OTHER when the table is full."""
        entry = self._entries.get((operation, transport))
        if entry is not None:
            return entry
        key = self._bounds.key_of(operation, transport)
        if key not in self._entries:
            self._entries[key] = OperationStatistics(*key)
            self._bounds.added(key)
        return self._entries[key]

    def all(self) -> list[OperationStatistics]:
        """All of them, by operation and transport."""
        return [self._entries[key] for key in sorted(self._entries)]

    def find(self, operation: str, transport: str) -> OperationStatistics | None:
        """The statistics of exactly that operation, if there are any."""
        return self._entries.get((operation, transport))

    def all_keys(self) -> list[tuple[str, str]]:
        """Operation and transport of each."""
        return list(self._entries)

    def pop(self, operation: str, transport: str) -> OperationStatistics:
        """Remove the statistics of that operation and return them. Raises KeyError if there are none."""
        return self._entries.pop((operation, transport))

    def clear(self) -> None:
        """Remove everything."""
        self._entries.clear()
        self._bounds.clear()


class KeyBounds:
    """Keeps the names in a table below MAX_OPERATIONS and MAX_TRANSPORTS, however many are asked for."""

    __slots__ = ("_count", "_transports")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """The table is empty."""
        self._transports: set[str] = set()
        self._count = 0

    def key_of(self, operation: str, transport: str) -> tuple[str, str]:
        """The key under which an operation that is not in the table is counted: its own while there is room, or OTHER.

        The key may be one that is in the table.
        """
        if transport not in self._transports and len(self._transports) >= MAX_TRANSPORTS:
            transport = OTHER
        return (OTHER, transport) if self._count >= MAX_OPERATIONS else (operation, transport)

    def added(self, key: tuple[str, str]) -> None:
        """That key is in the table from now on."""
        self._transports.add(key[1])
        self._count += 1
