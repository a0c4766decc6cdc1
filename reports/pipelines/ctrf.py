"""Formats a run as a report in the Common Test Report Format (CTRF), which several CI servers and dashboards read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reports import cause_text
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import BLOCKED, ResultRecord
from reports.results.verdicts import EXIT_CODES, ApiVerdict

VERSION = "0.0.0"  # of the format
STATUSES = {
    **dict.fromkeys(("passed", "known", "warning"), "passed"),
    "failed": "failed",
    "skipped": "skipped",
    BLOCKED: "skipped",
}
COUNTED = ("passed", "failed", "skipped", "pending", "other")


def ctrf(verdicts: Sequence[ApiVerdict], records: RunRecords, verdict: str) -> str:
    """The tests of all APIs; the verdicts and causes, which the format has no place for, are in `extra`."""
    accepted = [it for judged in verdicts for it in judged.accepted]
    worst_first = [cause for judged in verdicts for cause in judged.causes] + [it.cause for it in accepted]
    causes = cause_text.by_test(worst_first, records.tests)
    tests = [_test(test, causes.get(test.node)) for test in records.tests]
    counts = Counter(test["status"] for test in tests)
    start, stop = (round(moment * 1000) for moment in (records.run.span if records.run else (0.0, 0.0)))
    summary = {"tests": len(tests), **{status: counts[status] for status in COUNTED}, "start": start, "stop": stop}
    extra = {
        "verdict": verdict,
        "exitCode": EXIT_CODES[verdict],
        "apis": {judged.api: judged.verdict for judged in verdicts},
        "causes": [cause_text.facts(cause) for judged in verdicts for cause in judged.causes],
        "accepted": [cause_text.accepted_facts(it) for it in accepted],
    }
    results = {"tool": {"name": "flowproof"}, "summary": summary, "tests": tests, "extra": extra}
    report = {"reportFormat": "CTRF", "specVersion": VERSION, "results": results}
    return json.dumps(report, ensure_ascii=False) + "\n"  # without indent: json writes thousands of tests in C then


def _test(test: ResultRecord, cause: Cause | None) -> dict[str, Any]:
    content: dict[str, Any] = {
        "name": test.node,
        "status": STATUSES.get(test.outcome, "other"),
        "rawStatus": test.outcome,
        "duration": round(test.seconds * 1000),
        "suite": [test.api],
        "tags": list(test.clauses),
        "filePath": test.node.partition("::")[0],
    }
    if test.message:
        content["message"] = test.message
    if cause:
        content["trace"] = "\n".join(cause_text.cause_lines(cause))
        content["extra"] = {"clause": cause.clause, "cause": cause.id}
    return content
