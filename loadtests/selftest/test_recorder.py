"""What the engine appends is what is counted, and nothing that a server says makes memory grow."""

from __future__ import annotations

import gc
import sys
from time import perf_counter_ns

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.engine.recorder import UNANSWERED, Recorder, Slot
from reports.load.histogram import Histogram
from reports.load.tally import MOST_OPERATIONS, MOST_REASONS, OTHER, Tallies, Tally

MS = 1_000_000


def answered(slot: Slot, intended: int, sent: int, first: int, done: int, size: int = 100) -> None:
    slot.times.append((intended, sent, first, done, size))


def test_a_slot_is_made_once() -> None:
    recorder = Recorder()
    assert recorder.slot("GET /tasks", "http") is recorder.slot("GET /tasks", "http")


def test_corrected_counts_from_the_intended_start_and_service_from_the_send() -> None:
    recorder = Recorder()
    answered(recorder.slot("a", "http"), intended=0, sent=30 * MS, first=35 * MS, done=40 * MS)
    (tally,) = recorder.take()
    assert (tally.corrected.max, tally.service.max, tally.first.max) == (40 * MS, 10 * MS, 5 * MS)


def test_answers_in_one_piece_have_their_first_byte_at_the_end() -> None:
    recorder = Recorder()
    answered(recorder.slot("a", "http"), intended=0, sent=MS, first=4 * MS, done=4 * MS)
    (tally,) = recorder.take()
    assert (tally.first.max, tally.service.max) == (3 * MS, 3 * MS)


def test_failures_are_counted_apart_with_their_times() -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    answered(slot, 0, 0, MS, MS)
    slot.failed("timeout", 0, MS, 9 * MS)
    slot.failed("timeout", 0, MS, 7 * MS, 12)
    (tally,) = recorder.take()
    assert (tally.requests, tally.corrected.count, tally.failures, tally.failed.max, tally.size) == (
        3, 1, {"timeout": 2}, 9 * MS, 112,
    )  # fmt: skip


def test_connecting_is_counted() -> None:
    recorder = Recorder()
    recorder.slot("a", "http").connects.append(3 * MS)
    (tally,) = recorder.take()
    assert (tally.connect.count, tally.connect.max, tally.requests) == (1, 3 * MS, 0)


def test_a_take_begins_anew() -> None:
    recorder = Recorder()
    answered(recorder.slot("a", "http"), 0, 0, MS, MS)
    recorder.take()
    assert recorder.take() == []


def test_the_lists_of_a_slot_stay_the_same_objects() -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    append = slot.times.append
    append((0, 0, MS, MS, 1))
    recorder.flush()
    append((0, 0, MS, MS, 1))
    assert recorder.take()[0].requests == 2


def test_whoever_watches_is_given_each_request_once() -> None:
    recorder = Recorder()
    seen: list[tuple[str, int, int]] = []
    recorder.watch = lambda slot, times, failures: seen.append((slot.operation, len(times), len(failures)))
    slot = recorder.slot("a", "http")
    answered(slot, 0, 0, MS, MS)
    slot.failed("reset", 0, 0, MS)
    recorder.flush()
    recorder.flush()
    assert seen == [("a", 1, 1)]


def test_operations_beyond_the_bound_share_an_entry() -> None:
    recorder = Recorder()
    for number in range(MOST_OPERATIONS + 50):
        answered(recorder.slot(f"GET /tasks/{number}", "http"), 0, 0, MS, MS)
    counted = {tally.operation: tally.requests for tally in recorder.take()}
    assert (len(counted), counted[OTHER]) == (MOST_OPERATIONS + 1, 50)


def test_reasons_beyond_the_bound_share_an_entry() -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    for number in range(MOST_REASONS + 7):
        slot.failed(f"status {number}", 0, 0, MS)
    (tally,) = recorder.take()
    assert (len(tally.failures), tally.failures[OTHER]) == (MOST_REASONS + 1, 7)


