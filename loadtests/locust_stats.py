"""Locust's own statistics, fed in batches: what its console, web UI, CSV files and reports show.

Locust rounds response times to two digits, so they show where to look; verdicts use the histograms. The response
times here are the corrected ones, from the intended start.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import locust.stats
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry, StatsError

from loadtests.engine.recorder import Slot, Watch
from reports.load.histogram import Histogram, highest_of
from reports.load.tally import Failed, Tally

MS = 1_000_000
DROPPED = "arrivals dropped"


def add(stats: RequestStats, tallies: Iterable[Tally], second: int) -> None:
    """Count what happened in that second (of the epoch)."""
    for tally in tallies:
        entry = _entry(stats, tally.operation, tally.transport, second)
        failures = sum(tally.failures.values())
        _times(entry, tally.corrected)
        _times(entry, tally.failed)
        if failures:
            entry.num_failures = failures
            entry.num_fail_per_sec[second] = failures
        if entry.num_requests:
            entry.num_reqs_per_sec[second] = entry.num_requests
        entry.total_content_length = tally.size
        _extend(stats, entry)
        for reason, times in tally.failures.items():
            _error(stats, tally.transport, tally.operation, reason, times)


def dropped(stats: RequestStats, name: str, number: int, second: int) -> None:
    """Show arrivals of a class of users that could not start: failures without a request."""
    entry = _entry(stats, f"{name} {DROPPED}", "open", second)
    entry.num_failures = number
    entry.num_fail_per_sec[second] = number
    _extend(stats, entry)
    _error(stats, "open", entry.name, "all users were busy", number)


def watch(environment: Environment) -> Watch | None:
    """What fires Locust's `request` event for each request, if somebody besides Locust's statistics listens to it."""
    if len(environment.events.request._handlers) <= 1:
        return None

    def fire(slot: Slot, times: list[tuple[int, int, int, int, int]], failures: list[Failed]) -> None:
        now = time.time() - time.perf_counter_ns() / 1e9
        for intended, _, _, done, size in times:
            _fire(environment, slot, intended, done, size, None, now)
        for failed in failures:
            _fire(environment, slot, failed.intended, failed.done, failed.size, failed.reason, now)

    return fire


def _fire(
    environment: Environment, slot: Slot, intended: int, done: int, size: int, reason: str | None, offset: float
) -> None:
    environment.events.request.fire(  # type: ignore[no-untyped-call] # Locust has no types here
        request_type=slot.transport,
        name=slot.operation,
        response_time=(done - intended) / MS,
        response_length=size,
        response=None,
        context={},
        exception=reason,
        start_time=offset + intended / 1e9,
        url=slot.operation,
    )


def _entry(stats: RequestStats, name: str, method: str, second: int) -> StatsEntry:
    entry = StatsEntry(stats, name, method)
    entry.start_time, entry.last_request_timestamp = float(second), time.time()
    return entry


def _times(entry: Any, histogram: Histogram) -> None:
    if not histogram.count:
        return
    rounded = locust.stats.bucket_response_time  # looked up when used, for it may be replaced
    entry.num_requests += histogram.count
    entry.total_response_time += histogram.total / MS
    shortest = histogram.min / MS
    entry.min_response_time = shortest if entry.min_response_time is None else min(entry.min_response_time, shortest)
    entry.max_response_time = max(entry.max_response_time, histogram.max / MS)
    for bucket, times in histogram.counts.items():
        entry.response_times[rounded(highest_of(bucket) / 1000)] += times


def _extend(stats: RequestStats, entry: StatsEntry) -> None:
    stats.entries[(entry.name, entry.method)].extend(entry)
    stats.total.extend(entry)


def _error(stats: RequestStats, method: str, name: str, reason: str, times: int) -> None:
    known = stats.errors.setdefault(StatsError.create_key(method, name, reason), StatsError(method, name, reason))
    known.occurred()
    known.occurrences += times - 1
