"""Checks the totals of a load run against its lines of figures: where they differ, figures are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reports.load.load_result import RESULT_FILE, LoadResult
from reports.load.operation_statistics import OTHER
from reports.load.run_lines import SECONDS_FILE

COUNTED = {"operations": "requests", "journeys": "journeys"}
NOTHING = (0, 0)  # requests, failures
MAX_CONTRADICTIONS = 5  # sentences

Counts = dict[tuple[str, str], tuple[int, int]]  # by name and transport: requests, and failures


def contradictions(result: LoadResult, lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where the totals of a result are not the sums of its lines: some of the figures are missing then."""
    sums_of: dict[str, Counts] = {of: {} for of in COUNTED}
    for line in lines:
        for of in COUNTED:
            _count(sums_of[of], line.get(of, ()))
    sentences = []
    for of, what in COUNTED.items():
        totals: Counts = {}
        _count(totals, (entry.to_json() for entry in getattr(result, of)))
        sums = sums_of[of]
        if any(OTHER in key for key in totals):  # a table was full: the lines may have other names
            totals, sums = _summed(totals), _summed(sums)
        for name in sorted(totals.keys() | sums.keys()):
            total, counted = totals.get(name, NOTHING), sums.get(name, NOTHING)
            if total != counted:
                sentences.append(
                    f"{RESULT_FILE} has {total[0]} {what} of {' over '.join(name)}, {total[1]} of them failed,"
                    f" and {SECONDS_FILE} has {counted[0]} and {counted[1]}: figures are missing"
                )
    return sentences[:MAX_CONTRADICTIONS]


def _count(counts: Counts, contents: Iterable[Mapping[str, Any]]) -> None:
    """Add the numbers of requests and of failures, by name and transport."""
    for content in contents:
        failed = content["failed"]["count"] if "failed" in content else 0
        good = content["corrected"]["count"] if "corrected" in content else 0
        if good + failed:
            key = (content["operation"], content["transport"])
            requests, failures = counts.get(key, NOTHING)
            counts[key] = (requests + good + failed, failures + failed)


def _summed(counts: Counts) -> Counts:
    requests, failures = (sum(numbers) for numbers in zip(*counts.values(), strict=True)) if counts else NOTHING
    return {(OTHER, OTHER): (requests, failures)}
