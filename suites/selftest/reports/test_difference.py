"""The comparison of load runs in numbers: intervals by hand, boundaries of evidence, verdict and exit code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from reports.load import load_run, search_steps
from reports.load.comparison_text import time_lines
from reports.load.difference import BETTER, SAME, TOO_FEW, TOO_SHORT, WORSE, Difference, compare_batches
from reports.load.load_result import LoadResult, are_arrivals_missing, merge_arrivals
from reports.load.run_comparison import ComparisonRow, batches_of_both, verdict
from reports.load.slo import Objective, ObjectivesFile, Scope
from reports.load.t_distribution import quantile
from reports.load.timeline import Span
from suites.selftest.reports.load_sample import FIT, STARTED, line, tally

ZIGZAG = [1.0, 0.0] * 6  # consecutive values are as different as can be, so no correlation is corrected for


def shifted(by: float) -> list[float]:
    return [value + by for value in ZIGZAG]


def test_the_interval_is_that_of_welchs_t_test() -> None:
    (difference,) = compare_batches([(ZIGZAG, shifted(0.1))])
    variance = 12 * 0.25 / 11 / 12
    error = math.sqrt(2 * variance)
    margin = quantile(0.05 / 2, 22) * error
    visible = margin + quantile(0.2, 22) * error
    expected = [math.expm1(value) for value in (0.1, 0.1 - margin, 0.1 + margin, visible)]
    received = [difference.change, difference.low, difference.high, difference.least]
    assert received == pytest.approx(expected)


@pytest.mark.parametrize(
    ("by", "verdict"), [(2.0, WORSE), (0.9, WORSE), (-0.9, BETTER), (-2.0, BETTER), (0.1, SAME), (-0.1, SAME)]
)
def test_the_sign_of_a_shift_decides(by: float, verdict: str) -> None:
    assert compare_batches([(ZIGZAG, shifted(by))])[0].verdict == verdict


@pytest.mark.parametrize(("by", "verdict"), [(0.0, SAME), (0.5, WORSE), (-0.5, BETTER)])
def test_batches_without_variation_differ_by_any_shift(by: float, verdict: str) -> None:
    (difference,) = compare_batches([([1.0] * 6, [1.0 + by] * 6)])
    assert (difference.verdict, difference.least) == (verdict, 0.0)
    assert {difference.change, difference.low, difference.high} == {math.expm1(by)}


@pytest.mark.parametrize(("number", "is_enough"), [(4, False), (5, True)])
def test_five_batches_are_needed(number: int, is_enough: bool) -> None:
    few = compare_batches([(ZIGZAG[:number], ZIGZAG)])[0]
    assert (few != Difference(TOO_FEW)) is is_enough


def test_more_rows_make_wider_intervals() -> None:
    row = (ZIGZAG, shifted(0.1))
    single, several = compare_batches([row])[0], compare_batches([row] * 5)[0]
    assert several.high > single.high
    assert several.low < single.low


def test_rows_without_evidence_do_not_widen_intervals() -> None:
    row = (ZIGZAG, shifted(0.1))
    assert compare_batches([row, ([], [])])[0] == compare_batches([row])[0]


def test_correlated_batches_make_wider_intervals_and_then_none() -> None:
    slow = [0.0, 0.0, 1.0, 1.0] * 3
    mixed = compare_batches([(slow, slow)])[0]
    assert mixed.high > compare_batches([(ZIGZAG, ZIGZAG)])[0].high
    assert compare_batches([([float(at) for at in range(12)],) * 2])[0].verdict == TOO_SHORT


SLOW, SLOWER = [0.0, 0.0, 1.0, 1.0] * 3, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0] * 2
SHORT, SHORT_ZIGZAG = [0.0, 0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("before", "after", "squares", "correlations"),
    [
        (SLOW, SLOW, 3.0, (2 / 9, 2 / 9)),  # each (1/12 + 1/12) / (1 - 3/12)
        (SLOW, ZIGZAG, 3.0, (1 / 9, 0.0)),  # together 0; the first is half its own
        (SLOW, SLOWER, 3.0, (4 / 9, 1 / 2)),  # together 4/9; the second would be (2/3 + 4/9) / 2
        (SHORT, SHORT_ZIGZAG, 1.2, (0.99 / 2, 0.0)),  # the first alone is the highest that is assumed
    ],
)
def test_the_interval_of_correlated_batches(
    before: list[float], after: list[float], squares: float, correlations: tuple[float, float]
) -> None:
    number = len(before)
    weights = [(1 - correlation) / (1 + correlation) for correlation in correlations]
    variances = [
        squares / (number - 1) / ((1 - 1 / (number * weight)) * number / (number - 1)) / number / weight
        for weight in weights
    ]
    freedoms = [(number - 1) * weight for weight in weights]
    error = math.sqrt(sum(variances))
    freedom = error**4 / sum(variance**2 / own for variance, own in zip(variances, freedoms, strict=True))
    margin = quantile(0.05 / 2, freedom) * error
    shift = sum(after) / number - sum(before) / number
    (difference,) = compare_batches([(before, after)])
    expected = [math.expm1(shift - margin), math.expm1(shift + margin)]
    assert [difference.low, difference.high] == pytest.approx(expected)
    assert difference.least == pytest.approx(math.expm1(margin + quantile(0.2, freedom) * error))


@pytest.mark.parametrize("probability", [0.0, 0.51, -0.1])
def test_a_quantile_outside_of_the_upper_half_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"up to 0\.5"):
        quantile(probability, 3)


def row(name: str) -> ComparisonRow:
    return ComparisonRow("GET /tasks", 95.0, 2_000_000, 3_000_000, Difference(name, 0.5, 0.1, 0.9, 0.2))


@pytest.mark.parametrize(
    ("names", "doubts", "expected"),
    [
        ([SAME], [], "pass"),
        ([BETTER], [], "pass"),
        ([SAME, TOO_FEW], [], "pass"),
        ([BETTER, WORSE], [], "fail"),
        ([WORSE], ["B: late"], "fail"),
        ([SAME], ["B: late"], "inconclusive"),
        ([TOO_FEW, TOO_SHORT], [], "inconclusive"),
        ([], [], "inconclusive"),
    ],
)
def test_the_verdict_of_a_comparison(names: list[str], doubts: list[str], expected: str) -> None:
    assert verdict([row(name) for name in names], doubts) == expected


def test_what_differs_stands_first_and_what_is_unknown_last() -> None:
    lines = time_lines([row(name) for name in (TOO_FEW, SAME, BETTER, WORSE)])
    assert [text.split("  ")[-1] for text in lines[1:5]] == [WORSE, BETTER, SAME, TOO_FEW]
    assert lines[1].split() == ["GET", "/tasks", "p95", "2", "3", "+50.0%", "+10.0%", "to", "+90.0%", "20.0%", WORSE]
    assert lines[4].split()[5:8] == ["-", "-", "-"]
    assert lines[5] == "compared 4 percentiles: 1 worse, 1 better, 1 not distinguishable, 1 without enough evidence"


def spans(seconds: int, responses: int) -> list[Span]:
    """That many seconds with so many responses in all, as evenly as can be."""
    result = [Span(at, at + 1, 1.0) for at in range(seconds)]
    for number in range(responses):
        result[number % seconds].times.record_many([1_000_000])
    return result


@pytest.mark.parametrize(
    ("seconds", "responses", "batches"),
    [(60, 50, 5), (60, 49, 0), (15, 500, 5), (14, 500, 0), (60, 120, 12), (60, 500, 12), (33, 500, 11)],
)
def test_a_batch_needs_five_slower_responses_and_three_seconds(seconds: int, responses: int, batches: int) -> None:
    """p50 needs 10 responses per batch for 5 slower ones."""
    run = spans(seconds, responses)
    a, b = batches_of_both(run, run, 50.0)
    assert (len(a), len(b)) == (batches, batches)


@pytest.mark.parametrize(
    ("planned", "seen", "is_missing"),
    [(100.0, 49, False), (100.0, 48, True), (0.0, 0, False), (100_000.0, 98_000, False), (100_000.0, 97_999, True)],
)
def test_arrivals_are_missing_beyond_chance_and_two_percent(planned: float, seen: int, is_missing: bool) -> None:
    assert are_arrivals_missing(planned, seen) is is_missing


def test_arrivals_of_workers_share_one_plan() -> None:
    parts = [
        {"planned": 10.0, "started": 3.0, "dropped": 1.0, "dropped_while_spawning": 1.0},
        {"planned": 11.0, "started": 4.0, "dropped": 2.0},
    ]
    merged = {"planned": 11.0, "started": 7.0, "dropped": 3.0, "dropped_while_spawning": 1.0}
    assert merge_arrivals(parts) == merged


def result(**parts: Any) -> LoadResult:
    values = {"planned": None, "workers": 1, "seconds": 10.0, "health": {"local": FIT}}
    return LoadResult("run", 0.0, **(values | {"operations": [tally("a", [1.0])]} | parts))


@pytest.mark.parametrize(
    ("parts", "gaps"),
    [
        ({}, 0),
        ({"workers": 2}, 1),
        ({"workers": 0}, 0),
        ({"planned": 10.0, "seconds": 8.8}, 0),
        ({"planned": 10.0, "seconds": 8.79}, 1),
        ({"operations": []}, 1),
        ({"lost": ["one", "two"], "left": ["three"], "unwritten": "disk full"}, 4),
        ({"arrivals": {"A": {"planned": 100.0, "started": 40.0, "dropped": 8.0}}}, 1),
        ({"arrivals": {"A": {"planned": 100.0, "started": 40.0, "dropped": 9.0}}}, 0),
    ],
)
def test_gaps_of_a_run(parts: dict[str, Any], gaps: int) -> None:
    assert len(result(**parts).gaps()) == gaps


def test_a_span_is_judged_by_its_own_lines(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"phases": [{"name": "x"}], "search": true, "arrivals": {"A": {}}}')
    arrivals = [{"A": {"started": 10.0 * (at + 1), "dropped": float(at), "planned": 99.0}} for at in range(4)]
    lines = [line(at, [tally("a", [float(at + 1)])], arrivals=arrivals[at]) for at in range(4)]
    text = "".join(json.dumps(entry) + "\n" for entry in [*lines, {"reset": 1.0}])
    (tmp_path / "seconds.jsonl").write_text(text + '{"half')
    tail = search_steps.FiguresTail(tmp_path / "seconds.jsonl", {"apis": []})
    objective = Objective(Scope("run"), "dropped", 0.1, 1)
    judged = tail.judge_span(ObjectivesFile(tmp_path, (objective,)), STARTED + 1, STARTED + 2)
    assert [operation.requests for operation in judged.run.result.operations] == [2]
    assert judged.run.result.arrivals == {
        "A": {"started": 20.0, "dropped": 2.0, "dropped_while_spawning": 0.0, "planned": 0.0}
    }
    assert judged.outcomes[0].measured == pytest.approx(2 / 22)
    assert judged.run.phases == ()


def test_a_run_without_a_contract_knows_no_operations() -> None:
    assert load_run.operation_names("todo") == []


def test_equal_values_whose_mean_is_rounded_do_not_vary() -> None:
    """The mean of seven times 2.995732274 is another number."""
    constant = [2.995732274] * 7
    assert compare_batches([(constant, constant)])[0] == Difference(SAME, least=0.0)


def test_difference_of_plain_values_has_no_ratios() -> None:
    shifts = Difference(WORSE, *map(math.expm1, (0.5, 0.25, 0.75, 0.125))).of_plain_values()
    assert shifts.verdict == WORSE
    assert (shifts.change, shifts.low, shifts.high, shifts.least) == pytest.approx((0.5, 0.25, 0.75, 0.125))
