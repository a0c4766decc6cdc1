"""The sample of slow self-tests fits its time and changes with the content of the project."""

from __future__ import annotations

from collections.abc import Mapping
from unittest.mock import Mock

import pytest

from suites.selftest import slow_sample
from suites.selftest.slow_sample import UNKNOWN_SECONDS, sample, seconds_of

NAMES = [f"test_{number}" for number in range(40)]


def in_this_order(names: list[str], _count: int, _folders: tuple[str, ...]) -> list[str]:
    return names


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"a": 30.0, "b": 50.0, "c": 1.0}, {"a", "b"}),
        ({"a": 30.0, "b": 51.0, "c": 50.0}, {"a", "c"}),
        ({"minutes": 81.0}, set()),
    ],
)
def test_a_sample_is_filled_up_to_its_limit(
    seconds: Mapping[str, float], chosen: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_sample, "sample_of_names", in_this_order)
    assert sample(seconds, 80.0) == chosen


def test_another_content_gives_another_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = dict.fromkeys(NAMES, UNKNOWN_SECONDS)
    before = sample(seconds, 80.0)
    monkeypatch.setattr("suites.mutation.rotating_sample._content_digest", lambda _: "another content")
    assert len(before) == len(sample(seconds, 80.0)) == 4
    assert before != sample(seconds, 80.0)


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [(None, 0.0), (pytest.mark.slow, UNKNOWN_SECONDS), (pytest.mark.slow(seconds=50), 50.0)],
    ids=["none", "plain", "with seconds"],
)
def test_a_mark_says_how_long_a_test_takes(mark: pytest.MarkDecorator | None, seconds: float) -> None:
    item = Mock(get_closest_marker=lambda name: mark.mark if mark and name == mark.name else None)
    assert seconds_of(item) == seconds
