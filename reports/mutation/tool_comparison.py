"""The data model of the comparison: our kill table beside what another tool finds on the same changes.

Rule: both sides ran on the same faults and variants, and requests and seconds are those of these runs; complaints about
the unchanged references are counted separately.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reports.mutation.kill_table import Provenance, parse_json, parse_provenance

COMPARISON_FILE = "against-schemathesis.json"
HONEST = "honest"
FAULT, VARIANT = "fault", "variant"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool on one change: its verdict, what it reported, its number of alarms, and its cost."""

    verdict: str
    says: str
    alarms: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ComparedChange:
    """One change, or the unchanged reference of an API; `kind` is fault, variant or honest."""

    api: str
    name: str
    kind: str
    ours: ToolResult
    theirs: ToolResult


@dataclass(frozen=True, slots=True)
class ToolComparison:
    """sample: which changes these are, in words. tool: name and version of the other tool."""

    made: Provenance
    tool: str
    sample: str
    rows: tuple[ComparedChange, ...]


@dataclass(frozen=True, slots=True)
class ToolTotals:
    """The totals of one tool; blamed variants and alarms about unchanged references are false alarms."""

    killed: int
    faults: int
    blamed: int
    variants: int
    alarms: int
    requests: int
    seconds: float


def totals(changes: Sequence[ComparedChange]) -> tuple[ToolTotals, ToolTotals]:
    """The totals of our side and of theirs."""
    ours = [(change.kind, change.ours) for change in changes]
    theirs = [(change.kind, change.theirs) for change in changes]
    return _totals(ours), _totals(theirs)


def _totals(results: Sequence[tuple[str, ToolResult]]) -> ToolTotals:
    faults, variants, honest = (
        [result for result_kind, result in results if result_kind == kind] for kind in (FAULT, VARIANT, HONEST)
    )
    return ToolTotals(
        sum(bool(result.alarms) for result in faults),
        len(faults),
        sum(bool(result.alarms) for result in variants),
        len(variants),
        sum(result.alarms for result in honest),
        sum(result.requests for result in (*faults, *variants)),
        sum(result.seconds for result in (*faults, *variants)),
    )


def comparison_json(comparison: ToolComparison) -> str:
    """The comparison as JSON."""
    return json.dumps(asdict(comparison), indent=1, ensure_ascii=False) + "\n"


def parse_comparison(text: str) -> ToolComparison:
    """Read what `comparison_json` wrote; raises ValueError for any other text."""
    return parse_json(text, _comparison)


def _comparison(content: Mapping[str, Any]) -> ToolComparison:
    changes = tuple(map(_change, content["rows"]))
    return ToolComparison(parse_provenance(content["made"]), str(content["tool"]), str(content["sample"]), changes)


def _change(content: Mapping[str, Any]) -> ComparedChange:
    if content["kind"] not in (FAULT, VARIANT, HONEST):
        raise ValueError(f"kind {content['kind']!r} is none of {FAULT}, {VARIANT}, {HONEST}")
    api, name, kind = (str(content[key]) for key in ("api", "name", "kind"))
    return ComparedChange(api, name, kind, _result(content["ours"]), _result(content["theirs"]))


def _result(content: Mapping[str, Any]) -> ToolResult:
    return ToolResult(
        str(content["verdict"]),
        str(content["says"]),
        int(content["alarms"]),
        int(content["requests"]),
        float(content["seconds"]),
    )
