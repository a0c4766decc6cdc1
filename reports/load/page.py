"""A load run as one HTML page: its verdict by objective, its course, then each operation with its plots.

Rule: the page is complete in itself: no script, nothing fetched, and everything that came from outside is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from reports.load import plots, told
from reports.load.chart import STYLE
from reports.load.result import MS
from reports.load.scope import blamed, together
from reports.load.tally import Tally
from reports.load.timeline import ALL, Span, timeline
from reports.load.verdict import Judged, Outcome, search_of

HERE = Path(__file__).parent
FINDINGS = 20  # examples of what was found wrong
INTRODUCTION = (
    "Corrected times are from when a request was due to its last byte, which is what a user waits; service times are"
    " from when it was sent. Failures have no part in either."
)


def page(judged: Judged | None) -> str:
    """The whole page; without a run it says how to make one."""
    style = (HERE.parent / "base.css").read_text("utf-8") + (HERE / "load.css").read_text("utf-8") + STYLE
    inner = _body(judged) if judged else (
        "<header><h1>Load</h1><p>No load run has been made here. To make one:"
        " <code>locust -f loadtests/getflow.py --headless --profile smoke</code></p></header>"
    )  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: load</title><style>{style}</style></head><body>{inner}</body></html>\n"
    )


def _body(judged: Judged) -> str:
    run = judged.run
    spans = timeline(run)
    whole = together(run.result.operations)
    return (
        f"<header><h1>Load {_badge(judged.verdict)}</h1>"
        f"<p>{escape(told.MEANS[judged.verdict].capitalize())}. {INTRODUCTION}</p></header>"
        f"{_sums(judged, whole)}{_reasons(judged)}{_objectives(judged.outcomes)}"
        f"<h2>The whole run</h2>{_plots('all operations', whole, spans[ALL], judged)}"
        f"{_search(judged)}{_findings(judged)}"
        f"<h2>Operations</h2><p>Requests, failures, and corrected times. Open one to see its course.</p>"
        f"{''.join(_operation(one, spans[one.operation, one.transport], judged) for one in run.result.operations)}"
        f"{_journeys(judged)}"
    )


def _journeys(judged: Judged) -> str:
    played, spans = judged.run.result.journeys, timeline(judged.run, of="journeys")
    if not played:
        return ""
    told_each = "".join(_operation(one, spans[one.operation, one.transport], judged, "played") for one in played)
    return (
        "<h2>Journeys</h2><p>How often each was played, how many met an answer that was not good, and for the others"
        f" the time from when it was due to its end.</p>{told_each}"
    )


def _sums(judged: Judged, whole: Tally) -> str:
    result, plan = judged.run.result, judged.run.plan
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(result.started))
    facts = {
        "run": f"{result.name}, {when}",
        "APIs": ", ".join(judged.run.apis) or "none of a contract",
        "profile": str(plan.get("profile") or "none"),
        "lasted": f"{result.seconds:.1f} s",
        "requests": f"{whole.requests} ({whole.requests / result.seconds:.1f} a second)" if result.seconds else "0",
        "failed": str(whole.failed.count),
        "workers": str(result.workers),
    }
    facts |= {f"permitted by ({worker})": note for worker, note in _permitted(judged)}
    for name, counted in result.arrivals.items():
        facts[f"arrivals of {name}"] = (
            f"{counted['planned']:.0f} planned, {counted['started']:.0f} started, {counted['dropped']:.0f} dropped"
        )
    return (
        f'<div class="sums">{"".join(f"<span>{escape(k)} <b>{escape(v)}</b></span>" for k, v in facts.items())}</div>'
    )


def _permitted(judged: Judged) -> Iterable[tuple[str, str]]:
    for worker, note in judged.run.result.notes.get("judging", {}).items():
        if note.get("permitted_by"):
            yield worker, str(note["permitted_by"])


def _reasons(judged: Judged) -> str:
    told_reasons = "".join(f'<p class="lacks">{escape(reason)}</p>' for reason in judged.reasons)
    return told_reasons + "".join(f'<p class="found">{escape(line)}</p>' for line in told.search(judged))


def _objectives(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{limit}</td><td>{measured}</td><td>{margin}</td>"
        f'<td class="words">{_badge(verdict)} {escape(one.why)}</td></tr>'
        for one in outcomes
        for name, limit, measured, margin, verdict in [told.row(one)]
    )
    heads = "".join(f"<th>{name}</th>" for name in told.HEAD[:-1])
    return (
        f'<h2>Objectives</h2><div class="scroll"><table><thead><tr>{heads}<th class="words">verdict</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _plots(name: str, tally: Tally, spans: Sequence[Span], judged: Judged) -> str:
    run = judged.run
    drawn = {
        "Time by percentile": plots.by_percentile(name, tally),
        "Corrected time over the run": plots.times(name, spans, run),
        "Throughput over the run": plots.throughput(name, spans, run),
    }
    figures = "".join(f"<figure><figcaption>{title}</figcaption>{svg}</figure>" for title, svg in drawn.items())
    tinted = any(not phase.judged for phase in run.phases)
    note = "<p>In tinted phases objectives are not judged.</p>" if tinted else ""
    return f'<div class="plots">{figures}</div>{note}'


def _search(judged: Judged) -> str:
    found = search_of(judged.run)
    if not found or not found["steps"]:
        return ""
    rows = "".join(
        f'<tr><td>{step["rate"]:.4g}</td><td class="words">{_badge(step["verdict"])}</td>'
        f'<td class="words">{escape(step["limited_by"])}</td></tr>'
        for step in found["steps"]
    )
    return (
        '<h2>The search</h2><p>Every rate that was measured, in order.</p><div class="scroll"><table><thead><tr>'
        '<th>journeys a second</th><th class="words">verdict</th><th class="words">limited by</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _findings(judged: Judged) -> str:
    """The clauses that were broken, and an example of each finding."""
    clauses = blamed(judged.run.result.operations)
    notes = judged.run.result.notes.get("judging", {}).values()
    examples = {text.split("\n", 1)[0]: text for note in notes for text in note.get("findings", ())}
    if not clauses and not examples:
        return ""
    counted = "".join(f'<p><b class="id">{escape(clause)}</b> broken {n} times</p>' for clause, n in clauses.items())
    shown = "".join(f"<pre>{escape(text)}</pre>" for text in list(examples.values())[:FINDINGS])
    return f"<h2>Clauses broken</h2>{counted}{shown}"


def _operation(tally: Tally, spans: Sequence[Span], judged: Judged, counted: str = "requests") -> str:
    percents = dict(zip(("p50", "p95", "p99"), tally.corrected.percentiles((50, 95, 99)), strict=True))
    cells = [f"{tally.requests} <i>{counted}</i>", f"{tally.failed.count} <i>failed</i>"]
    cells += [
        f"{ns / MS:.3g} <i>ms {name}</i>" if tally.corrected.count else f"- <i>{name}</i>"
        for name, ns in percents.items()
    ]
    reasons = sorted(tally.failures.items(), key=lambda each: -each[1])
    failures = "".join(f"<p>{number} failed: {escape(reason)}</p>" for reason, number in reasons)
    name = f"{tally.operation} over {tally.transport}"
    return (
        f'<details><summary><b class="id">{escape(tally.operation)} <i>{escape(tally.transport)}</i></b>'
        f"{''.join(f'<span>{cell}</span>' for cell in cells)}</summary>{failures}{_plots(name, tally, spans, judged)}"
        "</details>"
    )


def _badge(verdict: str) -> str:
    return f'<span class="badge {verdict}">{escape(verdict)}</span>'
