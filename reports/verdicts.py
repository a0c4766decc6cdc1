"""A verdict for each API, from the records of one run.

Rule: fail closed. An API passes only when every test that was collected left a result, at least one of them ran, none
complains, and the run came to its end. Of several truths the worst is told: broken (we failed, so nothing is sure)
before unreachable (they were not there), fail, inconclusive (not enough evidence) and pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.records import OWN, RAN, Record, Records

EXIT_CODES = {"pass": 0, "fail": 1, "broken": 2, "inconclusive": 3, "unreachable": 4}
WORST_LAST = ("pass", "inconclusive", "fail", "unreachable", "broken")
VERDICT_OF = {"failed": "fail", "broken": "broken", "unreachable": "unreachable", "inconclusive": "inconclusive"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one API. `counts` has tests by outcome; `reasons` say why it is no plain pass or fail.

    `clauses` are the ids that a test which ran spoke for; `findings` are the tests that complain about the API,
    `troubles` those that could not judge it; `skipped` those that did not run.
    """

    api: str
    verdict: str
    counts: dict[str, int]
    clauses: tuple[str, ...]
    findings: tuple[Record, ...]
    troubles: tuple[Record, ...]
    skipped: tuple[Record, ...]
    reasons: tuple[str, ...]
    readings: tuple[str, ...]

    @property
    def checks(self) -> int:
        """Tests that ran and judged; a skipped or broken one is no check."""
        return sum(self.counts.get(outcome, 0) for outcome in RAN)


def judge(records: Records, expected: Iterable[str]) -> list[Verdict]:
    """A verdict for each API that is expected, was collected or has results, in that order; our own tests come last."""
    collected = records.run.expected if records.run else {}
    names = list(dict.fromkeys([*expected, *collected, *sorted(test.api for test in records.tests)]))
    names.sort(key=lambda name: name == OWN)
    return [_verdict(name, records) for name in names]


def worst(verdicts: Sequence[str]) -> str:
    """The worst of them; nothing at all is inconclusive."""
    return max(verdicts, key=WORST_LAST.index, default="inconclusive")


def overall(verdicts: Sequence[Verdict], records: Records) -> str:
    """The run's verdict: the worst of its APIs', and broken where something of ours went wrong outside a test."""
    found = [one.verdict for one in verdicts]
    return worst([*found, "broken"] if records.problems else found)


def _verdict(api: str, records: Records) -> Verdict:
    tests = sorted((test for test in records.tests if test.api == api), key=lambda test: test.node)
    counts = dict(Counter(test.outcome for test in tests))
    reasons = list(_gaps(api, tests, records))
    judged = [test for test in tests if test.outcome in RAN]
    found = [VERDICT_OF.get(outcome, "pass") for outcome in counts] + ["inconclusive" if reasons else "pass"]
    return Verdict(
        api=api,
        verdict=worst(found),
        counts=counts,
        clauses=tuple(sorted({clause for test in judged for clause in (*test.clauses, *test.blamed)})),
        findings=tuple(test for test in tests if test.outcome == "failed"),
        troubles=tuple(test for test in tests if test.outcome in ("broken", "unreachable", "inconclusive")),
        skipped=tuple(test for test in tests if test.outcome == "skipped"),
        reasons=tuple(reasons),
        readings=tuple(sorted({reading for test in tests for reading in test.readings})),
    )


def _gaps(api: str, tests: Sequence[Record], records: Records) -> Iterable[str]:
    """What is missing before this API may pass."""
    run = records.run
    if run is None:
        yield "the run left no account of what it set out to do"
    elif not run.complete:
        yield _why_incomplete(run.exit_status)
    wanted = run.expected.get(api, 0) if run else 0
    if len(tests) < wanted:
        yield f"{wanted - len(tests)} of {wanted} collected tests left no result"
    if not tests:
        yield "no test has a result"
    elif not any(test.outcome in RAN for test in tests):
        yield "no test ran to its end"


def _why_incomplete(exit_status: int | None) -> str:
    if exit_status is None:
        return "the run ended before its end: it was killed, or is still going"
    known = {2: "was interrupted", 3: "failed inside", 4: "was called wrongly", 5: "found no test"}
    return f"pytest {known.get(exit_status, 'had problems outside the tests')} (exit code {exit_status})"
