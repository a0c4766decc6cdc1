"""The figures of a run that goes on, as metrics and as Prometheus' text."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.load.live_metrics import BOUNDS, Metric, Point, Times, live_metrics
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.prometheus_text import prometheus_text
from reports.load.slo import read_objectives
from suites.selftest.reports.load_sample import FIT, tally


@pytest.fixture
def metrics(tmp_path: Path) -> dict[str, Metric]:
    operations = [tally("GET /", [1.0, 1.5, 90_000.0], {"status 500": 2}), tally("POST /", [10.0])]
    result = LoadResult("r", 0.0, None, 1, seconds=10.0, operations=operations)
    result.health = {"local": FIT}
    result.arrivals = {"U": {"started": 5, "dropped": 1, "planned": 6.0}}
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %, mean: 1 s, throughput: 9 /s}\ntags: {t: {p95: 1 s}}")
    run = LoadRun(tmp_path, {"apis": []}, result, False, (), ())
    return {it.name: it for it in live_metrics(run, read_objectives(tmp_path / "slo.yaml").objectives, 7)}


def values(metric: Metric) -> dict[tuple[str, ...], object]:
    return {tuple(point.labels.values()): point.value for point in metric.points}


def test_requests_are_counted_by_outcome_and_failures_by_reason(metrics: dict[str, Metric]) -> None:
    assert values(metrics["flowproof.requests"]) == {
        ("GET /", "http", "good"): 3,
        ("GET /", "http", "failed"): 2,
        ("POST /", "http", "good"): 1,
        ("POST /", "http", "failed"): 0,
    }
    assert values(metrics["flowproof.failures"]) == {("GET /", "http", "status 500"): 2}


def test_arrivals_and_users_are_there(metrics: dict[str, Metric]) -> None:
    assert values(metrics["flowproof.arrivals"]) == {("U", "started"): 5, ("U", "dropped"): 1}
    assert values(metrics["flowproof.users"]) == {(): 7}


def test_times_are_in_the_bucket_of_the_first_bound_that_they_do_not_exceed(metrics: dict[str, Metric]) -> None:
    times = values(metrics["flowproof.request.duration"])["GET /", "http"]
    assert isinstance(times, Times)
    assert (times.number, times.total) == (3, pytest.approx(90.0025))
    counted = {bound: number for bound, number in zip([*BOUNDS, "more"], times.buckets, strict=True) if number}
    assert counted == {0.001: 1, 0.002: 1, "more": 1}


def test_an_objective_is_at_risk_while_it_is_missed(metrics: dict[str, Metric]) -> None:
    assert values(metrics["flowproof.objective.at_risk"]) == {
        ("run errors",): 1,
        ("run mean",): 1,
        ("run throughput",): 1,
        ("tag t p95",): 0,
    }
    assert values(metrics["flowproof.objective.limit"])["run mean",] == 1.0
    measured = values(metrics["flowproof.objective.measured"])
    assert (measured["run throughput",], ("tag t p95",) in measured) == (0.4, False)


def test_work_is_done_in_pieces(tmp_path: Path) -> None:
    result = LoadResult("r", 0.0, None, 1, operations=[tally("GET /", [1.0]), tally("POST /", [1.0])])
    pauses: list[int] = []
    live_metrics(LoadRun(tmp_path, {}, result, False, (), ()), (), 0, lambda: pauses.append(1))
    assert len(pauses) == 2


def test_the_text_has_names_units_and_escaped_labels() -> None:
    times = Times(3, 1.25, (1, 1, *[0] * 13, 1))
    text = prometheus_text(
        [
            Metric("a.b", "counter", "", "Things", (Point({"x": 'a"\\\n'}, 1e6), Point({"x": "y"}, 0.5))),
            Metric("c", "gauge", "", "Level", (Point({}, 2.0),)),
            Metric("d.e", "histogram", "s", "Times", (Point({"o": "p"}, times),)),
        ]
    )
    lines = text.splitlines()
    assert lines[:7] == [
        "# HELP a_b_total Things",
        "# TYPE a_b_total counter",
        'a_b_total{x="a\\"\\\\\\n"} 1000000',
        'a_b_total{x="y"} 0.5',
        "# HELP c Level",
        "# TYPE c gauge",
        "c 2",
    ]
    assert lines[8:11] == [
        "# TYPE d_e_seconds histogram",
        'd_e_seconds_bucket{o="p",le="0.001"} 1',
        'd_e_seconds_bucket{o="p",le="0.002"} 2',
    ]
    assert lines[-3:] == [
        'd_e_seconds_bucket{o="p",le="+Inf"} 3',
        'd_e_seconds_sum{o="p"} 1.25',
        'd_e_seconds_count{o="p"} 3',
    ]
