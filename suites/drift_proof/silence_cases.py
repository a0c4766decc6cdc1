"""Silence: what is no change of a vendor's API must not be reported as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from fixtures.reference import apis
from suites.drift_proof import noise
from suites.drift_proof.proof_case import CaseResult, Figure
from suites.drift_proof.recorded_state import check, record_of
from suites.drift_proof.served_state import PLAIN_DAY, State

REPEATS = 20
MOST_UNSTEADY = 0.05
MONTH_END = datetime(2027, 3, 31, 23, 59, 58, tzinfo=UTC)
SUMMER_TIME = datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC)  # two seconds before the clocks of Europe change


@cache
def _shuffled(api: str) -> State:
    return State(api, (noise.shuffled(api, 0),))


@cache
def _of_other_habits(api: str) -> State:
    return State(api, (noise.other_habits(api, 0),))


States = Callable[[str, int], tuple[State, State]]  # (API, number of the repeat) -> what is recorded, what is checked
CONDITIONS: dict[str, States] = {
    "other seed": lambda api, repeat: (State(api), State(api, seed=repeat)),
    "five times the data": lambda api, repeat: (State(api, few_records=True), State(api, seed=repeat)),
    "next day": lambda api, repeat: (
        State(api),
        State(api, seed=repeat, start=PLAIN_DAY + timedelta(days=1, minutes=37 * repeat)),
    ),
    "month end": lambda api, repeat: (State(api), State(api, seed=repeat, start=MONTH_END)),
    "change to summer time": lambda api, repeat: (State(api), State(api, seed=repeat, start=SUMMER_TIME)),
    "two workers": lambda api, repeat: (State(api), State(api, seed=repeat, workers=2)),
    "other account": lambda api, repeat: (State(api), State(api, seed=repeat, other_account=True)),
    "jittered times": lambda api, repeat: (State(api), State(api, (noise.jittered(repeat),), seed=repeat)),
    "undocumented order": lambda api, repeat: (
        _shuffled(api),
        State(api, (noise.shuffled(api, repeat),), seed=repeat),
    ),
    "other habits": lambda api, repeat: (
        _of_other_habits(api),
        State(api, (noise.other_habits(api, repeat),), seed=repeat),
    ),
    "slow answers": lambda api, repeat: (State(api), State(api, (noise.slow(1.0),), seed=repeat)),
    "a 503 in 200": lambda api, repeat: (State(api), State(api, (noise.busy(repeat),), seed=repeat)),
}


def names(repeats: int = REPEATS) -> list[str]:
    """Each condition at each API, as often as it is repeated."""
    return [
        f"{api}, {condition}, {repeat}"
        for repeat in range(1, repeats + 1)
        for condition in CONDITIONS
        for api in apis()
    ]


def prepare(chosen: Sequence[str]) -> None:
    """Records the states that several cases share."""
    for name in chosen:
        record_of(_states(name)[0])


def _states(name: str) -> tuple[State, State]:
    api, condition, repeat = name.split(", ")
    return CONDITIONS[condition](api, int(repeat))


def run(name: str) -> CaseResult:
    """Records and checks, and expects that nothing is reported."""
    started = time.perf_counter()
    before, after = _states(name)
    record = record_of(before)
    alarms = check(record, after)
    total = len(record.steady) + len(record.unsteady)
    problems = tuple(
        f"alarm: {change.number} {change.kind} at {change.places[0]}: {change.before} -> {change.after}"
        for change in alarms
    )
    measures = {"alarms": float(len(alarms)), "behaviours": total, "unsteady": len(record.unsteady) / max(total, 1)}
    return CaseResult(name, problems, measures, time.perf_counter() - started)


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How many alarms there were, and how much of the records is not watched."""
    alarms = sum(result.measure("alarms") for result in results)
    unsteady = max((result.measure("unsteady") for result in results), default=0.0)
    return [
        Figure("alarms about nothing", f"{alarms:.0f} in {len(results)} runs", "0", not alarms),
        Figure(
            "unsteady behaviours, most", f"{unsteady:.1%}", f"at most {MOST_UNSTEADY:.0%}", unsteady <= MOST_UNSTEADY
        ),
    ]
