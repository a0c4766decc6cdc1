"""How many requests a run will send, from what each test sent to our reference: `suites/<api>/request_counts.json`.

Rule: the figures are measured by `python -m suites.request_counts` and never written by hand. A target with more
records than our reference may get more requests, so a plan is "about"; only a budget is exact.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import contracts

SUITES = Path(__file__).parents[1]
COUNTS = "request_counts.json"
MARGIN = 1.1  # a test that runs alone looks up records that another test would have looked up for it
PER_WORKER = 40  # requests of each worker for records that it looks up itself

Counts = Mapping[str, tuple[int, int]]  # by test function: the most requests of one test, and those of all its tests


def api_of_node(node_id: str) -> str:
    """The API that a test of that node id is about, "" for none: that of its folder or of its parameters."""
    folder = node_id.removeprefix("suites/").partition("/")[0]
    if folder in contracts.apis():
        return folder
    words = re.split(r"[-\[\] ]", node_id.partition("[")[2])
    return next((word for word in words if word in contracts.apis()), "")


PLANNED: dict[str, dict[str, tuple[int, int]]] = {}  # by API, counts that follow from a plan and are not measured


def function_of_node(node_id: str) -> str:
    """The test function of that node id, such as `getflow/test_dates.py::test_name`."""
    return node_id.partition("[")[0].removeprefix("suites/")


@cache
def request_counts(api: str) -> Counts:
    """What the tests of that API sent to our reference; empty when nobody has measured it."""
    path = SUITES / api / COUNTS
    return (
        {name: (most, total) for name, (most, total) in json.loads(path.read_text()).items()} if path.exists() else {}
    )


def requests_of_test(api: str, node_id: str) -> int:
    """The most requests that a test of that function sends, 0 when it is not known."""
    return _counts(api).get(function_of_node(node_id), (0, 0))[0]


def _counts(api: str) -> Counts:
    return {**request_counts(api), **PLANNED.get(api, {})}


def planned_requests(api: str, node_ids: Iterable[str], workers: int) -> tuple[int, int]:
    """About how many requests these tests of the API send at most, and for how many tests that is not known."""
    tests = Counter(function_of_node(node_id) for node_id in node_ids if api_of_node(node_id) == api)
    counts = _counts(api)
    known = {name: counts[name] for name in tests if name in counts}
    total = sum(min(total, most * tests[name]) for name, (most, total) in known.items())
    unknown = sum(number for name, number in tests.items() if name not in counts)
    return math.ceil(total * MARGIN) + PER_WORKER * workers if total else 0, unknown


def plan_text(
    api: str, planned: int, unknown: int, rate: float, budget: int | None, is_measured_effort: bool = True
) -> str:
    """A sentence for people: how many requests at most, how fast, and how long that takes.

    The figures are those of the default effort; a greater effort sends more, and nobody has measured how many.
    """
    most = "about {:,} requests at most" if is_measured_effort else "more than {:,} requests"
    expected = most.format(planned) if planned else "a number of requests that nobody has measured"
    if unknown and planned:
        expected += f" and those of {unknown} tests that nobody has measured"
    if budget is not None and (unknown or not is_measured_effort or budget < planned):
        expected, planned = f"at most {budget:,} requests ({api.upper()}_BUDGET)", budget
        is_measured_effort = True  # a budget is exact
    least = "about " if is_measured_effort else "more than "
    pace = "as fast as they are answered" if not rate else f"{rate:g} a second"
    return f"{api}: {expected}, {pace}{f', which takes {least}{_duration(planned / rate)}' if rate and planned else ''}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
