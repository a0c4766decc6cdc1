"""Objectives are read strictly: a typo is an error, never an objective that counts as met."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.yaml_reader import UsageError
from reports.load.slo import Scope, read_objectives

ROOT = Path(__file__).parents[3]
GOOD = """
run:
  errors: 1 %
  dropped: 0 %
apis:
  getflow:
    samples: 50
    p99.9: 1.5 s
    operations:
      GET /tasks:
        service p95: 300 ms
        mean: 900 µs
    journeys:
      read_all_tasks:
        p95: 2 s
operations:
  GET /visit:
    throughput: 50 /s
journeys:
  visit:
    errors: 2 %
    abort: true
steps:
  checkout:
    p95: 1 s
tags:
  reading:
    service p95: 200 ms
    violations: 0 %
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "slo.yaml"
    path.write_text(text)
    return path


def test_every_objective_has_its_scope_metric_limit_and_line(tmp_path: Path) -> None:
    objectives = [
        (objective.scope, objective.metric, objective.limit, objective.line)
        for objective in read_objectives(written(tmp_path, GOOD)).objectives
    ]
    tasks = Scope("operation", "getflow", "GET /tasks")
    assert objectives == [
        (Scope("run"), "errors", 0.01, 3),
        (Scope("run"), "dropped", 0.0, 4),
        (Scope("api", "getflow"), "p99.9", 1.5e9, 8),
        (tasks, "service p95", 300e6, 11),
        (tasks, "mean", 900e3, 12),
        (Scope("journey", "getflow", "read_all_tasks"), "p95", 2e9, 15),
        (Scope("operation", "", "GET /visit"), "throughput", 50.0, 18),
        (Scope("journey", "", "visit"), "errors", 0.02, 21),
        (Scope("step", "", "checkout"), "p95", 1e9, 25),
        (Scope("tag", "", "reading"), "service p95", 200e6, 28),
        (Scope("tag", "", "reading"), "violations", 0.0, 29),
    ]


def test_stated_samples_hold_for_their_own_section(tmp_path: Path) -> None:
    samples = {objective.metric: objective.samples for objective in read_objectives(written(tmp_path, GOOD)).objectives}
    assert (samples["p99.9"], samples["service p95"]) == (50, None)


def test_only_objectives_of_a_section_with_abort_end_a_run(tmp_path: Path) -> None:
    objectives = read_objectives(written(tmp_path, GOOD)).objectives
    assert [str(objective.scope) for objective in objectives if objective.abort] == ["journey visit"]


@pytest.mark.parametrize(
    ("word", "abort"), [("true", True), ("yes", True), ("On", True), ("false", False), ("no", False)]
)
def test_abort_is_a_boolean_of_yaml(tmp_path: Path, word: str, abort: bool) -> None:
    (objective,) = read_objectives(written(tmp_path, f"run: {{errors: 1 %, abort: {word}}}")).objectives
    assert objective.abort is abort


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope("run"), "run"),
        (Scope("api", "getflow"), "getflow"),
        (Scope("operation", "getflow", "GET /tasks"), "getflow GET /tasks"),
        (Scope("operation", "", "GET /"), "GET /"),
        (Scope("journey", "getflow", "read"), "getflow journey read"),
        (Scope("step", "", "checkout"), "step checkout"),
        (Scope("tag", "", "reading"), "tag reading"),
    ],
)
def test_a_scope_is_written_as_people_say_it(scope: Scope, text: str) -> None:
    assert str(scope) == text


def test_a_breakpoint_is_that_of_the_run(tmp_path: Path) -> None:
    _, objective = read_objectives(written(tmp_path, "run:\n  errors: 1 %\n  breakpoint: 400 /s\n")).objectives
    assert (objective.scope, objective.metric, objective.limit) == (Scope("run"), "breakpoint", 400.0)
    with pytest.raises(UsageError, match="'breakpoint' is no metric of getflow"):
        read_objectives(written(tmp_path, "run:\n  errors: 1 %\napis:\n  getflow:\n    breakpoint: 400 /s\n"))


