"""Formats the verdict of a load run: a table for a terminal, Markdown for a CI page, JSON and JUnit for programs.

Rule: all four show the same facts in the same order; nothing is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports.icons import ICONS
from reports.load import transport_table
from reports.load.failure_table import cause_lines, reason_rows, status_rows, table_lines
from reports.load.load_result import NS_PER_MS, PERCENTILES
from reports.load.load_verdict import MISUSE, STOP_NOTE, UNREACHABLE, LoadVerdict, search_note
from reports.load.objective_outcomes import FAIL, Outcome
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import OWNERS, broken_clauses
from reports.load.slo import JOURNEY, OPERATION, STEP, TAG, Objective
from reports.load.validation_note import validation_of
from reports.load.violation_text import violation_facts, violation_lines, violation_markdown

VERDICT_MEANINGS = {
    "pass": "every objective was met",
    "fail": "an objective was missed",
    "broken": "our own part failed, so nothing is sure",
    "misuse": "a command or a setting has to be changed",
    "inconclusive": "not enough evidence",
    "unreachable": "the target did not respond",
}
COLUMNS = ("objective", "limit", "measured", "margin", "verdict")


def format_value(objective: Objective, value: float) -> str:
    """A value with the usual unit of that metric."""
    if objective.is_time:
        ms = value / NS_PER_MS
        return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.4g} s"
    return f"{value:.5g} /s" if objective.is_lower_bound else f"{value * 100:.3g} %"


def outcome_cells(outcome: Outcome) -> tuple[str, str, str, str, str]:
    """An outcome as the cells of a row under COLUMNS."""
    objective = outcome.objective
    limit = f"{'at least' if objective.is_lower_bound else 'at most'} {format_value(objective, objective.limit)}"
    measured = "-" if outcome.measured is None else format_value(objective, outcome.measured)
    return f"{objective.scope} {objective.metric}", limit, measured, _margin(outcome), outcome.verdict


def _margin(outcome: Outcome) -> str:
    """How far the measured value is from the limit: "80 % to spare", "38 % too much", "25 times the limit"."""
    if outcome.margin is None:
        return "-"
    percent = f"{abs(outcome.margin) * 100:.0f} %"
    if outcome.margin >= 0:
        return f"{percent} to spare"
    if outcome.objective.is_lower_bound:
        return f"{percent} too little"
    return f"{1 - outcome.margin:.3g} times the limit" if outcome.margin <= -1 else f"{percent} too much"


def console_lines(judged: LoadVerdict) -> list[str]:
    """The table of objectives, then every reason and broken clause; the verdict is in the last line.

    A run that ended before its first journey has one line.
    """
    if not judged.outcomes and (judged.verdict in (UNREACHABLE, MISUSE) or STOP_NOTE in judged.run.result.notes):
        return [f"load: {judged.verdict}: {'; '.join(judged.reasons)}"]
    lines = objective_lines(judged)
    lines += [
        f"  {outcome.objective.scope} {outcome.objective.metric}: {outcome.why}"
        for outcome in judged.outcomes
        if outcome.why
    ]
    lines += [f"  {reason}" for reason in judged.reasons]
    lines += [f"  {clause} broken {number} times" for clause, number in _broken(judged).items()]
    operations = judged.run.judged_operations
    lines += [f"  {line}" for line in (*cause_lines(operations), *table_lines(operations), *evidence_lines(judged))]
    lines += [f"  {line}" for line in violation_lines(judged.run)]
    lines += search_lines(judged)
    missed = sum(outcome.verdict == FAIL for outcome in judged.outcomes)
    counts = f"{len(judged.outcomes)} objectives, {missed} missed"
    return [*lines, f"load: {judged.verdict}: {counts}; {VERDICT_MEANINGS[judged.verdict]}"]


def objective_lines(judged: LoadVerdict) -> list[str]:
    """The table of objectives; its last column is the verdict of each."""
    rows = [COLUMNS, *map(outcome_cells, judged.outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def evidence_lines(judged: LoadVerdict) -> list[str]:
    """What the verdict is based on, in sentences: validated responses, waits, and what was sent again."""
    validation, healths = validation_of(judged.run.result), judged.run.result.health.values()
    number, seconds = (sum(health.get(name, 0) for health in healths) for name in ("backoffs", "backoff_s"))
    waits = [
        f"users waited {number} times, {seconds:.4g} s in all, before they connected again to a target that refused"
    ]
    resent = sum(operation.resent for operation in judged.run.judged_operations)
    again = [f"{resent} requests were sent again, since the server closed their reused connections before a response"]
    return [*([str(validation)] if validation else []), *(waits if number else []), *(again if resent else [])]


def search_lines(judged: LoadVerdict) -> list[str]:
    """The result of a search for the highest rate, in two sentences; nothing for other runs."""
    note = search_note(judged.run)
    if not note:
        return []
    lines = [f"highest rate that keeps the objectives: {note['highest']:.4g} journeys/s"]
    if note["missed"] is not None:
        limited_by = note["limited_by"] or "not always by the same"
        lines.append(f"at {note['missed']:.4g} journeys/s they are missed: {limited_by}")
    return lines


OF_GROUPS = " Steps count from their begin to their end, and tags the requests that have them."


def markdown(judged: LoadVerdict) -> str:
    """A page for CI: the objectives, the reasons of the verdict, and the figures of operations and journeys."""
    page = [f"# load: {ICONS[judged.verdict]} {judged.verdict}", ""]
    page += [f"{VERDICT_MEANINGS[judged.verdict].capitalize()}.", ""]
    page += ["| objective | limit | measured | margin | verdict | |", "|---|--:|--:|--:|---|---|"]
    for outcome in judged.outcomes:
        verdict = f"{ICONS[outcome.verdict]} {outcome.verdict}"
        page.append(_row((*outcome_cells(outcome)[:4], verdict, outcome.why)))
    page += _section("Highest rate", search_lines(judged))
    page += _section("Why the run is no evidence" if judged.verdict != FAIL else "Also", judged.reasons)
    page += _section("Evidence", evidence_lines(judged))
    violations = violation_markdown(judged.run)
    page += ["", "## Violations", "", *violations] if violations else []
    page += _section("Causes", cause_lines(judged.run.judged_operations))
    page += _section("Clauses broken", [f"{clause}: {number} times" for clause, number in _broken(judged).items()])
    page += _failures(judged)
    transports = transport_table.markdown(judged.run.judged_operations)
    return "\n".join([*page, *_journeys(judged), *_operations(judged), *transports]) + "\n"


def _failures(judged: LoadVerdict) -> list[str]:
    """Tables of statuses and of reasons; nothing without failures."""
    operations = judged.run.judged_operations
    tables = {"status": status_rows(operations), "reason of failure": reason_rows(operations)}
    lines: list[str] = []
    for head, rows in tables.items():
        if rows:
            lines += ["", f"| {head} | requests |", "|---|--:|", *(_row((name, str(n))) for name, n in rows.items())]
    return ["", "## Statuses and reasons", *lines] if lines else []


def _broken(judged: LoadVerdict) -> dict[str, int]:
    return broken_clauses(judged.run.judged_operations)


def _journeys(judged: LoadVerdict) -> list[str]:
    """The table of journeys; nothing for a run without them."""
    journeys = judged.run.judged_journeys
    if not journeys:
        return []
    columns = ("journey", "of", "played", "failed", "per s", *map(_percentile_name, PERCENTILES), "max")
    return [
        "",
        "## Journeys",
        "",
        "Times in ms from when a journey was due to its end, if all its responses were good; max is of all journeys."
        f"{OF_GROUPS if any(it.transport in OWNERS.values() for it in journeys) else ''}",
        "",
        *_head(columns),
        *(_row((*_counts(journey, judged), *_times(journey))) for journey in journeys),
    ]


def _operations(judged: LoadVerdict) -> list[str]:
    names = map(_percentile_name, PERCENTILES)
    columns = ("operation", "transport", "requests", "failed", "per s", *names, "max", "service p99")
    rows = [
        _row((*_counts(operation, judged), *_times(operation), _ms(operation.service.percentile(99))))
        for operation in judged.run.judged_operations
    ]
    note = "Times in ms of good responses, from when they were due; max also of failed ones; service from the send."
    return ["", "## Operations", "", note, "", *_head(columns), *rows]


def _counts(statistics: OperationStatistics, judged: LoadVerdict) -> tuple[str, ...]:
    seconds = judged.run.judged_seconds
    rate = statistics.requests / seconds if seconds else 0.0
    names = (statistics.operation, statistics.transport)
    return (*names, str(statistics.requests), str(statistics.failed.count), f"{rate:.1f}")


def _times(statistics: OperationStatistics) -> tuple[str, ...]:
    return tuple(map(_ms, (*statistics.corrected.percentiles(PERCENTILES), statistics.times("all").max)))


def _ms(ns: float) -> str:
    return f"{ns / NS_PER_MS:.4g}"


def _percentile_name(percent: float) -> str:
    return f"p{percent:g}"


def to_facts(judged: LoadVerdict) -> dict[str, Any]:
    """All facts for programs; limits and measurements in ms, as a share of 1, or per second."""
    return {
        "verdict": judged.verdict,
        "exit_code": judged.exit_code,
        "run": judged.run.result.name,
        "apis": list(judged.run.apis),
        "seconds": judged.run.result.seconds,
        "judged_seconds": judged.run.judged_seconds,
        "reasons": list(judged.reasons),
        "clauses_broken": _broken(judged),
        "statuses": status_rows(judged.run.judged_operations),
        "failures": reason_rows(judged.run.judged_operations),
        "causes": cause_lines(judged.run.judged_operations),
        "violation_causes": violation_facts(judged.run),
        "validated": asdict(validation) if (validation := validation_of(judged.run.result)) else None,
        "search": search_note(judged.run),
        "objectives": [_outcome_facts(outcome) for outcome in judged.outcomes],
    }


def to_json(judged: LoadVerdict) -> str:
    """`to_facts` as JSON."""
    return json.dumps(to_facts(judged), indent=1, ensure_ascii=False) + "\n"


def _outcome_facts(outcome: Outcome) -> dict[str, Any]:
    objective = outcome.objective
    scope, scale = objective.scope, NS_PER_MS if objective.is_time else 1
    return {
        "scope": str(scope),
        "api": scope.api,
        "operation": scope.operation if scope.kind == OPERATION else "",
        **{kind: scope.operation if scope.kind == kind else "" for kind in (JOURNEY, STEP, TAG)},
        "metric": objective.metric,
        "unit": "ms" if objective.is_time else "a second" if objective.is_lower_bound else "share",
        "limit": objective.limit / scale,
        "measured": None if outcome.measured is None else outcome.measured / scale,
        "margin": outcome.margin,
        "verdict": outcome.verdict,
        "why": outcome.why,
        "line": objective.line,
    }


def _section(title: str, items: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {_cell(item)}" for item in items)] if items else []


def _head(columns: Sequence[str]) -> list[str]:
    """The head of a table whose columns are numbers from the third one on."""
    return [f"| {' | '.join(columns)} |", "|---|---|" + "--:|" * (len(columns) - 2)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A text that neither ends a table's cell nor begins an HTML tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
