"""Every sample that the engine appends is counted, and no response of a server makes memory grow."""

from __future__ import annotations

import gc
import sys
from time import perf_counter_ns

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.engine.recorder import HANG_THRESHOLD, UNANSWERED, OperationSamples, Recorder
from reports.load.histogram import Histogram
from reports.load.operation_statistics import (
    MAX_OPERATIONS,
    MAX_REASONS,
    OTHER,
    FailedRequest,
    OperationStatistics,
    StatisticsTable,
)

MS = 1_000_000


def answered(slot: OperationSamples, intended: int, sent: int, first: int, done: int, size: int = 100) -> None:
    slot.times.append((intended, sent, first, done, size))


def test_samples_of_an_operation_are_created_once() -> None:
    recorder = Recorder()
    assert recorder.samples_of("GET /tasks", "http") is recorder.samples_of("GET /tasks", "http")


def test_corrected_counts_from_the_intended_start_and_service_from_the_send() -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "http"), intended=0, sent=30 * MS, first=35 * MS, done=40 * MS)
    (statistics,) = recorder.take()
    assert (statistics.corrected.max, statistics.service.max, statistics.first.max) == (40 * MS, 10 * MS, 5 * MS)


def test_responses_in_one_piece_have_their_first_byte_at_the_end() -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "http"), intended=0, sent=MS, first=4 * MS, done=4 * MS)
    (statistics,) = recorder.take()
    assert (statistics.first.max, statistics.service.max) == (3 * MS, 3 * MS)


def test_failures_are_counted_apart_with_their_times() -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    answered(slot, 0, 0, MS, MS)
    slot.record_failure("timeout", 0, MS, 9 * MS)
    slot.record_failure("timeout", 0, MS, 7 * MS, 12)
    (statistics,) = recorder.take()
    counts = (statistics.requests, statistics.corrected.count, statistics.failures, statistics.failed.max)
    assert (*counts, statistics.size) == (
        3, 1, {"timeout": 2}, 9 * MS, 112,
    )  # fmt: skip


def test_connecting_is_counted() -> None:
    recorder = Recorder()
    recorder.samples_of("a", "http").connects.append(3 * MS)
    (statistics,) = recorder.take()
    assert (statistics.connect.count, statistics.connect.max, statistics.requests) == (1, 3 * MS, 0)


def test_a_take_resets_the_samples() -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "http"), 0, 0, MS, MS)
    recorder.take()
    assert recorder.take() == []


def test_the_lists_of_samples_stay_the_same_objects() -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    append = slot.times.append
    append((0, 0, MS, MS, 1))
    recorder.flush()
    append((0, 0, MS, MS, 1))
    assert recorder.take()[0].requests == 2


def test_the_observer_gets_each_request_once() -> None:
    recorder = Recorder()
    observed: list[tuple[str, int, int]] = []
    recorder.observer = lambda slot, times, failures: observed.append((slot.operation, len(times), len(failures)))
    slot = recorder.samples_of("a", "http")
    answered(slot, 0, 0, MS, MS)
    slot.record_failure("reset", 0, 0, MS)
    recorder.flush()
    recorder.flush()
    assert observed == [("a", 1, 1)]


def test_operations_beyond_the_bound_share_an_entry() -> None:
    recorder = Recorder()
    for number in range(MAX_OPERATIONS + 50):
        answered(recorder.samples_of(f"GET /tasks/{number}", "http"), 0, 0, MS, MS)
    counted = {statistics.operation: statistics.requests for statistics in recorder.take()}
    assert (len(counted), counted[OTHER]) == (MAX_OPERATIONS + 1, 50)


def test_samples_with_the_same_tags_are_created_once() -> None:
    recorder = Recorder()
    tagged = recorder.samples_of("a", "http", ("reading", "slow"))
    assert recorder.samples_of("a", "http", ("reading", "slow")) is tagged
    assert recorder.samples_of("a", "http", ("slow",)) is not tagged
    assert recorder.samples_of("a", "http") is not tagged


def test_tags_beyond_the_bound_share_an_entry() -> None:
    recorder = Recorder()
    for number in range(MAX_OPERATIONS + 3):
        answered(recorder.samples_of("a", "http", (f"user {number}",)), 0, 0, MS, MS)
    operations = {statistics.operation: statistics.requests for statistics in recorder.take()}
    tags = {statistics.operation: statistics.requests for statistics in recorder.take_tags()}
    assert operations == {"a": MAX_OPERATIONS, OTHER: 3}
    assert (len(tags), tags[OTHER], sum(tags.values())) == (MAX_OPERATIONS + 1, 3, MAX_OPERATIONS + 3)


