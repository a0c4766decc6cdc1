"""A load run beside the contract results in Allure: a result for each objective, under the suite `load` and its API.

Rule: these are shown and not counted: verdict and exit code of a load run come from its folder alone.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.load import plots, told
from reports.load.scope import together, within
from reports.load.slo import JOURNEY, Scope
from reports.load.timeline import ALL, Span, timeline
from reports.load.verdict import BROKEN, FAIL, INCONCLUSIVE, PASS, UNREACHABLE, Judged, Outcome

STATUS = {PASS: "passed", FAIL: "failed", INCONCLUSIVE: "skipped", BROKEN: "broken", UNREACHABLE: "broken"}
SUITE = "load"
WHOLE = "Whole run"


def stage(judged: Judged, staged: Path) -> None:
    """Writes the results and their plots into a folder of Allure results."""
    spans = timeline(judged.run)
    played = timeline(judged.run, of="journeys")
    drawn: dict[Scope, list[dict[str, str]]] = {}
    for one in judged.outcomes:
        scope = one.rule.scope
        if scope not in drawn:
            drawn[scope] = _plots(scope, judged, played if scope.kind == JOURNEY else spans, staged)
        name = " ".join(told.row(one)[:2])
        why = f"{'inconclusive: ' if one.verdict == INCONCLUSIVE else ''}measured {told.row(one)[2]}; {one.why}".rstrip(
            "; "
        )
        _write(staged, _result(judged, scope, name, one.verdict, why, drawn[scope], one))
    whole = Scope("run")
    plot = drawn[whole] if whole in drawn else _plots(whole, judged, spans, staged)
    why = "\n".join([*judged.reasons, *told.search(judged)])
    own = judged.verdict if judged.reasons or not judged.outcomes else PASS
    told_why = f"inconclusive: {why}" if own == INCONCLUSIVE else why
    _write(staged, _result(judged, whole, "The run is complete and its generator was fit", own, told_why, plot, None))


def _result(
    judged: Judged, scope: Scope, name: str, verdict: str, why: str, attached: list[dict[str, str]], one: Outcome | None
) -> dict[str, Any]:
    run = judged.run.result
    begin = int(run.started * 1000)
    identity = f"load {scope} {one.rule.metric if one else 'run'}"
    place = [("epic", SUITE), ("feature", scope.api or WHOLE), ("story", scope.operation or "All operations")]
    command = f"Judged again by:\n\n```\npython -m reports --load {os.path.relpath(judged.run.path)}\n```"
    return {
        "uuid": str(uuid.uuid4()),
        "historyId": uuid.uuid5(uuid.NAMESPACE_OID, identity).hex,
        "testCaseId": identity,
        "name": name,
        "fullName": identity,
        "status": STATUS[verdict],
        "statusDetails": {"message": why} if verdict != PASS and why else {},
        "description": f"Run {run.name}, {run.seconds:.0f} s. {why if verdict == PASS else ''}\n\n{command}",
        "titlePath": [SUITE, scope.api or WHOLE],
        "labels": [{"name": key, "value": value} for key, value in place],
        "attachments": attached,
        "start": begin,
        "stop": begin + int(run.seconds * 1000),
    }


def _plots(
    scope: Scope, judged: Judged, spans: dict[tuple[str, str], list[Span]], staged: Path
) -> list[dict[str, str]]:
    tallies = within(scope, judged.run)
    course = spans[ALL] if scope == Scope("run") else _merged([spans[one.operation, one.transport] for one in tallies])
    name = str(scope)
    drawn = {"Time by percentile": plots.by_percentile(name, together(tallies), alone=True)}
    if course:
        drawn["Corrected time over the run"] = plots.times(name, course, judged.run, alone=True)
        drawn["Throughput over the run"] = plots.throughput(name, course, judged.run, alone=True)
    return [_attach(title, svg, staged) for title, svg in drawn.items()]


def _merged(courses: Sequence[Sequence[Span]]) -> list[Span]:
    """Several operations' courses as one."""
    found = []
    for spans in zip(*courses, strict=True):
        whole = Span(spans[0].begin, spans[0].end, spans[0].covered)
        for one in spans:
            whole.times.add(one.times)
            whole.failed += one.failed
        found.append(whole)
    return found


def _attach(title: str, svg: str, staged: Path) -> dict[str, str]:
    source = f"{uuid.uuid4()}-attachment.svg"
    (staged / source).write_text(svg, "utf-8")
    return {"name": title, "source": source, "type": "image/svg+xml"}


def _write(staged: Path, result: dict[str, Any]) -> None:
    (staged / f"{result['uuid']}-result.json").write_text(json.dumps(result, ensure_ascii=False), "utf-8")
