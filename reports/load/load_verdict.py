"""Judges a load run by its objectives: a verdict with a margin for each objective, and one for the run.

Rule: fail closed. Too few samples, a run cut short, a lost worker, an unfit generator or an objective without requests
make the verdict inconclusive, with the reason. An unfit generator adds its own delays to the target's, so then a missed
limit of times or throughput is inconclusive too; errors and violations still fail.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import merge_statistics, name_hint, statistics_in, statistics_name, violation_count
from reports.load.slo import JOURNEY, RUN, Objective, ObjectivesFile
from reports.results import verdicts
from reports.results.records import CLAUSE_ID

SLOWER_SAMPLES = 10  # responses slower than a percentile that make it evidence, unless the objective states `samples`
VALIDATOR_FAILED = "judge broke: "  # prefix of a failure that is our validator's, not the target's
CROSS_WORKER_NOTE = "across workers"  # name of the note with violations that only all workers together can see
EXCEPTIONS_NOTE = "exceptions"  # name of the note with exceptions that journeys raised
SEARCH_NOTE = "breakpoint"  # name of the note with the result of a search for the highest rate
STOP_NOTE = "stopped"  # name of the note on why a run ended before its first journey: {verdict, reason}
UNFIT = "the limit was missed, but the load generator was not fit to measure it"
PASS, FAIL, INCONCLUSIVE, UNREACHABLE, MISUSE, BROKEN = (
    "pass",
    "fail",
    "inconclusive",
    "unreachable",
    "misuse",
    "broken",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of one objective.

    measured: in the unit of the objective's limit, None without evidence. why: the reason when it is no pass.
    """

    objective: Objective
    verdict: str
    measured: float | None
    why: str = ""

    @property
    def margin(self) -> float | None:
        """How much of the limit was left, as a share of it; negative when missed, None without a measurement."""
        if self.measured is None or not self.objective.limit:
            return None
        left = (self.objective.limit - self.measured) / self.objective.limit
        return -left if self.objective.is_lower_bound else left


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
    relevant = [objective for objective in objectives.objectives if _is_relevant(objective, run)]
    drops_allowed = any(objective.metric == "dropped" for objective in relevant)
    unfit = [*run.result.unfit_reasons(), *([] if drops_allowed else run.result.drop_reasons())]
    if run.plan.get("search"):
        return _judge_search(run, objectives)
    outcomes = tuple(_outcome(objective, run, bool(unfit)) for objective in relevant)
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
    """A search passes when it found a rate at which the objectives are met, and fails when there is none."""
    note = search_note(run)
    reasons = [*run.gaps(), *failed_checks(run)]
    if note is None or note["why"]:
        reasons.append(note["why"] if note else "the search did not come to its end")
    if failed_checks(run):
        verdict = BROKEN
    elif is_unreachable(run):
        verdict = UNREACHABLE
    else:
        verdict = INCONCLUSIVE if reasons or not note else PASS if note["highest"] else FAIL
    return LoadVerdict(run, objectives, (), tuple(reasons), verdict)


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
    limiting = max(operations, key=lambda operation: _contribution(objective, operation))
    return f"{statistics_name(objective.scope, limiting)} ({objective.scope} {objective.metric})"


def _main_cause(objective: Objective, run: LoadRun) -> str:
    """The operation that contributed most to a missed objective, and how; "" where none stands out."""
    operations = [] if objective.is_lower_bound else statistics_in(objective.scope, run)
    main = max(operations, key=lambda operation: _contribution(objective, operation), default=None)
    if main is None or not (number := _contribution(objective, main)):
        return ""
    if objective.is_time:
        what = f"{number} of {getattr(main, objective.series).count} over the limit"
    else:
        reasons = [reason for reason in main.failures if objective.metric != "violations" or CLAUSE_ID.match(reason)]
        reason = max(reasons, key=lambda reason: main.failures[reason])
        what = f"{number} of {main.requests}, {main.failures[reason]} of them {reason}"
    return f"mostly {statistics_name(objective.scope, main)}: {what}"


def _contribution(objective: Objective, operation: OperationStatistics) -> float:
    """How many slow responses, failures or violations of an operation count against an objective."""
    if objective.is_time:
        times: Histogram = getattr(operation, objective.series)
        return times.count - times.count_up_to(round(objective.limit))
    return violation_count(operation) if objective.metric == "violations" else operation.failed.count


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