def test_reasons_beyond_the_bound_share_an_entry() -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    for number in range(MAX_REASONS + 7):
        slot.record_failure(f"status {number}", 0, 0, MS)
    (statistics,) = recorder.take()
    assert (len(statistics.failures), statistics.failures[OTHER]) == (MAX_REASONS + 1, 7)


def test_reasons_stay_bounded_when_spans_are_added_up() -> None:
    total = StatisticsTable()
    for span in range(20):
        statistics = OperationStatistics("a", "http")
        for number in range(MAX_REASONS):
            statistics.failures[f"{span} {number}"] = 1
        total.add(statistics)
    assert len(total.entry("a", "http").failures) == MAX_REASONS + 1


def test_a_request_in_flight_at_the_cutoff_counts_only_if_it_seemed_to_hang() -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    answered(slot, 0, 0, 4 * MS, 4 * MS)  # ended before it
    answered(slot, 9_000 * MS, 9_000 * MS, 9_990 * MS, 9_999 * MS)  # ended before it
    answered(slot, 9_000 * MS, 9_000 * MS, 10_030 * MS, 10_030 * MS)  # ended after it
    answered(slot, 8_000 * MS, 8_000 * MS, 10_030 * MS, 10_030 * MS)  # the same, after longer than any before
    answered(slot, 10_010 * MS, 10_010 * MS, 10_030 * MS, 10_030 * MS)  # begun after it, by a user who leaves
    recorder.cut_off(10_000 * MS)
    recorder.cut_off(10_050 * MS)  # the first one counts
    (statistics,) = recorder.take()
    assert (statistics.requests, statistics.corrected.total) == (4, (4 + 999 + 2_030 + 20) * MS)


@pytest.mark.parametrize(
    ("sent", "done", "counted"), [(900, 1_000, 1), (900, 1_001, 0), (1_000, 1_001, 0), (1_001, 1_002, 1)]
)
def test_a_request_counts_if_it_ended_by_the_cutoff_or_began_after_it(sent: int, done: int, counted: int) -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "http"), sent, sent, done, done)
    recorder.cut_off(1_000)
    assert sum(statistics.requests for statistics in recorder.take()) == counted


@pytest.mark.parametrize(
    ("longest", "age", "hangs"),
    [
        (0, HANG_THRESHOLD, False),
        (0, HANG_THRESHOLD + 1, True),
        (HANG_THRESHOLD + 5, HANG_THRESHOLD + 5, False),
        (HANG_THRESHOLD + 5, HANG_THRESHOLD + 6, True),
    ],
)
def test_a_request_hangs_if_it_is_older_than_a_second_and_than_all_before(longest: int, age: int, hangs: bool) -> None:
    samples = OperationSamples("a", "http")
    samples.longest_response = longest
    assert samples.is_hanging(age) is hangs


def test_a_second_is_the_least_age_of_a_hanging_request() -> None:
    assert HANG_THRESHOLD == 1_000_000_000


def test_another_run_is_not_cut() -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    recorder.cut_off(0)
    recorder.reset()
    answered(slot, 0, 0, 4 * MS, 4 * MS)
    assert recorder.take()[0].requests == 1


@pytest.mark.parametrize(
    ("longest_response", "age", "failed"), [(0, 900, 0), (0, 1_100, 1), (1_500, 1_400, 0), (1_500, 1_600, 1)]
)
def test_a_request_given_up_failed_if_it_waited_longer_than_any_answered(
    longest_response: int, age: int, failed: int
) -> None:
    recorder = Recorder()
    slot = recorder.samples_of("a", "http")
    answered(slot, 0, 0, longest_response * MS, longest_response * MS)
    recorder.flush()
    now = perf_counter_ns()
    slot.record_abandoned(now - age * MS, now - age * MS)
    assert [failure.reason for failure in slot.failures] == [UNANSWERED] * failed


def test_a_reset_forgets_samples_the_cutoff_and_the_longest_response() -> None:
    recorder = Recorder()
    samples = recorder.samples_of("a", "http")
    answered(samples, 0, 0, 4 * MS, 4 * MS)
    recorder.flush()
    assert samples.longest_response == 4 * MS
    answered(samples, 0, 0, 5 * MS, 5 * MS)
    recorder.reset()
    assert (samples.longest_response, samples.times, recorder.take()) == (0, [], [])


