"""Adds a load run to the Allure report: a result for each objective, under the epic `load` and its API.

Rule: these results are shown but not counted; a load run's verdict and exit code come from its own folder.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.load import plots, verdict_text
from reports.load.load_verdict import BROKEN, MISUSE, UNREACHABLE, LoadVerdict
from reports.load.objective_outcomes import FAIL, INCONCLUSIVE, PASS, Outcome
from reports.load.scope import merge_statistics, statistics_in
from reports.load.slo import JOURNEY, STEP, TAG, Scope
from reports.load.timeline import ALL_OPERATIONS, Span, timeline

STATUS = {
    PASS: "passed",
    FAIL: "failed",
    INCONCLUSIVE: "skipped",
    **dict.fromkeys((UNREACHABLE, MISUSE, BROKEN), "broken"),
}
SUITE = "load"
WHOLE_RUN = "Whole run"


def stage(judged: LoadVerdict, staged: Path) -> None:
    """Write the results and their plots into a folder of Allure results."""
    operations = timeline(judged.run)
    journeys = timeline(judged.run, of="journeys")
    plots_of: dict[Scope, list[dict[str, str]]] = {}
    for outcome in judged.outcomes:
        scope = outcome.objective.scope
        if scope not in plots_of:
            spans_of = journeys if scope.kind in (JOURNEY, STEP, TAG) else operations
            plots_of[scope] = _plots(scope, judged, spans_of, staged)
        objective, limit, measured, *_ = verdict_text.outcome_cells(outcome)
        message = f"measured {measured}; {outcome.why}".rstrip("; ")
        _write(
            staged, _result(judged, scope, f"{objective} {limit}", outcome.verdict, message, plots_of[scope], outcome)
        )
    run_scope = Scope("run")
    attachments = plots_of.get(run_scope) or _plots(run_scope, judged, operations, staged)
    message = "\n".join([*judged.reasons, *verdict_text.search_lines(judged)])
    verdict = judged.verdict if judged.reasons or not judged.outcomes else PASS
    name = "The run is complete and its generator was fit"
    _write(staged, _result(judged, run_scope, name, verdict, message, attachments, None))


def _result(
    judged: LoadVerdict,
    scope: Scope,
    name: str,
    verdict: str,
    why: str,
    attachments: list[dict[str, str]],
    outcome: Outcome | None,
) -> dict[str, Any]:
    run = judged.run.result
    begin = int(run.started * 1000)
    identity = f"load {scope} {outcome.objective.metric if outcome else 'run'}"
    place = [("epic", SUITE), ("feature", scope.api or WHOLE_RUN), ("story", scope.operation or "All operations")]
    command = f"Judge it again:\n\n```\npython -m reports --load {os.path.relpath(judged.run.path)}\n```"
    message = f"inconclusive: {why}" if verdict == INCONCLUSIVE else why
    return {
        "uuid": str(uuid.uuid4()),
        "historyId": uuid.uuid5(uuid.NAMESPACE_OID, identity).hex,
        "testCaseId": identity,
        "name": name,
        "fullName": identity,
        "status": STATUS[verdict],
        "statusDetails": {"message": message} if verdict != PASS and why else {},
        "description": f"Run {run.name}, {run.seconds:.0f} s. {why if verdict == PASS else ''}\n\n{command}",
        "titlePath": [SUITE, scope.api or WHOLE_RUN],
        "labels": [{"name": key, "value": value} for key, value in (*place, ("outcome", verdict))],
        "attachments": attachments,
        "start": begin,
        "stop": begin + int(run.seconds * 1000),
    }


def _plots(
    scope: Scope, judged: LoadVerdict, spans_of: dict[tuple[str, str], list[Span]], staged: Path
) -> list[dict[str, str]]:
    """Write the plots of a scope; returns them as Allure attachments."""
    parts = statistics_in(scope, judged.run)
    if scope == Scope("run"):
        spans = spans_of[ALL_OPERATIONS]
    else:
        spans = _merged([spans_of[part.operation, part.transport] for part in parts])
    name = str(scope)
    charts = {"Time by percentile": plots.percentile_plot(name, merge_statistics(parts), alone=True)}
    if spans:
        charts["Corrected time over the run"] = plots.times_plot(name, spans, judged.run, alone=True)
        charts["Throughput over the run"] = plots.throughput_plot(name, spans, judged.run, alone=True)
    return [_attach(title, svg, staged) for title, svg in charts.items()]


def _merged(series: Sequence[Sequence[Span]]) -> list[Span]:
    """Add up several operations span by span."""
    merged = []
    for spans in zip(*series, strict=True):
        total = Span(spans[0].begin, spans[0].end, spans[0].covered)
        for span in spans:
            total.times.add(span.times)
            total.failed += span.failed
        merged.append(total)
    return merged


def _attach(title: str, svg: str, staged: Path) -> dict[str, str]:
    source = f"{uuid.uuid4()}-attachment.svg"
    (staged / source).write_text(svg, "utf-8")
    return {"name": title, "source": source, "type": "image/svg+xml"}


def _write(staged: Path, result: dict[str, Any]) -> None:
    (staged / f"{result['uuid']}-result.json").write_text(json.dumps(result, ensure_ascii=False), "utf-8")
