"""Profiles are read strictly, scaled by one factor, and turned into the rates that Locust gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.yaml_reader import UsageError
from loadtests.engine.arrival_plan import parse_rates
from loadtests.profiles.load_profile import read_profiles

TWO = """
two:
  why: To see it.
  rate: 20 /s
  users: 50
  phases:
    - {name: rise, lasts: 1 min, from: 0 %, to: 100 %, judged: no}
    - {name: steady, lasts: 30 s, at: 150 %}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "profiles.yaml"
    path.write_text(text)
    return path


def test_the_usual_kinds_are_there() -> None:
    assert list(read_profiles()) == ["smoke", "load", "stress", "spike", "soak", "breakpoint"]


@pytest.mark.parametrize("name", ["smoke", "load", "stress", "spike", "soak"])
def test_a_published_profile_has_a_judged_phase_and_valid_rates(name: str) -> None:
    profile = read_profiles()[name]
    points = parse_rates(profile.rate_course())
    assert any(phase.judged for phase in profile.phases)
    assert points[-1][0] == profile.seconds


def test_phases_become_points_of_rates(tmp_path: Path) -> None:
    assert read_profiles(written(tmp_path, TWO))["two"].rate_course() == "0:0,60:20,60:30,90:30"


def test_one_factor_stretches_all_times_and_the_rate_replaces_the_profiles(tmp_path: Path) -> None:
    scaled = read_profiles(written(tmp_path, TWO))["two"].scaled(0.1, 200)
    assert scaled.rate_course() == "0:0,6:200,6:300,9:300"


@pytest.mark.parametrize(
    ("rate", "users", "expected"), [(None, None, 50), (200, None, 500), (5, None, 50), (200, 70, 70)]
)
def test_a_higher_rate_takes_users_along_unless_they_are_given(
    tmp_path: Path, rate: float | None, users: int | None, expected: int
) -> None:
    assert read_profiles(written(tmp_path, TWO))["two"].scaled(1, rate, users).users == expected


def test_a_plan_says_which_phases_are_judged(tmp_path: Path) -> None:
    spans = read_profiles(written(tmp_path, TWO))["two"].description()["phases"]
    assert spans == [
        {"name": "rise", "begin": 0.0, "end": 60.0, "judged": False},
        {"name": "steady", "begin": 60.0, "end": 90.0, "judged": True},
    ]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("rate: 20 /s", "rate: 20", "expected a rate such as 20 /s"),
        ("users: 50", "users: some", "whole number from 1"),
        ("lasts: 30 s", "lasts: 30", "line 8: expected a time such as 30 s"),
        ("at: 150 %", "at: 150", "a share of the rate such as 100 %"),
        ("at: 150 %", "from: 1 %", "either at, or from and to"),
        ("at: 150 %", "at: 1 %, from: 1 %, to: 2 %", "either at, or from and to"),
        ("judged: no", "judged: maybe", "expected yes or no"),
        ("why: To see it.", "wy: x", "'wy' is unknown: expected why"),
        ("  users: 50\n", "", "needs why, rate and users"),
        ("  phases:", "  search:", "expected names with values"),
    ],
)
def test_an_invalid_profile_is_reported_with_its_place(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_profiles(written(tmp_path, TWO.replace(before, after)))
