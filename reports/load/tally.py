"""What was counted of an operation: histograms of its times, its failures by reason. Two of them add up exactly.

Memory does not grow with the number of requests, names or error texts: what exceeds a bound is counted under `OTHER`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import sub
from typing import Any, NamedTuple

from reports.load.histogram import Histogram

OTHER = "(other)"
MOST_OPERATIONS = 1000
MOST_TRANSPORTS = 16
MOST_REASONS = 50  # different ones per operation

SERIES = ("corrected", "service", "first", "connect", "failed")


class Times(NamedTuple):
    """When a request should have gone out, went out, was first answered and was done (ns), and its body's bytes.

    The engine appends plain tuples of this order, which are cheaper to make.
    """

    intended: int
    sent: int
    first: int
    done: int
    size: int


class Failed(NamedTuple):
    """A request that failed, why, and its times as in `Times`."""

    reason: str
    intended: int
    sent: int
    done: int
    size: int


class Tally:
    """All that is known of one operation on one transport over some span of time. Two of them add up exactly.

    corrected: good answers from the intended start to the last byte; service: from the send; first: from the send to
    the first byte; connect: making a connection; failed: requests without a good answer, from the intended start.
    failures: how often each reason occurred; size: bytes of all bodies.
    """

    __slots__ = ("failures", "operation", "size", "transport", *SERIES)

    def __init__(self, operation: str, transport: str) -> None:
        self.operation = operation
        self.transport = transport
        self.corrected = Histogram()
        self.service = Histogram()
        self.first = Histogram()
        self.connect = Histogram()
        self.failed = Histogram()
        self.failures: dict[str, int] = {}
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self.corrected.count or self.failed.count or self.connect.count)

    @property
    def requests(self) -> int:
        """Good answers and failures."""
        return self.corrected.count + self.failed.count

    def take(self, times: list[tuple[int, int, int, int, int]]) -> None:
        """Count good answers.

        Nearly all of a closed model were sent when they should have been and came in one piece: then one number, the
        very same object, stands for both times, and one duration for all three series.
        """
        plain = [done - sent for intended, sent, first, done, _ in times if intended is sent and first is done]
        if plain:
            self._count(plain, self.corrected, self.service, self.first)
        if len(plain) < len(times):
            self._take_apart([each for each in times if each[0] is not each[1] or each[2] is not each[3]])
        self.size += sum([each[4] for each in times])

    def _take_apart(self, times: list[tuple[int, int, int, int, int]]) -> None:
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
        """Count the same durations in each of these."""
        counted = Histogram()
        counted.record_many(durations)
        for histogram in histograms:
            histogram.add(counted)

    def fail(self, failed: Iterable[Failed]) -> None:
        """Count failures."""
        self._reasons(Counter([each.reason for each in failed]))
        self.failed.record_many([each.done - each.intended for each in failed])
        self.size += sum([each.size for each in failed])

    def add(self, other: Tally) -> None:
        """Count everything that `other` counted."""
        for series in SERIES:
            getattr(self, series).add(getattr(other, series))
        self._reasons(other.failures)
        self.size += other.size

    def _reasons(self, counted: Mapping[str, int]) -> None:
        for reason, times in counted.items():
            known = reason if reason in self.failures or len(self.failures) < MOST_REASONS else OTHER
            self.failures[known] = self.failures.get(known, 0) + times

    def to_json(self) -> dict[str, Any]:
        """Everything, for JSON; series in which nothing was counted are left out."""
        written: dict[str, Any] = {"operation": self.operation, "transport": self.transport, "size": self.size}
        if self.failures:
            written["failures"] = self.failures
        for series in SERIES:
            histogram: Histogram = getattr(self, series)
            if histogram.count:
                written[series] = histogram.to_json()
        return written

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Tally:
        """The tally that `to_json` wrote. Raises ValueError or KeyError when it did not."""
        tally = cls(known["operation"], known["transport"])
        tally.size = known["size"]
        tally.failures = dict(known.get("failures", {}))
        for series in SERIES:
            if series in known:
                setattr(tally, series, Histogram.from_json(known[series]))
        return tally


class Tallies:
    """Tallies by operation and transport, as many as the bounds allow."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Tally] = {}

    def add(self, tally: Tally) -> None:
        """Count everything that `tally` counted."""
        self.of(tally.operation, tally.transport).add(tally)

    def of(self, operation: str, transport: str) -> Tally:
        """The tally of that operation, or of what is too much."""
        key = bounded(self._known, operation, transport)
        if key not in self._known:
            self._known[key] = Tally(*key)
        return self._known[key]

    def all(self) -> list[Tally]:
        """All of them, by operation and transport."""
        return [self._known[key] for key in sorted(self._known)]

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()


def bounded(known: Mapping[tuple[str, str], Any], operation: str, transport: str) -> tuple[str, str]:
    """The key under which an operation is counted: its own while there is room."""
    key = (operation, transport)
    if key in known:
        return key
    transports = {each for _, each in known}
    if transport not in transports and len(transports) >= MOST_TRANSPORTS:
        transport = OTHER
    return (OTHER, transport) if len(known) >= MOST_OPERATIONS else (operation, transport)
