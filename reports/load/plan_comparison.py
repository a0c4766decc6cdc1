"""Finds what two load runs do not share: plan, target, machine, and operations that only one of them has.

Rule: figures of runs that differ in any of these do not show what a change of the target did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from reports.load.load_run import LoadRun
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import statistics_name
from reports.load.slo import JOURNEY, OPERATION, Scope

PLAN_KEYS = {
    "profile": "profile",
    "phases": "phases",
    "rate": "rate",
    "arrivals": "arrivals",
    "users": "users",
    "spawn_rate": "spawn rate",
    "shape": "load shape",
    "planned": "run time",
    "workers": "workers",
    "classes": "classes of users",
    "apis": "APIs",
    "judge": "validation",
    "targets": "target",
    "machine": "machine of the load generator",
}
MAX_VALUE_LENGTH = 60  # characters of a value that is shown
BY_CHANCE = 10  # requests of an operation: fewer may all be absent from an equal run


def run_differences(before: LoadRun, after: LoadRun) -> list[str]:
    """A sentence for each difference between the runs; empty when they can be compared."""
    return [*_plan_differences(before, after), *_missing(before, after)]


def _plan_differences(before: LoadRun, after: LoadRun) -> Iterator[str]:
    for key, name in PLAN_KEYS.items():
        a, b = (run.plan.get(key) for run in (before, after))
        if a != b:
            yield f"not the same {name}: A {_shown(a)}, B {_shown(b)}"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else "unknown" if value is None else json.dumps(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def _missing(before: LoadRun, after: LoadRun) -> Iterator[str]:
    for kind, of in ((OPERATION, "operations"), (JOURNEY, "journeys")):
        a, b = (_counts(getattr(run.result, of), kind) for run in (before, after))
        for run, other, here, there in (("A", "B", a, b), ("B", "A", b, a)):
            for name in sorted(here.keys() - there.keys()):
                if here[name] >= BY_CHANCE:
                    yield f"only in {run}: {name}, {here[name]} times; {other} never had it"


def _counts(statistics: list[OperationStatistics], kind: str) -> dict[str, int]:
    return {statistics_name(Scope(kind), entry): entry.requests for entry in statistics if entry.requests}
