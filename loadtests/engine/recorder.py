"""Records the engine's measurements per operation and transport: samples in the hot path, histograms in bulk.

Memory does not grow with the number of requests, names or error texts: what exceeds a bound is counted under `OTHER`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from time import perf_counter_ns

from reports.load.operation_statistics import (
    BY_TAG,
    MAX_OPERATIONS,
    OTHER,
    FailedRequest,
    KeyBounds,
    OperationStatistics,
    StatisticsTable,
)

MAX_REASON_LENGTH = 200  # characters
HANG_THRESHOLD = 1_000_000_000  # ns that a request waits before it can be called unanswered
UNANSWERED = "unanswered when its user was stopped"
NEVER = 1 << 62

Times = tuple[int, int, int, int, int]  # intended, sent, first, done (ns), bytes of the body
Observer = Callable[["OperationSamples", "list[Times]", "list[FailedRequest]"], None]


class OperationSamples:
    """The samples of one operation on one transport until the next flush.

    The hot path calls `samples.times.append((intended, sent, first, done, size))`, `samples.connects.append(ns)` and
    `samples.record_failure(…)`. The lists stay the same objects for ever.

    longest_response: ns from intended start to last byte of the slowest response of this run that was counted.
    resent: how many requests were sent once more, since the server had closed their idle connection.
    tags: under which the samples are counted as well.
    """

    __slots__ = ("connects", "failures", "longest_response", "operation", "resent", "tags", "times", "transport")

    def __init__(self, operation: str, transport: str, tags: tuple[str, ...] = ()) -> None:
        self.operation = operation
        self.transport = transport
        self.tags = tags
        self.times: list[Times] = []
        self.connects: list[int] = []
        self.failures: list[FailedRequest] = []
        self.longest_response = self.resent = 0

    def record_failure(self, reason: str, intended: int, sent: int, done: int, size: int = 0, status: int = 0) -> None:
        """Record a request without a valid response. `reason` is from a small set; a longer text than fits is cut."""
        self.failures.append(FailedRequest(reason[:MAX_REASON_LENGTH], intended, sent, done, size, status))

    def record_abandoned(self, intended: int, sent: int) -> None:
        """Record a request whose user is stopped before its response, if it seems to hang.

        Most such requests are merely cut off and count as nothing. One that has waited longer than any response took
        may wait for ever: it has failed, or else a target that hangs at the end of a run would look healthy.
        """
        now = perf_counter_ns()
        if self.is_hanging(now - intended):
            self.record_failure(UNANSWERED, intended, sent, now)

    def is_hanging(self, age: int) -> bool:
        """Whether a request of that age (ns) has waited longer than all responses took, and at least a second."""
        return age > max(self.longest_response, HANG_THRESHOLD)

    def __repr__(self) -> str:
        return f"Slot({self.operation!r}, {self.transport!r})"


class Recorder:
    """The samples of a process. Call `flush` often, so that no list grows long; `take` returns what was counted since.

    observer: called with the samples that a flush counts, before it counts them.
    """

    def __init__(self) -> None:
        self.observer: Observer | None = None
        self._cutoff = NEVER
        self._samples: dict[tuple[str, str], OperationSamples] = {}
        self._tagged: dict[tuple[str, str, tuple[str, ...]], OperationSamples] = {}
        self._bounds = KeyBounds()
        self._counted = StatisticsTable()
        self._counted_by_tag = StatisticsTable()

    def samples_of(self, operation: str, transport: str, tags: tuple[str, ...] = ()) -> OperationSamples:
        """The samples of that operation with these tags: the same object for the life of the process."""
        if tags:
            return self._tagged_samples(operation, transport, tags)
        samples = self._samples.get((operation, transport))
        if samples is not None:
            return samples
        key = self._bounds.key_of(operation, transport)
        if key not in self._samples:
            self._samples[key] = OperationSamples(*key)
            self._bounds.added(key)
        return self._samples[key]

    def _tagged_samples(self, operation: str, transport: str, tags: tuple[str, ...]) -> OperationSamples:
        key = operation, transport, tags
        if key not in self._tagged and len(self._tagged) >= MAX_OPERATIONS:
            key = OTHER, transport, (OTHER,)
        if key not in self._tagged:
            self._tagged[key] = OperationSamples(*key)
        return self._tagged[key]

    def reset(self) -> None:
        """Forget all measurements: another run begins."""
        self.take()
        self.take_tags()
        self._cutoff = NEVER
        for samples in chain(self._samples.values(), self._tagged.values()):
            samples.longest_response = 0

    def cut_off(self, moment: int) -> None:
        """Ignore requests in flight at `moment` (ns): their responses are read by a process busy stopping users."""
        self._cutoff = min(self._cutoff, moment)

    def _before_cutoff(self, samples: OperationSamples, times: list[Times]) -> list[Times]:
        """The samples that ended before the cutoff, began after it, or seemed to hang at it."""
        cutoff = self._cutoff
        return [
            sample
            for sample in times
            if sample[3] <= cutoff or sample[1] > cutoff or samples.is_hanging(cutoff - sample[0])
        ]

    def flush(self) -> None:
        """Count all samples into the statistics."""
        for samples in chain(self._samples.values(), self._tagged.values()):
            if samples.times or samples.failures or samples.connects:
                self._drain(samples)

    def _drain(self, samples: OperationSamples) -> None:
        times, failures, connects = samples.times.copy(), samples.failures.copy(), samples.connects.copy()
        samples.times.clear()
        if failures:
            samples.failures.clear()
        if connects:
            samples.connects.clear()
        if self._cutoff != NEVER:
            times = self._before_cutoff(samples, times)
        if self.observer is not None:
            self.observer(samples, times, failures)
        statistics = self._counted.entry(samples.operation, samples.transport)
        if times:
            statistics.record_successes(times)
            samples.longest_response = max(samples.longest_response, statistics.corrected.max)
        if failures:
            statistics.record_failures(failures)
        for tag in samples.tags:
            self._count_for_tag(tag, times, failures)
        if connects:
            statistics.connect.record_many(connects)
        if samples.resent:
            statistics.resent += samples.resent
            samples.resent = 0

    def _count_for_tag(self, tag: str, times: list[Times], failures: list[FailedRequest]) -> None:
        statistics = self._counted_by_tag.entry(tag, BY_TAG)
        if times:
            statistics.record_successes(times)
        if failures:
            statistics.record_failures(failures)

    def take(self) -> list[OperationStatistics]:
        """The statistics since the last call, without empty ones; counting starts anew."""
        self.flush()
        counted = [statistics for statistics in self._counted.all() if statistics]
        self._counted.clear()
        return counted

    def take_tags(self) -> list[OperationStatistics]:
        """The statistics of each tag since the last call; call `take` before, which counts what came until now."""
        counted = self._counted_by_tag.all()
        self._counted_by_tag.clear()
        return counted
