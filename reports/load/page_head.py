"""The head of a run's page: what was run, where, by what, and how much."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from reports.load.load_verdict import LoadVerdict
from reports.load.operation_statistics import OperationStatistics
from reports.load.validation_note import NOTE, validation_of


def render_facts(judged: LoadVerdict, total: OperationStatistics) -> str:
    """The facts as HTML; total: the statistics of all operations."""
    result, plan = judged.run.result, judged.run.plan
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(result.started))
    facts = {
        "run": f"{result.name}, {when}",
        "APIs": ", ".join(judged.run.apis) or "none with a contract",
        "profile": str(plan.get("profile") or "none"),
        "duration": f"{result.seconds:.1f} s",
        "requests": f"{total.requests} ({total.requests / result.seconds:.1f} a second)" if result.seconds else "0",
        "failed": str(total.failed.count),
        "workers": str(result.workers),
    }
    facts |= _origins(plan)
    if validation := validation_of(result):
        facts["validated"] = f"{validation.validated} of {validation.responses} responses ({validation.mode})"
    facts |= {f"permitted by ({worker})": note for worker, note in _permitted(judged)}
    for name, counts in result.arrivals.items():
        facts[f"journeys of {name}"] = (
            f"{counts['planned']:.0f} planned, {counts['started']:.0f} started, {counts['dropped']:.0f} dropped"
        )
    return (
        f'<div class="sums">{"".join(f"<span>{escape(k)} <b>{escape(v)}</b></span>" for k, v in facts.items())}</div>'
    )


def _origins(plan: Mapping[str, Any]) -> dict[str, str]:
    """Where the figures come from: targets, revision and machine, as far as the plan has them."""
    targets = plan.get("targets") or {}
    machine = plan.get("machine") or {}
    facts = {f"target of {name}": str(url) for name, url in targets.items()}
    if "revision" in plan:
        facts["revision"] = str(plan["revision"])
    if machine:
        facts["machine"] = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}"
        )
    return facts


def _permitted(judged: LoadVerdict) -> Iterable[tuple[str, str]]:
    for worker, note in judged.run.result.notes.get(NOTE, {}).items():
        if note.get("permitted_by"):
            yield worker, str(note["permitted_by"])
