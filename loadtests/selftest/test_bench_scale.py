"""The table of what grows with runs has each case beside its limit, and its measurements are real."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench import scale
from loadtests.bench.__main__ import main
from loadtests.bench.process import ROOT, ProgramFailed
from loadtests.bench.scale import BEFORE, CASES, NOW, run_case
from loadtests.bench.scale_cases import CASES as FUNCTIONS


def test_each_case_can_be_measured() -> None:
    assert [case.name for case in CASES] == list(FUNCTIONS)


def test_an_arrival_costs_some_microseconds() -> None:
    assert 0 < run_case("arrivals", ROOT) < 1_000


def test_a_case_that_fails_is_one_sentence() -> None:
    with pytest.raises(ProgramFailed, match=r"^nothing cannot be measured in .*: KeyError: 'nothing'$"):
        run_case("nothing", ROOT)


def test_a_case_is_met_or_missed_by_its_median() -> None:
    figures = {("growth", NOW): [1.0, 2.1, 1.5], ("growth", BEFORE): [30.0], ("master", NOW): [25.0]}
    rows = scale.markdown(figures, 3).splitlines()
    assert "| Soak of 20 operations: Locust's statistics in an hour | MB | 30.0 | 1.5 (1.0 to 2.1) | 2 | met |" in rows
    assert "| Master of 50 workers with 60,000 requests a second | % of a core |  | 25.0 | 20 | missed |" in rows


def test_cases_are_measured_in_turn_and_long_ones_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(scale, "run_case", lambda name, checkout: float(calls.append((name, checkout)) or 1.0))
    monkeypatch.setattr(scale, "CASES", [CASES[0], CASES[-1]])
    before = Path("before")
    *_, figures = scale.measure(2, before)
    pair = [("arrivals", ROOT), ("arrivals", before)]
    assert (calls, figures["reading-day", NOW]) == ([*pair, ("reading-day", ROOT), *pair], [1.0])


def test_a_checkout_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "--scale", "--before", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"bench: --before: expected a checkout of flowproof, got {tmp_path}\n"
