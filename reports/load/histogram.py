"""A histogram of durations in the HdrHistogram layout: 1 µs to 1 h, three significant digits, bounded memory.

Durations are integer nanoseconds; buckets count microseconds. Two histograms add up exactly. `encode` writes
HdrHistogram's compressed V2 format, which its libraries can read.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

LOWEST_US = 1  # µs
HIGHEST_US = 3_600_000_000  # µs; longer durations count as this one, but `max` stays exact
DIGITS = 3
HALF_BITS = 10  # 2 ** (HALF_BITS + 1) buckets of equal width hold three digits
HALF_BUCKETS = 1 << HALF_BITS
LINEAR_BUCKETS = HALF_BUCKETS << 1
ENCODED, COMPRESSED = 0x1C849303 | 0x10, 0x1C849304 | 0x10  # the cookies of the V2 format
HEADER = struct.Struct(">IIIIQQd")
PREFIX = struct.Struct(">II")
SHORT_BODY = 512  # bytes


def bucket_index(us: int) -> int:
    """The index of the bucket that counts `us` microseconds."""
    if us < LINEAR_BUCKETS:
        return us
    shift = us.bit_length() - HALF_BITS - 1
    return (shift << HALF_BITS) + (us >> shift)


def bucket_upper_bound(bucket: int) -> int:
    """The longest duration in µs that the bucket counts."""
    if bucket < LINEAR_BUCKETS:
        return bucket
    shift = (bucket >> HALF_BITS) - 1
    return ((bucket - (shift << HALF_BITS) + 1) << shift) - 1


LAST_BUCKET = bucket_index(HIGHEST_US)


class Histogram:
    """Counts of durations. `count`, `total` (sum), `min` and `max` are exact, in ns."""

    __slots__ = ("count", "counts", "max", "min", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.clear()

    def clear(self) -> None:
        """Remove all counts."""
        self.counts.clear()
        self.count = 0
        self.total = 0
        self.min = 0
        self.max = 0

    def record_many(self, durations: list[int]) -> None:
        """Count durations in ns; a negative one counts as 0."""
        if not durations:
            return
        shortest = min(durations)
        if shortest < 0:
            durations = [max(ns, 0) for ns in durations]
            shortest = 0
        counts = self.counts
        for us, times in Counter([(ns + 500) // 1000 for ns in durations]).items():
            if us < LINEAR_BUCKETS:
                bucket = us
            else:
                shift = us.bit_length() - HALF_BITS - 1
                bucket = min((shift << HALF_BITS) + (us >> shift), LAST_BUCKET)
            counts[bucket] = counts.get(bucket, 0) + times
        self._extend(len(durations), sum(durations), shortest, max(durations))

    def record(self, duration: int) -> None:
        """Count one duration in ns, as `record_many` does."""
        duration = max(duration, 0)
        bucket = min(bucket_index((duration + 500) // 1000), LAST_BUCKET)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self._extend(1, duration, duration, duration)

    def add(self, other: Histogram) -> None:
        """Count everything that `other` counted."""
        counts = self.counts
        for bucket, times in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + times
        if other.count:
            self._extend(other.count, other.total, other.min, other.max)

    def add_summary(self, other: Histogram) -> None:
        """Add number, sum and extremes of `other`, without its buckets: no percentile can be taken afterwards."""
        if other.count:
            self._extend(other.count, other.total, other.min, other.max)

    def _extend(self, number: int, total: int, lowest: int, highest: int) -> None:
        self.min = min(self.min, lowest) if self.count else lowest
        self.max = max(self.max, highest)
        self.count += number
        self.total += total

    def percentile(self, percent: float) -> int:
        """The duration in ns that `percent` % of all stay within: the upper end of the bucket of the nearest rank.

        Never more than `max`; 0 when nothing was counted. Raises ValueError for a percentage outside 0 to 100.
        """
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Iterable[float]) -> list[int]:
        """`percentile` of each, in one pass."""
        requested = list(percents)
        if not all(0 <= percent <= 100 for percent in requested):
            raise ValueError(f"a percentile lies between 0 and 100: {requested}")
        if not self.count:
            return [0] * len(requested)
        ranks = [max(1, math.ceil(round(percent * self.count / 100, 6))) for percent in requested]
        durations: dict[int, int] = {}
        cumulative = self._cumulative()
        rank_of_bucket, bucket = next(cumulative)
        for rank in sorted(set(ranks)):
            while rank_of_bucket < rank:
                rank_of_bucket, bucket = next(cumulative)
            durations[rank] = self.max if rank == self.count else min(bucket_upper_bound(bucket) * 1000, self.max)
        return [durations[rank] for rank in ranks]

    def _cumulative(self) -> Iterator[tuple[int, int]]:
        """Each bucket with the number of durations in it and all lower ones."""
        total = 0
        for bucket in sorted(self.counts):
            total += self.counts[bucket]
            yield total, bucket

    def count_up_to(self, ns: int) -> int:
        """The number of durations in buckets up to the one that counts `ns`."""
        last = min(bucket_index(max((ns + 500) // 1000, 0)), LAST_BUCKET)
        return sum(times for bucket, times in self.counts.items() if bucket <= last)

    def mean(self) -> float:
        """The exact mean in ns; 0 when nothing was counted."""
        return self.total / self.count if self.count else 0.0

    def encode(self) -> bytes:
        """The counts in HdrHistogram's compressed V2 format, in µs. `min`, `max` and `total` are not part of it."""
        payload = bytearray()
        counts, next_bucket = self.counts, 0
        for bucket in sorted(counts):
            empty, number = bucket - next_bucket, counts[bucket]
            next_bucket = bucket + 1
            if 0 < empty <= 64:  # what `_put` would write, without the call
                payload.append((empty << 1) - 1)
            elif empty:
                _put(payload, -empty)
            if number < 64:
                payload.append(number << 1)
            else:
                _put(payload, number)
        body = HEADER.pack(ENCODED, len(payload), 0, DIGITS, LOWEST_US, HIGHEST_US, 1.0) + payload
        packed = _compressed(body)
        return PREFIX.pack(COMPRESSED, len(packed)) + packed

    @classmethod
    def decode(cls, encoded: bytes) -> Histogram:
        """Read the bytes of `encode`; `min`, `max` and `total` are as exact as the buckets.

        Raises ValueError for other bytes.
        """
        histogram = cls()
        histogram.counts = _decode_counts(encoded)
        if histogram.counts:
            histogram.count = sum(histogram.counts.values())
            histogram.min, histogram.max = (bucket_upper_bound(at(histogram.counts)) * 1000 for at in (min, max))
            histogram.total = sum(bucket_upper_bound(bucket) * 1000 * n for bucket, n in histogram.counts.items())
        return histogram

    def to_json(self) -> dict[str, int | str]:
        """Everything, for JSON: exact figures in ns, and the counts as the base64 of `encode`."""
        hdr = base64.b64encode(self.encode()).decode()
        return {"count": self.count, "total": self.total, "min": self.min, "max": self.max, "hdr": hdr}

    @classmethod
    def from_json(cls, content: Mapping[str, int | str]) -> Histogram:
        """Read what `to_json` wrote; raises ValueError or KeyError for other content."""
        histogram = cls()
        histogram.counts = _decode_counts(base64.b64decode(str(content["hdr"])))
        histogram.count = sum(histogram.counts.values())
        if histogram.count != content["count"]:
            raise ValueError(f"a histogram says it counts {content['count']} but its buckets hold {histogram.count}")
        histogram.total, histogram.min, histogram.max = (int(content[name]) for name in ("total", "min", "max"))
        return histogram


