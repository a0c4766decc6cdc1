"""Keeps a record as a folder of YAML: `record.yaml` says where and how it was made, the others how operations answer.

Rule: the same behaviour gives the same bytes, so that the difference between two commits is the review.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from contracts.behaviour.behaviour import Address, Behaviour
from contracts.yaml_reader import UsageError, YamlReader
from reports.drift.record import Record, RecordHeader
from reports.drift.record_groups import grouped
from reports.drift.record_lines import Fact
from reports.drift.record_reader import OPTION, read_operations, read_shapes
from reports.drift.record_writer import MARK, file_text
from reports.drift.shared_shapes import FILE as SHAPES_FILE
from reports.drift.shared_shapes import shapes_text, shared_shapes
from reports.drift.sightings import rounded
from reports.drift.usual_answers import usual_answers, with_usual, without_usual
from reports.drift.yaml_text import block

HEADER = "record.yaml"
HEADER_NAMES = tuple(field.name for field in fields(RecordHeader))
DIGEST = re.compile(r"[0-9a-f]{12}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
PLAN_SIZES = ("small", "full")


def has_record(folder: Path) -> bool:
    """Whether there is a record in that folder."""
    return (folder / HEADER).is_file()


def write_record(record: Record, folder: Path) -> None:
    """Write the record; files of operations that it does not have any more are deleted. Raises OSError."""
    facts: dict[Address, Fact] = {address: rounded(address, behaviour) for address, behaviour in record.steady.items()}
    facts |= {address: tuple(values) for address, values in record.unsteady.items()}
    usual = usual_answers(facts)
    groups = grouped(without_usual(facts, usual))
    shapes = shared_shapes(groups.values())
    texts = {f"{name}.yaml": file_text(group, shapes, usual) for name, group in groups.items()}
    texts |= {SHAPES_FILE: shapes_text(shapes, usual)} if shapes or usual.outcomes or usual.media else {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**texts, HEADER: _header_text(record.header)}.items():  # the header last: it says "complete"
        _replace(folder / name, text)
    for path in [*_operation_files(folder), folder / SHAPES_FILE]:
        if path.name not in texts:
            path.unlink(missing_ok=True)


def read_record(folder: Path) -> Record:
    """The record in that folder. Raises UsageError with file, line, what stands there and what was expected."""
    if not has_record(folder):
        raise UsageError(f"{folder}: there is no {HEADER}: name a folder with a record, or make one with --record")
    header = _HeaderReader(folder / HEADER).header()
    shapes, usual = read_shapes(folder / SHAPES_FILE)
    facts: dict[Address, Fact] = {}
    owner: dict[str, Path] = {}
    for path in _operation_files(folder):
        own = with_usual(read_operations(path, shapes, usual), usual)
        for operation in sorted({address.operation for address in own}):
            if operation in owner:
                raise UsageError(f"{path}: {operation} stands in {owner[operation].name} too: expected it in one file")
            owner[operation] = path
        facts.update(own)
    steady = {address: fact for address, fact in sorted(facts.items()) if isinstance(fact, Behaviour)}
    unsteady = {address: fact for address, fact in sorted(facts.items()) if isinstance(fact, tuple)}
    return Record(header, steady, unsteady)


def file_of(folder: Path, operation: str) -> Path:
    """The file of a record that has the operation; the header's when none has."""
    line = f"- {operation}\n"
    quoted = f'- "{operation}"\n'
    texts = ((path, path.read_text("utf-8", errors="replace")) for path in _operation_files(folder))
    return next((path for path, text in texts if line in text or quoted in text), folder / HEADER)


def _operation_files(folder: Path) -> Iterator[Path]:
    """The files of operations and of the run; others in the folder, such as acceptances, are not ours."""
    for path in sorted(folder.glob("*.yaml")):
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.readline().rstrip("\n") == MARK:
                yield path


def _replace(path: Path, text: str) -> None:
    if path.is_file() and path.read_bytes() == text.encode():
        return
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(text.encode())
    fresh.replace(path)


def _header_text(header: RecordHeader) -> str:
    values: dict[str, Any] = {name: getattr(header, name) for name in HEADER_NAMES}
    values["days"] = [day.isoformat() for day in header.days]
    values["not_asked"] = dict(sorted(header.not_asked.items()))
    if not values["not_asked"]:
        del values["not_asked"]
    return "\n".join(["# The recorded behaviour of a target: where and how it was seen.", *block(values, 2)]) + "\n"


class _HeaderReader(YamlReader):
    """`record.yaml`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, OPTION)

    def header(self) -> RecordHeader:
        """The header. Raises UsageError."""
        values = self.mapping(self.root, HEADER_NAMES)
        missing = [name for name in HEADER_NAMES if name not in values and name != "not_asked"]
        if missing:
            raise UsageError(f"{self.path}: expected {', '.join(missing)} as well; make the record anew with --record")
        reasons = self.mapping(values["not_asked"]) if "not_asked" in values else {}
        return RecordHeader(
            api=self.text(values["api"]),
            target=self.text(values["target"]),
            plan=self._matching(values["plan"], DIGEST, "12 hex digits"),
            contract=self._matching(values["contract"], DIGEST, "12 hex digits"),
            plan_size=self._plan_size(values["plan_size"]),
            version=self.text(values["version"]),
            days=tuple(self._day(node) for node in self.items(values["days"])),
            not_asked={title: self.scalar(reason) for title, reason in reasons.items()},
        )

    def _matching(self, node: yaml.Node, pattern: re.Pattern[str], expected: str) -> str:
        text = self.text(node)
        if not pattern.fullmatch(text):
            raise self.error(node, f"expected {expected}, got {text!r}")
        return text

    def _plan_size(self, node: yaml.Node) -> str:
        text = self.text(node)
        if text not in PLAN_SIZES:
            raise self.error(node, f"expected {' or '.join(PLAN_SIZES)}, got {text!r}")
        return text

    def _day(self, node: yaml.Node) -> date:
        try:
            return date.fromisoformat(self._matching(node, DAY, "a day such as 2026-03-31"))
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
            raise self.error(node, f"expected a day such as 2026-03-31, got {self.text(node)!r}") from None
