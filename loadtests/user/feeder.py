"""Test data for journeys out of CSV and JSON files: rows in order, at random, or each once in the whole run.

Rule: every worker reads the same file and takes its own share of the rows, unless they are taken at random, or there
are fewer of them than workers. A file that cannot be understood is refused before the run.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import cycle, repeat
from pathlib import Path
from random import choice
from typing import Any

from contracts.errors import UsageError

Row = Mapping[str, Any]
IN_ORDER, AT_RANDOM, UNIQUE = ORDERS = ("in order", "at random", "unique")


class Feeder:
    """The rows of a file.

    order: `in order` begins anew after the last row; `at random` takes any row; `unique` gives each row once in the
    run, to one user of one worker, and stops the test when none is left.
    """

    def __init__(self, path: Path | str, order: str, read: Callable[[Path], list[Row]]) -> None:
        self.path = Path(path)
        self.order = order
        self._read = read

    @cached_property
    def rows(self) -> Sequence[Row]:
        """All rows. Raises UsageError for a file without any, for one that is not understood, and for another order."""
        if self.order not in ORDERS:
            raise UsageError(f"{self.path}: expected an order, one of {', '.join(ORDERS)}, got {self.order!r}")
        try:
            rows = self._read(self.path)
        except OSError as error:
            raise UsageError(f"{self.path}: expected a file with test data, got none: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{self.path}: expected text in UTF-8, got other bytes") from None
        if not rows:
            raise UsageError(f"{self.path}: expected rows of test data, got none; add at least one")
        return rows

    def share(self, index: int, workers: int) -> Iterator[Row]:
        """The rows that worker number `index` of so many takes: endless, unless each is to be used once."""
        rows = self.rows
        if self.order == AT_RANDOM:
            return (choice(rows) for _ in repeat(None))
        own = rows[index::workers]
        if self.order == UNIQUE:
            return iter(own)
        return cycle(own or rows)


def csv_feeder(path: Path | str, order: str = IN_ORDER) -> Feeder:
    """Rows of a CSV file as mappings of text, by the names in its first line."""
    return Feeder(path, order, _read_csv)


def json_feeder(path: Path | str, order: str = IN_ORDER) -> Feeder:
    """Rows of a JSON file, which holds an array of objects."""
    return Feeder(path, order, _read_json)


def _read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            names = next(reader, [])
            if len(set(names)) < len(names) or "" in names:
                raise UsageError(f"{path} line 1: expected a different name for each column, got {', '.join(names)}")
            rows: list[Row] = []
            for values in reader:
                if values and len(values) != len(names):
                    line = reader.line_num
                    raise UsageError(f"{path} line {line}: expected {len(names)} values, got {len(values)}")
                rows += [dict(zip(names, values, strict=True))] if values else []
        except csv.Error as error:
            raise UsageError(f"{path} line {reader.line_num}: expected CSV, got something else: {error}") from None
    return rows


def _read_json(path: Path) -> list[Row]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} line {error.lineno}: expected JSON, got something else: {error.msg}") from None
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise UsageError(f"{path}: expected a JSON array of objects, got something else")
    return content


def require_rows(user_class: type) -> None:
    """Raises UsageError for a feeder, of the class or beside it in its module, whose file cannot be used."""
    module = vars(sys.modules.get(user_class.__module__, object))
    for value in (*module.values(), *(value for owner in user_class.__mro__ for value in vars(owner).values())):
        if isinstance(value, Feeder):
            _ = value.rows
