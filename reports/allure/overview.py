"""Renders the first screen of the HTML report: for each API verdict, target, counts and history, then its causes.

Rule: it says what the console says, in the same order and with the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from reports import cause_text, summary
from reports.history import change_text
from reports.history.run_changes import Changes, RunChanges
from reports.history.target_history import TARGET_KEY
from reports.load.load_verdict import LoadVerdict
from reports.load.missed_objectives import brief_lines
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.verdicts import ApiVerdict

MAX_OPEN = 5  # causes of an API that are not folded


def overview(
    verdicts: Sequence[ApiVerdict], records: RunRecords, changes: Changes, loads: Sequence[LoadVerdict], counted: bool
) -> str:
    """The HTML. loads: runs that the report shows; `counted` says whether their verdicts are part of the verdict."""
    apis = "".join(_api(judged, records, changes.get(judged.api, RunChanges())) for judged in verdicts)
    outside = "".join(f"<p>{escape(line)}</p>" for line in records.outside_lines)
    return f"{apis}{''.join(_load(load, counted) for load in loads)}{outside}"


def _api(judged: ApiVerdict, records: RunRecords, changes: RunChanges) -> str:
    target = records.environment.get(TARGET_KEY.format(api=judged.api), "target not known")
    since = change_text.since_texts(changes)
    causes = [_cause(cause, since) for cause in judged.causes]
    folded = _folded(f"{len(causes) - MAX_OPEN} more causes", "".join(causes[MAX_OPEN:]))
    lines = [*judged.reasons, *change_text.console_lines(changes), *summary.acceptance_lines(judged)]
    return (
        f'<div class="api">{_badge(judged.verdict)}<h3>{escape(judged.api)}</h3><span>{escape(target)}</span>'
        f"{_strip(changes)}</div><p>{escape(summary.counts_text(judged))}</p>"
        f"{''.join(f'<p>{escape(line)}</p>' for line in lines)}"
        f"{''.join(causes[:MAX_OPEN])}{folded}{_without_cause(judged)}{_others(judged)}"
    )


def _cause(cause: Cause, since: cause_text.Since) -> str:
    first, *others = cause_text.cause_lines(cause, since)
    often = f"<small>{escape(cause_text.how_often(cause))}{_new(cause, since)}</small>"
    return _details(f"{escape(first)} {often}", f"<pre>{escape(chr(10).join(line[2:] for line in others))}</pre>")


def _without_cause(judged: ApiVerdict) -> str:
    """Findings of tests that left no more than a message."""
    tests = [test for test in (*judged.findings, *judged.warnings) if not test.findings]
    return "".join(
        _details(escape(summary.message_with_clause(test)), f"<pre>{escape(test.node)}</pre>") for test in tests
    )


def _new(cause: Cause, since: cause_text.Since) -> str:
    return ", new" if since.get(cause.id) == change_text.NEW else ""


def _others(judged: ApiVerdict) -> str:
    """Tests that say nothing about the API, each reason once: it says what to set. Why tests were stopped is open."""
    stopped, skipped = summary.stopped(judged), judged.skipped
    title = f"<summary>{len(stopped)} not judged</summary>"
    shown = f"<details open>{title}{_reasons(stopped)}</details>" if stopped else ""
    return shown + (_folded(f"{len(skipped)} skipped", _reasons(skipped)) if skipped else "")


def _reasons(tests: Sequence[ResultRecord]) -> str:
    lines = (f"<li>{number} x {escape(reason)}</li>" for reason, number in summary.skip_reasons(tests))
    return f"<ul>{''.join(lines)}</ul>"


def _load(load: LoadVerdict, counted: bool) -> str:
    *lines, sentence = brief_lines(load)
    apart = "" if counted else "<span>a run of its own, which does not count here</span>"
    return (
        f'<div class="api">{_badge(load.verdict)}<h3>load {escape(load.run.result.name)}</h3>{apart}</div>'
        f"<p>{escape(sentence.partition(': ')[2].partition(': ')[2] or sentence)}</p>"
        f"{''.join(f'<p>{escape(line)}</p>' for line in lines)}"
    )


def _strip(changes: RunChanges) -> str:
    """The verdicts of the last runs at this target, oldest first; nothing for a first run."""
    if len(changes.strip) < 2:
        return ""
    marks = "".join(f'<i class="{verdict}" title="{verdict}"></i>' for verdict in changes.strip)
    return f'<span class="strip" role="img" aria-label="verdicts of the last runs">{marks}</span>'


def _badge(verdict: str) -> str:
    return f'<b class="verdict {verdict}">{verdict}</b>'


def _details(summary_html: str, content: str) -> str:
    return f"<details><summary>{summary_html}</summary>{content}</details>"


def _folded(title: str, content: str) -> str:
    return _details(escape(title), content) if content else ""
