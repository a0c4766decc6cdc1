"""Reads and writes `accepted.yaml`: which known findings of a deployment are accepted, and until which day.

    # yaml-language-server: $schema=…/contracts/schema/accepted.schema.json
    - id: 4f3c0a91b27e
      clause: GETFLOW-ERR-10
      what: "A required parameter that is left out …: expected attribute organization_id, received limit"
      reason: ticket 812
      by: Ann Lee
      until: 2027-03-01

Rule: reading is strict, and every value is a text. An entry names an id of 12 hexadecimal digits and nothing else of
what it accepts, so anything that has such an id can be accepted: this module knows neither causes nor findings.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import yaml

import contracts
from contracts.errors import ContractError, Location, UsageError
from contracts.reader.schema_check import schema_errors
from contracts.reader.yaml_file import YamlFile, read_contract_file

FILE = "accepted.yaml"
SCHEMA = "accepted"
ROOT = contracts.FOLDER.parent
ADVICE = "reports/README.md has the format; without any entry write [] or delete the file"
MAX_DAYS = 180  # that an acceptance may last from today


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An entry. id: of what is accepted; also: further ids of it. until: the last day. clause, what: "" for none."""

    id: str
    reason: str
    by: str
    until: date
    clause: str = ""
    what: str = ""
    also: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that it accepts, its own first."""
        return (self.id, *self.also)

    def __str__(self) -> str:
        return f"until {self.until}: {self.reason} ({self.by})"


@dataclass(frozen=True, slots=True)
class AcceptanceList:
    """The acceptances that applied to an API in a run. file: where they are; day: when the run began."""

    file: str = ""
    day: date = date.min
    entries: tuple[Acceptance, ...] = ()

    def overdue_of(self, api: str) -> tuple[Acceptance, ...]:
        """Those whose last day was over; several APIs may share a file, so a clause of another API is left out."""
        ended = (entry for entry in self.entries if entry.until < self.day)
        return tuple(it for it in ended if not it.clause or it.clause.partition("-")[0].lower() == api)

    def find(self, identifiers: Iterable[str]) -> Acceptance | None:
        """The first acceptance in force that accepts one of these ids."""
        wanted = set(identifiers)
        return next((it for it in self.entries if it.until >= self.day and wanted.intersection(it.ids)), None)

    def to_json(self) -> dict[str, Any]:
        """Everything, for JSON."""
        entries = [{**asdict(entry), "until": str(entry.until), "also": list(entry.also)} for entry in self.entries]
        return {"file": self.file, "day": str(self.day), "entries": entries}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote; raises ValueError, KeyError or TypeError for other content."""
        return cls(content["file"], date.fromisoformat(content["day"]), tuple(map(_parse, content["entries"])))


NO_ACCEPTANCES = AcceptanceList()


def _parse(entry: Mapping[str, Any]) -> Acceptance:
    values = {**entry, "until": date.fromisoformat(entry["until"]), "also": tuple(entry.get("also", ()))}
    return Acceptance(**values)


def acceptances_file(api: str, environ: Mapping[str, str]) -> Path | None:
    """The file of that API: beside its target file, else in the folder of its contract. None for our own reference."""
    target_file = environ.get(f"{api.upper()}_TARGET", "").strip()
    if target_file:
        return Path(target_file).resolve().parent / FILE
    return contracts.FOLDER / api / FILE if f"{api.upper()}_URL" in environ else None


def acceptances_of(api: str, environ: Mapping[str, str], today: date) -> AcceptanceList:
    """The acceptances that apply to the API's target today. Raises UsageError as `read_acceptances` does."""
    path = acceptances_file(api, environ)
    return AcceptanceList(str(path), today, read_acceptances(path, today)) if path else NO_ACCEPTANCES


def read_acceptances(path: Path, today: date) -> tuple[Acceptance, ...]:
    """The entries of that file in its order, () without a file. Raises UsageError with file and line for any other."""
    if not path.exists():
        return ()
    try:
        file = read_contract_file(path, yaml.BaseLoader, ADVICE)
        for error in schema_errors(file, SCHEMA):
            raise error
        return _entries(file, today)
    except ContractError as error:
        raise UsageError(str(error)) from None