def test_reasons_stay_bounded_when_spans_are_added_up() -> None:
    whole = Tallies()
    for span in range(20):
        tally = Tally("a", "http")
        for number in range(MOST_REASONS):
            tally.failures[f"{span} {number}"] = 1
        whole.add(tally)
    assert len(whole.of("a", "http").failures) == MOST_REASONS + 1


def test_what_was_under_way_at_the_cut_counts_only_if_it_seemed_to_hang() -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    answered(slot, 0, 0, 4 * MS, 4 * MS)  # before it
    answered(slot, 9_000 * MS, 9_000 * MS, 9_990 * MS, 9_999 * MS)  # before it
    answered(slot, 9_000 * MS, 9_000 * MS, 10_030 * MS, 10_030 * MS)  # over behind it
    answered(slot, 8_000 * MS, 8_000 * MS, 10_030 * MS, 10_030 * MS)  # the same, after longer than any before
    answered(slot, 10_010 * MS, 10_010 * MS, 10_030 * MS, 10_030 * MS)  # begun behind it, by a user who leaves
    recorder.cut(10_000 * MS)
    recorder.cut(10_050 * MS)  # the first one counts
    (tally,) = recorder.take()
    assert (tally.requests, tally.corrected.total) == (4, (4 + 999 + 2_030 + 20) * MS)


def test_another_run_is_not_cut() -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    recorder.cut(0)
    recorder.begin()
    answered(slot, 0, 0, 4 * MS, 4 * MS)
    assert recorder.take()[0].requests == 1


@pytest.mark.parametrize(
    ("longest", "age", "failed"), [(0, 900, 0), (0, 1_100, 1), (1_500, 1_400, 0), (1_500, 1_600, 1)]
)
def test_a_request_given_up_failed_if_it_waited_longer_than_any_answered(longest: int, age: int, failed: int) -> None:
    recorder = Recorder()
    slot = recorder.slot("a", "http")
    answered(slot, 0, 0, longest * MS, longest * MS)
    recorder.flush()
    now = perf_counter_ns()
    slot.given_up(now - age * MS, now - age * MS)
    assert [each.reason for each in slot.failures] == [UNANSWERED] * failed


def test_a_long_reason_is_cut() -> None:
    slot = Slot("a", "http")
    slot.failed("x" * 10_000, 0, 0, 1)
    assert len(slot.failures[0].reason) == 200


def test_memory_does_not_grow_with_requests() -> None:
    recorder, whole = Recorder(), Tallies()

    def second(number: int) -> None:
        slot = recorder.slot("a", "http")
        for at in range(2_000):
            answered(slot, at, at, at + number * 1000, at + number * 1000 + at * 137)
        for tally in recorder.take():
            whole.add(tally)

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
    parts, whole = Tallies(), Recorder()
    for span in (early, late):
        recorder = Recorder()
        for each in span:
            recorder.slot("a", "http").times.append(each)  # type: ignore[arg-type] # five of them
            whole.slot("a", "http").times.append(each)  # type: ignore[arg-type] # five of them
        for tally in recorder.take():
            parts.add(Tally.from_json(tally.to_json()))
    assert [tally.to_json() for tally in parts.all()] == [tally.to_json() for tally in whole.take()]


moments = st.integers(10**10, 10**10 + 10**9)
together = st.builds(lambda sent, done, size: (sent, sent, done, done, size), moments, moments, st.integers(0, 99))


@given(st.lists(together | st.tuples(*[moments] * 4, st.integers(0, 99))))
def test_each_series_counts_its_own_pair_of_times(given: list[tuple[int, int, int, int, int]]) -> None:
    series = {"corrected": (3, 0), "service": (3, 1), "first": (2, 1)}
    tally, apart = Tally("a", "http"), {name: Histogram() for name in series}
    if given:
        tally.take(given)
    for name, (end, start) in series.items():
        apart[name].record_many([each[end] - each[start] for each in given])
        assert getattr(tally, name).to_json() == apart[name].to_json()
