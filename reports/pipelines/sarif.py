"""Formats causes as SARIF 2.1.0 (OASIS), which code scanning of GitHub and others reads: a rule for each clause.

Rule: the fingerprint of a result is the id of its cause, so that a scanner recognises it in the next run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from reports import cause_text
from reports.pipelines.clause_location import location_of
from reports.results.accepted_causes import AcceptedCause
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.verdicts import EXIT_CODES, ApiVerdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
FINGERPRINT = "flowproofCause/v1"
NO_CLAUSE = "flowproof"  # the rule of a finding that names no clause
RAN = ("pass", "fail")  # verdicts of runs that came to their end and had their evidence


def sarif(verdicts: Sequence[ApiVerdict], records: RunRecords, verdict: str) -> str:
    """The causes of all APIs as one SARIF run; known departures and accepted causes are suppressed results."""
    results = [_result(judged.api, cause) for judged in verdicts for cause in judged.causes]
    results += [_accepted(accepted) for judged in verdicts for accepted in judged.accepted]
    results += [_known(test) for judged in verdicts for test in judged.departures]
    rules = {result["ruleId"]: _rule(result["ruleId"]) for result in results}
    reasons = [f"{judged.api}: {reason}" for judged in verdicts for reason in judged.reasons]
    run = {
        "tool": {"driver": {"name": "flowproof", "rules": list(rules.values())}},
        "invocations": [
            {
                "executionSuccessful": verdict in RAN,
                "exitCode": EXIT_CODES[verdict],
                "exitCodeDescription": verdict,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": line}} for line in (*reasons, *records.outside_lines)
                ],
            }
        ],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _rule(clause: str) -> dict[str, Any]:
    sentence, citation = cause_text.sentence_of(clause)
    rule: dict[str, Any] = {"id": clause, "shortDescription": {"text": sentence or "A test names no clause."}}
    return {**rule, "fullDescription": {"text": f"{sentence} ({citation})"}} if citation else rule


def _result(api: str, cause: Cause) -> dict[str, Any]:
    return {
        **_place(api, cause.clause),
        "level": "warning" if cause.is_warning else "error",
        "message": {"text": "\n".join(cause_text.cause_lines(cause))},
        "partialFingerprints": {FINGERPRINT: cause.id},
        "occurrenceCount": cause.findings,
        "properties": {"api": api, "operations": list(cause.operations), "clauses": list(cause.clauses)},
    }


def _accepted(accepted: AcceptedCause) -> dict[str, Any]:
    return {
        **_result(accepted.cause.api, accepted.cause),
        "suppressions": [{"kind": "external", "status": "accepted", "justification": str(accepted.acceptance)}],
    }


def _known(test: ResultRecord) -> dict[str, Any]:
    return {
        **_place(test.api, next(iter(test.clauses), "")),
        "level": "note",
        "message": {"text": test.message},
        "suppressions": [{"kind": "external", "status": "accepted", "justification": test.message}],
    }


def _place(api: str, clause: str) -> dict[str, Any]:
    return {"ruleId": clause or NO_CLAUSE, "locations": list(_locations(api, clause))}


def _locations(api: str, clause: str) -> Iterable[dict[str, Any]]:
    path, line = location_of(api, clause)
    yield {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}