def _entries(file: YamlFile, today: date) -> tuple[Acceptance, ...]:
    lines: dict[str, int] = {}
    for place, entry in enumerate(file.data):
        for identifier in (entry["id"], *entry.get("also", ())):
            first = lines.setdefault(identifier, place)
            if first != place:
                raise file.error((place,), f"{identifier} is accepted in line {file.line((first,))} too: expected once")
        try:
            last_day(entry["until"], today)
        except ValueError as error:
            location: Location = (place, "until")
            raise file.error(location, f"until: {error}") from None
    return tuple(_parse(entry) for entry in file.data)


def last_day(text: str, today: date) -> date:
    """That day. Raises ValueError, which says what is expected, for no day and for one too far ahead."""
    latest = today + timedelta(MAX_DAYS)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"got {text!r}, expected a day such as {latest}") from None
    if day > latest:
        raise ValueError(f"got {text}, expected a day at most {MAX_DAYS} days ahead, so not after {latest}")
    return day


def write_acceptances(path: Path, fresh: Sequence[Acceptance], today: date) -> None:
    """Adds these entries to the file, in place of others with their ids, at once.

    Comments and the order of other entries stay, where each entry begins a line of its own; else the file is sorted by
    id. Raises UsageError as `read_acceptances` does, and OSError.
    """
    replaced = {identifier for entry in fresh for identifier in entry.ids}
    others = [it for it in read_acceptances(path, today) if not replaced.intersection(it.ids)]
    wanted = {entry.id: entry for entry in (*others, *fresh)}
    text = path.read_text("utf-8") if path.exists() else _head(path)
    text = _without(text, set(wanted) - {entry.id for entry in fresh}) + "".join(map(_dump, fresh))
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8")
    try:
        is_as_wanted = {entry.id: entry for entry in read_acceptances(part, today)} == wanted
    except UsageError:
        is_as_wanted = False
    if not is_as_wanted:
        part.write_text(_head(path) + "".join(_dump(wanted[name]) for name in sorted(wanted)), "utf-8")
    os.replace(part, path)


def _head(path: Path) -> str:
    """The line by which an editor finds the schema, if file and schema are in the same checkout."""
    schema = os.path.relpath(contracts.FOLDER / "schema" / f"{SCHEMA}.schema.json", path.parent)
    return f"# yaml-language-server: $schema={schema}\n" if path.is_relative_to(ROOT) else ""


def _without(text: str, kept: set[str]) -> str:
    """The text without the lines of all entries but those `kept`; comments before an entry belong to it."""
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    lines = text.splitlines()
    if isinstance(root, yaml.SequenceNode):
        for item in reversed(root.value):
            names = {key.value: value.value for key, value in item.value}
            first, end = item.start_mark.line, _last_line(item) + 1
            if names.get("id") not in kept:
                while first and lines[first - 1].startswith("#") and first - 1 > 0:
                    first -= 1
                del lines[first:end]
    return "".join(f"{line}\n" for line in lines if line.strip() != "[]")


def _last_line(node: yaml.Node) -> int:
    """The line of the last value in that node, from 0: the end of a block also counts blank lines and comments."""
    if isinstance(node, yaml.ScalarNode):
        is_open = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
        return int(node.end_mark.line) - is_open
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    last = max(map(_last_line, parts), default=int(node.start_mark.line))
    return max(last, int(node.end_mark.line)) if getattr(node, "flow_style", False) else last


def _dump(entry: Acceptance) -> str:
    """The entry as YAML, without what it does not say."""
    names = ("id", "clause", "what", "also", "reason", "by", "until")
    values: dict[str, Any] = {**asdict(entry), "also": list(entry.also), "until": str(entry.until)}
    content = {name: values[name] for name in names if values[name]}
    text: str = yaml.dump([content], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4_000)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes days without quotes, since reading takes every value as a text."""


_Dumper.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}
