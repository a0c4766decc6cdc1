"""Titles of questions as a record lists them: those that differ in one value share a line.

`query limit = 0` and `query limit = 101` are written `query limit = 0 | 101`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

BETWEEN = " | "
BEFORE_VALUE = re.compile(r"(.*?(?: = |: ))(.*)", re.DOTALL)
WIDTH = 90  # characters of an entry with several values
Entry = str | list[str]  # a list of one detail that is to be taken as it is


def joined(details: Sequence[str]) -> list[Entry]:
    """The details, sorted, with several in one entry where they differ only in their value."""
    entries: list[Entry] = []
    for detail in sorted(details):
        if BETWEEN in detail:
            entries.append([detail])
            continue
        last = entries[-1] if entries else ""
        match, last_match = (
            BEFORE_VALUE.fullmatch(detail),
            BEFORE_VALUE.fullmatch(last) if isinstance(last, str) else None,
        )
        if match and last_match and match[1] == last_match[1] and len(last) + len(match[2]) < WIDTH:
            entries[-1] = f"{last}{BETWEEN}{match[2]}"
        else:
            entries.append(detail)
    return entries


def separated(entry: str) -> Iterator[str]:
    """The details of an entry that is a text."""
    first, *others = entry.split(BETWEEN)
    match = BEFORE_VALUE.fullmatch(first)
    yield first
    yield from (f"{match[1] if match else ''}{value}" for value in others)
