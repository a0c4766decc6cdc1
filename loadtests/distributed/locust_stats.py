"""Adds figures in batches to Locust's own statistics, which its console, web UI, CSV files and reports show.

Locust rounds response times to two digits, which is enough to look at; verdicts use the histograms. The response times
here are the corrected ones, from the intended start.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import locust.stats
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry, StatsError

from loadtests.engine.recorder import Observer, OperationSamples
from reports.load.histogram import Histogram, bucket_upper_bound
from reports.load.operation_statistics import FailedRequest, OperationStatistics

MS = 1_000_000
DROPPED_LABEL = "arrivals dropped"
KEPT_SECONDS = 30  # of numbers by second: Locust shows rates of the last 12 s


def add_statistics(stats: RequestStats, statistics: Iterable[OperationStatistics], second: int) -> None:
    """Count what happened in that second (of the epoch)."""
    for operation in statistics:
        entry = _entry(stats, operation.operation, operation.transport, second)
        failures = sum(operation.failures.values())
        _times(entry, operation.corrected)
        _times(entry, operation.failed)
        if failures:
            entry.num_failures = failures
            entry.num_fail_per_sec[second] = failures
        if entry.num_requests:
            entry.num_reqs_per_sec[second] = entry.num_requests
        entry.total_content_length = operation.size
        _extend(stats, entry)
        for reason, times in operation.failures.items():
            _error(stats, operation.transport, operation.operation, reason, times)


def add_dropped(stats: RequestStats, name: str, number: int, second: int) -> None:
    """Show dropped arrivals of a class of users as failures without a request."""
    entry = _entry(stats, f"{name} {DROPPED_LABEL}", "open", second)
    entry.num_failures = number
    entry.num_fail_per_sec[second] = number
    _extend(stats, entry)
    _error(stats, "open", entry.name, "all users were busy", number)


def end_caches(environment: Environment) -> None:
    """Have Locust keep the response times of an operation once: twenty earlier ones are for `--csv-full-history`."""
    if getattr(environment.parsed_options, "stats_history_enabled", False):
        return
    for entry in environment.stats.entries.values():
        entry.use_response_times_cache, entry.response_times_cache = False, None


def forget_old_seconds(stats: RequestStats) -> None:
    """Remove the numbers of seconds that Locust does not show any more, and would keep for ever."""
    oldest = int(time.time()) - KEPT_SECONDS
    for entry in (stats.total, *stats.entries.values()):
        for numbers in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
            for second in [second for second in numbers if second < oldest]:
                del numbers[second]


def request_event_observer(environment: Environment) -> Observer | None:
    """A function that fires Locust's `request` event for each request; None if only Locust itself listens to it.

    Locust's own listener for OpenTelemetry would cost more than the request: `live_listeners` exports the figures.
    """
    listeners = [it for it in environment.events.request._handlers if _module(it) != "locust.opentelemetry"]
    if len(listeners) <= 1:
        return None

    def fire(
        samples: OperationSamples, times: list[tuple[int, int, int, int, int]], failures: list[FailedRequest]
    ) -> None:
        now = time.time() - time.perf_counter_ns() / 1e9
        for intended, _, _, done, size in times:
            _fire(environment, samples, intended, done, size, None, now)
        for failed in failures:
            _fire(environment, samples, failed.intended, failed.done, failed.size, failed.reason, now)

    return fire


def _module(listener: object) -> str:
    return str(getattr(listener, "__module__", ""))


def _fire(
    environment: Environment,
    samples: OperationSamples,
    intended: int,
    done: int,
    size: int,
    reason: str | None,
    offset: float,
) -> None:
    environment.events.request.fire(  # type: ignore[no-untyped-call] # Locust has no types here
        request_type=samples.transport,
        name=samples.operation,
        response_time=(done - intended) / MS,
        response_length=size,
        response=None,
        context={},
        exception=reason,
        start_time=offset + intended / 1e9,
        url=samples.operation,
    )


def _entry(stats: RequestStats, name: str, method: str, second: int) -> StatsEntry:
    entry = StatsEntry(stats, name, method)
    entry.start_time, entry.last_request_timestamp = float(second), time.time()
    return entry


def _times(entry: Any, histogram: Histogram) -> None:
    if not histogram.count:
        return
    rounded = locust.stats.bucket_response_time  # looked up here, because a locustfile may replace it
    entry.num_requests += histogram.count
    entry.total_response_time += histogram.total / MS
    shortest = histogram.min / MS
    entry.min_response_time = shortest if entry.min_response_time is None else min(entry.min_response_time, shortest)
    entry.max_response_time = max(entry.max_response_time, histogram.max / MS)
    for bucket, times in histogram.counts.items():
        entry.response_times[rounded(bucket_upper_bound(bucket) / 1000)] += times


def _extend(stats: RequestStats, entry: StatsEntry) -> None:
    stats.entries[(entry.name, entry.method)].extend(entry)
    stats.total.extend(entry)


def _error(stats: RequestStats, method: str, name: str, reason: str, times: int) -> None:
    error = stats.errors.setdefault(StatsError.create_key(method, name, reason), StatsError(method, name, reason))
    error.occurred()
    error.occurrences += times - 1
