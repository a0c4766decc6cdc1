"""Why a load run is no evidence, said of the right objective and run; and every part of an objective that is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UsageError
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.load_verdict import LoadVerdict, judge_run
from reports.load.operation_statistics import OperationStatistics
from reports.load.slo import Objective, ObjectivesFile, Scope, read_objectives
from suites.selftest.reports.load_sample import FIT, tally

MS = 1_000_000
RUN = Scope("run")
ERRORS = Objective(RUN, "errors", 0.01, 1)
OPERATIONS = ["GET /tasks", "GET /task", "GET /taskz", "GET /taska", "GET /zebras"]


def load_run(*operations: OperationStatistics, **more: Any) -> LoadRun:
    """A run of 10 s; `more` are fields of its result, or parts of its plan."""
    result = LoadResult("run", 0.0, None, 1, 10.0, operations=list(operations), health={"local": FIT})
    for name in ("health", "journeys", "notes"):
        setattr(result, name, more.pop(name, getattr(result, name)))
    return LoadRun(Path("run"), more, result, True, (), ())


def judge(run: LoadRun, *objectives: Objective) -> LoadVerdict:
    return judge_run(run, ObjectivesFile(Path("slo.yaml"), objectives))


def percentile(percent: float, limit_ms: float, samples: int | None = None) -> Objective:
    return Objective(RUN, f"p{percent:g}", limit_ms * MS, 1, "corrected", percent, samples)


# ------------------------------------------------------------------------------------------------ evidence


def test_run_with_a_gap_never_passes() -> None:
    judged = judge(load_run(tally("a", [1.0]), health={}), ERRORS)
    assert (judged.verdict, judged.reasons) == ("inconclusive", ("0 of 1 workers played",))
    assert [outcome.verdict for outcome in judged.outcomes] == ["pass"]


def test_run_that_was_stopped_before_its_first_journey_has_the_verdict_and_reasons_of_that() -> None:
    notes = {
        "a": {"verdict": "unreachable", "reason": "x"},
        "b": {"verdict": "misuse", "reason": "y"},
        "c": {"verdict": "misuse", "reason": "z"},
        "d": {"verdict": "misuse", "reason": "y"},
    }
    run = load_run(tally("a", [1.0]), notes={"stopped": notes})
    objectives = ObjectivesFile(Path("slo.yaml"), (ERRORS,))
    judged = judge_run(run, objectives)
    assert (judged.verdict, judged.reasons, judged.outcomes) == ("misuse", ("y", "z"), ())
    assert (judged.run, judged.objectives) == (run, objectives)


def test_verdict_has_its_run_and_objectives() -> None:
    objectives = ObjectivesFile(Path("slo.yaml"), (ERRORS,))
    for run in (load_run(tally("a", [1.0])), load_run(tally("a", [1.0]), search=True)):
        judged = judge_run(run, objectives)
        assert judged.run is run
        assert judged.objectives is objectives


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (Scope("operation", "", "GET /b"), "no request was made; did you mean GET /a?"),
        (Scope("journey", "", "visits"), "no journey ended; did you mean visit?"),
        (Scope("journey", "", "other"), "no journey ended"),
    ],
)
def test_objective_without_requests_says_what_is_missing(scope: Scope, why: str) -> None:
    run = load_run(tally("GET /a", [1.0]), journeys=[tally("visit", [1.0])])
    objective = Objective(scope, "errors", 0.1, 1)
    (outcome,) = judge(run, objective).outcomes
    assert (outcome.objective, outcome.verdict, outcome.measured, outcome.why) == (objective, "inconclusive", None, why)


@pytest.mark.parametrize(
    ("objective", "times", "is_fit", "verdict"),
    [
        (percentile(95, 10), [20.0] * 300, False, "inconclusive"),
        (percentile(95, 10, 35), [20.0] * 2 + [1.0] * 8, True, "fail"),
        (percentile(95, 10, 35), [20.0] + [1.0] * 9, True, "inconclusive"),
        (percentile(97, 10), [1.0] * 333, True, "inconclusive"),
        (percentile(97, 10), [1.0] * 334, True, "pass"),
    ],
)
def test_outcome_belongs_to_its_objective(objective: Objective, times: list[float], is_fit: bool, verdict: str) -> None:
    health = {"local": FIT if is_fit else FIT | {"reasons": ["late"]}}
    (outcome,) = judge(load_run(tally("a", times), health=health), objective).outcomes
    assert (outcome.objective, outcome.verdict) == (objective, verdict)


# ------------------------------------------------------------------------------------------------ objectives


def read(folder: Path, metrics: str) -> tuple[Objective, ...]:
    """The objectives of an API with these metrics, after the one that every file has."""
    path = folder / "slo.yaml"
    path.write_text(f"run: {{errors: 1 %}}\napis: {{todo: {{{metrics}}}}}")
    objectives = read_objectives(path, lambda api: OPERATIONS if api == "todo" else ())
    assert objectives.path == path
    return objectives.objectives[1:]


@pytest.mark.parametrize(
    ("metric", "series", "percent"),
    [
        ("p95", "corrected", 95.0),
        ("p0.5", "corrected", 0.5),
        ("corrected p50", "corrected", 50.0),
        ("service p99.9", "service", 99.9),
        ("first mean", "first", None),
        ("connect max", "connect", 100.0),
        ("max", "all", 100.0),
    ],
)
def test_metric_of_times_says_which_times_and_percentile(
    tmp_path: Path, metric: str, series: str, percent: float | None
) -> None:
    (objective,) = read(tmp_path, f"{metric}: 2 ms")
    assert (objective.series, objective.percent, objective.limit) == (series, percent, 2 * MS)
    assert (objective.is_time, objective.is_lower_bound) == (True, False)


def test_refused_requests_of_an_operation_have_objectives_of_their_own(tmp_path: Path) -> None:
    (objective,) = read(tmp_path, "operations: {GET /tasks (refused): {throughput: 5 /s}}")
    assert objective.scope == Scope("operation", "todo", "GET /tasks (refused)")
    assert (objective.series, objective.percent, objective.is_time, objective.is_lower_bound) == ("", None, False, True)


NAMES = (
    "p95 (any percentile), mean, max, with `all`, `good`, `service`, `first` or `connect` before it, errors,"
    " violations, throughput"
)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ("p0: 1 s", f"'p0' is no metric of todo: expected {NAMES}"),
        (
            "journeys: {visit: {first: 1 s}}",
            "'first' is no metric of todo journey visit: expected p95 (any percentile),",
        ),
        ("throughput: 50", "expected a rate such as 50 /s (units: /s), got '50'"),
        ("operations: {XYZ: {p95: 1 s}}", "todo has no operation 'XYZ': expected one such as GET /task"),
        (
            "operations: {GET /tasky: {p95: 1 s}}",
            "todo has no operation 'GET /tasky'; did you mean GET /task or GET /taskz or GET /tasks?",
        ),
    ],
)
def test_what_is_expected_is_named(tmp_path: Path, metrics: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, metrics)
    assert str(error.value).partition("line 2: ")[2].startswith(message)
    assert message[-1] == "," or str(error.value).endswith(message)


def test_arrivals_that_were_dropped_are_a_metric_of_the_run_alone(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %, p0: 1 s}")
    with pytest.raises(UsageError) as error:
        read_objectives(tmp_path / "slo.yaml")
    assert str(error.value).endswith(f"line 1: 'p0' is no metric of run: expected {NAMES}, dropped, breakpoint")
