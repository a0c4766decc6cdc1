"""Shares: a member that is left out now and then is seen, and chance alone is not.

Rule: the answers are drawn from random numbers, since only their counts decide.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from contracts.behaviour.behaviour import Address, Observation, share
from reports.drift.changes import Change, changes
from reports.drift.recording import merge
from suites.drift_proof.api_observation import record_header
from suites.drift_proof.proof_case import CaseResult, Figure

TRIALS = 200
ANSWERS = 40  # in an observation
API = "getflow"
MEMBER = Address("GET /tasks", "200", "presence", "/tasks/*/note_content")
PROBABILITIES = {  # of the member when it is recorded, when it is checked
    "always, then 90 %": (1.0, 0.9),
    "always": (1.0, 1.0),
    "in 90 %": (0.9, 0.9),
    "in half": (0.5, 0.5),
    "in 10 %": (0.1, 0.1),
}
CHANGED = "always, then 90 %"


def names() -> list[str]:
    """The cases: each is as many trials."""
    return list(PROBABILITIES)


def run(name: str) -> CaseResult:
    """Records and checks TRIALS times; counts in how many a change is reported."""
    started = time.perf_counter()
    recorded, checked = PROBABILITIES[name]
    numbers = random.Random(name)
    reported = sum(bool(_trial(numbers, recorded, checked)) for _ in range(TRIALS))
    measures = {"reported": reported / TRIALS, "changed": float(name == CHANGED)}
    return CaseResult(name, (), measures, time.perf_counter() - started)


def _trial(numbers: random.Random, recorded: float, checked: float) -> set[str]:
    """The confirmed changes."""
    record = merge(record_header(API), [_observation(numbers, recorded) for _ in range(2)], None)
    seen: list[set[str]] = []
    for _ in range(2):
        reported: list[Change] = changes(record, _observation(numbers, checked))
        seen.append({change.kind for change in reported})
    return seen[0] & seen[1]


def _observation(numbers: random.Random, probability: float) -> Observation:
    count = sum(numbers.random() < probability for _ in range(ANSWERS))
    return {MEMBER: share(count, ANSWERS)}


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How often a change of a share is seen, and how often chance is taken for one."""
    seen = [result.measure("reported") for result in results if result.measure("changed")]
    alarms = [result.measure("reported") for result in results if not result.measure("changed")]
    shown: list[Figure] = []
    if seen:
        text = f"{min(seen):.1%} of {TRIALS} trials"
        shown.append(Figure("a member that is left out of 10 % is seen", text, "98%", min(seen) >= 0.98))
    if alarms:
        shown.append(
            Figure("chance reported as a change", f"{max(alarms):.1%} of {TRIALS} trials", "1%", max(alarms) <= 0.01)
        )
    return shown
