"""What excuses a missed objective, and what makes a met one no evidence: from runs made in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.load_verdict import LoadVerdict, is_unreachable, judge_run
from reports.load.objective_outcomes import UNFIT, Outcome
from reports.load.operation_statistics import GENERATOR_FAILURE, TURNED_AWAY, OperationStatistics
from reports.load.slo import BREAKPOINT, Objective, ObjectivesFile, Scope
from suites.selftest.reports.load_sample import FIT, tally

MS = 1_000_000
RUN = Scope("run")
ERRORS = Objective(RUN, "errors", 0.01, 1)
VIOLATIONS = Objective(RUN, "violations", 0.0, 1)
OWN = f"{GENERATOR_FAILURE}no port"
STATUS_ALONE = "no response was validated by its contract; leave out --judge status"


def load_run(*operations: OperationStatistics, **more: Any) -> LoadRun:
    """A complete run of 10 s; `more` are fields of its result, or parts of its plan."""
    result = LoadResult("run", 0.0, None, 1, 10.0, operations=list(operations), health={"local": FIT})
    for name in ("health", "notes", "lost", "left"):
        setattr(result, name, more.pop(name, getattr(result, name)))
    result.arrivals = more.pop("seen", {})
    return LoadRun(Path("run"), more, result, True, (), ())


def judge(run: LoadRun, *objectives: Objective) -> LoadVerdict:
    return judge_run(run, ObjectivesFile(Path("slo.yaml"), objectives))


def outcome_of(run: LoadRun, objective: Objective) -> Outcome:
    return judge(run, objective).outcomes[0]


def maximum(series: str, limit_ms: float = 100.0, percent: float | None = 100.0) -> Objective:
    return Objective(RUN, f"{series} max", limit_ms * MS, 1, series, percent, 1)


# ------------------------------------------------------------------------------------------------ excuses

LATE = FIT | {"late_max_ms": 60.0}
STALLED = FIT | {"stalled_share": 0.5, "longest_stall_ms": 60.0}


@pytest.mark.parametrize(
    ("objective", "health", "verdict"),
    [
        (maximum("corrected"), LATE, "inconclusive"),
        (maximum("all"), LATE, "inconclusive"),
        (maximum("service", 40), LATE, "fail"),
        (maximum("service", 40), STALLED, "inconclusive"),
        (maximum("connect", 0.5), STALLED, "fail"),
        (maximum("corrected", percent=None), STALLED, "fail"),
        (maximum("corrected", 99), FIT | {"late_max_ms": 60.9}, "fail"),
        (maximum("corrected", 99), FIT | {"late_max_ms": 62.0}, "inconclusive"),
        (maximum("corrected"), FIT, "fail"),
    ],
)
def test_generators_own_delay_excuses_a_time_that_contains_it(
    objective: Objective, health: dict[str, Any], verdict: str
) -> None:
    outcome = outcome_of(load_run(tally("a", [160.0] * 10), health={"local": health}), objective)
    assert (outcome.objective, outcome.verdict) == (objective, verdict)


def test_miss_by_just_the_generators_delay_is_excused_with_the_reason() -> None:
    operation = OperationStatistics("a", "http")
    operation.record_successes([(0, 0, 64, 64, 1)])
    late = FIT | {"late_max_ms": 24 / MS}
    outcome = outcome_of(load_run(operation, health={"local": late}), maximum("corrected", 40 / MS))
    assert (outcome.verdict, outcome.measured) == ("inconclusive", 64)
    assert outcome.why == "missed, but the load generator itself was late by 2.4e-05 ms at corrected max"


@pytest.mark.parametrize("more", [{"lost": ["w1"]}, {"left": ["w1"]}, {"health": {"local": FIT | {"reasons": ["x"]}}}])
@pytest.mark.parametrize("metric", ["dropped", "throughput"])
def test_load_that_was_not_made_is_no_miss(more: dict[str, Any], metric: str) -> None:
    seen = {"U": {"planned": 10.0, "started": 5, "dropped": 5}}
    limit = {"dropped": 0.1, "throughput": 99.0}[metric]
    objective = Objective(RUN, metric, limit, 1)
    outcome = outcome_of(load_run(tally("a", [1.0]), arrivals={"U": {}}, seen=seen, **more), objective)
    assert (outcome.objective, outcome.verdict, outcome.why) == (objective, "inconclusive", UNFIT)
    assert outcome.measured is not None


@pytest.mark.parametrize(("dropped", "verdict"), [(1, "pass"), (5, "fail")])
def test_dropped_arrivals_of_a_complete_load_are_the_targets(dropped: int, verdict: str) -> None:
    seen = {"U": {"planned": 10.0, "started": 10 - dropped, "dropped": dropped}}
    run = load_run(tally("a", [1.0]), arrivals={"U": {}}, seen=seen)
    assert outcome_of(run, Objective(RUN, "dropped", 0.1, 1)).verdict == verdict


# ------------------------------------------------------------------------------------------------ evidence


def test_run_that_sent_nothing_of_its_own_failures_is_no_evidence() -> None:
    outcome = outcome_of(load_run(tally("a", [], {OWN: 3})), ERRORS)
    assert outcome == Outcome(ERRORS, "inconclusive", None, "no request was sent")


@pytest.mark.parametrize(("limit", "verdict"), [(0.25, "pass"), (0.24, "fail")])
def test_failures_of_the_generator_are_neither_errors_nor_requests(limit: float, verdict: str) -> None:
    run = load_run(tally("a", [1.0] * 3, {"status 500": 1, OWN: 4}))
    outcome = outcome_of(run, Objective(RUN, "errors", limit, 1))
    assert (outcome.verdict, outcome.measured) == (verdict, 0.25)


def note(validated: int) -> dict[str, Any]:
    return {"judging": {"local": {"mode": "all", "validated": validated, "answers": 9}}}


@pytest.mark.parametrize(
    ("more", "verdict", "why"),
    [
        ({"judge": "status", "apis": ["getflow"]}, "inconclusive", STATUS_ALONE),
        ({"judge": "status", "apis": []}, "pass", ""),
        ({"judge": "all", "apis": ["getflow"]}, "pass", ""),
        ({"apis": ["getflow"]}, "pass", ""),
        ({"notes": note(0)}, "inconclusive", STATUS_ALONE),
        ({"notes": note(1)}, "pass", ""),
    ],
)
def test_absence_of_violations_is_proved_by_validated_responses_alone(
    more: dict[str, Any], verdict: str, why: str
) -> None:
    outcome = outcome_of(load_run(tally("a", [1.0]), **more), VIOLATIONS)
    assert outcome == Outcome(VIOLATIONS, verdict, 0.0, why)


def test_violation_counts_though_no_response_was_validated() -> None:
    run = load_run(tally("a", [1.0], {"GETFLOW-REC-4: x": 1}), notes=note(0))
    assert outcome_of(run, VIOLATIONS).verdict == "fail"


# ------------------------------------------------------------------------------------------------ causes


@pytest.mark.parametrize(
    ("failures", "statuses", "reason"),
    [(2, {"429": 2}, TURNED_AWAY), (2, {"429": 1}, "status 429"), (1, {}, "status 429")],
)
def test_turning_away_is_the_cause_if_no_reason_is_more_frequent(
    failures: int, statuses: dict[str, int], reason: str
) -> None:
    operation = tally("GET /a", [1.0], {"status 429": failures})
    operation.statuses = statuses
    outcome = outcome_of(load_run(operation), Objective(RUN, "errors", 0.0, 1))
    assert outcome.why.endswith(f"{failures} of {failures + 1}, {failures} of them {reason}")


def test_turning_away_is_no_violation() -> None:
    operation = tally("GET /a", [1.0], {"GETFLOW-REC-4": 1})
    operation.statuses = {"429": 5}
    assert outcome_of(load_run(operation), VIOLATIONS).why.endswith("1 of 2, 1 of them GETFLOW-REC-4")


def test_only_times_that_an_objective_needs_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    merge = OperationStatistics.add
    monkeypatch.setattr(
        OperationStatistics, "add", lambda self, other, series: (seen.append(list(series)), merge(self, other, series))
    )
    outcome_of(load_run(tally("a", [1.0])), maximum("service"))
    outcome_of(load_run(tally("a", [1.0])), maximum("all"))
    outcome_of(load_run(tally("a", [1.0])), ERRORS)
    assert [series for series in seen if series] == [["service"], ["corrected", "failed"]]


# ------------------------------------------------------------------------------------------------ searches


def search(highest: float, *objectives: Objective, why: str = "", rate: float | None = 10.0) -> LoadVerdict:
    result = {"highest": highest, "missed": 99.0, "limited_by": "", "why": why, "steps": []}
    plan = {} if rate is None else {"rate": rate}
    return judge(
        load_run(tally("a", [1.0]), search=True, notes={"breakpoint": {"search": result}}, **plan), *objectives
    )


def floor(limit: float) -> Objective:
    return Objective(RUN, BREAKPOINT, limit, 7)


@pytest.mark.parametrize(
    ("highest", "limits", "verdicts"),
    [
        (20.0, [20.0], ["pass"]),
        (19.0, [20.0], ["fail"]),
        (20.0, [30.0, 20.0], ["fail", "pass"]),
        (20.0, [0.0], ["pass"]),
    ],
)
def test_search_is_judged_by_each_of_its_floors(highest: float, limits: list[float], verdicts: list[str]) -> None:
    floors = [floor(limit) for limit in limits]
    judged = search(highest, ERRORS, *floors)
    assert list(judged.outcomes) == [
        Outcome(floor, verdict, highest) for floor, verdict in zip(floors, verdicts, strict=True)
    ]
    assert judged.verdict == ("fail" if "fail" in verdicts else "pass")


@pytest.mark.parametrize(
    ("highest", "rate", "verdict"),
    [(10.0, 10.0, "pass"), (9.0, 10.0, "fail"), (0.5, None, "pass"), (0.0, None, "fail")],
)
def test_search_without_a_floor_has_its_first_rate_as_one(highest: float, rate: float | None, verdict: str) -> None:
    judged = search(highest, ERRORS, rate=rate)
    (outcome,) = judged.outcomes
    assert outcome.objective == Objective(Scope("run"), BREAKPOINT, rate or 0.0, 0)
    assert (outcome.verdict, outcome.measured or 0.0, judged.verdict) == (verdict, highest, verdict)


def test_search_without_evidence_keeps_the_rate_that_it_reached() -> None:
    (outcome,) = search(10.0, floor(5.0), why="late").outcomes
    assert outcome == Outcome(floor(5.0), "inconclusive", 10.0, "the search is no evidence")


def test_search_that_did_not_end_has_no_rate() -> None:
    (outcome,) = judge(load_run(tally("a", [1.0]), search=True), floor(5.0)).outcomes
    assert outcome == Outcome(floor(5.0), "inconclusive", None, "the search is no evidence")


@pytest.mark.parametrize(("failures", "unreachable"), [({OWN: 2}, False), ({OWN: 2, "connect: refused": 1}, True)])
def test_target_to_which_nothing_was_sent_is_not_unreachable(failures: dict[str, int], unreachable: bool) -> None:
    assert is_unreachable(load_run(tally("a", [], failures))) is unreachable
