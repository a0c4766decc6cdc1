"""The boundaries of a load run's verdict, from runs made in memory: each limit, sample count and default decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.load_verdict import (
    LoadVerdict,
    failed_checks,
    is_unreachable,
    judge_run,
    limiting_operation,
)
from reports.load.objective_outcomes import Outcome
from reports.load.operation_statistics import OperationStatistics
from reports.load.slo import Objective, ObjectivesFile, Scope
from suites.selftest.reports.load_sample import FIT, tally

MS = 1_000_000
RUN = Scope("run")
ERRORS = Objective(RUN, "errors", 0.01, 1)


def load_run(*operations: OperationStatistics, seconds: float = 10.0, **plan: Any) -> LoadRun:
    """A complete run of these operations; other parameters are parts of its result, or of its plan."""
    result = LoadResult("run", 0.0, None, 1, seconds, operations=list(operations))
    result.health = plan.pop("health", {"local": FIT})
    result.notes = plan.pop("notes", {})
    result.arrivals = plan.pop("arrivals_seen", {})
    result.journeys = plan.pop("journeys", [])
    return LoadRun(Path("run"), plan, result, True, (), ())


def judge(run: LoadRun, *objectives: Objective) -> LoadVerdict:
    return judge_run(run, ObjectivesFile(Path("slo.yaml"), objectives or (ERRORS,)))


def time_limit(metric: str, limit_ms: float, percent: float | None, samples: int | None = None) -> Objective:
    return Objective(RUN, metric, limit_ms * MS, 1, "corrected", percent, samples)


def outcome_of(objective: Objective, times: Sequence[float], failures: Mapping[str, int] | None = None) -> Outcome:
    """The outcome of one objective for a run of 10 s with these times in ms."""
    return judge(load_run(tally("GET /tasks", times, failures)), objective).outcomes[0]


@pytest.mark.parametrize(
    ("limit", "measured", "verdict"),
    [(0.1, 10, "pass"), (0.1, 11, "fail"), (0.0, 0, "pass"), (0.0, 1, "fail")],
)
def test_a_share_may_reach_its_limit(limit: float, measured: int, verdict: str) -> None:
    outcome = outcome_of(Objective(RUN, "errors", limit, 1), [1.0] * (100 - measured), {"status 500": measured})
    assert (outcome.verdict, outcome.measured) == (verdict, measured / 100)


@pytest.mark.parametrize(("limit", "verdict"), [(4.9, "pass"), (5.0, "pass"), (5.1, "fail")])
def test_throughput_may_reach_its_limit_from_above(limit: float, verdict: str) -> None:
    assert outcome_of(Objective(RUN, "throughput", limit, 1), [1.0] * 50).verdict == verdict


def test_failures_are_no_throughput() -> None:
    outcome = outcome_of(Objective(RUN, "throughput", 6.0, 1), [1.0] * 50, {"status 500": 50})
    assert (outcome.verdict, outcome.measured) == ("fail", 5.0)


def test_throughput_of_no_time_is_no_evidence() -> None:
    outcome = judge(load_run(tally("a", [1.0]), seconds=0.0), Objective(RUN, "throughput", 1.0, 1)).outcomes[0]
    assert (outcome.verdict, outcome.measured) == ("inconclusive", None)


@pytest.mark.parametrize(
    ("metric", "percent", "limit", "verdict"),
    [
        ("mean", None, 2.0, "pass"),
        ("mean", None, 1.999, "fail"),
        ("max", 100.0, 3.0, "pass"),
        ("max", 100.0, 2.999, "fail"),
        ("p50", 50.0, 2.0, "pass"),
        ("p50", 50.0, 1.9, "fail"),
    ],
)
def test_a_time_may_reach_its_limit(metric: str, percent: float | None, limit: float, verdict: str) -> None:
    assert outcome_of(time_limit(metric, limit, percent), [1.0, 2.0, 3.0] * 10).verdict == verdict


@pytest.mark.parametrize(
    ("percent", "count", "verdict"),
    [
        (50.0, 20, "pass"),
        (50.0, 19, "inconclusive"),
        (95.0, 200, "pass"),
        (95.0, 199, "inconclusive"),
        (99.0, 1000, "pass"),
        (99.0, 999, "inconclusive"),
        (99.9, 10_000, "pass"),
        (99.9, 9_999, "inconclusive"),
    ],
)
def test_a_percentile_needs_ten_slower_responses(percent: float, count: int, verdict: str) -> None:
    outcome = outcome_of(time_limit(f"p{percent:g}", 100, percent), [20.0] * count)
    assert outcome.verdict == verdict
    assert outcome.measured == pytest.approx(20 * MS, rel=0.001)
    assert outcome.why == ("" if verdict == "pass" else f"{count} of {count + 1} samples")


@pytest.mark.parametrize(
    ("percent", "slow", "verdict"),
    [
        (99.0, 10, "inconclusive"),
        (99.0, 11, "fail"),
        (90.0, 10, "inconclusive"),
        (90.0, 11, "fail"),
        (50.0, 5, "inconclusive"),
        (50.0, 6, "fail"),
    ],
)
def test_few_samples_fail_when_more_could_not_make_up_for_the_slow_ones(
    percent: float, slow: int, verdict: str
) -> None:
    """10 of 1,000 samples may be slower than p99, 10 of 100 than p90, and 5 of 10 than p50."""
    needed = {99.0: 1000, 90.0: 100, 50.0: 10}[percent]
    outcome = outcome_of(time_limit("p", 100, percent, needed), [200.0] * slow)
    why = f"{slow} of {slow} responses were slower" if verdict == "fail" else f"{slow} of {needed} samples"
    assert (outcome.verdict, outcome.why) == (verdict, why)
    assert outcome.measured == pytest.approx(200 * MS, rel=0.001)


@pytest.mark.parametrize(("slow", "verdict"), [(0, "inconclusive"), (1, "fail")])
def test_a_single_slow_response_breaks_a_maximum_however_few_there_are(slow: int, verdict: str) -> None:
    outcome = outcome_of(time_limit("max", 100, 100.0, 50), [*[20.0] * 5, *[200.0] * slow])
    assert outcome.verdict == verdict


def test_few_samples_never_break_a_mean() -> None:
    assert outcome_of(time_limit("mean", 100, None, 50), [200.0] * 49).verdict == "inconclusive"


@pytest.mark.parametrize("metric", ["mean", "max"])
def test_one_response_is_enough_for_mean_and_maximum(metric: str) -> None:
    percent = 100.0 if metric == "max" else None
    assert outcome_of(time_limit(metric, 100, percent), [20.0]).verdict == "pass"


@pytest.mark.parametrize("percent", [None, 100.0, 95.0])
def test_stated_samples_are_what_is_needed(percent: float | None) -> None:
    objective = time_limit("p", 100, percent, 3)
    assert outcome_of(objective, [20.0] * 3).verdict == "pass"
    assert outcome_of(objective, [20.0] * 2).verdict == "inconclusive"


def test_without_a_good_response_no_time_was_measured() -> None:
    outcome = outcome_of(time_limit("p95", 100, 95.0), [], {"status 500": 3})
    assert (outcome.verdict, outcome.measured, outcome.why) == ("inconclusive", None, "0 of 200 samples")


def test_an_unjudged_objective_has_no_margin() -> None:
    assert Outcome(ERRORS, "inconclusive", None).margin is None
    assert Outcome(Objective(RUN, "errors", 0.0, 1), "fail", 0.5).margin is None


@pytest.mark.parametrize(("metric", "measured", "margin"), [("errors", 0.005, 0.5), ("errors", 0.02, -1.0)])
def test_the_margin_is_what_is_left_of_the_limit(metric: str, measured: float, margin: float) -> None:
    assert Outcome(Objective(RUN, metric, 0.01, 1), "pass", measured).margin == pytest.approx(margin)


@pytest.mark.parametrize(("measured", "margin"), [(60.0, 0.2), (40.0, -0.2)])
def test_the_margin_of_a_lower_bound_is_positive_above_it(measured: float, margin: float) -> None:
    assert Outcome(Objective(RUN, "throughput", 50.0, 1), "pass", measured).margin == pytest.approx(margin)


@pytest.mark.parametrize(
    ("started", "dropped", "limit", "verdict"),
    [(90, 10, 0.1, "pass"), (89, 11, 0.1, "fail"), (100, 0, 0.0, "pass"), (0, 0, 0.1, "inconclusive")],
)
def test_dropped_arrivals_are_a_share_of_all_that_came(started: int, dropped: int, limit: float, verdict: str) -> None:
    arrivals = {"Getflow": {"started": started, "dropped": dropped, "planned": 100.0}}
    run = load_run(tally("a", [1.0] * 10), arrivals={"Getflow": {}}, arrivals_seen=arrivals)
    outcome = judge(run, Objective(RUN, "dropped", limit, 1)).outcomes[0]
    assert (outcome.verdict, outcome.why) == (verdict, "" if started else "no arrival came")


def test_an_objective_of_arrivals_is_left_out_of_a_run_without_them() -> None:
    assert judge(load_run(tally("a", [1.0] * 10)), ERRORS, Objective(RUN, "dropped", 0.0, 2)).outcomes == (
        Outcome(ERRORS, "pass", 0.0),
    )


def test_an_objective_of_no_api_is_judged_in_every_run() -> None:
    objective = Objective(Scope("operation", "", "a"), "errors", 0.0, 1)
    assert [outcome.verdict for outcome in judge(load_run(tally("a", [1.0])), objective).outcomes] == ["pass"]


def test_a_run_without_a_single_objective_of_its_own_is_no_evidence() -> None:
    judged = judge(load_run(tally("a", [1.0])), Objective(Scope("api", "bitvis"), "errors", 0.0, 1))
    assert (judged.outcomes, judged.verdict, judged.exit_code) == ((), "inconclusive", 3)


UNFIT = {"local": FIT | {"reasons": ["late"]}}


@pytest.mark.parametrize(
    ("objective", "verdict"),
    [
        (time_limit("max", 1, 100.0), "inconclusive"),
        (Objective(RUN, "throughput", 99.0, 1), "inconclusive"),
        (Objective(RUN, "errors", 0.0, 1), "fail"),
        (Objective(RUN, "errors", 0.5, 1), "pass"),
        (time_limit("max", 100, 100.0), "pass"),
    ],
)
def test_an_unfit_generator_excuses_times_and_throughput_alone(objective: Objective, verdict: str) -> None:
    run = load_run(tally("a", [20.0] * 10, {"status 500": 1}), health=UNFIT)
    assert judge(run, objective).outcomes[0].verdict == verdict


def test_what_an_unfit_generator_measured_is_kept_with_the_reason() -> None:
    outcome = judge(load_run(tally("a", [20.0] * 10), health=UNFIT), time_limit("max", 1, 100.0)).outcomes[0]
    assert outcome.measured == 20 * MS
    assert outcome.why == "the limit was missed, but the load generator was not fit to measure it"


@pytest.mark.parametrize("objective", [Objective(RUN, "throughput", 1.0, 1), Objective(RUN, "dropped", 0.1, 1)])
def test_an_outcome_without_evidence_names_its_objective(objective: Objective) -> None:
    run = load_run(tally("a", [1.0]), seconds=0.0, arrivals={"Getflow": {}})
    assert judge(run, objective).outcomes[0].objective is objective


def test_the_main_cause_is_the_most_frequent_reason() -> None:
    run = load_run(tally("a", [1.0], {"status 500": 3, "zzz": 1}))
    assert judge(run, Objective(RUN, "errors", 0.0, 1)).outcomes[0].why.endswith("4 of 5, 3 of them status 500")


@pytest.mark.parametrize(
    ("operations", "unreachable"),
    [
        ([], False),
        ([tally("a", [], {"connect: refused": 1})], True),
        ([tally("a", [], {"connect: refused": 1}), OperationStatistics("b", "http")], True),
        ([tally("a", [], {"connect: refused": 1}), tally("b", [1.0])], False),
        ([tally("a", [1.0]), tally("b", [], {"connect: refused": 1})], False),
    ],
)
def test_a_target_is_unreachable_when_no_connection_was_made_at_all(
    operations: list[OperationStatistics], unreachable: bool
) -> None:
    assert is_unreachable(load_run(*operations)) is unreachable


@pytest.mark.parametrize("series", ["connect", "corrected"])
def test_a_connection_or_a_response_shows_that_the_target_is_there(series: str) -> None:
    operation = tally("a", [], {"reset": 1})
    getattr(operation, series).record_many([MS])
    assert is_unreachable(load_run(operation)) is False


def test_the_verdict_of_an_unreachable_target_outranks_its_failures() -> None:
    judged = judge(load_run(tally("a", [], {"connect: refused": 5})))
    assert (judged.verdict, judged.reasons) == ("unreachable", ("no connection to the target was ever made",))


@pytest.mark.parametrize(
    ("metric", "scope", "verdict"),
    [
        ("violations", RUN, "fail"),
        ("errors", RUN, "pass"),
        ("violations", Scope("operation", "", "a"), "pass"),
    ],
)
def test_violations_across_workers_belong_to_the_run_alone(metric: str, scope: Scope, verdict: str) -> None:
    run = load_run(tally("a", [1.0] * 10), notes={"across workers": {"GETFLOW-ID-1": ["twice", "again"]}})
    outcome = judge(run, Objective(scope, metric, 0.1, 1)).outcomes[0]
    assert (outcome.verdict, outcome.measured) == (verdict, 0.2 if verdict == "fail" else 0.0)


def test_errors_of_ours_are_listed_with_their_number() -> None:
    run = load_run(
        tally("a", [1.0], {"judge broke: KeyError": 1, "status 500": 1}),
        notes={"exceptions": {"one": {"LookupError: x": 1}, "two": {"LookupError: x": 2, "OSError: y": 1}}},
    )
    assert failed_checks(run) == [
        "judge broke: KeyError",
        "a journey raised LookupError: x (3 times)",
        "a journey raised OSError: y (1 times)",
    ]


SEARCHED = {"highest": 10.0, "missed": 12.0, "limited_by": "", "why": "", "steps": []}


@pytest.mark.parametrize(
    ("note", "operations", "verdict", "reasons"),
    [
        (SEARCHED, [tally("a", [1.0])], "pass", ()),
        (SEARCHED | {"highest": 0.0}, [tally("a", [1.0])], "fail", ()),
        (SEARCHED | {"why": "late"}, [tally("a", [1.0])], "inconclusive", ("late",)),
        (None, [tally("a", [1.0])], "inconclusive", ("the search did not come to its end",)),
        (SEARCHED, [tally("a", [], {"connect: refused": 1})], "unreachable", ()),
        (SEARCHED, [tally("a", [1.0], {"judge broke: x": 1})], "broken", ("judge broke: x",)),
    ],
)
def test_the_verdict_of_a_search(
    note: dict[str, Any] | None, operations: list[OperationStatistics], verdict: str, reasons: tuple[str, ...]
) -> None:
    run = load_run(*operations, search=True, notes={"breakpoint": {"search": note}} if note else {})
    judged = judge(run)
    assert (judged.verdict, judged.reasons) == (verdict, reasons)
    assert [outcome.verdict for outcome in judged.outcomes] == [
        verdict if verdict in ("pass", "fail") else "inconclusive"
    ]
    assert judged.objectives.objectives == (ERRORS,)


def test_outcomes_of_an_api_are_its_own() -> None:
    objectives = [ERRORS, Objective(Scope("api", "getflow"), "errors", 0.1, 2)]
    judged = judge(load_run(tally("GET /tasks", [1.0]), apis=["getflow"]), *objectives)
    assert [outcome.objective for outcome in judged.outcomes_of("getflow")] == objectives[1:]
    assert [outcome.objective for outcome in judged.outcomes_of("")] == objectives[:1]


def test_nothing_limits_a_run_that_keeps_its_objectives() -> None:
    assert limiting_operation(judge(load_run(tally("a", [1.0])))) == ""


def test_the_worst_missed_objective_names_what_limits_the_run() -> None:
    operations = [tally("fast", [20.0] * 30), tally("slow", [300.0] * 30, {"status 500": 2})]
    little, much = time_limit("max", 299, 100.0), Objective(RUN, "errors", 0.001, 2)
    for order in ((little, much), (much, little)):
        assert limiting_operation(judge(load_run(*operations), *order)) == "slow over http (run errors)"


def test_a_limit_of_zero_is_the_worst_to_miss() -> None:
    operations = [tally("slow", [300.0] * 30), tally("failing", [1.0] * 30, {"status 500": 1})]
    zero, times = Objective(RUN, "errors", 0.0, 1), time_limit("max", 1, 100.0)
    for order in ((zero, times), (times, zero)):
        assert limiting_operation(judge(load_run(*operations), *order)) == "failing over http (run errors)"


def test_dropped_arrivals_limit_a_run_by_themselves() -> None:
    arrivals = {"Getflow": {"started": 1, "dropped": 1, "planned": 2.0}}
    run = load_run(tally("a", [1.0]), arrivals={"Getflow": {}}, arrivals_seen=arrivals)
    assert limiting_operation(judge(run, Objective(RUN, "dropped", 0.0, 1))) == "run dropped"


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        (time_limit("max", 100, 100.0), "mostly slow over http: 3 of 3 over the limit"),
        (Objective(RUN, "errors", 0.0, 1), "mostly failing over http: 5 of 7, 4 of them status 500"),
        (Objective(RUN, "violations", 0.0, 1), "mostly failing over http: 1 of 7, 1 of them GETFLOW-ERR-1"),
        (Objective(RUN, "throughput", 99.0, 1), ""),
    ],
)
def test_a_missed_objective_says_where_most_of_it_is(objective: Objective, why: str) -> None:
    operations = [
        tally("fast", [20.0] * 5),
        tally("slow", [300.0] * 3),
        tally("failing", [1.0] * 2, {"GETFLOW-ERR-1": 1, "status 500": 4}),
        tally("other", [200.0]),
    ]
    outcome = judge(load_run(*operations), objective).outcomes[0]
    assert (outcome.verdict, outcome.why) == ("fail", why)


def test_violations_that_no_operation_has_name_none() -> None:
    run = load_run(tally("a", [1.0]), notes={"across workers": {"GETFLOW-ID-1": ["twice"]}})
    assert judge(run, Objective(RUN, "violations", 0.0, 1)).outcomes[0].why == ""


def test_drops_that_no_objective_allows_are_a_reason() -> None:
    arrivals = {"Getflow": {"started": 99, "dropped": 1, "planned": 100.0}}
    run = load_run(tally("a", [1.0] * 10), arrivals={"Getflow": {}}, arrivals_seen=arrivals)
    assert "1 of 100 arrivals found all users busy" in judge(run).reasons[0]
    allowed = judge(run, ERRORS, Objective(RUN, "dropped", 0.5, 2))
    assert (allowed.reasons, allowed.verdict) == ((), "pass")


def test_every_reason_is_listed() -> None:
    judged = judge(load_run(tally("a", [], {"judge broke: KeyError": 1}), health=UNFIT))
    assert judged.reasons[1:] == ("judge broke: KeyError", "no connection to the target was ever made")
    assert "late" in judged.reasons[0]
    assert judged.verdict == "broken"


def test_a_validator_that_failed_breaks_the_run_with_its_reason() -> None:
    judged = judge(load_run(tally("a", [1.0] * 10, {"judge broke: KeyError": 1})), Objective(RUN, "errors", 1.0, 1))
    assert (judged.verdict, judged.reasons, judged.exit_code) == ("broken", ("judge broke: KeyError",), 2)
