"""Decides which failed tests were only blocked: what they stand on is refused, so they never reached their subject.

Rule: a test is blocked by a cause when it checks another clause than the broken one. Of each cause at least one test
stays as it ended, or the prerequisite that shows it: nothing fails, or warns, only to be blocked. A reading that has
changed stops no test, since it is compared after the test's end: whoever saw the change stays as well. A prerequisite
that no test has met is no finding. What is accepted is decided before (`accepted_causes.py`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from reports.results.causes import Cause, TestFinding, findings_by_cause
from reports.results.finding_record import OF_BEHAVIOUR
from reports.results.result_log import BLAMING_OUTCOMES, BLOCKED, ResultRecord


def separate_blocked(tests: Sequence[ResultRecord]) -> list[ResultRecord]:
    """The tests, those of them that were blocked with that outcome and the ids of the causes.

    A warning counts as blocked only by a prerequisite, such as the key: others say that a test reached its subject.
    """
    causes = findings_by_cause(tests)
    met = {id(entry.finding) for _, group in causes if not _is_unmet(group) for entry in group}
    if any(_is_unmet(group) for _, group in causes):
        return separate_blocked([_without_unmet(test, met) for test in tests])
    cause_of = {id(entry.finding): cause for cause, group in causes for entry in group}
    kept = {node for cause, group in causes for node in _kept(cause, group)}
    founding = {cause.id for cause, group in causes if any(entry.test.prerequisite for entry in group)}
    known = {name: cause for cause, _ in causes for name in cause.ids}
    return [
        _blocked_in_advance(test, known)
        if test.blocked_by
        else _separated(test, [cause_of[id(finding)] for finding in test.findings], kept, founding)
        for test in tests
    ]


def _is_unmet(group: Sequence[TestFinding]) -> bool:
    return all(entry.test.prerequisite for entry in group)


def _without_unmet(test: ResultRecord, met: Container[int]) -> ResultRecord:
    """The prerequisite without what no test has met; of a test everything stays."""
    findings = tuple(finding for finding in test.findings if id(finding) in met)
    if not test.prerequisite or len(findings) == len(test.findings):
        return test
    outcome = "failed" if any(not it.is_warning for it in findings) else "warning" if findings else "skipped"
    clauses = tuple(dict.fromkeys(finding.clause for finding in findings))
    return replace(test, outcome=outcome, findings=findings, clauses=clauses, blamed=clauses)


def _kept(cause: Cause, group: Sequence[TestFinding]) -> Iterable[str]:
    """The tests that stay as they ended: what shows the cause itself, else what checks its clause or saw its reading
    change, else the example.
    """
    blaming = [entry.test for entry in group if entry.test.outcome in BLAMING_OUTCOMES]
    failed = [test for test in blaming if test.outcome == "failed"] or blaming
    shown = [test.node for test in failed if test.prerequisite or test.departure]
    subjects = [test.node for test in failed if cause.clause in test.clauses]
    changed = [entry.test.node for entry in group if entry.test in failed and _has_changed(entry)]
    if shown or subjects or changed:
        return [*shown, *subjects, *changed]
    examples = [entry.test.node for entry in group if entry.finding is cause.example and entry.test in failed]
    return examples[:1] or [test.node for test in failed[:1]]


def _has_changed(entry: TestFinding) -> bool:
    return any(change.startswith(f"{entry.finding.clause}: ") for change in entry.test.changes)


def _separated(
    test: ResultRecord, causes: Sequence[Cause], kept: Iterable[str], founding: Iterable[str]
) -> ResultRecord:
    counted = [cause for cause, finding in zip(causes, test.findings, strict=True) if not finding.is_warning]
    if test.node in kept or not causes or test.outcome not in BLAMING_OUTCOMES:
        return test
    if any(finding.kind == OF_BEHAVIOUR for finding in test.findings):
        return test  # it has compared the operation that it is about
    if test.outcome == "warning" and not any(cause.id in founding for cause in causes):
        return test
    return _blocked(test, counted or causes)


def _blocked(test: ResultRecord, causes: Sequence[Cause]) -> ResultRecord:
    first = causes[0]
    reason = f"blocked by {first.clause or 'a finding'}, cause {first.id}: {test.message}"
    ids = tuple(dict.fromkeys(cause.id for cause in causes))
    return replace(test, outcome=BLOCKED, blamed=(), message=reason, blocked_by=ids)


def _blocked_in_advance(test: ResultRecord, known: Mapping[str, Cause]) -> ResultRecord:
    """The test that a finding of another one stopped; without that finding in the run it is skipped."""
    causes = [known[name] for name in test.blocked_by if name in known]
    return _blocked(test, causes) if causes else replace(test, blocked_by=())
