"""Renders a load run as one HTML page: the objectives, the whole run over time, then each operation with its plots.

Rule: the page fetches nothing, every text from outside is escaped, and without scripts nothing but the zoom is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from reports.load import plots, transport_table, verdict_text
from reports.load.chart import STYLE
from reports.load.failure_table import cause_lines, reason_rows, status_rows
from reports.load.interactive_charts import chart_style, render_charts
from reports.load.load_result import NS_PER_MS
from reports.load.load_verdict import LoadVerdict, search_note
from reports.load.objective_outcomes import Outcome
from reports.load.operation_statistics import OperationStatistics
from reports.load.page_head import render_facts
from reports.load.scope import OWNERS, broken_clauses, merge_statistics
from reports.load.timeline import ALL_OPERATIONS, OperationKey, Span, timeline
from reports.load.validation_note import NOTE
from reports.load.violation_text import violation_html

FOLDER = Path(__file__).parent
MAX_FINDINGS = 20  # examples shown
INTRODUCTION = (
    "Corrected times begin when a request was due, which is what a user waits; service times begin when it was sent."
    " Failed requests count in neither."
)


def render_load_page(judged: LoadVerdict | None) -> str:
    """Render the whole page; without a run it says how to start one."""
    sheets = [(path / name).read_text("utf-8") for path, name in ((FOLDER.parent, "base.css"), (FOLDER, "load.css"))]
    style = "".join((chart_style(), *sheets, STYLE))
    inner = _body(judged) if judged else (
        "<header><h1>Load</h1><p>There is no load run here. To make one:"
        " <code>locust -f loadtests/getflow.py --headless --profile smoke</code></p></header>"
    )  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: load</title><style>{style}</style></head><body>{inner}</body></html>\n"
    )


def _body(judged: LoadVerdict) -> str:
    run = judged.run
    spans = timeline(run)
    total = merge_statistics(run.result.operations)
    return (
        f"<header><h1>Load {_badge(judged.verdict)}</h1>"
        f"<p>{escape(verdict_text.VERDICT_MEANINGS[judged.verdict].capitalize())}. {INTRODUCTION}</p></header>"
        f"{render_facts(judged, total)}{_reasons(judged)}{_objectives(judged.outcomes)}"
        f"{_failures(run.judged_operations)}"
        f"<h2>The whole run</h2>{_whole_run(judged, total, spans[ALL_OPERATIONS])}"
        f"{_search(judged)}{_findings(judged)}"
        f"<h2>Operations</h2><p>Requests, failures and corrected times. Open one to see it over time.</p>"
        f"{_operations(judged, spans)}{transport_table.html(run.judged_operations)}"
        f"{_journeys(judged)}"
    )


def _operations(judged: LoadVerdict, spans: Mapping[OperationKey, Sequence[Span]]) -> str:
    return "".join(
        _operation(operation, spans[operation.operation, operation.transport], judged)
        for operation in judged.run.result.operations
    )


def _journeys(judged: LoadVerdict) -> str:
    journeys, spans = judged.run.result.journeys, timeline(judged.run, of="journeys")
    if not journeys:
        return ""
    items = "".join(
        _operation(journey, spans[journey.operation, journey.transport], judged, "played") for journey in journeys
    )
    note = verdict_text.OF_GROUPS if any(journey.transport in OWNERS.values() for journey in journeys) else ""
    return (
        "<h2>Journeys</h2><p>How often each was played, how many got a response that was not good, and for the others"
        f" the time from when the journey was due to its end.{note}</p>{items}"
    )


def _reasons(judged: LoadVerdict) -> str:
    reasons = "".join(f'<p class="missing">{escape(reason)}</p>' for reason in judged.reasons)
    lines = (*verdict_text.evidence_lines(judged), *verdict_text.search_lines(judged))
    return reasons + "".join(f'<p class="result">{escape(line)}</p>' for line in lines) + violation_html(judged.run)


def _objectives(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{limit}</td><td>{measured}</td><td>{margin}</td>"
        f'<td class="words">{_badge(verdict)} {escape(outcome.why)}</td></tr>'
        for outcome in outcomes
        for name, limit, measured, margin, verdict in [verdict_text.outcome_cells(outcome)]
    )
    heads = "".join(f"<th>{name}</th>" for name in verdict_text.COLUMNS[:-1])
    return (
        f'<h2>Objectives</h2><div class="scroll"><table><thead><tr>{heads}<th class="words">verdict</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _failures(operations: Sequence[OperationStatistics]) -> str:
    """Tables of statuses and of reasons, below the causes; nothing without failures."""
    tables = {"status": status_rows(operations), "reason of failure": reason_rows(operations)}
    if not any(tables.values()):
        return ""
    causes = "".join(f'<p class="missing">{escape(line)}</p>' for line in cause_lines(operations))
    parts = [
        f'<div class="scroll"><table><thead><tr><th>{head}</th><th>requests</th></tr></thead><tbody>'
        + "".join(f"<tr><td>{escape(name)}</td><td>{number}</td></tr>" for name, number in rows.items())
        + "</tbody></table></div>"
        for head, rows in tables.items()
        if rows
    ]
    return f"<h2>Statuses and reasons</h2>{causes}{''.join(parts)}"


def _whole_run(judged: LoadVerdict, total: OperationStatistics, spans: Sequence[Span]) -> str:
    """The charts of the run; readers without scripts see the plots over time in their place."""
    by_percentile, over_time = _figures_of("all operations", total, spans, judged)
    plain = f'<noscript><div class="plots">{over_time}</div></noscript>'
    return f"{render_charts(judged, by_percentile)}{plain}{_phases_note(judged)}"


def _plots(name: str, statistics: OperationStatistics, spans: Sequence[Span], judged: LoadVerdict) -> str:
    return f'<div class="plots">{"".join(_figures_of(name, statistics, spans, judged))}</div>{_phases_note(judged)}'


def _phases_note(judged: LoadVerdict) -> str:
    has_unjudged = any(not phase.judged for phase in judged.run.phases)
    return "<p>Objectives do not apply to the tinted phases.</p>" if has_unjudged else ""


def _figures_of(
    name: str, statistics: OperationStatistics, spans: Sequence[Span], judged: LoadVerdict
) -> tuple[str, str]:
    """The plot by percentile, and those over time."""
    over_time = {
        "Corrected time over the run": plots.times_plot(name, spans, judged.run),
        "Throughput over the run": plots.throughput_plot(name, spans, judged.run),
    }
    return _figures({"Time by percentile": plots.percentile_plot(name, statistics)}), _figures(over_time)


def _figures(charts: Mapping[str, str]) -> str:
    return "".join(f"<figure><figcaption>{title}</figcaption>{svg}</figure>" for title, svg in charts.items())


def _search(judged: LoadVerdict) -> str:
    note = search_note(judged.run)
    if not note or not note["steps"]:
        return ""
    rows = "".join(
        f'<tr><td>{step["rate"]:.4g}</td><td class="words">{_badge(step["verdict"])}</td>'
        f'<td class="words">{escape(step["limited_by"])}</td></tr>'
        for step in note["steps"]
    )
    return (
        "<h2>Search for the highest rate</h2><p>Every rate that was measured, in order.</p>"
        '<div class="scroll"><table><thead><tr>'
        '<th>journeys a second</th><th class="words">verdict</th><th class="words">limited by</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _findings(judged: LoadVerdict) -> str:
    """The broken clauses, and an example of each finding."""
    clauses = broken_clauses(judged.run.result.operations)
    notes = judged.run.result.notes.get(NOTE, {}).values()
    examples = {text.split("\n", 1)[0]: text for note in notes for text in note.get("findings", ())}
    if not clauses and not examples:
        return ""
    counted = "".join(f'<p><b class="id">{escape(clause)}</b> broken {n} times</p>' for clause, n in clauses.items())
    shown = "".join(f"<pre>{escape(text)}</pre>" for text in list(examples.values())[:MAX_FINDINGS])
    return f"<h2>Clauses broken</h2>{counted}{shown}"


def _operation(
    statistics: OperationStatistics, spans: Sequence[Span], judged: LoadVerdict, counted: str = "requests"
) -> str:
    percents = dict(zip(("p50", "p95", "p99"), statistics.corrected.percentiles((50, 95, 99)), strict=True))
    cells = [f"{statistics.requests} <i>{counted}</i>", f"{statistics.failed.count} <i>failed</i>"]
    cells += [
        f"{ns / NS_PER_MS:.3g} <i>ms {name}</i>" if statistics.corrected.count else f"- <i>{name}</i>"
        for name, ns in percents.items()
    ]
    reasons = sorted(statistics.failures.items(), key=lambda item: -item[1])
    failures = "".join(f"<p>{number} failed: {escape(reason)}</p>" for reason, number in reasons)
    name = f"{statistics.operation} over {statistics.transport}"
    return (
        f'<details><summary><b class="id">{escape(statistics.operation)} <i>{escape(statistics.transport)}</i></b>'
        f"{''.join(f'<span>{cell}</span>' for cell in cells)}</summary>{failures}"
        f"{_plots(name, statistics, spans, judged)}"
        "</details>"
    )


def _badge(verdict: str) -> str:
    return f'<span class="badge {verdict}">{escape(verdict)}</span>'
