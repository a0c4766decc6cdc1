"""The file of `--readings`: which meaning a target was seen to use, a line for each reading and kind of exchange.

    reading,exchange,meanings
    GETFLOW_URL,,https://flow.example
    GETFLOW-AMB-6,"GET /tasks, unknown: query no_such_parameter",refused

Rule: the same meanings give the same bytes, so that a version control system shows what has changed. A line that is
not understood is an error of the user, never skipped.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import contracts
from contracts.clauses import readings
from contracts.errors import UsageError
from fixtures.seen_meaning import OUTCOMES

OPTION = "--readings"
COLUMNS = ["reading", "exchange", "meanings"]
TARGET = "_URL"  # behind the API's name in the line that says where its meanings were seen
Key = tuple[str, str]  # a reading's id and a kind of exchange


@dataclass
class RecordedReadings:
    """What a file has: the meanings by reading and kind of exchange, each with its line, and the targets by API."""

    meanings: dict[Key, frozenset[str]] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)

    def add(self, meanings: Mapping[Key, Collection[str]], targets: Mapping[str, str]) -> None:
        """Adds what is not recorded yet; what is recorded stays as it is."""
        self.meanings = {key: frozenset(names) for key, names in meanings.items()} | self.meanings
        self.targets = {**targets, **self.targets}


def read_readings(path: Path, broken: Collection[str] = ()) -> RecordedReadings:
    """The content of the file, nothing when there is none yet.

    The ids of the `broken` APIs, whose contracts cannot be read, are not checked. Raises UsageError in one line.
    """
    recorded = RecordedReadings()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return recorded
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{OPTION}: {path} cannot be read ({error}); name another file") from None
    try:
        _read_rows(csv.reader(io.StringIO(text, newline=""), strict=True), recorded, broken)
    except (_LineError, csv.Error) as error:
        line, reason = error.args if isinstance(error, _LineError) else (text.count("\n"), str(error))
        raise UsageError(
            f"{OPTION}: {path}, line {line}: {reason}; correct or delete the line, or the file to record it anew"
        ) from None
    return recorded


class _LineError(Exception):
    """(number of the line, what is wrong with it)"""


def _read_rows(rows: Iterator[list[str]], recorded: RecordedReadings, broken: Collection[str]) -> None:
    if next(rows, None) != COLUMNS:
        raise _LineError(1, f"expected {','.join(COLUMNS)}")
    for number, row in enumerate(rows, 2):
        if len(row) != len(COLUMNS):
            raise _LineError(number, f"expected {','.join(COLUMNS)}, got {len(row)} values")
        name, exchange, text = row
        api = name.removesuffix(TARGET).partition("-")[0].lower()
        if api not in contracts.apis():
            raise _LineError(number, f"expected a reading of {', '.join(contracts.apis())}, got {name!r}")
        if name.endswith(TARGET):
            recorded.targets[api] = text
            continue
        key, meanings = (name, exchange), frozenset(text.split(" "))
        if api not in broken:
            _check_meanings(number, api, name, meanings)
        if key in recorded.meanings:
            raise _LineError(number, f"{name}, {exchange}: stands in line {recorded.lines[key]} already")
        recorded.meanings[key], recorded.lines[key] = meanings, number


def _check_meanings(number: int, api: str, name: str, meanings: Collection[str]) -> None:
    if name not in readings(api):
        raise _LineError(number, f"expected a reading of contracts/{api}/readings.yaml, got {name!r}")
    known = [*readings(api)[name].meanings, *OUTCOMES]
    if unknown := sorted(set(meanings) - set(known)):
        raise _LineError(number, f"{name}: expected one of {', '.join(known)}, got {unknown[0]!r}")


def write_readings(path: Path, recorded: RecordedReadings) -> None:
    """Replaces the file at once, so that nobody ever finds half of it. Raises OSError."""
    path = path.resolve()  # a link stays one
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_sorted_rows(recorded))
        os.chmod(name, path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def require_writable(path: Path) -> None:
    """Raises UsageError when no file can be written at that path."""
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"{OPTION}: expected a file, got the folder {path}")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=path.name):
            pass
        if path.exists():
            path.open("a").close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{OPTION}: {path} cannot be written ({reason}); name a file in a folder that can") from None


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _sorted_rows(recorded: RecordedReadings) -> list[list[str]]:
    targets = [[f"{api.upper()}{TARGET}", "", target] for api, target in recorded.targets.items()]
    meanings = [[name, exchange, " ".join(sorted(names))] for (name, exchange), names in recorded.meanings.items()]
    return sorted(targets) + sorted(meanings, key=_order)


def _order(row: list[str]) -> tuple[str, int, str]:
    prefix, _, number = row[0].rpartition("-")
    return prefix, int(number), row[1]