def _compressed(body: bytes) -> bytes:
    """The body as zlib has it. Of a short one, zlib's usual tables would cost twenty times as much as the rest."""
    if len(body) > SHORT_BODY:
        return zlib.compress(body, 1)
    compressor = zlib.compressobj(1, zlib.DEFLATED, 9, 1)
    return compressor.compress(body) + compressor.flush()


def _decode_counts(encoded: bytes) -> dict[int, int]:
    """The counts in the bytes of `encode`; raises ValueError for other bytes."""
    try:
        cookie, size = PREFIX.unpack_from(encoded)
        body = zlib.decompress(encoded[PREFIX.size : PREFIX.size + size])
        inner, length, offset, digits, lowest, highest, _ = HEADER.unpack_from(body)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"these are not the bytes of a histogram: {error}") from None
    if (cookie, inner, offset, digits, lowest, highest) != (COMPRESSED, ENCODED, 0, DIGITS, LOWEST_US, HIGHEST_US):
        raise ValueError("a histogram of another layout: 1 µs to 1 h with three digits is read here")
    return _counts(body[HEADER.size : HEADER.size + length])


def _put(payload: bytearray, number: int) -> None:
    """Append a number as HdrHistogram does: ZigZag, then seven bits per byte."""
    rest = (number << 1) if number >= 0 else ((-number << 1) - 1)
    while rest > 0x7F:
        payload.append(rest & 0x7F | 0x80)
        rest >>= 7
    payload.append(rest)


def _counts(payload: bytes) -> dict[int, int]:
    counts: dict[int, int] = {}
    bucket = shift = number = 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            continue
        if number & 1:
            bucket += (number + 1) >> 1
        else:
            if number:
                counts[bucket] = number >> 1
            bucket += 1
        shift = number = 0
    if shift or bucket > LAST_BUCKET + 1:
        raise ValueError("a histogram is cut off or has more buckets than its layout")
    return counts
