"""Stores the result of a comparison with a record in the file that tests leave for the report: `<api>.json`.

Rule: a file is written completely or not at all, and reading it is strict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from contracts.behaviour.behaviour import Address, Behaviour
from contracts.yaml_reader import UsageError
from reports.drift.change_kinds import severity_named
from reports.drift.changes import Change
from reports.drift.record import RecordHeader


@dataclass(frozen=True, slots=True)
class DriftResult:
    """The result for one API.

    folder: of the record. header: of the record that it was compared with, or that was written (`is_recorded`).
    day: of the comparison. plan, contract: digests of now. watched: steady behaviours; unsteady: addresses that are not
    watched; not_comparable: behaviours of which nothing was observed. inconclusive: by operation, why nothing can be
    said of it. became_unsteady: sentences about what flipped when it was asked again. curls, responses: by id of a
    change, a command that shows it and the masked text of the response. problems: what went wrong on our side.
    unreachable: why the target could not be reached, "" if it could.
    """

    api: str
    target: str
    folder: str
    header: RecordHeader
    day: date
    plan: str = ""
    contract: str = ""
    is_recorded: bool = False
    changes: tuple[Change, ...] = ()
    watched: int = 0
    unsteady: int = 0
    not_comparable: int = 0
    inconclusive: Mapping[str, str] = field(default_factory=dict)
    became_unsteady: tuple[str, ...] = ()
    curls: Mapping[str, str] = field(default_factory=dict)
    responses: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unreachable: str = ""

    @property
    def comparable_share(self) -> float:
        """Which share of the steady behaviours could be compared, from 0 to 1."""
        return 1 - self.not_comparable / self.watched if self.watched else 0.0

    @property
    def watched_share(self) -> float:
        """Which share of all recorded behaviours is watched, from 0 to 1."""
        total = self.watched + self.unsteady
        return self.watched / total if total else 0.0


def write(path: Path, result: DriftResult) -> None:
    """Write the result, in place of an earlier one. Raises OSError."""
    content = {item.name: getattr(result, item.name) for item in fields(result)}
    content |= {"header": {**asdict(result.header), "days": [str(day) for day in result.header.days]}}
    content |= {"day": str(result.day), "changes": [_change_content(change) for change in result.changes]}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    text = json.dumps(content, indent=1, ensure_ascii=False, default=dict)
    fresh.write_text(f"{text}\n", "utf-8", errors="backslashreplace")
    fresh.replace(path)


def read(path: Path) -> DriftResult:
    """The result in that file. Raises UsageError for a file that `write` did not write."""
    try:
        content = json.loads(path.read_text("utf-8"))
        header = content["header"]
        days = tuple(date.fromisoformat(day) for day in header["days"])
        tuples = {name: tuple(content[name]) for name in ("became_unsteady", "problems")}
        return DriftResult(
            **{
                **content,
                **tuples,
                "header": RecordHeader(**{**header, "days": days}),
                "day": date.fromisoformat(content["day"]),
                "changes": tuple(_change(item) for item in content["changes"]),
            }
        )
    except (OSError, ValueError, TypeError, LookupError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{path} is no result of a drift run ({reason}): make it anew with tox -e drift") from None


def results_in(folder: Path) -> list[DriftResult]:
    """The results of all APIs in that folder, by name. Raises UsageError."""
    return [read(path) for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]


def confirmed(change: Change) -> Change:
    """The change, seen twice."""
    return replace(change, is_confirmed=True)


def _change_content(change: Change) -> dict[str, Any]:
    content = {item.name: getattr(change, item.name) for item in fields(change)}
    edits = [
        [*address, *((behaviour.value, behaviour.count, behaviour.total) if behaviour else (None, 0, 0))]
        for address, behaviour in change.edits
    ]
    return {**content, "places": [list(address) for address in change.places], "edits": edits}


def _change(content: Mapping[str, Any]) -> Change:
    edits = tuple(
        (Address(*address), None if value is None else Behaviour(value, count, total))
        for *address, value, count, total in content["edits"]
    )
    places = tuple(Address(*address) for address in content["places"])
    return Change(**{**content, "severity": severity_named(content["severity"]), "places": places, "edits": edits})
