"""Decides which findings of a run are accepted, and which acceptances are over or not needed any more.

Rule: a finding is accepted when an acceptance in force has its own id, or that of its cause. A test whose findings are
all accepted has the outcome `known`; records are stored as they were found, and this is applied where they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.results.acceptances import NO_ACCEPTANCES, Acceptance, AcceptanceList
from reports.results.causes import Cause, TestFinding, cause_id, findings_by_cause, joined
from reports.results.finding_record import FindingRecord
from reports.results.result_log import BLAMING_OUTCOMES, JUDGED_OUTCOMES, ResultRecord

Lists = Mapping[str, AcceptanceList]  # by API


@dataclass(frozen=True, slots=True)
class AcceptedCause:
    """A cause whose findings are all accepted, and the acceptance that says so."""

    cause: Cause
    acceptance: Acceptance


def is_accepted(api: str, finding: FindingRecord, acceptances: AcceptanceList) -> bool:
    """Whether the finding is accepted by its own id, so that nothing else of the run need be known."""
    return acceptances.find([cause_id(api, finding)]) is not None


def classify(tests: Sequence[ResultRecord], lists: Lists) -> list[ResultRecord]:
    """The records, with the outcome that they have when accepted findings do not count."""
    if not any(entries.entries for entries in lists.values()):
        return list(tests)
    accepted = {
        id(entry.finding)
        for cause, group in findings_by_cause(tests)
        for entry in group
        if _acceptance(cause, entry, lists)
    }
    return [_classified(test, accepted) for test in tests]


def _acceptance(cause: Cause, entry: TestFinding, lists: Lists) -> Acceptance | None:
    acceptances = lists.get(cause.api, NO_ACCEPTANCES)
    return acceptances.find([cause.id]) or acceptances.find([cause_id(cause.api, entry.finding)])


def _classified(test: ResultRecord, accepted: set[int]) -> ResultRecord:
    counted = [finding for finding in test.findings if id(finding) not in accepted]
    if test.outcome not in BLAMING_OUTCOMES or len(counted) == len(test.findings):
        return test
    is_failure = any(not finding.is_warning for finding in counted)
    return replace(test, outcome="failed" if is_failure else "warning" if counted else "known")


def split_causes(tests: Sequence[ResultRecord], lists: Lists) -> tuple[list[Cause], list[AcceptedCause]]:
    """The causes of the findings of these tests, the worst first: those that count, and those that are accepted."""
    counted, accepted = [], []
    for cause, group in findings_by_cause(tests):
        acceptances = [_acceptance(cause, entry, lists) for entry in group]
        if all(acceptances) and (first := acceptances[0]):
            accepted.append(AcceptedCause(cause, first))
        else:
            counted.append(group)
    return joined(counted, tests), accepted


def vanished(api: str, tests: Iterable[ResultRecord], acceptances: AcceptanceList) -> tuple[Acceptance, ...]:
    """The acceptances of which nothing was found although their clause was tested, and no test of it was cut short.

    One that names no clause is never among them.
    """
    of_api = [test for test in tests if test.api == api]
    records = [test for test in of_api if not test.departure]
    seen = {cause_id(api, finding) for test in of_api for finding in test.findings}
    passed = {clause for test in records if test.outcome == "passed" for clause in test.checked_clauses}
    undecided = {
        clause
        for test in records
        if test.outcome not in (*JUDGED_OUTCOMES, "known", "skipped")
        for clause in test.clauses
    }
    return tuple(
        entry
        for entry in acceptances.entries
        if entry.clause in passed - undecided and not seen.intersection(entry.ids)
    )
