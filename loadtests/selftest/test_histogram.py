"""The histogram against exact sorting and against HdrHistogram's own Python library."""

from __future__ import annotations

import base64
import math
import random

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from reports.load.histogram import HIGHEST_US, LAST_BUCKET, LINEAR_BUCKETS, Histogram, bucket_index, bucket_upper_bound

PERCENTS = (0, 1, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100)
durations = st.lists(st.integers(0, 4_000_000_000_000), min_size=1, max_size=300)


def recorded(*spans: list[int]) -> Histogram:
    histogram = Histogram()
    for span in spans:
        histogram.record_many(span)
    return histogram


def reference(spans: list[int]) -> HdrHistogram:
    known = HdrHistogram(1, HIGHEST_US, 3)
    for ns in spans:
        known.record_value(min((ns + 500) // 1000, HIGHEST_US))
    return known


def latencies(count: int, seed: int) -> list[int]:
    draw = random.Random(seed)
    return [int(draw.lognormvariate(15, 1.2)) for _ in range(count)]


@given(st.integers(0, HIGHEST_US))
def test_a_bucket_is_the_one_of_hdrhistogram(us: int) -> None:
    known = HdrHistogram(1, HIGHEST_US, 3)
    index = known._counts_index_for(us)
    assert (bucket_index(us), bucket_upper_bound(bucket_index(us))) == (index, known.get_highest_equivalent_value(us))


@given(st.integers(1, HIGHEST_US))
def test_a_bucket_is_right_to_three_digits(us: int) -> None:
    assert us <= bucket_upper_bound(bucket_index(us)) <= max(us, us * 1.001)


@given(durations)
def test_a_percentile_is_the_nearest_rank_within_its_bucket(spans: list[int]) -> None:
    histogram, ordered = recorded(spans), sorted(spans)
    for percent in PERCENTS:
        rank = max(1, math.ceil(round(percent * len(ordered) / 100, 6)))
        exact = ordered[rank - 1]
        bucket = min(bucket_index((exact + 500) // 1000), LAST_BUCKET)
        expected = ordered[-1] if rank == len(ordered) else min(bucket_upper_bound(bucket) * 1000, ordered[-1])
        assert histogram.percentile(percent) == expected


def test_percentiles_are_those_of_hdrhistogram() -> None:
    spans = latencies(10_000, seed=1)
    histogram, known = recorded(spans), reference(spans)
    for percent in (1, 25, 50, 75, 90, 95, 99, 99.9):
        assert histogram.percentile(percent) == known.get_value_at_percentile(percent) * 1000


@given(durations)
def test_figures_are_exact(spans: list[int]) -> None:
    histogram = recorded(spans)
    figures = (histogram.count, histogram.total, histogram.min, histogram.max)
    assert figures == (len(spans), sum(spans), min(spans), max(spans))


@given(st.lists(durations, min_size=1, max_size=5))
def test_parts_added_up_are_the_whole(parts: list[list[int]]) -> None:
    added = Histogram()
    for part in parts:
        added.add(recorded(part))
    total = recorded([ns for part in parts for ns in part])
    assert (added.counts, added.to_json()) == (total.counts, total.to_json())


def test_nothing_counted_is_zero() -> None:
    assert (Histogram().percentile(99), Histogram().mean(), Histogram().count) == (0, 0.0, 0)


def test_a_duration_beyond_an_hour_counts_as_one_and_stays_the_maximum() -> None:
    day = 86_400_000_000_000
    histogram = recorded([1000, day])
    assert (histogram.counts, histogram.max) == ({1: 1, LAST_BUCKET: 1}, day)


def test_a_negative_duration_counts_as_zero() -> None:
    histogram = recorded([-5, 2_000])
    assert (histogram.counts, histogram.min, histogram.total) == ({0: 1, 2: 1}, 0, 2_000)


def test_memory_is_bounded_by_the_layout() -> None:
    histogram = recorded([us * 1000 for us in range(0, 3_000_000, 7)], latencies(100_000, seed=2))
    assert len(histogram.counts) <= LAST_BUCKET + 1 < 25_000


def test_within_counts_up_to_the_bucket() -> None:
    assert recorded([1000, 2000, 3000, 900_000_000]).count_up_to(2000) == 2


@pytest.mark.parametrize("percent", [-1, 100.1, math.nan])
def test_a_percentile_outside_0_to_100_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        recorded([1]).percentile(percent)


@given(durations)
def test_bytes_come_back_as_the_same_counts(spans: list[int]) -> None:
    histogram = recorded(spans)
    again = Histogram.decode(histogram.encode())
    assert (again.counts, again.count) == (histogram.counts, histogram.count)


@given(durations)
def test_json_comes_back_exact(spans: list[int]) -> None:
    histogram = recorded(spans)
    again = Histogram.from_json(histogram.to_json())
    assert (again.counts, again.to_json()) == (histogram.counts, histogram.to_json())


def test_hdrhistogram_reads_what_is_written() -> None:
    spans = latencies(5_000, seed=3)
    known = HdrHistogram.decode(base64.b64encode(recorded(spans).encode()))
    expected = reference(spans)
    assert [known.get_count_at_index(at) for at in range(known.counts_len)] == [
        expected.get_count_at_index(at) for at in range(expected.counts_len)
    ]


def test_what_hdrhistogram_writes_is_read() -> None:
    spans = latencies(5_000, seed=4)
    assert Histogram.decode(base64.b64decode(reference(spans).encode())).counts == recorded(spans).counts


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(recorded([5_000]).encode()[:-3], id="cut off"),
        pytest.param(base64.b64decode(HdrHistogram(1, 1000, 2).encode()), id="another layout"),
    ],
)
def test_other_bytes_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="histogram"):
        Histogram.decode(broken)


def test_json_that_does_not_add_up_is_refused() -> None:
    written = recorded([1_000, 2_000]).to_json() | {"count": 3}
    with pytest.raises(ValueError, match="counts 3"):
        Histogram.from_json(written)


def test_short_durations_have_a_bucket_for_each_microsecond() -> None:
    assert [bucket_index(us) for us in range(LINEAR_BUCKETS)] == list(range(LINEAR_BUCKETS))


def test_a_summary_adds_everything_but_the_buckets() -> None:
    total, part = recorded([5_000]), recorded([2_000, 9_000])
    total.add_summary(part)
    assert (total.count, total.total, total.min, total.max) == (3, 16_000, 2_000, 9_000)
    assert total.counts == {5: 1}


def test_the_summary_of_an_empty_histogram_adds_nothing() -> None:
    total = recorded([5_000])
    total.add_summary(Histogram())
    assert (total.count, total.total, total.min, total.max) == (1, 5_000, 5_000, 5_000)