def test_samples_begin_empty() -> None:
    samples = Recorder().samples_of("a", "http")
    assert (samples.operation, samples.transport, samples.longest_response) == ("a", "http", 0)
    assert (samples.times, samples.connects, samples.failures) == ([], [], [])


def test_longest_response_is_that_of_the_whole_run() -> None:
    recorder = Recorder()
    samples = recorder.samples_of("a", "http")
    for done in (7 * MS, 3 * MS):
        answered(samples, 0, 0, done, done)
        recorder.take()
    assert samples.longest_response == 7 * MS


def test_failures_and_connects_alone_are_counted_and_taken_once() -> None:
    recorder = Recorder()
    recorder.samples_of("a", "http").record_failure("reset", 0, 0, MS)
    recorder.samples_of("b", "http").connects.append(MS)
    assert [(entry.operation, entry.requests, entry.connect.count) for entry in recorder.take()] == [
        ("a", 1, 0),
        ("b", 0, 1),
    ]
    assert (recorder.samples_of("a", "http").failures, recorder.samples_of("b", "http").connects) == ([], [])


def test_abandoned_request_has_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.engine.recorder.perf_counter_ns", lambda: 9_000 * MS)
    samples = OperationSamples("a", "http")
    samples.record_abandoned(1_000 * MS, 2_000 * MS)
    assert samples.failures == [FailedRequest(UNANSWERED, 1_000 * MS, 2_000 * MS, 9_000 * MS, 0)]


def test_a_request_seems_to_hang_from_its_intended_start() -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "http"), 0, 9_000 * MS, 9_600 * MS, 9_600 * MS)
    recorder.cut_off(9_500 * MS)
    assert [entry.requests for entry in recorder.take()] == [1]


def test_statistics_are_those_of_operation_and_transport() -> None:
    recorder = Recorder()
    answered(recorder.samples_of("a", "ws"), 0, 0, MS, MS)
    assert [(entry.operation, entry.transport) for entry in recorder.take()] == [("a", "ws")]


def test_a_long_reason_is_cut() -> None:
    slot = OperationSamples("a", "http")
    slot.record_failure("x" * 10_000, 0, 0, 1)
    assert len(slot.failures[0].reason) == 200


def test_memory_does_not_grow_with_requests() -> None:
    recorder, total = Recorder(), StatisticsTable()

    def second(number: int) -> None:
        slot = recorder.samples_of("a", "http")
        for at in range(2_000):
            answered(slot, at, at, at + number * 1000, at + number * 1000 + at * 137)
        for statistics in recorder.take():
            total.add(statistics)

    for number in range(20):
        second(number)
    gc.collect()
    before = sys.getallocatedblocks()
    for number in range(40):
        second(number % 20)
    gc.collect()
    assert sys.getallocatedblocks() - before < 1_000


times = st.tuples(*[st.integers(0, 10**10)] * 4, st.integers(0, 10**6))


@given(st.lists(times, max_size=40), st.lists(times, min_size=1, max_size=40))
def test_spans_added_up_are_the_whole(early: list[tuple[int, ...]], late: list[tuple[int, ...]]) -> None:
    parts, at_once = StatisticsTable(), Recorder()
    for span in (early, late):
        recorder = Recorder()
        for times in span:
            recorder.samples_of("a", "http").times.append(times)  # type: ignore[arg-type] # five of them
            at_once.samples_of("a", "http").times.append(times)  # type: ignore[arg-type] # five of them
        for statistics in recorder.take():
            parts.add(OperationStatistics.from_json(statistics.to_json()))
    assert [statistics.to_json() for statistics in parts.all()] == [
        statistics.to_json() for statistics in at_once.take()
    ]


moments = st.integers(10**10, 10**10 + 10**9)
together = st.builds(lambda sent, done, size: (sent, sent, done, done, size), moments, moments, st.integers(0, 99))


@given(st.lists(together | st.tuples(*[moments] * 4, st.integers(0, 99))))
def test_each_series_counts_its_own_pair_of_times(given: list[tuple[int, int, int, int, int]]) -> None:
    series = {"corrected": (3, 0), "service": (3, 1), "first": (2, 1)}
    statistics, apart = OperationStatistics("a", "http"), {name: Histogram() for name in series}
    if given:
        statistics.record_successes(given)
    for name, (end, start) in series.items():
        apart[name].record_many([times[end] - times[start] for times in given])
        assert getattr(statistics, name).to_json() == apart[name].to_json()
