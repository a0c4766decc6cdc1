"""Where a histogram counts which duration, and the bytes that it is written as."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest

from reports.load.histogram import HIGHEST_US, LAST_BUCKET, Histogram, bucket_index, bucket_upper_bound

PREFIX, HEADER = struct.Struct(">II"), struct.Struct(">IIIIQQd")
COOKIE, INNER = 0x1C849314, 0x1C849313


def counted(*durations: int) -> Histogram:
    histogram = Histogram()
    histogram.record_many(list(durations))
    return histogram


def encoded(payload: bytes, cookie: int = COOKIE, **other: int) -> bytes:
    """The bytes of a histogram with this payload; `other` fields of its header are as a test says."""
    fields = {"inner": INNER, "length": len(payload), "offset": 0, "digits": 3, "low": 1, "high": HIGHEST_US} | other
    packed = zlib.compress(HEADER.pack(*fields.values(), 1.0) + payload)
    return PREFIX.pack(cookie, len(packed)) + packed


@pytest.mark.parametrize(
    ("us", "bucket", "highest"),
    [
        (0, 0, 0),
        (2_047, 2_047, 2_047),
        (2_048, 2_048, 2_049),
        (2_049, 2_048, 2_049),
        (4_095, 3_071, 4_095),
        (4_096, 3_072, 4_099),
        (8_192, 4_096, 8_199),
        (1_000_000, 11_169, 1_000_447),
    ],
)
def test_bucket_holds_what_has_the_same_three_digits(us: int, bucket: int, highest: int) -> None:
    assert (bucket_index(us), bucket_upper_bound(bucket)) == (bucket, highest)
    assert counted(us * 1_000).counts == {bucket: 1}


def test_histogram_without_durations_is_empty() -> None:
    histogram = counted()
    assert (histogram.count, histogram.total, histogram.min, histogram.max) == (0, 0, 0, 0)
    assert (histogram.percentiles([0, 100]), histogram.mean(), histogram.counts) == ([0, 0], 0.0, {})
    histogram.add(Histogram())
    assert histogram.min == 0


def test_sums_are_exact_and_buckets_are_rounded() -> None:
    histogram = counted(1_499, 1_500, 2_000_499)
    assert histogram.counts == {1: 1, 2: 1, 2_000: 1}
    assert (histogram.count, histogram.total, histogram.min, histogram.max) == (3, 2_003_498, 1_499, 2_000_499)
    assert histogram.mean() == 2_003_498 / 3
    histogram.record_many([500, 600])
    assert (histogram.count, histogram.min, histogram.max, histogram.counts[1]) == (5, 500, 2_000_499, 3)
    histogram.record_many([900])
    assert histogram.min == 500
    histogram.clear()
    assert (histogram.count, histogram.total, histogram.min, histogram.max, histogram.counts) == (0, 0, 0, 0, {})


def test_negative_durations_are_zero_and_long_ones_an_hour() -> None:
    histogram = counted(-5_000, 2_000, 4_000_000_000_000)
    assert histogram.counts == {0: 1, 2: 1, LAST_BUCKET: 1}
    assert (histogram.min, histogram.max, histogram.total) == (0, 4_000_000_000_000, 4_000_000_002_000)
    assert histogram.percentile(100) == 4_000_000_000_000


def test_histograms_add_up() -> None:
    first, second = counted(1_000, 5_000), counted(1_000, 500)
    first.add(second)
    assert (first.counts, first.count, first.total, first.min, first.max) == ({1: 3, 5: 1}, 4, 7_500, 500, 5_000)
    empty = Histogram()
    empty.add(second)
    assert (empty.min, empty.max, empty.count) == (500, 1_000, 2)
    second.add(Histogram())
    assert (second.min, second.count) == (500, 2)


@pytest.mark.parametrize(
    ("percent", "duration"),
    [(0, 1_000), (25, 1_000), (25.1, 2_000), (50, 2_000), (75, 3_000), (75.1, 3_000_500), (100, 3_000_500)],
)
def test_percentile_is_the_upper_end_of_the_bucket_of_its_rank(percent: float, duration: int) -> None:
    assert counted(3_000_500, 1_000, 2_000, 3_000).percentile(percent) == duration


def test_percentiles_are_in_the_order_of_the_percentages() -> None:
    histogram = counted(*[1_000] * 50, *[2_500_000] * 49, 2_500_900)
    assert histogram.percentiles([99, 50, 99.9, 50]) == [2_500_900, 1_000, 2_500_900, 1_000]
    assert counted(2_500_000, 9_000_000).percentile(50) == 2_501_000


def test_rank_is_not_moved_by_an_error_of_rounding() -> None:
    assert counted(*(number * 1_000 for number in range(1_000))).percentile(99.9) == 998_000


@pytest.mark.parametrize("percent", [-0.1, 100.1])
def test_percentage_outside_0_to_100_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match=r"^a percentile lies between 0 and 100: \["):
        counted(1).percentile(percent)


@pytest.mark.parametrize(
    ("duration", "limit", "number"),
    [
        (1_000, 499, 0),
        (1_000, 500, 1),
        (1_000, 1_000, 1),
        (1_001_000, 1_000_499, 0),
        (1_001_000, 1_000_500, 1),
        (1_000, 0, 0),
        (0, -5_000, 1),
        (1_000, 4_000_000_000_000, 1),
        (4_000_000_000_000, 9_000_000_000_000, 1),
    ],
)
def test_durations_up_to_a_limit_are_counted_by_bucket(duration: int, limit: int, number: int) -> None:
    assert counted(duration).count_up_to(limit) == number


@pytest.mark.parametrize(
    ("counts", "payload"),
    [
        ({}, b""),
        ({0: 1}, b"\x02"),
        ({1: 63}, b"\x01\x7e"),
        ({0: 64}, b"\x80\x01"),
        ({64: 1}, b"\x7f\x02"),
        ({65: 1}, b"\x81\x01\x02"),
        ({3: 2, 4: 1, 300: 8_192}, b"\x05\x04\x02\xcd\x04\x80\x80\x01"),
        ({LAST_BUCKET: 1}, None),
    ],
)
def test_counts_are_written_as_hdrhistogram_does(counts: dict[int, int], payload: bytes | None) -> None:
    histogram = Histogram()
    histogram.counts = counts
    data = histogram.encode()
    cookie, size = PREFIX.unpack_from(data)
    body = zlib.decompress(data[8:])
    *fields, ratio = HEADER.unpack_from(body)
    assert (cookie, size, ratio) == (COOKIE, len(data) - 8, 1.0)
    assert fields == [INNER, len(body) - HEADER.size, 0, 3, 1, HIGHEST_US]
    assert payload is None or body[HEADER.size :] == payload
    assert Histogram.decode(data).counts == counts
    assert payload is None or Histogram.decode(encoded(payload)).counts == counts


def test_decoded_histogram_is_as_exact_as_its_buckets() -> None:
    histogram = Histogram.decode(counted(5_400, 5_400, 3_000_000).encode())
    assert (histogram.count, histogram.min, histogram.max) == (3, 5_000, 3_001_000)
    assert histogram.total == 2 * 5_000 + 3_001_000
    empty = Histogram.decode(Histogram().encode())
    assert (empty.count, empty.total, empty.min, empty.max) == (0, 0, 0, 0)


def test_empty_buckets_may_be_written_as_zeros() -> None:
    assert Histogram.decode(encoded(b"\x00\x00\x02")).counts == {2: 1}


@pytest.mark.parametrize(
    "data",
    [
        encoded(b"", cookie=COOKIE + 1),
        *(encoded(b"", **{name: 2}) for name in ("inner", "offset", "digits", "low", "high")),
    ],
)
def test_bytes_of_another_layout_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a histogram of another layout: "):
        Histogram.decode(data)


@pytest.mark.parametrize("data", [b"", b"\x1c", PREFIX.pack(COOKIE, 3) + b"abc", PREFIX.pack(COOKIE, 0)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^these are not the bytes of a histogram: "):
        Histogram.decode(data)


def steps(number: int) -> bytes:
    """So many empty buckets, seven bits a byte."""
    rest, payload = (number << 1) - 1, bytearray()
    while rest > 0x7F:
        payload.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*payload, rest])


def test_payload_that_ends_within_a_number_or_beyond_the_buckets_is_refused() -> None:
    assert Histogram.decode(encoded(steps(LAST_BUCKET) + b"\x02")).counts == {LAST_BUCKET: 1}
    for payload in (b"\x80", b"\x02\x81", steps(LAST_BUCKET + 1) + b"\x02"):
        with pytest.raises(ValueError, match=r"^a histogram is cut off or has more buckets than its layout$"):
            Histogram.decode(encoded(payload))


def test_bytes_behind_the_length_are_ignored() -> None:
    assert Histogram.decode(encoded(b"\x02\x02", length=1)).counts == {0: 1}
    assert Histogram.decode(encoded(b"\x02") + b"more").counts == {0: 1}


def test_json_has_the_exact_figures_and_the_counts() -> None:
    histogram = counted(1_499, 5_000)
    content: dict[str, Any] = histogram.to_json()
    hdr = content.pop("hdr")
    assert content == {"count": 2, "total": 6_499, "min": 1_499, "max": 5_000}
    assert Histogram.decode(base64.b64decode(hdr)).counts == {1: 1, 5: 1}
    again = Histogram.from_json(histogram.to_json())
    assert (again.counts, again.to_json()) == (histogram.counts, histogram.to_json())
    with pytest.raises(ValueError, match=r"^a histogram says it counts 3 but its buckets hold 2$"):
        Histogram.from_json(histogram.to_json() | {"count": 3})


def test_summary_adds_number_sum_and_extremes_and_no_bucket() -> None:
    total, other = Histogram(), Histogram()
    total.record_many([5_000, 6_000])
    other.record_many([1_000, 9_000, 2_000])
    total.add_summary(other)
    total.add_summary(Histogram())
    assert (total.count, total.total, total.min, total.max) == (5, 23_000, 1_000, 9_000)
    assert sum(total.counts.values()) == 2
