"""Formats a comparison with a record as text for the console, and as Markdown for the page of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.drift.changes import Change, sentence
from reports.drift.drift_verdict import DriftVerdict, counts

SILENT = "the document is silent"
MOST_SHOWN = 20  # changes of an API on the console; the page has all
MOST_TEXT = 160  # characters of what was and is seen
SEVERITY_WIDTH = 9


def keep_command(change: Change) -> str:
    """The command that makes the change the new normal."""
    return f"python -m reports drift --keep {change.id}"


def citation(change: Change) -> str:
    """The clause with its place in the document, or that there is none."""
    return (
        f"{change.clause} ({change.clause_line})" if change.clause and change.clause_line else change.clause or SILENT
    )


def summary_line(judged: DriftVerdict) -> str:
    """What an API's comparison came to, without its name and verdict."""
    result = judged.result
    if result.is_recorded:
        return f"recorded {result.watched} facts, and {result.unsteady} that are unsteady, in {result.folder}"
    if result.unreachable:
        return "nothing was compared: the target did not answer"
    days = (result.day - max(result.header.days, default=result.day)).days
    age = f"{days} day{'' if days == 1 else 's'}"
    accepted = f", {len(judged.accepted)} of them accepted" if judged.accepted else ""
    compared = f"; {result.not_comparable} not comparable" if result.not_comparable else ""
    return (
        f"{counts(result.changes)}{accepted} since {max(result.header.days, default=result.day)} ({age});"
        f" watched {100 * result.watched_share:.1f} % of {result.watched + result.unsteady} facts{compared}"
    )


def console_lines(judged: DriftVerdict) -> Iterator[str]:
    """The lines for one API: verdict, reasons, changes with the worst first."""
    yield f"{judged.result.api:10} {judged.verdict:12} {summary_line(judged)}"
    yield from (f"           {line}" for line in (*judged.reasons, *judged.notes))
    shown = judged.result.changes[:MOST_SHOWN]
    for change in shown:
        mark = "" if change.is_confirmed else " (not confirmed)"
        mark += " (accepted)" if change.id in judged.accepted else ""
        yield f"  {change.severity:{SEVERITY_WIDTH}} {change.id}  {short_sentence(change)}{mark}"
        yield f"  {'':{SEVERITY_WIDTH}} {'':12}  {citation(change)}"
    if len(judged.result.changes) > len(shown):
        yield f"  and {len(judged.result.changes) - len(shown)} more: the page has all"
    if any(change.id not in judged.accepted for change in shown):
        yield "  if a change is the new normal: python -m reports drift --keep ID"


def markdown(judged: Sequence[DriftVerdict]) -> str:
    """All APIs, each with a table of its changes."""
    lines = ["## Changes", ""]
    for verdict in judged:
        lines += [f"**{verdict.result.api}: {verdict.verdict}**, {summary_line(verdict)}", ""]
        lines += [f"- {_escaped(line)}" for line in (*verdict.reasons, *verdict.notes)]
        if verdict.result.changes:
            lines += ["", "| severity | change | clause | id |", "|---|---|---|---|"]
            lines += [_row(change, change.id in verdict.accepted) for change in verdict.result.changes]
        lines.append("")
    return "\n".join(lines)


def short_sentence(change: Change) -> str:
    """The sentence of the change, of one line that can be read."""
    text = " ".join(sentence(change).split())
    return text if len(text) <= 2 * MOST_TEXT else f"{text[: 2 * MOST_TEXT]}…"


def _row(change: Change, is_accepted: bool) -> str:
    cells = (change.severity + (", accepted" if is_accepted else ""), short_sentence(change), citation(change))
    return f"| {' | '.join(map(_escaped, cells))} | `{change.id}` |"


def _escaped(text: str) -> str:
    """Text from outside in Markdown, also within a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
