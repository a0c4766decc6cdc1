"""Invariants that only load can break, such as that no value is given out twice in a run, by any of its workers.

Rule: exact, in bounded memory, and never wrong about a repeat. A value is stored as a 64-bit digest (an integer as
itself, scrambled without loss). When there are too many digests, half of them are dropped, again and again. The others
are still compared exactly, since equal values have equal digests: a repeat is missed only if its half was dropped.
`UniqueValues.compared_share` is the share of all values that is still compared.

A stored value costs 9 bytes: `MAX_VALUES` of them 4.5 MB for each kind, in each process that compares. Among `n`
values, the probability that two different ones have equal digests is n²/2⁶⁵: one in 130 million for MAX_VALUES.
"""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any

from fixtures.link_header import local_link

MAX_VALUES = 500_000  # of one kind that a process stores
ODD_MULTIPLIER = 0x9E3779B97F4A7C15  # multiplying by it only reorders the numbers below 2⁶⁴
MASK_64 = (1 << 64) - 1

Violation = tuple[str, str, str]  # clause, expected, received


def digest(value: str | int) -> int:
    """64 bits of that value, the same in every process."""
    if type(value) is int and 0 <= value <= MASK_64:
        return value * ODD_MULTIPLIER & MASK_64
    return int.from_bytes(blake2b(str(value).encode(), digest_size=8).digest())


def link_stays(clause: str, base: str, link: object) -> Violation | None:
    """A link in a response of the server at `base` leads to that server; None as the link is no link."""
    if link is None or (isinstance(link, str) and local_link(base, link) is not None):
        return None
    return clause, f"a link to {base}", f"{link}"


class SortedNumbers:
    """A set of 64-bit numbers without the objects of Python's: sorted arrays, by the lowest eight bits."""

    def __init__(self) -> None:
        self._arrays = [array("Q") for _ in range(256)]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._arrays)

    def add(self, number: int) -> bool:
        """Adds the number; False if it is there."""
        numbers = self._arrays[number & 255]
        at = bisect_left(numbers, number)
        if at < len(numbers) and numbers[at] == number:
            return False
        numbers.insert(at, number)
        self._count += 1
        return True

    def keep_below(self, limit: int) -> None:
        """Removes all numbers from `limit` on."""
        for numbers in self._arrays:
            del numbers[bisect_left(numbers, limit) :]
        self._count = sum(map(len, self._arrays))


@dataclass
class UniqueValues:
    """Values of one kind, none of which may come twice; if one does, `clause` is violated.

    halvings: how often half of the digests were dropped; unreported: digests that the master does not know yet.
    """

    kind: str
    clause: str
    max_values: int = MAX_VALUES
    halvings: int = 0
    seen: SortedNumbers = field(default_factory=SortedNumbers)
    unreported: array[int] = field(default_factory=lambda: array("Q"))
    count: int = 0

    @property
    def compared_share(self) -> float:
        """The share of all values that is compared: 1.0 until there are more than `max_values`."""
        return 0.5**self.halvings

    def add(self, value: str | int) -> Violation | None:
        """Adds a value; returns a violation if it came before."""
        self.count += 1
        number = digest(value)
        if number >> (64 - self.halvings):
            return None
        if not self.seen.add(number):
            return self.clause, f"a {self.kind} that nothing else has", f"{value} again"
        self.unreported.append(number)
        if len(self.seen) > self.max_values:
            self._halve()
        return None

    def merge(self, level: int, numbers: Iterable[int]) -> int:
        """Adds the digests of another process, which has halved them `level` times; returns how many came before."""
        while self.halvings < level:
            self._halve()
        repeats = 0
        for number in numbers:
            if number >> (64 - self.halvings):
                continue
            if not self.seen.add(number):
                repeats += 1
            if len(self.seen) > self.max_values:
                self._halve()
        return repeats

    def _halve(self) -> None:
        self.halvings += 1
        self.seen.keep_below(1 << (64 - self.halvings))
        self.unreported = array("Q", [number for number in self.unreported if not number >> (64 - self.halvings)])


