"""The kinds of bugs that a run looked for, by operation: where they were tried, and why not elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reports.results.records import RunRecords


@dataclass(frozen=True, slots=True)
class KindCoverage:
    """A kind of bug at one API.

    rule: what must hold. tried: for each operation at which it can occur, and each call, how many tests of the kind
    tried it. reasons: for each other operation, why it was not tried: what rules the kind out there, or why the tests
    of it were skipped.
    """

    name: str
    rule: str
    tried: dict[str, int]
    reasons: dict[str, str]


def kinds_of(api: str, records: RunRecords) -> list[KindCoverage]:
    """Every kind that the run had tests of, in the order of its manifest; [] without a manifest."""
    return [
        _coverage(api, name, kind["rule"], kind["reasons"].get(api, {}), records)
        for name, kind in (records.run.bug_kinds if records.run else {}).items()
    ]


def _coverage(api: str, name: str, rule: str, operations: dict[str, str], records: RunRecords) -> KindCoverage:
    tests = [test for test in records.tests if test.api == api and test.bug_kind == name]
    counts = Counter(label for test in tests if test.is_judged for label in test.operations)
    skipped = {label: test.message for test in reversed(tests) if not test.is_judged for label in test.operations}
    why = {label: reason or skipped.get(label, "") for label, reason in operations.items()}
    reasons = {label: reason for label, reason in why.items() if reason and not counts[label]}
    tried = {label: counts[label] for label in (*operations, *sorted(counts)) if label not in reasons}
    return KindCoverage(name, rule, tried, reasons)
