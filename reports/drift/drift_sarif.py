"""The changes as SARIF 2.1.0 (OASIS), for code scanning: a rule for each kind, located in the file of the record.

Rule: the fingerprint of a result is the id of its change, so that a scanner recognises it in the next run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reports.drift.change_kinds import change_kinds
from reports.drift.changes import Change
from reports.drift.drift_text import citation, keep_command, short_sentence
from reports.drift.drift_verdict import DriftVerdict
from reports.drift.record_files import file_of
from reports.pipelines.sarif import RAN, SCHEMA, VERSION
from reports.results.verdicts import EXIT_CODES

FINGERPRINT = "flowproofChange/v1"
LEVELS = {"breaking": "error", "risky": "warning", "additive": "note", "cosmetic": "note", "repaired": "note"}
ROOT = Path(__file__).resolve().parents[2]


def drift_sarif(judged: Sequence[DriftVerdict], verdict: str) -> str:
    """The changes of all APIs as one SARIF run; those that are accepted are suppressed results."""
    results = [_result(item, change) for item in judged for change in item.result.changes]
    names = {change.kind for item in judged for change in item.result.changes}
    run = {
        "tool": {"driver": {"name": "flowproof", "rules": [_rule(name) for name in sorted(names)]}},
        "invocations": [
            {
                "executionSuccessful": verdict in RAN,
                "exitCode": EXIT_CODES[verdict],
                "exitCodeDescription": verdict,
                "toolExecutionNotifications": list(_notifications(judged)),
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule_id(name: str) -> str:
    return f"drift/{name.replace(' ', '-')}"


def _rule(name: str) -> dict[str, Any]:
    kind = change_kinds()[name]
    return {
        "id": _rule_id(name),
        "shortDescription": {"text": f"{name.capitalize()}."},
        "properties": {"number": kind.number, "severity": kind.severity},
    }


def _result(judged: DriftVerdict, change: Change) -> dict[str, Any]:
    path, line = record_line(Path(judged.result.folder), change)
    result: dict[str, Any] = {
        "ruleId": _rule_id(change.kind),
        "level": LEVELS[change.severity],
        "message": {"text": f"{short_sentence(change)}\n{citation(change)}\n{keep_command(change)}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}],
        "partialFingerprints": {FINGERPRINT: change.id},
        "occurrenceCount": len(change.places),
        "properties": {"api": judged.result.api, "severity": change.severity, "clause": change.clause},
    }
    if change.id in judged.accepted:
        result["suppressions"] = [{"kind": "external", "status": "accepted"}]
    return result


def record_line(folder: Path, change: Change) -> tuple[str, int]:
    """The file of the record that has the change's first address, from the root of the checkout, and its line."""
    path = file_of(folder, change.operation)
    place = change.places[0].place.partition(": ")[2] or change.places[0].place
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    number = next((number for number, line in enumerate(lines, 1) if place and place in line), 1)
    resolved = path.resolve()
    return resolved.relative_to(ROOT).as_posix() if resolved.is_relative_to(ROOT) else resolved.as_uri(), number


def _notifications(judged: Sequence[DriftVerdict]) -> Iterator[dict[str, Any]]:
    for item in judged:
        for reason in item.reasons:
            yield {"level": "error", "message": {"text": f"{item.result.api}: {reason}"}}
