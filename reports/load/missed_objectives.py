"""What a load run missed, in a few lines, for who has seen the table of objectives when the run ended."""

from __future__ import annotations

from reports.load.load_verdict import LoadVerdict
from reports.load.objective_outcomes import FAIL
from reports.load.verdict_text import console_lines, outcome_cells
from reports.load.violation_text import item_text, violation_lines, violation_markdown


def brief_lines(judged: LoadVerdict) -> list[str]:
    """The missed objectives, the reasons against the run, what was violated, and the verdict."""
    lines = console_lines(judged)
    if len(lines) == 1:
        return lines
    shown = (*missed_lines(judged), *judged.reasons, *violation_lines(judged.run))
    return [*(f"  {line}" for line in shown), lines[-1]]


def markdown_lines(judged: LoadVerdict) -> list[str]:
    """The missed objectives and the violations as items of a Markdown list below another one."""
    missed = [f"  - {item_text(line)}" for line in missed_lines(judged)]
    return [*missed, *violation_markdown(judged.run, indent="  ")]


def missed_lines(judged: LoadVerdict) -> list[str]:
    """A line for each missed objective: its limit, what was measured, by how much, and why."""
    return [
        f"{name}: {limit}, measured {measured}, {margin}{f'; {outcome.why}' if outcome.why else ''}"
        for outcome in judged.outcomes
        if outcome.verdict == FAIL
        for name, limit, measured, margin, _ in [outcome_cells(outcome)]
    ]
