"""What only load can break: that nothing is given out twice, over a whole run and over all of its workers.

Rule: exact, in bounded memory, and never wrong about a repeat. A value is kept as 64 bits of a digest (an integer as
itself, scrambled without loss). When there are too many, one half of all digests is given up, again and again: what is
left is still compared exactly, since two equal values have equal digests, and a repeat is missed only if its half is
gone. `Once.part` says which part of all values is still compared.

A kept value costs about 80 bytes: `MOST` of them 42 MB in each process that compares, per kind. Two different values
among `n` have equal digests with a chance of n²/2⁶⁵: one in 130 million for MOST of them.
"""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

MOST = 500_000  # values of one kind that a process keeps
ODD = 0x9E3779B97F4A7C15  # multiplying by an odd number only reorders the numbers below 2⁶⁴
ALL = (1 << 64) - 1

Broken = tuple[str, str, str]  # clause, expected, received


def digest(value: str | int) -> int:
    """64 bits of that value, the same in every process."""
    if type(value) is int and 0 <= value <= ALL:
        return value * ODD & ALL
    return int.from_bytes(blake2b(str(value).encode(), digest_size=8).digest())


@dataclass
class Once:
    """Values of one kind, none of which may come twice; `clause` is broken if one does.

    `level` times half of all digests was given up. `fresh` are those that no one else has been told of yet.
    """

    kind: str
    clause: str
    most: int = MOST
    level: int = 0
    seen: set[int] = field(default_factory=set)
    fresh: array[int] = field(default_factory=lambda: array("Q"))
    count: int = 0

    @property
    def part(self) -> float:
        """The part of all values that is compared: 1.0 until there are more than `most`."""
        return 0.5**self.level

    def take(self, value: str | int) -> Broken | None:
        """Notes a value, and says so if it came before."""
        self.count += 1
        number = digest(value)
        if number >> (64 - self.level):
            return None
        if number in self.seen:
            return self.clause, f"a {self.kind} that nothing else has", f"{value} again"
        self.seen.add(number)
        self.fresh.append(number)
        if len(self.seen) > self.most:
            self._halve()
        return None

    def merge(self, level: int, numbers: Iterable[int]) -> int:
        """Notes what another process has taken; gives how many of them came before."""
        while self.level < level:
            self._halve()
        repeats = 0
        for number in numbers:
            if number >> (64 - self.level):
                continue
            if number in self.seen:
                repeats += 1
            self.seen.add(number)
            if len(self.seen) > self.most:
                self._halve()
        return repeats

    def _halve(self) -> None:
        self.level += 1
        self.seen = {number for number in self.seen if not number >> (64 - self.level)}
        self.fresh = array("Q", [number for number in self.fresh if not number >> (64 - self.level)])


class Ledger:
    """All kinds of one process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kinds: dict[str, Once] = {}

    def once(self, kind: str, clause: str) -> Once:
        """The values of that kind, always the same object."""
        if kind not in self._kinds:
            self._kinds[kind] = Once(kind, clause, self._most)
        return self._kinds[kind]

    def report(self) -> dict[str, Any]:
        """What the process that compares has not heard of yet, for JSON. It is told once."""
        told = {}
        for kind, once in self._kinds.items():
            if once.fresh:
                told[kind] = {
                    "clause": once.clause,
                    "level": once.level,
                    "digests": b64encode(once.fresh.tobytes()).decode(),
                }
                once.fresh = array("Q")
        return told

    def compare(self, told: Mapping[str, Mapping[str, Any]]) -> list[Broken]:
        """Takes another process's report, and gives what came twice.

        A process's own repeats are found by itself, so every repeat found here is one between processes.
        """
        broken = []
        for kind, one in told.items():
            numbers = array("Q")
            numbers.frombytes(b64decode(one["digests"]))
            repeats = self.once(kind, one["clause"]).merge(one["level"], numbers)
            if repeats:
                wanted = f"a {kind} that no other worker's answers have"
                broken.append((one["clause"], wanted, f"{repeats} that another worker was given too"))
        return broken

    def told(self) -> list[str]:
        """How much was compared, a line for each kind."""
        return [
            f"{once.kind}: {once.count} seen" + ("" if once.part == 1 else f", 1 in {1 << once.level} compared")
            for once in self._kinds.values()
        ]


@dataclass
class Walk:
    """The pages of one list, walked while others write: no row twice, and none of `must` missing at the end.

    `key` is what names a row. The clauses are those of the walk as a whole and of its completeness.
    """

    key: str
    clause: str
    complete: str
    must: set[Hashable] = field(default_factory=set)
    seen: set[Hashable] = field(default_factory=set)

    def page(self, rows: Iterable[Mapping[str, Any]], is_last: bool) -> Broken | None:
        """Takes the next page's rows."""
        for row in rows:
            name = row.get(self.key)
            if name in self.seen:
                return self.clause, "every record once", f"{self.key} {name} again"
            self.seen.add(name)
        missing = self.must - self.seen
        if is_last and missing:
            shown = ", ".join(sorted(map(str, missing))[:3])
            return self.complete, f"all {len(self.must)} records that were there before", f"not {self.key} {shown}"
        return None


@dataclass
class OneOf:
    """Several requests at once of which at least one succeeds, and no more than `most`: registrations of one name."""

    clause: str
    what: str
    requests: int
    is_success: Callable[[Any], bool]
    most: int = 1
    answered: int = 0
    succeeded: int = 0

    def take(self, answer: Any) -> Broken | None:
        """Takes the next answer. What is wrong is told with the answer that makes it certain."""
        self.answered += 1
        self.succeeded += self.is_success(answer)
        if self.succeeded > self.most:
            return self.clause, f"{self.most} success for {self.what}", f"{self.succeeded} at once"
        if self.answered == self.requests and not self.succeeded:
            return self.clause, f"a success for {self.what}", "none"
        return None


def agrees(clause: str, wanted: Mapping[str, Any], got: Mapping[str, Any]) -> Broken | None:
    """Whether every wanted member that is there has its value: an answer to a write may show less than a read does."""
    return same(clause, {name: value for name, value in wanted.items() if name in got}, got)


def same(clause: str, wanted: Mapping[str, Any], got: Mapping[str, Any]) -> Broken | None:
    """Whether every wanted member is there with its value."""
    for name, value in wanted.items():
        if name not in got:
            return clause, f"{name} {value!r}", "no such member"
        if got[name] != value:
            return clause, f"{name} {_cut(value)}", _cut(got[name])
    return None


def _cut(value: Any, most: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
