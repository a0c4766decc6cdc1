"""A rotating sample of slow self-tests, by a plugin: `tox -e selftest -- -m slow -p suites.selftest.slow_sample`.

All of them take the better part of an hour, so every change runs a few: other content of the project, other tests.
One that takes longer than the whole sample may is left to the nightly run.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from suites.mutation.rotating_sample import sample_of_names

SAMPLE_SECONDS = 80.0  # two workers share them
UNKNOWN_SECONDS = 20.0  # of a test whose mark has no number: that long a test is not marked at all


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what is not in the sample."""
    slow = {item.nodeid: seconds for item in items if (seconds := seconds_of(item))}
    chosen = sample(slow, SAMPLE_SECONDS)
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in chosen])
    items[:] = [item for item in items if item.nodeid in chosen]


def seconds_of(item: pytest.Item) -> float:
    """How long a test takes by its mark `slow`; 0 for a quick one."""
    mark = item.get_closest_marker("slow")
    return float(mark.kwargs.get("seconds", UNKNOWN_SECONDS)) if mark else 0.0


def sample(seconds: Mapping[str, float], limit: float) -> set[str]:
    """Names whose seconds come to `limit` at most, in an order that the content of the project decides."""
    chosen, total = set(), 0.0
    for name in sample_of_names(
        list(seconds), len(seconds), ("contracts", "fixtures", "loadtests", "reports", "suites")
    ):
        if total + seconds[name] <= limit:
            chosen.add(name)
            total += seconds[name]
    return chosen
