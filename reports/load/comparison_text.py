"""Formats the comparison of two load runs: a table for a terminal, Markdown for a CI page, JSON for programs.

Rule: all three show the same facts, what differs first; nothing is compared here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from reports.icons import ICONS
from reports.load.difference import BETTER, SAME, WORSE
from reports.load.load_result import NS_PER_MS
from reports.load.outcome_comparison import OutcomeRow
from reports.load.run_comparison import ComparisonRow, RunComparison

COLUMNS = ("operation", "percentile", "A ms", "B ms", "change", "interval", "smallest seen", "verdict")
OUTCOME_COLUMNS = ("operation", "metric", "A", "B", "change", "interval", "smallest seen", "verdict")
RANKS = {WORSE: 0, BETTER: 1, SAME: 2}
UNKNOWN_RANK = 3

Table = list[tuple[str, ...]]


def console_lines(comparison: RunComparison) -> list[str]:
    """A table of times and one of outcomes, each with what differs first; doubts; and the verdict in the last line."""
    lines = [
        *time_lines(comparison.times),
        *_aligned(_outcome_table(comparison)),
        _totals("outcomes", comparison.outcomes),
        *comparison.differences,
        *comparison.doubts,
    ]
    return [*lines, f"compare: {comparison.verdict}"]


def time_lines(rows: Sequence[ComparisonRow]) -> list[str]:
    """The table of times with what differs first, and a sentence with the totals."""
    return [*_aligned(_time_table(rows)), _totals("percentiles", rows)]


def _aligned(table: Table) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _totals(what: str, rows: Sequence[ComparisonRow | OutcomeRow]) -> str:
    counts = {name: sum(row.difference.verdict == name for row in rows) for name in RANKS}
    rest = len(rows) - sum(counts.values())
    totals = ", ".join(f"{number} {name}" for name, number in counts.items())
    return f"compared {len(rows)} {what}: {totals}, {rest} without enough evidence"


def _rank(row: ComparisonRow | OutcomeRow) -> int:
    return RANKS.get(row.difference.verdict, UNKNOWN_RANK)


def _time_table(rows: Sequence[ComparisonRow]) -> Table:
    return [COLUMNS, *(_time_cells(row) for row in sorted(rows, key=_rank))]


def _time_cells(row: ComparisonRow) -> tuple[str, ...]:
    times = (f"{row.before / NS_PER_MS:.4g}", f"{row.after / NS_PER_MS:.4g}")
    return (row.operation, f"p{row.percent:g}", *times, *_figures(row, "%"), row.difference.verdict)


def _outcome_table(comparison: RunComparison) -> Table:
    return [OUTCOME_COLUMNS, *(_outcome_cells(row) for row in sorted(comparison.outcomes, key=_rank))]


def _outcome_cells(row: OutcomeRow) -> tuple[str, ...]:
    values = (f"{value * 100:.3g} %" if row.is_share else f"{value:.4g} /s" for value in (row.before, row.after))
    return (
        row.operation,
        row.metric,
        *values,
        *_figures(row, " points" if row.is_share else "%"),
        row.difference.verdict,
    )


def _figures(row: ComparisonRow | OutcomeRow, unit: str) -> Sequence[str]:
    """Change, interval and smallest visible difference; dashes without a comparison."""
    difference = row.difference
    if difference.verdict not in RANKS:
        return ("-",) * 3
    change, low, high, least = (
        value * 100 for value in (difference.change, difference.low, difference.high, difference.least)
    )
    return f"{change:+.1f}{unit}", f"{low:+.1f}{unit} to {high:+.1f}{unit}", f"{least:.1f}{unit}"


def markdown(comparison: RunComparison) -> str:
    """A page for CI with the verdict, the same tables, and why the runs cannot be compared."""
    page = [f"# compare: {ICONS[comparison.verdict]} {comparison.verdict}", ""]
    page += _items("The runs cannot be compared", comparison.differences)
    page += _items("A run is no evidence", comparison.doubts)
    for title, table in (("Outcomes", _outcome_table(comparison)), ("Times", _time_table(comparison.times))):
        page += [f"## {title}", "", *_markdown_table(table), ""]
    return "\n".join(page)


def _items(title: str, items: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {_cell(item)}" for item in items), ""] if items else []


def _markdown_table(table: Table) -> list[str]:
    head, *rows = (f"| {' | '.join(map(_cell, row))} |" for row in table)
    return [head, "|---|---|" + "--:|" * (len(table[0]) - 3) + "---|", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def to_json(comparison: RunComparison) -> str:
    """All facts for programs: times in ms, shares of 1, good responses a second; changes as shares or differences."""
    facts = {
        "verdict": comparison.verdict,
        "exit_code": comparison.exit_code,
        "differences": list(comparison.differences),
        "doubts": list(comparison.doubts),
        "times": [
            _facts(row, f"p{row.percent:g}", row.before / NS_PER_MS, row.after / NS_PER_MS) for row in comparison.times
        ],
        "outcomes": [_facts(row, row.metric, row.before, row.after) for row in comparison.outcomes],
    }
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _facts(row: ComparisonRow | OutcomeRow, metric: str, before: float, after: float) -> dict[str, Any]:
    difference = row.difference
    figures = {name: getattr(difference, name) for name in ("change", "low", "high", "least")}
    return {
        "operation": row.operation,
        "metric": metric,
        "before": before,
        "after": after,
        "verdict": difference.verdict,
        **{name: value if math.isfinite(value) else None for name, value in figures.items()},
    }
