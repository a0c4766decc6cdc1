"""Our kill table beside what another tool finds on the same changes, as data.

Rule: both sides are about the same faults and variants, and their requests and seconds are of these alone; what is
said of the honest references is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reports import kills
from reports.kills import Made

NAME = "against-schemathesis.json"
HONEST = "honest"
FAULT, VARIANT = "fault", "variant"


@dataclass(frozen=True, slots=True)
class Side:
    """One side on one change: its verdict, what it said, how many alarms, and what it cost."""

    verdict: str
    says: str
    alarms: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One change, or the honest reference of an API; `kind` is fault, variant or honest."""

    api: str
    name: str
    kind: str
    ours: Side
    theirs: Side


@dataclass(frozen=True, slots=True)
class Comparison:
    """`sample` says in words which changes these are, `tool` what was run on them."""

    made: Made
    tool: str
    sample: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """One side in sum: `blamed` variants and `alarms` about the honest references are false alarms."""

    killed: int
    faults: int
    blamed: int
    variants: int
    alarms: int
    requests: int
    seconds: float


def sums(rows: Sequence[Row]) -> tuple[Sum, Sum]:
    """Our side and theirs."""
    return _sum([(row.kind, row.ours) for row in rows]), _sum([(row.kind, row.theirs) for row in rows])


def _sum(sides: Sequence[tuple[str, Side]]) -> Sum:
    faults, variants, honest = ([one for of, one in sides if of == kind] for kind in (FAULT, VARIANT, HONEST))
    return Sum(
        sum(bool(one.alarms) for one in faults),
        len(faults),
        sum(bool(one.alarms) for one in variants),
        len(variants),
        sum(one.alarms for one in honest),
        sum(one.requests for one in (*faults, *variants)),
        sum(one.seconds for one in (*faults, *variants)),
    )


def text(comparison: Comparison) -> str:
    """The comparison as JSON."""
    return json.dumps(asdict(comparison), indent=1, ensure_ascii=False) + "\n"


def comparison(text: str) -> Comparison:
    """The comparison that `text` made; raises ValueError for any other text."""
    return kills.parsed(text, _comparison)


def _comparison(found: Mapping[str, Any]) -> Comparison:
    rows = tuple(map(_row, found["rows"]))
    return Comparison(kills.made(found["made"]), str(found["tool"]), str(found["sample"]), rows)


def _row(found: Mapping[str, Any]) -> Row:
    if found["kind"] not in (FAULT, VARIANT, HONEST):
        raise ValueError(f"kind {found['kind']!r} is none of {FAULT}, {VARIANT}, {HONEST}")
    api, name, kind = (str(found[key]) for key in ("api", "name", "kind"))
    return Row(api, name, kind, _side(found["ours"]), _side(found["theirs"]))


def _side(found: Mapping[str, Any]) -> Side:
    return Side(
        str(found["verdict"]),
        str(found["says"]),
        int(found["alarms"]),
        int(found["requests"]),
        float(found["seconds"]),
    )
