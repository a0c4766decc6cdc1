"""Judges a mutation run against small references: most faults show there, and no variant is blamed.

Rule: a fault that needs records or settings which a small reference does not have is listed with what it needs. One
that is listed and caught nevertheless is a mistake in the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from reports.mutation.kill_table import EXPECTED_VERDICTS, MutationResult

NEEDS = Path(__file__).with_name("needed_records.yaml")
MIN_CAUGHT = 0.97  # of the faults that can show


def needed_records() -> Mapping[str, str]:
    """What each listed fault needs before any test can see it, by "api.name"."""
    needs: Mapping[str, str] = yaml.safe_load(NEEDS.read_text("utf-8"))
    return needs


def problems(results: Iterable[MutationResult], needs: Mapping[str, str]) -> list[str]:
    """Why the results are not as they must be, in lines; [] when they are."""
    results = list(results)
    visible = [result for result in results if result.kind == "fault" and _name(result) not in needs]
    caught = sum(result.verdict == "caught" for result in visible)
    lines = [
        f"{_name(result)}: {result.verdict}"
        for result in results
        if result.verdict == "broken" or (result.kind != "fault" and result.verdict not in EXPECTED_VERDICTS)
    ]
    lines += [
        f"{_name(result)}: caught, although {NEEDS.name} says that it needs {needs[_name(result)]}"
        for result in results
        if result.verdict == "caught" and _name(result) in needs
    ]
    if visible and caught < MIN_CAUGHT * len(visible):
        lines.append(f"{caught} of {len(visible)} faults that can show are caught: expected {MIN_CAUGHT:.0%}")
    return lines


def summary(results: Sequence[MutationResult], needs: Mapping[str, str]) -> str:
    """How many of the faults that can show are caught, and what each of the others needs."""
    faults = [result for result in results if result.kind == "fault"]
    hidden = [result for result in faults if _name(result) in needs]
    caught = sum(result.verdict == "caught" for result in faults if result not in hidden)
    lines = [f"small     {caught} of {len(faults) - len(hidden)} faults that can show are caught"]
    return "\n".join([*lines, *(f"          {_name(result)} needs {needs[_name(result)]}" for result in hidden)])


def _name(result: MutationResult) -> str:
    return f"{result.api}.{result.name}"
