"""Locust's statistics, fed in batches, are what they would be if each request had been logged on its own."""

from __future__ import annotations

import random
from argparse import Namespace
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry

from loadtests.distributed import locust_stats
from loadtests.engine.recorder import Recorder
from reports.load.operation_statistics import FailedRequest, OperationStatistics

MS = 1_000_000
FIGURES = ("num_requests", "num_failures", "min_response_time", "max_response_time", "total_content_length")


def both(seed: int = 1) -> tuple[RequestStats, RequestStats]:
    """The same requests, in batches of 100 and one by one."""
    draw = random.Random(seed)
    batched, single, recorder = RequestStats(), RequestStats(), Recorder()
    slot = recorder.samples_of("GET /tasks", "http")
    for number in range(1_000):
        duration, size = int(draw.lognormvariate(17, 1)) // 1000 * 1000, draw.randrange(2_000)
        single.log_request("http", "GET /tasks", duration / MS, size)  # type: ignore[arg-type] # Locust itself gives floats
        if number % 10 == 0:
            slot.record_failure("status 500", 0, 0, duration, size)
            single.log_error("http", "GET /tasks", "status 500")
        else:
            slot.times.append((0, 0, duration, duration, size))
        if number % 100 == 99:
            locust_stats.add_statistics(batched, recorder.take(), second=1_000 + number // 100)
    return batched, single


def figures(entry: StatsEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in FIGURES}


def test_entries_and_totals_are_the_same() -> None:
    batched, single = both()
    key = ("GET /tasks", "http")
    assert figures(batched.entries[key]) == figures(single.entries[key])
    assert figures(batched.total) == figures(single.total)


def test_the_mean_is_exact() -> None:
    batched, single = both()
    assert round(batched.total.avg_response_time, 6) == round(single.total.avg_response_time, 6)


def test_percentiles_differ_by_a_bucket_of_locust_at_most() -> None:
    batched, single = both()
    for percent in (0.5, 0.95, 0.99):
        batch_percentile, single_percentile = (
            stats.total.get_response_time_percentile(percent) for stats in (batched, single)
        )
        assert abs(batch_percentile - single_percentile) <= max(1, 0.1 * single_percentile)


def test_errors_have_their_reason_and_number() -> None:
    batched, single = both()
    assert batched.errors.keys() == single.errors.keys()
    (error,) = batched.errors.values()
    assert (error.error, error.occurrences) == ("status 500", 100)


def test_requests_belong_to_the_second_they_were_made_in() -> None:
    batched, _ = both()
    assert batched.total.num_reqs_per_sec == {1_000 + second: 100 for second in range(10)}


def test_dropped_arrivals_are_failures_without_requests() -> None:
    stats = RequestStats()
    locust_stats.add_dropped(stats, "Getflow", 7, 1_000)
    (entry,) = stats.entries.values()
    assert (entry.name, entry.num_requests, entry.num_failures) == ("Getflow arrivals dropped", 0, 7)
    assert [error.occurrences for error in stats.errors.values()] == [7]


def test_what_is_serialised_for_the_master_arrives_there() -> None:
    batched, single = both()
    total = StatsEntry.unserialize(batched.total.serialize(), single)
    assert figures(total) == figures(single.total)


def test_single_requests_are_not_reported_if_only_locust_listens() -> None:
    environment = Environment()
    environment.create_local_runner()
    assert locust_stats.request_event_observer(environment) is None


def test_each_request_is_reported_to_a_listener() -> None:
    environment = Environment()
    environment.create_local_runner()
    heard: list[tuple[str, float, int, str | None]] = []

    def listen(name: str, response_time: float, response_length: int, exception: str | None, **_: Any) -> None:
        heard.append((name, response_time, response_length, exception))

    environment.events.request.add_listener(listen)  # type: ignore[no-untyped-call] # Locust has no types here
    recorder = Recorder()
    recorder.observer = locust_stats.request_event_observer(environment)
    slot = recorder.samples_of("GET /tasks", "http")
    slot.times.append((0, 2 * MS, 4 * MS, 5 * MS, 36))
    slot.record_failure("timeout", 0, MS, 9 * MS)
    recorder.flush()
    assert heard == [("GET /tasks", 5.0, 36, None), ("GET /tasks", 9.0, 0, "timeout")]
    assert (environment.stats.total.num_requests, environment.stats.total.num_failures) == (2, 1)


def test_numbers_of_old_seconds_are_forgotten_and_rates_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust would keep the number of requests of every second of a soak, for each name."""
    now, stats = 1_000_000.0, RequestStats()
    monkeypatch.setattr(locust_stats, "time", SimpleNamespace(time=lambda: now))
    stats.total.start_time = now
    operation = OperationStatistics("GET /tasks", "http")
    operation.record_successes([(0, 0, MS, MS, 10)] * 5)
    operation.record_failures([FailedRequest("status 500", 0, 0, MS, 0)])
    for _ in range(3_600):
        now += 1
        locust_stats.add_statistics(stats, [operation], int(now))
        locust_stats.forget_old_seconds(stats)
    entry = stats.entries["GET /tasks", "http"]
    numbers = [it for kept in (entry, stats.total) for it in (kept.num_reqs_per_sec, kept.num_fail_per_sec)]
    assert [len(it) for it in numbers] == [locust_stats.KEPT_SECONDS + 1] * 4
    assert (entry.num_requests, entry.num_failures) == (6 * 3_600, 3_600)
    assert (stats.total.current_rps, stats.total.current_fail_per_sec) == (6, 1)


@pytest.mark.parametrize(("has_history", "copies"), [(False, 0), (True, 2)], ids=["without", "with"])
def test_earlier_response_times_are_kept_for_the_full_history_alone(has_history: bool, copies: int) -> None:
    environment = Environment(parsed_options=Namespace(stats_history_enabled=has_history))  # type: ignore[arg-type]
    recorder = Recorder()
    for second in (1_000, 1_001):
        recorder.samples_of("GET /tasks", "http").times.append((0, 0, MS, MS, 1))
        locust_stats.add_statistics(environment.stats, recorder.take(), second)
    entry = environment.stats.entries["GET /tasks", "http"]
    entry.response_times_cache = OrderedDict.fromkeys((1_000, 1_001))
    locust_stats.end_caches(environment)
    assert (len(entry.response_times_cache or ()), entry.use_response_times_cache) == (copies, has_history)
    assert environment.stats.total.use_response_times_cache
