"""Computes a verdict for each API from the records of one run.

Rule: fail closed. An API passes only when every collected test left a result, at least one check ran, none of them
failed, and the run came to its end. Warnings are counted and named, and let it pass. The worst verdict counts: broken
(our own part failed, so nothing is sure), then misuse (the user has to change a command or a setting), unreachable (the
target did not respond), fail, inconclusive (not enough evidence) and pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.results.acceptances import NO_ACCEPTANCES, Acceptance
from reports.results.accepted_causes import AcceptedCause, split_causes, vanished
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import BLAMING_OUTCOMES, BLOCKED, NOT_JUDGED_OUTCOMES, ResultRecord

EXIT_CODES = {"pass": 0, "fail": 1, "broken": 2, "misuse": 2, "inconclusive": 3, "unreachable": 4}
WORST_LAST = ("pass", "inconclusive", "fail", "unreachable", "misuse", "broken")
VERDICT_OF_OUTCOME = {"failed": "fail", **{it: it for it in NOT_JUDGED_OUTCOMES}, BLOCKED: "inconclusive"}


@dataclass(frozen=True, slots=True)
class ApiVerdict:
    """The verdict of one API. counts: number of tests by outcome. reasons: why it is neither a plain pass nor fail.

    checks: tests that ran and could fail. observations: what tests recorded where every outcome is allowed.
    clauses: ids of the clauses that were checked. findings: tests that failed. warnings: tests that found only clauses
    broken that the document neither states nor shows. not_judged: tests that ended in an error, without the target,
    without evidence or blocked. skipped: tests that did not run. known: departures that a target file names, with a
    reason and a last day, and tests whose findings are all accepted. readings: meanings seen. changes: what readings
    mean now and meant in an earlier run. causes: what findings and warnings have in common, the worst first. accepted:
    the causes that are accepted. overdue: acceptances whose last day is over; vanished: those of which nothing was
    found.
    """

    api: str
    verdict: str
    counts: dict[str, int]
    checks: int
    observations: int
    clauses: tuple[str, ...]
    findings: tuple[ResultRecord, ...]
    not_judged: tuple[ResultRecord, ...]
    skipped: tuple[ResultRecord, ...]
    known: tuple[ResultRecord, ...]
    reasons: tuple[str, ...]
    readings: tuple[str, ...]
    changes: tuple[str, ...] = ()
    warnings: tuple[ResultRecord, ...] = ()
    causes: tuple[Cause, ...] = ()
    accepted: tuple[AcceptedCause, ...] = ()
    overdue: tuple[Acceptance, ...] = ()
    vanished: tuple[Acceptance, ...] = ()

    @property
    def departures(self) -> tuple[ResultRecord, ...]:
        """The known departures of the target."""
        return tuple(test for test in self.known if test.departure)


def judge(records: RunRecords, expected: Iterable[str]) -> list[ApiVerdict]:
    """One verdict for each API that is expected, was collected, has results or has a broken contract, in that order."""
    collected = records.run.expected if records.run else {}
    tested = sorted(test.api for test in records.tests)
    names = list(dict.fromkeys([*expected, *collected, *tested, *records.broken_contracts]))
    return [_verdict(name, records) for name in names]


def worst(verdicts: Sequence[str]) -> str:
    """The worst of these verdicts; inconclusive when there are none."""
    return max(verdicts, key=WORST_LAST.index, default="inconclusive")


def overall(verdicts: Sequence[ApiVerdict], records: RunRecords) -> str:
    """The run's verdict: the worst of its APIs, and broken or misuse for what went wrong outside the tests."""
    outside = [*(["broken"] if records.problems else ()), *(["misuse"] if records.misuse else ())]
    return worst([*(verdict.verdict for verdict in verdicts), *outside])


def _verdict(api: str, records: RunRecords) -> ApiVerdict:
    tests = sorted((test for test in records.tests if test.api == api), key=lambda test: test.node)
    run_tests = [test for test in tests if not (test.departure or test.prerequisite)]
    checks = [test for test in run_tests if test.is_judged and not test.is_observation]
    tests = [test for test in tests if not test.prerequisite or test.outcome in BLAMING_OUTCOMES]
    counts = dict(Counter(test.outcome for test in tests))
    contract_error = records.broken_contracts.get(api)
    reasons = [contract_error] if contract_error else list(_missing_evidence(api, run_tests, checks, records))
    verdicts = [VERDICT_OF_OUTCOME.get(outcome, "pass") for outcome in counts]
    verdicts.append("broken" if contract_error else "inconclusive" if reasons else "pass")
    causes, accepted = split_causes(tests, records.acceptances)
    acceptances = records.acceptances.get(api, NO_ACCEPTANCES)
    gone = vanished(api, tests, acceptances)
    verdicts.append("fail" if gone and records.run and records.run.is_strict else "pass")
    return ApiVerdict(
        api=api,
        verdict=worst(verdicts),
        counts=counts,
        checks=len(checks),
        observations=sum(test.observations for test in tests),
        clauses=tuple(sorted({clause for test in tests if test.is_judged for clause in test.checked_clauses})),
        findings=tuple(test for test in tests if test.outcome == "failed"),
        not_judged=tuple(test for test in tests if test.outcome in NOT_JUDGED_OUTCOMES),
        skipped=tuple(test for test in tests if test.outcome == "skipped"),
        known=tuple(test for test in tests if test.outcome == "known"),
        reasons=tuple(reasons),
        readings=tuple(sorted({reading for test in tests for reading in test.readings})),
        changes=tuple(sorted({change for test in tests for change in test.changes})),
        warnings=tuple(test for test in tests if test.outcome == "warning"),
        causes=tuple(causes),
        accepted=tuple(accepted),
        overdue=acceptances.overdue_of(api),
        vanished=gone,
    )


def _missing_evidence(
    api: str, tests: Sequence[ResultRecord], checks: Sequence[ResultRecord], records: RunRecords
) -> Iterable[str]:
    """What is missing before this API may pass, a sentence each."""
    run = records.run
    if run is None:
        yield "the run left no run.json that says which tests it collected"
    elif not run.complete:
        yield _why_incomplete(run.exit_status)
    expected = run.expected.get(api, 0) if run else 0
    if len(tests) < expected:
        yield f"{expected - len(tests)} of {expected} collected tests left no result"
    if not tests:
        yield "no test has a result"
    elif all(test.outcome == "skipped" for test in tests):
        yield "no test ran to its end"
    elif not checks and any(test.is_judged for test in tests):
        yield "no check ran, and observations cannot fail"


def _why_incomplete(exit_status: int | None) -> str:
    if exit_status is None:
        return "the run has no end mark: it was killed or is still running"
    known = {2: "was interrupted", 3: "had an internal error", 4: "was called with wrong arguments", 5: "found no test"}
    return f"pytest {known.get(exit_status, 'had problems outside the tests')} (exit code {exit_status})"
