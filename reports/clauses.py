"""What became of each clause and each reading, from the records of one run.

Rule: the clauses of a contract are all told, in the document's order, and each has exactly one state. A finding is
told before anything else; a pass needs a test that ran and named the clause; what nobody tested says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.clauses import Clause, Reading, clauses, readings
from reports.records import RAN, Record, Records
from reports.verdicts import VERDICT_OF

FIXED = "reading "  # what the run's environment puts before a reading that it fixes
STATES = {  # in the order in which they are counted
    "pass": "a test that names it ran and found it kept",
    "fail": "a test found it broken",
    "broken": "our own test failed, so nothing is sure",
    "unreachable": "the target did not answer",
    "inconclusive": "not enough evidence",
    "skipped": "its tests could not run on this target",
    "not tested": "no test on the wire can decide it",
    "no test ran": "its tests were not part of this run, or it has none",
}
WORST_FIRST = ("fail", "broken", "unreachable", "inconclusive", "pass")


@dataclass(frozen=True, slots=True)
class Told:
    """A clause with its state, why it is no plain pass, its tests, and the exchanges that they made."""

    clause: Clause
    state: str
    why: str
    exchanges: int
    tests: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A reading: the meaning in force, whether the environment fixed it, and the meanings that were seen."""

    reading: Reading
    in_force: str
    is_fixed: bool
    seen: tuple[str, ...]


def told(api: str, records: Records) -> list[Told]:
    """Every clause of that API in the document's order."""
    about: dict[str, list[Record]] = {}
    for test in records.tests:
        for identifier in dict.fromkeys((*test.clauses, *test.blamed)) if test.api == api else ():
            about.setdefault(identifier, []).append(test)
    return [_told(clause, about.get(clause.id, [])) for clause in clauses(api).values()]


def _told(clause: Clause, tests: Sequence[Record]) -> Told:
    states: dict[str, list[Record]] = {}
    for test in tests:
        states.setdefault(_state(clause.id, test), []).append(test)
    state = next((one for one in (*WORST_FIRST, "skipped") if one in states), "no test ran")
    if state == "no test ran" and clause.untested:
        state = "not tested"
    deciding = states.get(state, [])
    why = clause.untested or "" if state == "not tested" else _reasons(deciding) if state != "pass" else ""
    exchanges = sum(test.exchanges for test in tests if test.outcome in RAN)
    return Told(clause, state, why, exchanges, (*deciding, *(test for test in tests if test not in deciding)))


def _state(identifier: str, test: Record) -> str:
    """What one test says of one clause; a finding that blames other clauses leaves this one undecided."""
    if test.outcome == "failed" and test.blamed and identifier not in test.blamed:
        return "inconclusive"
    if test.outcome == "skipped":
        return "skipped"
    return VERDICT_OF.get(test.outcome, "pass")


def _reasons(tests: Iterable[Record]) -> str:
    return "; ".join(dict.fromkeys(test.message or "no reason given" for test in tests))


def read(api: str, records: Records) -> list[Read]:
    """Every reading of that API in the document's order."""
    seen: dict[str, dict[str, None]] = {}
    for test in records.tests:
        for label in test.readings:
            name, _, meaning = label.partition(": ")
            seen.setdefault(name, {})[meaning] = None
    ran_on: Mapping[str, str] = records.run.environment if records.run else {}
    return [
        Read(
            reading=one,
            in_force=ran_on.get(FIXED + name, one.default),
            is_fixed=FIXED + name in ran_on,
            seen=tuple(seen.get(name, ())),
        )
        for name, one in readings(api).items()
    ]
