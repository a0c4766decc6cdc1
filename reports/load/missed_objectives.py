"""What a load run missed, in a few lines, for who has seen the table of objectives when the run ended."""

from __future__ import annotations

from reports.load.load_verdict import LoadVerdict
from reports.load.objective_outcomes import FAIL
from reports.load.verdict_text import console_lines, outcome_cells


def brief_lines(judged: LoadVerdict) -> list[str]:
    """The missed objectives, the reasons against the run, and the verdict."""
    lines = console_lines(judged)
    if len(lines) == 1:
        return lines
    return [*(f"  {line}" for line in (*missed_lines(judged), *judged.reasons)), lines[-1]]


def missed_lines(judged: LoadVerdict) -> list[str]:
    """A line for each missed objective: its limit, what was measured, by how much, and why."""
    return [
        f"{name}: {limit}, measured {measured}, {margin}{f'; {outcome.why}' if outcome.why else ''}"
        for outcome in judged.outcomes
        if outcome.verdict == FAIL
        for name, limit, measured, margin, _ in [outcome_cells(outcome)]
    ]
