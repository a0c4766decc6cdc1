"""The table of the proof: a line for each figure, in text and in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from suites.drift_proof.proof_case import CaseResult, Figure


def text_table(figures: Sequence[Figure]) -> str:
    """The figures in columns, with what is not reached marked."""
    rows = [("figure", "measured", "goal", "")]
    rows += [(it.title, it.value, it.goal, "" if it.is_reached else "not reached") for it in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )


def result_line(result: CaseResult) -> str:
    """A case in a line, with what is wrong with it in lines below."""
    verdict = "wrong" if result.problems else "right"
    return "\n    ".join([f"{verdict}  {result.seconds:6.1f} s  {result.name}", *result.problems])


def write_part(path: Path, command: str, results: Sequence[CaseResult], figures: Sequence[Figure]) -> None:
    """Writes the cases and figures of a part as JSON: command, figures, cases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "command": command,
        "figures": [asdict(figure) for figure in figures],
        "cases": [asdict(result) for result in sorted(results, key=lambda result: result.name)],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
