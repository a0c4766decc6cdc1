"""Costs, ratios within rounds, medians and targets are computed as the text above the table says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.bench import cost_table, figures
from loadtests.bench.figures import TARGETS, Target, cost_ratios, is_met, spread_text
from loadtests.bench.generators import NAMES
from loadtests.bench.measure import Measurement

AGAINST_K6 = Target("ws-ours", ("ws-k6", "ws-k6x"), 0.5, "status only")
FACTS = {"rounds": 3, "seconds": 2.5, "first": 500, "connections": 64, "body": 424, "message": 357}


def run(generator: str, number: int, cost: float) -> Measurement:
    """A window of 2 s with 1,000,000 requests at that cost."""
    return Measurement(generator, number, 1_000_000, 2.0, cost, 0.0)


ROUNDS = [
    *(run("ws-ours", number, cost) for number, cost in ((1, 6.0), (2, 8.0), (3, 9.0))),
    *(run("ws-k6", number, cost) for number, cost in ((1, 20.0), (2, 10.0), (3, 20.0))),
    *(run("ws-k6x", number, cost) for number, cost in ((1, 40.0), (2, 40.0), (3, 18.0))),
]


def test_a_cost_is_in_ms_for_a_thousand_requests() -> None:
    assert Measurement("wrk", 1, 200_000, 2.0, 1.2, 0.0).cost == pytest.approx(6.0)  # 1.2 s for 200,000 are 6 µs each


def test_a_rate_is_a_second() -> None:
    assert Measurement("wrk", 1, 200_000, 2.0, 1.2, 0.0).rate == 100_000


def test_ratios_are_taken_within_a_round_and_against_the_cheapest() -> None:
    assert cost_ratios(ROUNDS, AGAINST_K6) == pytest.approx([6 / 20, 8 / 10, 9 / 18])


def test_the_median_of_the_ratios_decides() -> None:
    assert is_met(ROUNDS, AGAINST_K6) is True  # 0.3, 0.8 and 0.5 have the median 0.5
    assert is_met(ROUNDS, Target("ws-ours", ("ws-k6", "ws-k6x"), 0.49, "")) is False


def test_a_round_that_lacks_one_of_the_others_does_not_count() -> None:
    incomplete = [measurement for measurement in ROUNDS if (measurement.generator, measurement.round) != ("ws-k6x", 2)]
    assert cost_ratios(incomplete, AGAINST_K6) == pytest.approx([6 / 20, 9 / 18])


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert is_met([run("ws-ours", 1, 6.0)], AGAINST_K6) is None


def test_spread_is_the_median_between_the_smallest_and_the_largest() -> None:
    assert spread_text([3.0, 1.0, 2.0], 1) == "2.0 (1.0 to 3.0)"


def test_spread_of_equal_values_has_no_bracket() -> None:
    assert spread_text([2.001, 2.002], 2) == "2.00"


def test_every_target_names_generators_of_one_transport() -> None:
    for target in TARGETS:
        transports = {NAMES[name].transport for name in (target.ours, *target.others)}
        assert len(transports) == 1, target


def test_the_table_shows_cost_ratio_and_verdict() -> None:
    page = cost_table.markdown(ROUNDS, {}, ["ws-ours", "ws-k6", "ws-k6x"], FACTS)
    assert "| ours, status only | 8.00 (6.00 to 9.00) | 500,000 |" in page
    assert "status only, against k6 without checks (its better module) | 0.500 (0.300 to 0.800) | 0.5 | met |" in page


def test_a_generator_without_a_figure_has_a_line_that_says_why() -> None:
    page = cost_table.markdown([], {"wrk": "wrk is not installed: apt-get install wrk"}, ["wrk"], FACTS)
    assert "| wrk (wrk is not installed: apt-get install wrk) |" in page


def test_the_json_holds_every_run_and_target(tmp_path: Path) -> None:
    cost_table.write(tmp_path, ROUNDS, {}, ["ws-ours"], FACTS)
    content = json.loads((tmp_path / "bench-load.json").read_text())
    assert [measurement["cost"] for measurement in content["runs"]] == [measurement.cost for measurement in ROUNDS]
    assert {target["ours"] for target in content["targets"]} == {target.ours for target in figures.TARGETS}
