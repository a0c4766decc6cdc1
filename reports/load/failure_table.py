"""The failures of a load run by status and by reason, for people and programs.

Rule: a failure has a reason, which may be a clause, and a status. A rate limit is a cause of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reports.load.operation_statistics import TURNED_AWAY, OperationStatistics

GOOD = "good"  # the row of responses that did not fail
RATE_LIMITED = "429"
MAX_ROWS = 20  # of a table

Rows = dict[str, int]


def status_rows(operations: Iterable[OperationStatistics]) -> Rows:
    """The number of good responses, then that of failures by status, the most frequent first; {} without failures."""
    good, counts = 0, Counter[str]()
    for operation in operations:
        good += operation.corrected.count
        counts.update(operation.statuses)
    return {GOOD: good, **dict(counts.most_common(MAX_ROWS))} if counts else {}


def reason_rows(operations: Iterable[OperationStatistics]) -> Rows:
    """The number of failures by reason, the most frequent first."""
    counts = Counter[str]()
    for operation in operations:
        counts.update(operation.failures)
    return dict(counts.most_common(MAX_ROWS))


def cause_lines(operations: Iterable[OperationStatistics]) -> list[str]:
    """A sentence for a cause that many reasons may share."""
    known = list(operations)
    number = sum(operation.statuses.get(RATE_LIMITED, 0) for operation in known)
    requests = sum(operation.requests for operation in known)
    return [f"{TURNED_AWAY}: {number} of {requests} requests"] if number else []


def table_lines(operations: Iterable[OperationStatistics]) -> list[str]:
    """Both tables as lines for a terminal."""
    known = list(operations)
    statuses = [f"{number} requests: {_status_text(name)}" for name, number in status_rows(known).items()]
    return [*statuses, *(f"{number} failed: {reason}" for reason, number in reason_rows(known).items())]


def _status_text(name: str) -> str:
    return f"failed with status {name}" if name.isdecimal() else name
