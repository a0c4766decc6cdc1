"""Which figures of a run an objective is about, and how they are named and added up.

Rule: operations are known by their name, or by name and transport; journeys by their name and whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from reports.load.run import LoadRun
from reports.load.slo import API, JOURNEY, OPERATION, RUN, Scope
from reports.load.tally import Tally
from reports.records import CLAUSE


def named(scope: Scope, tally: Tally) -> str:
    """What was counted there, for people."""
    return f"{tally.operation} {'of' if scope.kind == JOURNEY else 'over'} {tally.transport}"


def within(scope: Scope, run: LoadRun) -> list[Tally]:
    """The figures that a scope is about."""
    if scope.kind == RUN:
        return run.judged
    if scope.kind == JOURNEY:
        whose = [tally for tally in run.judged_journeys if tally.operation == scope.operation]
        owners = {scope.api} if scope.api else {tally.transport for tally in whose} - set(run.apis)
        return [tally for tally in whose if tally.transport in owners]
    if scope.kind == API:
        return [tally for tally in run.judged if run.api_of(tally.operation) == scope.api]
    own = [tally for tally in run.judged if tally.operation == scope.operation]
    return own or [tally for tally in run.judged if f"{tally.operation} over {tally.transport}" == scope.operation]


def near(scope: Scope, run: LoadRun) -> str:
    """What the run does know, when a name is not among it."""
    if scope.kind not in (OPERATION, JOURNEY):
        return ""
    known = sorted({tally.operation for tally in (run.judged if scope.kind == OPERATION else run.judged_journeys)})
    near = get_close_matches(scope.operation, known, 3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def together(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally("", "")
    for tally in tallies:
        whole.add(tally)
    return whole


def violations(tally: Tally) -> int:
    """Failures that a clause is blamed for."""
    return sum(number for reason, number in tally.failures.items() if CLAUSE.match(reason))


def blamed(tallies: Sequence[Tally]) -> dict[str, int]:
    """How often each clause was broken, the most frequent first."""
    found: dict[str, int] = {}
    for tally in tallies:
        for reason, number in tally.failures.items():
            if clause := re.match(CLAUSE, reason):
                found[clause.group()] = found.get(clause.group(), 0) + number
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))
