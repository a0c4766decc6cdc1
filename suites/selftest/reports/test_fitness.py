"""A load generator is judged within the span that it measured, not by what was before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.load.fitness import own_delay, span_reasons
from reports.load.load_result import PLAN_FILE
from reports.load.search_steps import FiguresTail
from reports.load.slo import Objective, ObjectivesFile, Scope
from suites.selftest.reports.load_sample import STARTED, line, tally

BEFORE = {"starts": 1000, "late_starts": 500, "stalled_s": 9.0, "cpu_window": 1.0}
LIMITS = {"late_ms": 10.0, "cpu": 0.9, "stalled": 0.02}


def health(**figures: Any) -> dict[str, Any]:
    """Figures of a fit generator after `BEFORE`, with these changes."""
    fit = BEFORE | {"starts": 2000, "cpu_window": 0.5, "limits": LIMITS, "errors": [], "reasons": ["late at first"]}
    return fit | figures


def test_a_generator_that_was_unfit_before_the_span_is_fit_within() -> None:
    assert span_reasons(BEFORE, [health()], 10.0) == []


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"late_starts": 511}, "journeys started late: 1.1% by more than 10 ms (allowed 1%)"),
        ({"stalled_s": 9.21}, "the generator stood still 2.1% of the time (allowed 2%)"),
        ({"cpu_window": 0.95}, "the generator used 95% of a core (allowed 90%)"),
        ({"errors": ["the figures of each second broke off"]}, "the figures of each second broke off"),
    ],
)
def test_what_happened_within_the_span_counts(figures: dict[str, Any], reason: str) -> None:
    (sentence,) = span_reasons(BEFORE, [health(**figures)], 10.0)
    assert sentence.startswith(reason)


def test_a_busy_second_within_the_span_counts() -> None:
    assert len(span_reasons(BEFORE, [health(cpu_window=0.95), health()], 10.0)) == 1


def test_limits_are_still_fit() -> None:
    assert span_reasons(BEFORE, [health(late_starts=510, stalled_s=9.2, cpu_window=0.9)], 10.0) == []


@pytest.mark.parametrize(
    ("percent", "delay"), [(50.0, 1.0), (95.0, 2.0), (99.0, 2.0), (99.5, 3.0), (99.9, 3.0), (99.99, 4.0), (100.0, 5.0)]
)
def test_the_delay_at_a_percentile_is_that_of_the_next_known_one(percent: float, delay: float) -> None:
    known = {"late_p50_ms": 1.0, "late_p99_ms": 2.0, "late_p99_9_ms": 3.0, "late_p99_99_ms": 4.0, "late_max_ms": 5.0}
    assert own_delay([known, {}], percent, is_from_start=True) == delay * 1_000_000


def test_a_step_of_a_search_is_judged_by_its_own_fitness(tmp_path: Path) -> None:
    """Late until the second step begins, then fit, then late again."""
    (tmp_path / PLAN_FILE).write_text("{}")
    late = [100, 200, 200, 200, 250]
    lines = [
        line(at, [tally("a", [1.0])], health=health(starts=100 * (at + 1), late_starts=number, stalled_s=0.0))
        for at, number in enumerate(late)
    ]
    (tmp_path / "seconds.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    tail = FiguresTail(tmp_path / "seconds.jsonl", {"apis": []})
    objectives = ObjectivesFile(tmp_path, (Objective(Scope("run"), "errors", 0.1, 1),))
    spans = [(0, 0.9), (2, 2.9), (4, 4.9)]
    verdicts = [tail.judge_span(objectives, STARTED + begin, STARTED + end).verdict for begin, end in spans]
    assert verdicts == ["inconclusive", "pass", "inconclusive"]
