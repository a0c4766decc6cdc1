"""Faults and variants: recorded honest, checked with the change, by what a drift run sees.

Rule: a night's run sees clauses and readings by its tests, and behaviour by its questions. The tests come first, since
they take less time; the questions are asked until the clause of a fault is named, or a variant seen at all. Part
`questions` asks nothing but the questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, partial

from contracts.asyncapi import load_rpc_contract
from contracts.clauses import clauses
from contracts.openapi import load_contract
from contracts.reader.document_lines import OF_THE_DOCUMENT
from fixtures.reference import apis, load
from fixtures.reference.protocol import Change
from reports.drift.changes import Change as ReportedChange
from suites.drift_proof import suite_run
from suites.drift_proof.proof_case import CaseResult, Figure, share_figure
from suites.drift_proof.recorded_state import check, record_of
from suites.drift_proof.served_state import State
from suites.drift_proof.unseen_variants import unseen_variants

CLAUSE_BROKEN = 121  # the number of the kind of change
Reported = Sequence[ReportedChange]


@cache
def _changes() -> dict[str, tuple[str, Change]]:
    return {
        f"{api}.{change.kind}.{change.name}": (api, change)
        for api in apis()
        for table in (load(api).FAULTS, load(api).VARIANTS)
        for change in table.values()
    }


def names() -> list[str]:
    """The names of all faults and variants."""
    return list(_changes())


def prepare(chosen: Sequence[str]) -> None:
    """Records the honest references, and runs their tests."""
    for api, is_wire in _states(chosen):
        suite_run.honest_run(api, suite_run.needs_socket(api, is_wire))
    prepare_questions(chosen)


def prepare_questions(chosen: Sequence[str]) -> None:
    """Records the honest references."""
    for api, is_wire in _states(chosen):
        record_of(State(api, on_socket=is_wire))


def _states(chosen: Sequence[str]) -> list[tuple[str, bool]]:
    """Each API of these changes, and whether they need sockets."""
    return sorted({(_changes()[name][0], _changes()[name][1].needs_socket) for name in chosen})


def run(name: str) -> CaseResult:
    """Checks a reference with the change against the record of the honest one, by tests and then by questions."""
    started = time.perf_counter()
    api, change = _changes()[name]
    is_enough = partial(_is_enough, change)
    by_tests = suite_run.changed_by(api, change)
    by_questions = () if is_enough(by_tests) else _by_questions(api, change, is_enough)
    return _result(name, change, (*by_tests, *by_questions), started)


def run_questions(name: str) -> CaseResult:
    """The same by questions alone, until they show anything."""
    started = time.perf_counter()
    api, change = _changes()[name]
    return _result(name, change, _by_questions(api, change, bool), started)


def _by_questions(api: str, change: Change, is_enough: Callable[[Reported], bool]) -> Reported:
    record = record_of(State(api, on_socket=change.needs_socket))
    state = State(api, (change,), seed=1, on_socket=change.needs_socket)
    return check(record, state, _concerned(api, change), is_enough)


def _concerned(api: str, change: Change) -> set[str]:
    """The labels of the operations and calls that name a clause of the change."""
    rpc = load_rpc_contract(api)
    subjects = [*load_contract(api).operations.values(), *(rpc.calls.values() if rpc else ())]
    return {it.label for it in subjects if set(it.clauses) & set(change.clauses)}


def _is_enough(change: Change, reported: Reported) -> bool:
    return any(_clause(it) in change.clauses for it in reported) if change.kind == "fault" else bool(reported)


def _clause(reported: ReportedChange) -> str:
    return reported.subject if reported.number == CLAUSE_BROKEN else reported.clause


def _result(name: str, change: Change, reported: Reported, started: float) -> CaseResult:
    is_fault = change.kind == "fault"
    blamed = [] if is_fault else [_clause(it) for it in reported if _is_blame(change, it)]
    measures = {
        "fault": float(is_fault),
        "seen": float(bool(reported)),
        "names its clause": float(is_fault and _is_enough(change, reported)),
        "blamed": float(bool(blamed)),
    }
    reason = unseen_variants().get(name, "")
    measures["not seen for a reason"] = float(bool(reason) and not reported)
    problems = [] if reported or reason else ["not seen"]
    problems += [f"is seen, though it is listed as one that cannot be: {reason}"] if reported and reason else []
    problems += [f"blames {clause}" for clause in blamed]
    if is_fault and reported and not measures["names its clause"]:
        problems.append(f"names {', '.join(sorted({_clause(it) or it.kind for it in reported}))}")
    return CaseResult(name, tuple(problems), measures, time.perf_counter() - started)


def _is_blame(change: Change, reported: ReportedChange) -> bool:
    """Whether a broken clause is reported; minimal variants keep nothing but what the document says."""
    if reported.number != CLAUSE_BROKEN:
        return False
    clause = clauses(reported.subject.split("-")[0].lower()).get(reported.subject)
    return not change.minimal or clause is None or clause.grade in OF_THE_DOCUMENT


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How many faults and variants a drift run sees."""
    faults = [result for result in results if result.measure("fault")]
    variants = [result for result in results if not result.measure("fault")]
    of_kinds: list[Figure] = []
    if faults:
        of_kinds.append(share_figure("faults seen", faults, "seen", 0.99))
        of_kinds.append(share_figure("faults whose clause is named", faults, "names its clause", 0.99))
    if variants:
        blamed = sum(result.measure("blamed") for result in variants)
        of_kinds.append(share_figure("variants seen", variants, "seen", 0.95))
        of_kinds.append(_unseen_figure(variants))
        of_kinds.append(Figure("variants reported as broken clauses", f"{blamed:.0f}", "0", not blamed))
    return of_kinds


def _unseen_figure(variants: Sequence[CaseResult]) -> Figure:
    """How many variants are not seen, and whether each is one that cannot be."""
    unseen = [result for result in variants if not result.measure("seen")]
    listed = sum(result.measure("not seen for a reason") for result in unseen)
    value = f"{len(unseen)}, of which {listed:.0f} cannot be seen"
    return Figure("variants not seen", value, "none but those", listed == len(unseen))


def figures_of_questions(results: Sequence[CaseResult]) -> list[Figure]:
    """How many of them the questions see; there is no goal for what the tests are there for."""
    kinds = {"faults": 1.0, "variants": 0.0}
    chosen = {kind: [it for it in results if it.measure("fault") == is_fault] for kind, is_fault in kinds.items()}
    return [share_figure(f"{kind} seen by questions alone", of, "seen", 0.0) for kind, of in chosen.items() if of]
