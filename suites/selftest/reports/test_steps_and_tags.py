"""Objectives of steps and tags are judged by their own statistics, which stand beside those of journeys."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.load import report_files
from reports.load.load_verdict import LoadVerdict
from reports.load.operation_statistics import AS_STEP, BY_TAG, OperationStatistics
from reports.load.run_comparison import compare
from suites.selftest.reports.load_sample import line, tally, write

TIMES = {"Shopper": 30.0, AS_STEP: 10.0, BY_TAG: 20.0}  # ms of what has the name `buy`, by its owner


def group(owner: str, name: str = "buy", failed: int = 0) -> OperationStatistics:
    statistics = tally(name, [TIMES[owner]] * 50, {"status 500": failed} if failed else {})
    statistics.transport = owner
    return statistics


def judged(folder: Path, slo: str, failed: int = 0) -> LoadVerdict:
    """A run with a journey, a step and a tag of one name; of the step, so many have failed."""
    groups = [group("Shopper"), group(AS_STEP, failed=failed), group(BY_TAG), group(AS_STEP, "pay")]
    journeys = [entry.to_json() for entry in groups]
    write(folder / "run", [line(at, [tally("GET /", [1.0])], journeys=journeys) for at in range(10)])
    (folder / "slo.yaml").write_text(f"run: {{errors: 1 %}}\n{slo}")
    return report_files.write_reports(folder / "run", folder / "slo.yaml")


@pytest.mark.parametrize(
    ("section", "name", "measured"),
    [("journeys", "journey buy", 30), ("steps", "step buy", 10), ("tags", "tag buy", 20)],
)
def test_each_has_its_own_times(tmp_path: Path, section: str, name: str, measured: int) -> None:
    outcome = judged(tmp_path, f"{section}: {{buy: {{p95: 500 ms}}}}").outcomes[1]
    assert (str(outcome.objective.scope), outcome.verdict) == (name, "pass")
    assert outcome.measured == pytest.approx(measured * 1e6, rel=0.01)


def test_a_failed_step_is_named_as_the_cause(tmp_path: Path) -> None:
    outcome = judged(tmp_path, "steps: {buy: {errors: 1 %}}", failed=50).outcomes[1]
    assert (outcome.verdict, outcome.why) == ("fail", "mostly step buy: 500 of 1000, 500 of them status 500")


@pytest.mark.parametrize(
    ("slo", "why"),
    [
        ("steps: {bye: {p95: 1 s}}", "no step of that name ended; did you mean buy?"),
        ("tags: {bye: {p95: 1 s}}", "no request was made; did you mean buy?"),
        ("journeys: {bye: {p95: 1 s}}", "no journey ended; did you mean buy?"),
        ("tags: {pay: {p95: 1 s}}", "no request was made"),
    ],
)
def test_what_never_happened_is_inconclusive(tmp_path: Path, slo: str, why: str) -> None:
    verdict = judged(tmp_path, slo)
    assert (verdict.verdict, verdict.outcomes[1].why) == ("inconclusive", why)


def test_a_comparison_names_steps_and_tags(tmp_path: Path) -> None:
    run = judged(tmp_path, "").run
    names = {row.operation for row in compare(run, run).times}
    assert names >= {"journey buy of Shopper", "step buy", "step pay", "tag buy"}
