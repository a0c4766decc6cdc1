"""Formats a run as `summary.json`: verdicts, causes and how to try them, in one small file for scripts and agents.

Rule: `summary.schema.json` beside this file describes it. What is long and of use to few is in `coverage.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from reports import cause_text
from reports.coverage import coverage_report
from reports.coverage.coverage_report import ApiCoverage
from reports.history import change_text
from reports.history.run_changes import Changes, RunChanges
from reports.history.target_history import TARGET_KEY
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.verdicts import EXIT_CODES, ApiVerdict
from reports.summary import NO_CHANGES, NO_LOADS, Loads, skip_reasons

NO_HISTORY = RunChanges()
NO_VIOLATIONS: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({})


def to_json(
    verdicts: Sequence[ApiVerdict],
    records: RunRecords,
    verdict: str,
    loads: Loads = NO_LOADS,
    changes: Changes = NO_CHANGES,
    violations: Mapping[str, Sequence[Mapping[str, Any]]] = NO_VIOLATIONS,
) -> str:
    """JSON: {verdict, exit_code, run, loads, violations, …, apis: {name: {verdict, causes, …}}}.

    violations: the causes of violations in each load run, by its name.
    """
    environment = records.environment
    content = {
        "verdict": verdict,
        "exit_code": EXIT_CODES[verdict],
        "run": records.run.run if records.run else None,
        "loads": dict(loads),
        "violations": dict(violations),
        "problems": list(records.problems),
        "misuse": list(records.misuse),
        "environment": environment,
        "apis": {
            judged.api: _api_facts(judged, environment, changes.get(judged.api, NO_HISTORY)) for judged in verdicts
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def coverage_json(coverages: Sequence[ApiCoverage]) -> str:
    """JSON: for each API the state of its clauses and readings, and what was exercised of its operations."""
    content = {coverage.api: coverage_report.to_facts(coverage) for coverage in coverages}
    return json.dumps(content, ensure_ascii=False) + "\n"  # without indent: json writes it in C then


def _api_facts(verdict: ApiVerdict, environment: Mapping[str, str], changes: RunChanges) -> dict[str, Any]:
    since = change_text.since_texts(changes)
    return {
        "verdict": verdict.verdict,
        "target": environment.get(TARGET_KEY.format(api=verdict.api)),
        "checks": verdict.checks,
        "observations": verdict.observations,
        "clauses": len(verdict.clauses),
        "counts": verdict.counts,
        "causes": [{**cause_text.facts(cause), "since": since.get(cause.id)} for cause in verdict.causes],
        "accepted": [cause_text.accepted_facts(accepted) for accepted in verdict.accepted],
        "overdue": [cause_text.acceptance_facts(entry) for entry in verdict.overdue],
        "vanished": [cause_text.acceptance_facts(entry) for entry in verdict.vanished],
        "since_last_run": change_text.facts(changes),
        "findings": [_test_facts(test) for test in verdict.findings],
        "warnings": [_test_facts(test) for test in verdict.warnings],
        "known": [_test_facts(test) for test in verdict.known],
        "not_judged": [{**_test_facts(test), "outcome": test.outcome} for test in verdict.not_judged],
        "skipped": dict(skip_reasons(verdict.skipped)),
        "reasons": list(verdict.reasons),
        "changes": list(verdict.changes),
    }


def _test_facts(test: ResultRecord) -> dict[str, Any]:
    clauses = list(test.blamed or test.clauses[:1])
    return {"clauses": clauses, "test": test.node, "title": test.title, "message": test.message}
