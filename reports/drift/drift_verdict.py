"""The verdict on a comparison with a record.

Rule: fail closed. Nothing passes that could not be compared; a change fails from the severity on that `--fail-on`
names, once it is confirmed, unless it is accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.yaml_reader import UsageError
from reports.drift.change_kinds import SEVERITIES, Severity
from reports.drift.changes import Change
from reports.drift.drift_results import DriftResult
from reports.drift.record import RecordHeader

FAIL_ON: tuple[Severity, ...] = ("breaking", "risky", "additive")
MOST_DAYS = 180  # of a record, after which it should be made anew
AWAY = (1, 3, 4)  # kinds: the operation is gone, has moved, or has moved to another host
LEAST_COMPARABLE = 0.9  # share of the steady behaviours


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """verdict: as of other runs. failing: changes that make it fail. accepted: by id, until when and why.
    reasons: why it is neither a plain pass nor a plain fail. notes: what a reader should know besides."""

    result: DriftResult
    verdict: str
    failing: tuple[Change, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def judge_drift(
    result: DriftResult,
    today: date,
    fail_on: Severity = "breaking",
    accepted: Mapping[str, str] | None = None,
    overdue: Collection[str] = (),
) -> DriftVerdict:
    """The verdict on one API's result.

    accepted: by id of a change that somebody answers for, until when and why. overdue: ids of those whose last day is
    over, which fail whatever their severity.
    """
    accepted = accepted or {}
    worst_allowed = SEVERITIES.index(fail_on)
    failing = tuple(
        change
        for change in result.changes
        if change.is_confirmed
        and change.id not in accepted
        and (SEVERITIES.index(change.severity) <= worst_allowed or change.id in overdue or _blocked_by(change, result))
    )
    reasons = tuple(_reasons(result))
    if result.problems:
        verdict = "broken"
    elif result.unreachable:
        verdict = "unreachable"
    else:
        verdict = "fail" if failing else "inconclusive" if reasons else "pass"
    known = {change.id: accepted[change.id] for change in result.changes if change.id in accepted}
    notes = (*_notes(result, today), *_overdue(result, overdue), *_blocked(result))
    return DriftVerdict(result, verdict, failing, known, reasons, notes)


def check_record(header: RecordHeader, folder: str, *, api: str, target: str, plan_size: str) -> None:
    """Raises UsageError unless the record in that folder is one of this API, target and size of plan."""
    if header.api != api:
        raise UsageError(f"{folder}: expected a record of {api}, got one of {header.api}: name another with --observed")
    if header.target != target:
        raise UsageError(
            f"{folder}: expected a record of {target}, got one of {header.target}: name another folder with --observed,"
            " or compare two records with python -m reports drift A B"
        )
    if header.plan_size != plan_size:
        raise UsageError(
            f"{folder}: the record was made with --plan {header.plan_size}, and this run asks --plan {plan_size}:"
            f" use --plan {header.plan_size}, or record again with --record"
        )


def counts(changes: Collection[Change]) -> str:
    """How many changes there are of each severity, the worst first; "no change" for none."""
    numbers = Counter(change.severity for change in changes)
    return ", ".join(f"{numbers[it]} {it}" for it in SEVERITIES if numbers[it]) or "no change"


def _reasons(result: DriftResult) -> Iterator[str]:
    """Why a result is no plain pass."""
    yield from result.problems
    if result.unreachable:
        yield result.unreachable
        return
    if result.is_recorded:
        yield f"there was no record to compare with: one was written to {result.folder}, which has to be reviewed"
        return
    if result.comparable_share < LEAST_COMPARABLE:
        yield (
            f"only {100 * result.comparable_share:.0f} % of the recorded facts could be compared, expected at least"
            f" {100 * LEAST_COMPARABLE:.0f} %: record again with --record"
        )
    yield from (f"{operation}: {reason}" for operation, reason in sorted(result.inconclusive.items()))
    unconfirmed = sum(not change.is_confirmed for change in result.changes)
    if unconfirmed:
        yield f"{unconfirmed} {'change was' if unconfirmed == 1 else 'changes were'} not seen a second time"


def _overdue(result: DriftResult, overdue: Collection[str]) -> Iterator[str]:
    for change in result.changes:
        if change.id in overdue:
            yield f"{change.id} was accepted, and its last day is over"


def _blocked_by(change: Change, result: DriftResult) -> list[str]:
    """The operations that could not be compared since that change took away what they need."""
    if change.number not in AWAY:
        return []
    return [name for name, reason in result.inconclusive.items() if f" {change.operation} " in f" {reason} "]


def _blocked(result: DriftResult) -> Iterator[str]:
    for change in result.changes:
        if names := sorted(_blocked_by(change, result)):
            yield f"{change.operation} answers otherwise, and what needs it could not be compared: {', '.join(names)}"


def _notes(result: DriftResult, today: date) -> Iterator[str]:
    """What to know about the record."""
    if result.is_recorded:
        return
    if result.target != result.header.target:
        yield f"the record is of {result.header.target}, and {result.target} was compared with it"
    age = (today - max(result.header.days, default=today)).days
    if age > MOST_DAYS:
        yield f"the record is {age} days old: record again with --record after {MOST_DAYS} days"
    if result.plan and result.plan != result.header.plan:
        yield "the questions have changed since the record was made: record again with --record"
    if result.contract and result.contract != result.header.contract:
        yield "the contract has changed since the record was made"
