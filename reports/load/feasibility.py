"""Decides whether an objective that is missed so far can still be met by the end of the run.

Rule: it is lost only if it would be missed even if every request to come were good and fast, and three times as many
came as the requests so far let expect.
"""

from __future__ import annotations

import math

from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun
from reports.load.objective_outcomes import DETAILED, FAIL, judge_objective
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import merge_statistics, statistics_in, violation_count
from reports.load.slo import THROUGHPUT, Objective

MARGIN = 3.0  # of the requests to come


def is_lost(objective: Objective, run: LoadRun, to_come: float) -> bool:
    """Whether the objective is missed by now, and will be at the end of the run.

    run: the judged part of the run so far. to_come: the rest of the judged part, as a multiple of what has passed of
    it; infinite if nobody knows when the run ends.
    """
    if judge_objective(objective, run, bool(run.result.unfit_reasons())).verdict != FAIL:
        return False
    growth = 1 + MARGIN * to_come
    if objective.metric == "dropped":
        counts = run.result.arrivals.values()
        return _exceeds(
            sum(it["dropped"] for it in counts), objective.limit, sum(it["planned"] for it in counts), growth
        )
    detailed = DETAILED.get(objective.series, [objective.series])
    statistics = merge_statistics(statistics_in(objective.scope, run), detailed)
    if objective.metric == THROUGHPUT:
        seconds = run.judged_seconds * (1 + to_come)
        return math.isfinite(seconds) and statistics.corrected.count * growth < objective.limit * seconds
    if not objective.is_time:
        return _exceeds(_bad_requests(objective, statistics), objective.limit, statistics.requests, growth)
    times = statistics.times(objective.series)
    if objective.percent is None:
        return _exceeds(times.total, objective.limit, times.count, growth)
    allowed = round(1 - objective.percent / 100, 12)
    return _exceeds(_slow(times, objective.limit), allowed, times.count, growth)


def _exceeds(bad: float, allowed: float, number: float, growth: float) -> bool:
    """Whether there is more bad than allowed of the number that there may be at the end; nothing allowed is enough."""
    return bad > (allowed * number * growth if allowed else 0.0)


def _bad_requests(objective: Objective, statistics: OperationStatistics) -> int:
    if objective.metric == "violations":
        return violation_count(statistics)
    return statistics.failed.count - sum(statistics.own_failures.values())


def _slow(times: Histogram, limit: float) -> int:
    return times.count - times.count_up_to(round(limit))
