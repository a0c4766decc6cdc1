"""Finds where a clause or a reading stands in the contract, for formats that point at a line of a file."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import contracts

FILES = ("clauses.yaml", "readings.yaml")
IDENTIFIER = re.compile(r"^- id: (\S+)\s*$")


class Location(NamedTuple):
    """A line of a file. path: relative to the root of the project, with slashes; line: from 1."""

    path: str
    line: int


def location_of(api: str, identifier: str) -> Location:
    """Where the clause or reading stands; the first line of the API's clauses for one that no contract has."""
    return _locations(api).get(identifier) or Location(f"contracts/{api}/{FILES[0]}", 1)


@cache
def _locations(api: str) -> dict[str, Location]:
    locations: dict[str, Location] = {}
    for name in FILES:
        path = contracts.FOLDER / api / name
        text = path.read_text("utf-8") if path.is_file() else ""
        for number, line in enumerate(text.split("\n"), 1):
            if match := IDENTIFIER.match(line):
                locations[match[1]] = Location(f"contracts/{api}/{name}", number)
    return locations