def test_the_published_objectives_hold_for_any_api() -> None:
    objectives = read_objectives(ROOT / "loadtests" / "slo.yaml").objectives
    assert {objective.scope.api for objective in objectives} == {""}
    assert {objective.metric for objective in objectives} == {"errors", "violations", "dropped", "p95"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("run: [", "this is no YAML"),
        ("run: {p95: 1 s}", "must say how many `errors` are allowed"),
        ("apis: {}", "must say how many `errors` are allowed"),
        ("run: {errors: 1}", "line 1: expected a share such as 1 % .*got '1'"),
        ("run: {errors: 1 %, p95: 500}", "expected a time such as 500 ms .*got '500'"),
        ("run: {errors: 1 %, p95: 500 m}", "expected a time such as 500 ms .*got '500 m'"),
        ("run: {errors: 1 %, p100: 1 s}", "'p100' is no metric of run"),
        ("run: {errors: 1 %, latency: 1 s}", "'latency' is no metric of run: expected p95"),
        ("run: {errors: 1 %, errors: 2 %}", "'errors' stands here twice"),
        (
            "run: {errors: 1 %}\nextra: 1",
            "line 2: 'extra' is unknown: expected run, apis, operations, journeys, steps, tags",
        ),
        ("run: {errors: 1 %}\napis:\n  getflw: {p95: 1 s}", "line 3: 'getflw' is no API"),
        (
            "run: {errors: 1 %}\napis:\n  getflow:\n    operations:\n      GET /task: {p95: 1 s}",
            "line 5: getflow has no operation 'GET /task'; did you mean GET /tasks",
        ),
        (
            "run: {errors: 1 %}\njourneys:\n  visit: {service p95: 1 s}",
            "line 3: 'service p95' is no metric of journey visit: expected p95 .*errors, throughput$",
        ),
        ("run: {errors: 1 %}\njourneys: {visit: {violations: 0 %}}", "'violations' is no metric of journey visit"),
        ("run: {errors: 1 %}\njourneys: {visit: {p95: 1}}", "expected a time such as 500 ms"),
        ("run: {errors: 1 %}\nsteps: {s: {first p95: 1 s}}", "'first p95' is no metric of step s: expected p95"),
        ("run: {errors: 1 %}\nsteps: {s: {violations: 0 %}}", "'violations' is no metric of step s"),
        ("run: {errors: 1 %}\ntags: {t: {dropped: 0 %}}", "'dropped' is no metric of tag t"),
        ("run: {errors: 1 %, abort: 1}", "line 1: expected true or false, got '1'"),
        ("run: {errors: 1 %, abort: [true]}", "expected true or false, got a seq"),
        ("run: {errors: 1 %, journeys: {}}", "'journeys' is no metric of run"),
        ("run: {errors: 1 %}\napis: {getflow: {samples: 0}}", "expected a whole number from 1, got '0'"),
        ("run: {errors: 1 %}\napis: {getflow: {dropped: 0 %}}", "'dropped' is no metric of getflow"),
        ("run: [1]", "expected names with values, got a seq"),
        ("{[1]: 2}", "expected a name"),
    ],
)
def test_what_is_not_understood_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_objectives(written(tmp_path, text))


def test_a_missing_file_is_reported_with_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name another file with --slo"):
        read_objectives(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("metric", "series"),
    [
        ("max", "all"),
        ("p99.9", "all"),
        ("p99.99", "all"),
        ("p99", "corrected"),
        ("mean", "corrected"),
        ("all p95", "all"),
        ("all mean", "all"),
        ("good max", "corrected"),
        ("good p99.9", "corrected"),
        ("corrected max", "corrected"),
        ("service max", "service"),
    ],
)
def test_the_tail_is_of_all_responses_unless_the_file_says_otherwise(tmp_path: Path, metric: str, series: str) -> None:
    (tmp_path / "slo.yaml").write_text(f"run: {{errors: 1 %, {metric}: 1 s}}")
    (_, objective) = read_objectives(tmp_path / "slo.yaml").objectives
    assert objective.series == series


@pytest.mark.parametrize("word", ["service", "first", "connect", "corrected"])
def test_journeys_have_no_times_of_requests(tmp_path: Path, word: str) -> None:
    (tmp_path / "slo.yaml").write_text(f"run: {{errors: 1 %}}\njourneys: {{visit: {{{word} p95: 1 s}}}}")
    with pytest.raises(UsageError, match="is no metric of journey visit: expected p95"):
        read_objectives(tmp_path / "slo.yaml")