def _is_relevant(objective: Objective, run: LoadRun) -> bool:
    if objective.metric == "dropped":
        return bool(run.plan.get("arrivals"))
    return not objective.scope.api or objective.scope.api in run.apis


def _outcome(objective: Objective, run: LoadRun, is_unfit: bool) -> Outcome:
    if objective.metric == "dropped":
        return _judge_drops(objective, run, is_unfit)
    statistics = merge_statistics(statistics_in(objective.scope, run))
    if not statistics.requests:
        reason = "no journey ended" if objective.scope.kind == JOURNEY else "no request was made"
        return Outcome(objective, INCONCLUSIVE, None, f"{reason}{name_hint(objective.scope, run)}")
    if objective.is_time:
        outcome = _judge_time(objective, getattr(statistics, objective.series))
    elif objective.metric == "throughput":
        outcome = _judge_throughput(objective, statistics, run.judged_seconds)
    else:
        outcome = _judge_share(objective, statistics, run)
    if outcome.verdict != FAIL:
        return outcome
    if (is_unfit and objective.is_time) or (objective.is_lower_bound and is_load_incomplete(run, is_unfit)):
        return replace(outcome, verdict=INCONCLUSIVE, why=UNFIT)
    return replace(outcome, why=outcome.why or _main_cause(objective, run))


def _judge_throughput(objective: Objective, statistics: OperationStatistics, seconds: float) -> Outcome:
    if not seconds:
        return Outcome(objective, INCONCLUSIVE, None)
    return _compare(objective, statistics.corrected.count / seconds)


def _judge_share(objective: Objective, statistics: OperationStatistics, run: LoadRun) -> Outcome:
    """Errors or violations as a share of the requests; the run's violations include those across workers.

    Failures of the load generator are no errors, and make the run inconclusive elsewhere.
    """
    if objective.metric == "errors":
        own = sum(statistics.own_failures.values())
        if own == statistics.requests:
            return Outcome(objective, INCONCLUSIVE, None, "no request was sent")
        return _compare(objective, (statistics.failed.count - own) / (statistics.requests - own))
    number = violation_count(statistics)
    if objective.scope.kind == RUN:
        number += sum(len(findings) for findings in run.result.notes.get(CROSS_WORKER_NOTE, {}).values())
    return _compare(objective, number / statistics.requests)


def _judge_time(objective: Objective, times: Histogram) -> Outcome:
    """Too few samples still fail when so many of them are slow that no further samples could make up for it."""
    if objective.percent is None:
        needed, measured = objective.samples or 1, times.mean()
    elif objective.percent == 100:
        needed, measured = objective.samples or 1, float(times.max)
    else:
        needed = objective.samples or math.ceil(round(SLOWER_SAMPLES / (1 - objective.percent / 100), 6))
        measured = float(times.percentile(objective.percent))
    if times.count >= needed:
        return _compare(objective, measured)
    slow = times.count - times.count_up_to(round(objective.limit))
    if objective.percent is not None and slow > round(needed * (1 - objective.percent / 100), 6):
        return Outcome(objective, FAIL, measured, f"{slow} of {times.count} responses were slower")
    return Outcome(objective, INCONCLUSIVE, measured if times.count else None, f"{times.count} of {needed} samples")


def _compare(objective: Objective, measured: float) -> Outcome:
    is_met = measured >= objective.limit if objective.is_lower_bound else measured <= objective.limit
    return Outcome(objective, PASS if is_met else FAIL, measured)


def is_load_incomplete(run: LoadRun, is_unfit: bool) -> bool:
    """Whether the load itself was not what it should have been, since a generator was unfit, lost or gone."""
    return is_unfit or bool(run.result.lost or run.result.left)


def _judge_drops(objective: Objective, run: LoadRun, is_unfit: bool) -> Outcome:
    """Arrivals that a generator dropped since it was late, lost a worker or had not spawned its users blame nobody."""
    counts = run.result.arrivals.values()
    arrivals = sum(count["started"] + count["dropped"] for count in counts)
    if not arrivals:
        return Outcome(objective, INCONCLUSIVE, None, "no arrival came")
    outcome = _compare(objective, sum(count["dropped"] for count in counts) / arrivals)
    if outcome.verdict == FAIL and is_load_incomplete(run, is_unfit):
        return replace(outcome, verdict=INCONCLUSIVE, why=UNFIT)
    return outcome
