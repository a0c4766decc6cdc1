"""Packed statistics are the same when they are unpacked, and smaller."""

from __future__ import annotations

import random

import pytest

from reports.load.histogram import LAST_BUCKET, Histogram
from reports.load.operation_statistics import FailedRequest, OperationStatistics
from reports.load.packed_statistics import pack, unpack
from suites.selftest.reports.load_sample import MS


def statistics(requests: int) -> OperationStatistics:
    """Good and failed requests, and times to connect, all over the histogram."""
    randomness, recorded = random.Random(1), OperationStatistics("GET /tasks", "http")
    spans = [round(randomness.lognormvariate(3, 2) * MS) for _ in range(requests)]
    recorded.record_successes([(0, span // 3, span // 2, span, 100) for span in spans])
    recorded.record_failures([FailedRequest("status 500", 0, 0, span, 7, 500) for span in spans])
    recorded.connect.record_many(spans)
    return recorded


@pytest.mark.parametrize("requests", [0, 1, 500])
def test_what_is_unpacked_is_what_was_packed(requests: int) -> None:
    assert unpack(pack(statistics(requests))).to_json() == statistics(requests).to_json()


def test_the_packed_statistics_stay_as_they_are() -> None:
    packed = pack(statistics(10))
    unpack(packed).add(statistics(10))
    assert unpack(packed).to_json() == statistics(10).to_json()


def test_a_count_of_any_size_is_kept() -> None:
    recorded = OperationStatistics("GET /tasks", "http")
    recorded.corrected = Histogram()
    recorded.corrected.counts |= {0: 1 << 40, LAST_BUCKET: 1}
    assert unpack(pack(recorded)).corrected.counts == {0: 1 << 40, LAST_BUCKET: 1}


def test_a_bucket_takes_six_bytes() -> None:
    recorded = statistics(500)
    buckets = len(recorded.corrected.counts)
    (keys, numbers), *_ = pack(recorded)[1]
    assert len(keys) * keys.itemsize + len(numbers) * numbers.itemsize == 6 * buckets
