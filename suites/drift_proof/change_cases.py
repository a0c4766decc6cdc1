"""Faults and variants: recorded honest, checked with the change.

Rule: a comparison sees what the questions of the plan show, and which clauses the tests of the same night found
broken. What the tests find is in the kill table, so it is not measured again here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fixtures.reference import apis, load
from fixtures.reference.protocol import Change
from reports.mutation import kill_table_markdown
from reports.mutation.kill_table import EXPECTED_VERDICTS
from suites.drift_proof.proof_case import CaseResult, Figure, share_figure
from suites.drift_proof.recorded_state import check, record_of
from suites.drift_proof.served_state import State

KILL_TABLE = Path(__file__).parents[2] / "reports" / "kill-table.md"
CLAUSE_BROKEN = 121  # the number of the kind of change


@cache
def _changes() -> dict[str, tuple[str, Change]]:
    return {
        f"{api}.{change.name}": (api, change)
        for api in apis()
        for table in (load(api).FAULTS, load(api).VARIANTS)
        for change in table.values()
    }


@cache
def _killed() -> frozenset[str]:
    """The faults that the tests of a run find, on a clause of the fault."""
    results = kill_table_markdown.parse(KILL_TABLE.read_text("utf-8")).results
    return frozenset(
        f"{result.api}.{result.name}"
        for result in results
        if result.kind == "fault" and result.verdict in EXPECTED_VERDICTS
    )


def names() -> list[str]:
    """The names of all faults and variants."""
    return list(_changes())


def prepare(chosen: Sequence[str]) -> None:
    """Records the honest references."""
    for api, is_wire in {(_changes()[name][0], _changes()[name][1].needs_socket) for name in chosen}:
        record_of(State(api, on_socket=is_wire))


def run(name: str) -> CaseResult:
    """Checks a reference with the change against the record of the honest one."""
    started = time.perf_counter()
    api, change = _changes()[name]
    record = record_of(State(api, on_socket=change.needs_socket))
    reported = check(record, State(api, (change,), seed=1, on_socket=change.needs_socket)).changes
    is_fault = change.kind == "fault"
    by_tests = is_fault and name in _killed()
    names_clause = by_tests or any(item.clause in change.clauses for item in reported)
    measures = {
        "fault": float(is_fault),
        "by questions": float(bool(reported)),
        "noticed": float(bool(reported) or by_tests),
        "names its clause": float(names_clause),
        "blamed": float(not is_fault and any(item.number == CLAUSE_BROKEN for item in reported)),
    }
    problems = () if measures["noticed"] else ("not noticed",)
    return CaseResult(name, problems, measures, time.perf_counter() - started)


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How many faults and variants a comparison sees."""
    faults = [result for result in results if result.measure("fault")]
    variants = [result for result in results if not result.measure("fault")]
    blamed = sum(result.measure("blamed") for result in variants)
    of_faults = [
        share_figure("faults seen, by questions or by tests", faults, "noticed", 0.99),
        share_figure("faults seen by questions alone", faults, "by questions", 0.0),
        share_figure("faults whose clause is named", faults, "names its clause", 0.99),
    ]
    of_variants = [
        share_figure("variants seen", variants, "noticed", 0.95),
        Figure("variants reported as broken clauses", f"{blamed:.0f}", "0", not blamed),
    ]
    return [*(of_faults if faults else ()), *(of_variants if variants else ())]