class UniquenessLedger:
    """The unique values of one process, by clause and kind: two APIs may each have ids of tasks."""

    def __init__(self, max_values: int = MAX_VALUES) -> None:
        self._max_values = max_values
        self._values: dict[tuple[str, str], UniqueValues] = {}

    def unique_values(self, kind: str, clause: str) -> UniqueValues:
        """The values of that kind and clause, always the same object."""
        key = (clause, kind)
        if key not in self._values:
            self._values[key] = UniqueValues(kind, clause, self._max_values)
        return self._values[key]

    def report(self) -> list[dict[str, Any]]:
        """What the master does not know yet, for JSON. It is reported values."""
        report = []
        for values in self._values.values():
            if values.unreported:
                digests = b64encode(values.unreported.tobytes()).decode()
                names = {"kind": values.kind, "clause": values.clause}
                report.append({**names, "level": values.halvings, "digests": digests})
                values.unreported = array("Q")
        return report

    def merge_report(self, report: Iterable[Mapping[str, Any]]) -> list[Violation]:
        """Adds a worker's report, and returns what came twice.

        A worker finds its own repeats by itself, so every repeat found here is one between workers.
        """
        violations = []
        for values in report:
            kind = values["kind"]
            numbers = array("Q")
            numbers.frombytes(b64decode(values["digests"]))
            repeats = self.unique_values(kind, values["clause"]).merge(values["level"], numbers)
            if repeats:
                expected = f"a {kind} that no other worker received"
                violations.append((values["clause"], expected, f"{repeats} that another worker received too"))
        return violations

    def summary_lines(self) -> list[str]:
        """How many values were seen and compared, a line for each kind."""
        return [
            f"{values.kind}: {values.count} seen"
            + ("" if values.compared_share == 1 else f", 1 in {1 << values.halvings} compared")
            for values in self._values.values()
        ]


@dataclass
class PaginationWalk:
    """A walk over the pages of one list while others write: no row comes twice, and none of `expected` is missing.

    key: the member that identifies a row; clause: violated by a repeat; completeness_clause: by a missing row.
    """

    key: str
    clause: str
    completeness_clause: str
    expected: set[Hashable] = field(default_factory=set)
    seen: set[Hashable] = field(default_factory=set)

    def add_page(self, rows: Iterable[Mapping[str, Any]], is_last: bool) -> Violation | None:
        """Adds the rows of the next page; returns a violation if there is one."""
        for row in rows:
            name = row.get(self.key)
            if name in self.seen:
                return self.clause, "every record once", f"{self.key} {name} again"
            self.seen.add(name)
        missing = self.expected - self.seen
        if is_last and missing:
            shown = ", ".join(sorted(map(str, missing))[:3])
            return (
                self.completeness_clause,
                f"all {len(self.expected)} records that were there before",
                f"not {self.key} {shown}",
            )
        return None


@dataclass
class ExclusiveWinner:
    """Concurrent requests of which 1 to `max_successes` succeed, such as several registrations of one name."""

    clause: str
    what: str
    requests: int
    is_success: Callable[[Any], bool]
    max_successes: int = 1
    responses: int = 0
    succeeded: int = 0

    def add(self, response: Any) -> Violation | None:
        """Adds the next response; returns a violation with the response that makes it certain."""
        self.responses += 1
        self.succeeded += self.is_success(response)
        if self.succeeded > self.max_successes:
            return self.clause, f"{self.max_successes} success for {self.what}", f"{self.succeeded} at once"
        if self.responses == self.requests and not self.succeeded:
            return self.clause, f"a success for {self.what}", "none"
        return None


def shown_members_match(clause: str, expected: Mapping[str, Any], received: Mapping[str, Any]) -> Violation | None:
    """Compares the expected members that are present: the response to a write may show less than a read does."""
    return members_match(clause, {name: value for name, value in expected.items() if name in received}, received)


def members_match(clause: str, expected: Mapping[str, Any], received: Mapping[str, Any]) -> Violation | None:
    """Compares all expected members; returns a violation for the first that is missing or has another value."""
    for name, value in expected.items():
        if name not in received:
            return clause, f"{name} {value!r}", "no such member"
        if received[name] != value:
            return clause, f"{name} {_shorten(value)}", _shorten(received[name])
    return None


def _shorten(value: Any, most: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
