"""Computes the state of each clause and each reading from the records of one run.

Rule: every clause of a contract is listed, in the document's order, with exactly one state. A finding outranks
everything else; a pass needs a check that ran and names the clause; an untested clause says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.clauses import Clause, Reading, clauses, readings
from reports.results.records import RunRecords
from reports.results.result_log import BLAMING_OUTCOMES, ResultRecord
from reports.results.verdicts import VERDICT_OF_OUTCOME

READING_PREFIX = "reading "  # precedes a reading's id in the run's environment when the run fixes its meaning
STATES = {  # in the order in which they are counted
    "pass": "a check that names it ran and found it kept",
    "fail": "a test found it broken",
    "warning": "a test found it broken, and the document neither states nor shows it",
    "known": "a test found it broken, and that is known and accepted until a last day",
    "broken": "our own test failed, so nothing is sure",
    "misuse": "a command or a setting has to be changed",
    "unreachable": "the target did not respond",
    "inconclusive": "not enough evidence",
    "skipped": "its tests could not run on this target",
    "not tested": "no test can decide it from requests and responses",
    "no test ran": "its tests were not part of this run, or it has none",
}
WORST_FIRST = ("fail", "broken", "misuse", "unreachable", "warning", "known", "inconclusive", "pass")


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause with its state, the reason when it is no pass, its tests, and how many exchanges these made."""

    clause: Clause
    state: str
    why: str
    exchanges: int
    tests: tuple[ResultRecord, ...]


@dataclass(frozen=True, slots=True)
class ReadingResult:
    """A reading: the meaning in force, whether the run fixed it, and the meanings that tests observed.

    is_observed: whether every test that saw one only observed it, so that no meaning could have failed.
    """

    reading: Reading
    in_force: str
    is_fixed: bool
    seen: tuple[str, ...]
    is_observed: bool


def judge_clauses(api: str, records: RunRecords) -> list[ClauseResult]:
    """Every clause of that API in the document's order."""
    tests_of: dict[str, list[ResultRecord]] = {}
    for test in records.tests:
        for clause_id in test.checked_clauses if test.api == api else ():
            tests_of.setdefault(clause_id, []).append(test)
    return [_judge_clause(clause, tests_of.get(clause.id, [])) for clause in clauses(api).values()]


def _judge_clause(clause: Clause, tests: Sequence[ResultRecord]) -> ClauseResult:
    states: dict[str, list[ResultRecord]] = {}
    for test in tests:
        states.setdefault(_state(clause.id, test), []).append(test)
    state = next((state for state in (*WORST_FIRST, "skipped") if state in states), "no test ran")
    if state == "no test ran" and clause.untested:
        state = "not tested"
    deciding = states.get(state, [])
    why = clause.untested or "" if state == "not tested" else _reasons(deciding) if state != "pass" else ""
    exchanges = sum(test.exchanges for test in tests if test.is_judged)
    decided = set(map(id, deciding))  # of thousands of tests, each of which would be compared with all of these
    others = (test for test in tests if id(test) not in decided)
    return ClauseResult(clause, state, why, exchanges, (*deciding, *others))


def _state(clause_id: str, test: ResultRecord) -> str:
    """The state that one test gives one clause; a finding that blames other clauses leaves this one undecided."""
    if test.outcome in (*BLAMING_OUTCOMES, "known") and test.blamed and clause_id not in test.blamed:
        return "inconclusive"
    if test.outcome in ("skipped", "warning", "known"):
        return test.outcome
    return VERDICT_OF_OUTCOME.get(test.outcome, "pass")


def _reasons(tests: Iterable[ResultRecord]) -> str:
    return "; ".join(dict.fromkeys(test.message or "no reason given" for test in tests))


def judge_readings(api: str, records: RunRecords) -> list[ReadingResult]:
    """Every reading of that API in the document's order."""
    meanings: dict[str, dict[str, None]] = {}
    checked: set[str] = set()
    for test in records.tests:
        for label in test.readings:
            reading_id, _, meaning = label.partition(": ")
            meanings.setdefault(reading_id, {})[meaning] = None
            if reading_id not in test.observed:
                checked.add(reading_id)
    environment = records.environment
    return [
        ReadingResult(
            reading=reading,
            in_force=environment.get(READING_PREFIX + reading_id, reading.default),
            is_fixed=READING_PREFIX + reading_id in environment,
            seen=tuple(meanings.get(reading_id, ())),
            is_observed=reading_id in meanings and reading_id not in checked,
        )
        for reading_id, reading in readings(api).items()
    ]
