"""Judges one objective of a load run: pass, fail or inconclusive, with what was measured and the main cause of a miss.

Rule: fail closed. Too few samples and an objective without requests are inconclusive. An unfit generator adds its own
delays to the target's, so then a missed limit of times, throughput or dropped arrivals is inconclusive too; errors and
violations still fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from reports.load.failure_table import RATE_LIMITED
from reports.load.fitness import own_delay
from reports.load.histogram import Histogram
from reports.load.load_result import NS_PER_MS
from reports.load.load_run import LoadRun
from reports.load.operation_statistics import TURNED_AWAY, OperationStatistics
from reports.load.scope import merge_statistics, name_hint, statistics_in, statistics_name, violation_count
from reports.load.slo import BREAKPOINT, JOURNEY, RUN, STEP, THROUGHPUT, Objective
from reports.load.validation_note import sampled_share, validation_of
from reports.results.records import CLAUSE_ID

SLOWER_SAMPLES = 10  # responses slower than a percentile that make it evidence, unless the objective states `samples`
CROSS_WORKER_NOTE = "across workers"  # name of the note with violations that only all workers together can see
DETAILED = {"": (), "all": ("corrected", "failed")}  # series whose percentiles an objective needs, if not its own
UNFIT = "the limit was missed, but the load generator was not fit to measure it"
NOTHING_DONE = {JOURNEY: "no journey ended", STEP: "no step of that name ended"}
PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"


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


def is_relevant(objective: Objective, run: LoadRun) -> bool:
    """Whether an objective is about something that the run was to do."""
    if objective.metric in ("dropped", BREAKPOINT):
        return objective.metric == "dropped" and bool(run.plan.get("arrivals"))  # the other is judged with the search
    return not objective.scope.api or objective.scope.api in run.apis


def judge_objective(objective: Objective, run: LoadRun, is_unfit: bool) -> Outcome:
    """The outcome of an objective of this run; is_unfit: whether a load generator was not fit to measure."""
    if objective.metric == "dropped":
        return _judge_drops(objective, run, is_unfit)
    statistics = merge_statistics(
        statistics_in(objective.scope, run), DETAILED.get(objective.series, [objective.series])
    )
    if not statistics.requests:
        reason = NOTHING_DONE.get(objective.scope.kind, "no request was made")
        return Outcome(objective, INCONCLUSIVE, None, f"{reason}{name_hint(objective.scope, run)}")
    if objective.is_time:
        outcome = _judge_time(objective, statistics.times(objective.series))
    elif objective.metric == THROUGHPUT:
        outcome = _judge_throughput(objective, statistics, run.judged_seconds)
    else:
        outcome = _judge_share(objective, statistics, run)
    if outcome.verdict != FAIL:
        return outcome
    if objective.is_time and (excuse := _excuse(objective, outcome, run)):
        return replace(outcome, verdict=INCONCLUSIVE, why=excuse)
    if (is_unfit and objective.is_time) or (objective.is_lower_bound and is_load_incomplete(run, is_unfit)):
        return replace(outcome, verdict=INCONCLUSIVE, why=UNFIT)
    return replace(outcome, why=outcome.why or _main_cause(objective, run))


def _excuse(objective: Objective, outcome: Outcome, run: LoadRun) -> str:
    """What explains a missed time if the generators were late or stalled by as much at that percentile; else ""."""
    if objective.percent is None or outcome.measured is None or objective.series == "connect":
        return ""
    is_from_start = objective.series in ("all", "corrected")
    delay = own_delay(run.result.health.values(), objective.percent, is_from_start)
    if outcome.measured - delay > objective.limit:
        return ""
    return f"missed, but the load generator itself was late by {delay / NS_PER_MS:.4g} ms at {objective.metric}"


def _judge_throughput(objective: Objective, statistics: OperationStatistics, seconds: float) -> Outcome:
    if not seconds:
        return Outcome(objective, INCONCLUSIVE, None)
    return _compare(objective, statistics.corrected.count / seconds)


def _judge_share(objective: Objective, statistics: OperationStatistics, run: LoadRun) -> Outcome:
    """Errors or violations as a share of the requests; the run's violations include those across workers.

    Of a sample, the share that was refused among the validated responses counts if it is larger.
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
    names = [operation.operation for operation in statistics_in(objective.scope, run)]
    outcome = _compare(objective, max(number / statistics.requests, sampled_share(run.result, names)))
    if outcome.verdict == PASS and (unproved := unproved_violations(run)):
        return replace(outcome, verdict=INCONCLUSIVE, why=unproved)
    return outcome


def unproved_violations(run: LoadRun) -> str:
    """Why the absence of violations proves nothing; "" if responses were validated, or the run has no contract."""
    validation = validation_of(run.result)
    is_by_status = run.plan.get("judge") == "status" and bool(run.apis)
    if is_by_status or (validation is not None and not validation.validated):
        return "no response was validated by its contract; leave out --judge status"
    return ""


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


def _main_cause(objective: Objective, run: LoadRun) -> str:
    """The operation that contributed most to a missed objective, and how; "" where none stands out."""
    operations = [] if objective.is_lower_bound else statistics_in(objective.scope, run)
    main = max(operations, key=lambda operation: contribution(objective, operation), default=None)
    if main is None or not (number := contribution(objective, main)):
        return ""
    if objective.is_time:
        what = f"{number} of {main.times(objective.series).count} over the limit"
    else:
        reasons = [reason for reason in main.failures if objective.metric != "violations" or CLAUSE_ID.match(reason)]
        reason = max(reasons, key=lambda reason: main.failures[reason])
        times = main.failures[reason]
        if objective.metric == "errors" and (limited := main.statuses.get(RATE_LIMITED, 0)) >= times:
            reason, times = TURNED_AWAY, limited
        what = f"{number} of {main.requests}, {times} of them {reason}"
    return f"mostly {statistics_name(objective.scope, main)}: {what}"


def contribution(objective: Objective, operation: OperationStatistics) -> float:
    """How many slow responses, failures or violations of an operation count against an objective."""
    if objective.is_time:
        times = operation.times(objective.series)
        return times.count - times.count_up_to(round(objective.limit))
    return violation_count(operation) if objective.metric == "violations" else operation.failed.count
