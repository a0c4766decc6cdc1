"""Turns findings into a failure that a stranger can act on: clause, expected, received, and a curl line to try it.

Rule: `AssertionError` blames the vendor; any other exception is a mistake of ours or of the set-up. What the document
states or shows is demanded; a breach of what was inferred, or found in public material, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from contracts.clauses import clauses, sentence_and_citation
from contracts.exchange import Exchange, as_curl
from contracts.judge.http_judge import Finding
from contracts.reader.document_lines import OF_THE_DOCUMENT
from contracts.secret_mask import mask_secrets
from fixtures.target_api import Api

MAX_SHOWN = 3  # findings that are shown in full


class Titled(Protocol):
    """A request that a finding is about: a case or a message."""

    @property
    def title(self) -> str: ...


class ContractViolation(AssertionError):
    """The target broke a promise: the clauses' ids, the main one first, and the exchanges that show it."""

    def __init__(self, message: str, clauses: Sequence[str], exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(message)
        self.clauses = tuple(clauses)
        self.exchanges = tuple(exchanges)


def is_warning(blamed: Iterable[str]) -> bool:
    """Whether the document itself demands none of these clauses; one without a grade, such as a reading, it demands."""
    grades = [_grade(identifier) for identifier in blamed]
    return bool(grades) and all(grade is not None and grade not in OF_THE_DOCUMENT for grade in grades)


def _grade(identifier: str) -> str | None:
    clause = clauses(identifier.partition("-")[0].lower()).get(identifier)
    return clause.grade if clause else None


def finding_text(finding: Finding, secrets: Iterable[str], case: Titled | None = None) -> str:
    """A finding as text for people, with the secrets masked."""
    sentence, citation = sentence_and_citation(finding.clause)
    secrets = list(secrets)
    lines = [
        f"{finding.clause}: {sentence}",
        f"  document   {citation}",
        f"  expected   {finding.expected}",
        f"  received   {finding.received}",
        f"  try it     {as_curl(finding.exchange, secrets)}",
    ]
    if case:
        lines.insert(2, f"  request    {case.title}")
    return mask_secrets("\n".join(lines), secrets)


def raise_findings(findings: Sequence[tuple[Finding, Titled | None]], secrets: Iterable[str]) -> None:
    """Raises ContractViolation when there are findings: one per clause, MAX_SHOWN in full, the rest counted."""
    __tracebackhide__ = True
    if not findings:
        return
    first: dict[str, tuple[Finding, Titled | None]] = {}
    for finding, case in findings:
        first.setdefault(finding.clause, (finding, case))
    secrets = list(secrets)
    texts = [finding_text(finding, secrets, case) for finding, case in list(first.values())[:MAX_SHOWN]]
    rest = len(findings) - len(texts)
    if rest:
        texts.append(f"… and {rest} more findings in this test")
    raise ContractViolation("\n\n".join(texts), list(first), [finding.exchange for finding, _ in first.values()])


def violation(
    api: Api, clause: str, expected: str, received: str, exchange: Exchange | None = None
) -> ContractViolation:
    """The exception to raise for that clause or reading, about this exchange or the API's last one."""
    shown = exchange or (api.exchanges[-1] if api.exchanges else None)
    if shown is None:
        sentence, _ = sentence_and_citation(clause)
        return ContractViolation(f"{clause}: {sentence}\n  expected   {expected}\n  received   {received}", [clause])
    text = finding_text(Finding(clause, expected, received, shown), api.secrets)
    return ContractViolation(text, [clause], [shown])
