"""The statistics of operations: which series counts what, and what happens beyond the bounds."""

from __future__ import annotations

import pytest

from reports.load.operation_statistics import (
    MAX_OPERATIONS,
    MAX_REASONS,
    MAX_TRANSPORTS,
    OTHER,
    SERIES,
    FailedRequest,
    OperationStatistics,
    StatisticsTable,
)
from suites.selftest.reports.load_sample import MS

FULL = {(f"GET /{number}", "http"): None for number in range(MAX_OPERATIONS)}
TRANSPORTS = {("GET /", f"transport {number}"): None for number in range(MAX_TRANSPORTS)}


def statistics() -> OperationStatistics:
    return OperationStatistics("GET /tasks", "http")


def totals(operation: OperationStatistics) -> dict[str, tuple[int, int]]:
    """Number and sum (ms) of the series that counted something."""
    series = {name: getattr(operation, name) for name in SERIES}
    return {name: (times.count, times.total // MS) for name, times in series.items() if times.count}


def test_times_run_from_the_intended_start_from_the_send_and_to_the_first_byte() -> None:
    operation = statistics()
    operation.record_successes([(0, 2 * MS, 5 * MS, 9 * MS, 10), (1 * MS, 1 * MS, 4 * MS, 4 * MS, 20)])
    assert totals(operation) == {"corrected": (2, 12), "service": (2, 10), "first": (2, 6)}
    assert operation.size == 30


def test_responses_in_one_piece_that_were_sent_late_count_one_time_twice() -> None:
    operation = statistics()
    operation.record_successes([(0, 2 * MS, 5 * MS, 5 * MS, 1), (0, 3 * MS, 5 * MS, 5 * MS, 1)])
    assert totals(operation) == {"corrected": (2, 10), "service": (2, 5), "first": (2, 5)}


@pytest.mark.parametrize(
    ("sent_late", "in_pieces", "expected"),
    [
        (False, False, {"corrected": (1, 4), "service": (1, 4), "first": (1, 4)}),
        (True, False, {"corrected": (1, 4), "service": (1, 3), "first": (1, 3)}),
        (False, True, {"corrected": (1, 4), "service": (1, 4), "first": (1, 2)}),
        (True, True, {"corrected": (1, 4), "service": (1, 3), "first": (1, 1)}),
    ],
)
def test_the_same_object_for_two_times_is_one_duration(
    sent_late: bool, in_pieces: bool, expected: dict[str, tuple[int, int]]
) -> None:
    intended, done = 1_000 * MS, 1_004 * MS
    sent = intended + MS if sent_late else intended
    first = intended + 2 * MS if in_pieces else done
    operation = statistics()
    operation.record_successes([(intended, sent, first, done, 7)])
    assert (totals(operation), operation.size) == (expected, 7)


def test_plain_and_other_responses_count_together() -> None:
    start, end = 10 * MS, 14 * MS
    operation = statistics()
    operation.record_successes([(start, start, end, end, 1), (start, start + MS, end, end + MS, 2)])
    assert totals(operation) == {"corrected": (2, 9), "service": (2, 8), "first": (2, 7)}
    assert operation.size == 3
    operation.record_successes([(start, start, end, end, 4)])
    assert operation.size == 7


def test_a_failure_counts_from_the_intended_start() -> None:
    operation = statistics()
    failed = [FailedRequest("reset", 1 * MS, 2 * MS, 5 * MS, 3), FailedRequest("reset", 0, 2 * MS, 5 * MS, 4)]
    operation.record_failures([*failed, FailedRequest("status 500", 0, 0, MS, 0)])
    assert totals(operation) == {"failed": (3, 10)}
    assert (operation.failures, operation.size) == ({"reset": 2, "status 500": 1}, 7)


def test_requests_are_responses_and_failures_but_no_connections() -> None:
    operation = statistics()
    operation.record_successes([(0, 0, 1, 1, 0)] * 2)
    operation.record_failures([FailedRequest("reset", 0, 0, 1, 0)])
    operation.connect.record_many([1] * 5)
    assert operation.requests == 3


@pytest.mark.parametrize("series", ["corrected", "failed", "connect"])
def test_statistics_with_a_count_are_true(series: str) -> None:
    operation = statistics()
    assert not operation
    getattr(operation, series).record_many([1])
    assert operation


def test_statistics_add_up_and_come_back_from_json() -> None:
    first, other = statistics(), statistics()
    first.record_successes([(0, MS, 2 * MS, 3 * MS, 5)])
    first.record_failures([FailedRequest("reset", 0, 0, MS, 1)])
    other.record_failures([FailedRequest("reset", 0, 0, MS, 2), FailedRequest("late", 0, 0, MS, 0)])
    other.connect.record_many([MS])
    first.add(other)
    for operation in (first, OperationStatistics.from_json(first.to_json())):
        assert (operation.operation, operation.transport, operation.size) == ("GET /tasks", "http", 8)
        assert operation.failures == {"reset": 2, "late": 1}
        assert totals(operation) == {
            "corrected": (1, 3), "service": (1, 2), "first": (1, 1), "connect": (1, 1), "failed": (3, 3),
        }  # fmt: skip


def test_empty_series_are_left_out_of_json() -> None:
    assert statistics().to_json() == {"operation": "GET /tasks", "transport": "http", "size": 0}
    assert OperationStatistics.from_json(statistics().to_json()).failures == {}


def test_reasons_beyond_the_bound_are_counted_as_other() -> None:
    operation = statistics()
    for number in range(MAX_REASONS + 2):
        operation.record_failures([FailedRequest(f"reason {number}", 0, 0, 1, 0)])
    operation.record_failures([FailedRequest("reason 3", 0, 0, 1, 0)])
    assert len(operation.failures) == MAX_REASONS + 1
    assert (operation.failures[OTHER], operation.failures["reason 3"]) == (2, 2)


@pytest.mark.parametrize(
    ("entries", "operation", "transport", "expected"),
    [
        ({}, "a", "http", ("a", "http")),
        (FULL, "GET /7", "http", ("GET /7", "http")),
        (FULL, "a", "http", (OTHER, "http")),
        (FULL, "a", "deepstream", (OTHER, "deepstream")),
        (dict(list(FULL.items())[1:]), "a", "http", ("a", "http")),
        (TRANSPORTS, "a", "transport 3", ("a", "transport 3")),
        (TRANSPORTS, "GET /", "http", ("GET /", OTHER)),
        (dict(list(TRANSPORTS.items())[1:]), "GET /", "http", ("GET /", "http")),
    ],
)
def test_what_exceeds_a_bound_is_counted_as_other(
    entries: dict[tuple[str, str], None], operation: str, transport: str, expected: tuple[str, str]
) -> None:
    table = StatisticsTable()
    for key in entries:
        table.entry(*key)
    entry = table.entry(operation, transport)
    assert (entry.operation, entry.transport) == expected
    table.clear()
    assert table.entry(operation, transport).operation == operation


def test_a_table_gives_and_removes_its_entries_by_name() -> None:
    table = StatisticsTable()
    entry = table.entry("a", "http")
    assert (table.find("a", "http"), table.find("a", "ws"), table.all_keys()) == (entry, None, [("a", "http")])
    assert (table.pop("a", "http"), table.all_keys(), table.find("a", "http")) == (entry, [], None)
    with pytest.raises(KeyError):
        table.pop("a", "http")


def test_a_table_adds_up_by_operation_and_transport_in_their_order() -> None:
    table = StatisticsTable()
    for operation, transport in [("b", "http"), ("a", "ws"), ("a", "http"), ("b", "http")]:
        added = OperationStatistics(operation, transport)
        added.record_successes([(0, 0, MS, MS, 1)])
        table.add(added)
    assert [(entry.operation, entry.transport, entry.requests) for entry in table.all()] == [
        ("a", "http", 1),
        ("a", "ws", 1),
        ("b", "http", 2),
    ]
    assert table.entry("a", "ws") is table.entry("a", "ws")
    table.clear()
    assert table.all() == []


def test_a_full_table_counts_as_other() -> None:
    table = StatisticsTable()
    for number in range(MAX_OPERATIONS + 2):
        table.entry(f"GET /{number}", "http").size += 1
    assert len(table.all()) == MAX_OPERATIONS + 1
    assert table.entry(OTHER, "http").size == 2
