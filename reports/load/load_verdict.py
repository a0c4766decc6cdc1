"""Judges a load run by its objectives: a verdict with a margin for each objective, and one for the run.

Rule: fail closed. A run cut short, a lost worker, an unfit generator or an objective without evidence make the verdict
inconclusive, with the reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.load.load_run import LoadRun
from reports.load.objective_outcomes import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    Outcome,
    contribution,
    is_relevant,
    judge_objective,
)
from reports.load.scope import statistics_in, statistics_name
from reports.load.slo import BREAKPOINT, RUN, Objective, ObjectivesFile, Scope
from reports.results import verdicts

VALIDATOR_FAILED = "judge broke: "  # prefix of a failure that is our validator's, not the target's
EXCEPTIONS_NOTE = "exceptions"  # name of the note with exceptions that journeys raised
SEARCH_NOTE = "breakpoint"  # name of the note with the result of a search for the highest rate
STOP_NOTE = "stopped"  # name of the note on why a run ended before its first journey: {verdict, reason}
UNREACHABLE, MISUSE, BROKEN = "unreachable", "misuse", "broken"


@dataclass(frozen=True, slots=True)
class LoadVerdict:
    """The verdict of a run. outcomes: one per objective. reasons: why it is no evidence, or failures of flowproof."""

    run: LoadRun
    objectives: ObjectivesFile
    outcomes: tuple[Outcome, ...]
    reasons: tuple[str, ...]
    verdict: str

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict; 0 for a pass."""
        return verdicts.EXIT_CODES[self.verdict]

    def outcomes_of(self, api: str) -> list[Outcome]:
        """The outcomes of one API and its operations; "" for objectives of no API."""
        return [outcome for outcome in self.outcomes if outcome.objective.scope.api == api]


def judge_run(run: LoadRun, objectives: ObjectivesFile) -> LoadVerdict:
    """Judge a run; objectives of APIs that it did not load, or of arrivals that it did not have, are left out.

    A run that ended before its first journey has the verdict that stopped it, and nothing else to say.
    """
    if stops := list(run.result.notes.get(STOP_NOTE, {}).values()):
        verdict = verdicts.worst([stop["verdict"] for stop in stops])
        reasons = dict.fromkeys(stop["reason"] for stop in stops if stop["verdict"] == verdict)
        return LoadVerdict(run, objectives, (), tuple(reasons), verdict)
    relevant = [objective for objective in objectives.objectives if is_relevant(objective, run)]
    drops_allowed = any(objective.metric == "dropped" for objective in relevant)
    unfit = [*run.result.unfit_reasons(), *([] if drops_allowed else run.result.drop_reasons())]
    if run.plan.get("search"):
        return _judge_search(run, objectives)
    outcomes = tuple(judge_objective(objective, run, bool(unfit)) for objective in relevant)
    gaps = (*run.gaps(), *unfit)
    names = [outcome.verdict for outcome in outcomes] + ([INCONCLUSIVE] if gaps or not outcomes else [])
    if our_errors := failed_checks(run):
        gaps += tuple(our_errors)
        names.append(BROKEN)
    if is_unreachable(run):
        gaps += ("no connection to the target was ever made",)
        names.append(UNREACHABLE)
    return LoadVerdict(run, objectives, outcomes, gaps, verdicts.worst(names))


def is_unreachable(run: LoadRun) -> bool:
    """Whether requests were made but no connection was, and that was not the load generator's doing."""
    operations = run.result.operations
    has_requests = any(operation.requests > sum(operation.own_failures.values()) for operation in operations)
    return has_requests and not any(operation.connect.count or operation.corrected.count for operation in operations)


def search_note(run: LoadRun) -> Mapping[str, Any] | None:
    """The result of a search: highest and missed rate (journeys a second), limited_by, why it did not end, steps."""
    note: Mapping[str, Any] | None = run.result.notes.get(SEARCH_NOTE, {}).get("search")
    return note


def _judge_search(run: LoadRun, objectives: ObjectivesFile) -> LoadVerdict:
    """A search passes when the highest rate that meets the objectives is not below its floor.

    The floor is the objective `breakpoint`, or the first rate of the search: any rate above 0 would be no demand.
    """
    note = search_note(run)
    floors = [objective for objective in objectives.objectives if objective.metric == BREAKPOINT]
    floors = floors or [Objective(Scope(RUN), BREAKPOINT, run.plan.get("rate", 0.0), 0)]
    reasons = [*run.gaps(), *failed_checks(run)]
    if note is None or note["why"]:
        reasons.append(note["why"] if note else "the search did not come to its end")
    if failed_checks(run):
        verdict = BROKEN
    elif is_unreachable(run):
        verdict = UNREACHABLE
    else:
        is_met = note is not None and note["highest"] and all(note["highest"] >= floor.limit for floor in floors)
        verdict = INCONCLUSIVE if reasons or not note else PASS if is_met else FAIL
    outcomes = tuple(_floor_outcome(floor, note, verdict) for floor in floors)
    return LoadVerdict(run, objectives, outcomes, tuple(reasons), verdict)


def _floor_outcome(floor: Objective, note: Mapping[str, Any] | None, verdict: str) -> Outcome:
    if note is None or verdict not in (PASS, FAIL):
        return Outcome(floor, INCONCLUSIVE, note["highest"] if note else None, "the search is no evidence")
    is_met = note["highest"] and note["highest"] >= floor.limit
    return Outcome(floor, PASS if is_met else FAIL, note["highest"])


def limiting_operation(judged: LoadVerdict) -> str:
    """The operation with most of the slow responses or failures behind the worst missed objective; "" without one."""
    missed = [outcome for outcome in judged.outcomes if outcome.verdict == FAIL]
    if not missed:
        return ""
    worst = min(missed, key=lambda outcome: -math.inf if outcome.margin is None else outcome.margin)
    objective = worst.objective
    if objective.metric == "dropped":
        return f"{objective.scope} {objective.metric}"
    operations = statistics_in(objective.scope, judged.run)
    limiting = max(operations, key=lambda operation: contribution(objective, operation))
    return f"{statistics_name(objective.scope, limiting)} ({objective.scope} {objective.metric})"


def failed_checks(run: LoadRun) -> list[str]:
    """Failures of flowproof itself: validators and journeys that raised an exception."""
    broken = {
        reason
        for operation in run.result.operations
        for reason in operation.failures
        if reason.startswith(VALIDATOR_FAILED)
    }
    exceptions = Counter[str]()
    for counts in run.result.notes.get(EXCEPTIONS_NOTE, {}).values():
        exceptions.update(counts)
    raised = (f"a journey raised {text} ({number} times)" for text, number in exceptions.most_common())
    return [*sorted(broken), *raised]
