"""Says what was found, so that a stranger can act on it: the clause, what was due, what came, and how to try it.

Rule: `AssertionError` is the vendor's; whatever else is raised is ours or the set-up's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from contracts.clauses import says
from contracts.exchange import Exchange, as_curl, masked
from contracts.judge import Finding
from fixtures.api import Api

MOST = 3  # findings told in full


class Titled(Protocol):
    """What was sent, as far as it is told: a case, or a message."""

    @property
    def title(self) -> str: ...


class ContractBroken(AssertionError):
    """The target broke a promise: the clauses' ids, the main one first, and the exchanges that show it."""

    def __init__(self, message: str, clauses: Sequence[str], exchanges: Sequence[Exchange] = ()) -> None:
        super().__init__(message)
        self.clauses = tuple(clauses)
        self.exchanges = tuple(exchanges)


def told(finding: Finding, secrets: Iterable[str], case: Titled | None = None) -> str:
    """A finding as text for people."""
    sentence, where = says(finding.clause)
    secrets = list(secrets)
    lines = [
        f"{finding.clause}: {sentence}",
        f"  document   {where}",
        f"  expected   {finding.expected}",
        f"  received   {finding.received}",
        f"  try it     {as_curl(finding.exchange, secrets)}",
    ]
    if case:
        lines.insert(2, f"  request    {case.title}")
    return masked("\n".join(lines), secrets)


def blame(found: Sequence[tuple[Finding, Titled | None]], secrets: Iterable[str]) -> None:
    """Raises ContractBroken when there are findings: one per clause, the first ones in full, the rest counted."""
    __tracebackhide__ = True
    if not found:
        return
    first: dict[str, tuple[Finding, Titled | None]] = {}
    for finding, case in found:
        first.setdefault(finding.clause, (finding, case))
    secrets = list(secrets)
    texts = [told(finding, secrets, case) for finding, case in list(first.values())[:MOST]]
    rest = len(found) - len(texts)
    if rest:
        texts.append(f"… and {rest} more findings in this test")
    raise ContractBroken("\n\n".join(texts), list(first), [finding.exchange for finding, _ in first.values()])


def broken(api: Api, clause: str, expected: str, received: str, exchange: Exchange | None = None) -> ContractBroken:
    """What to raise for that clause or reading, about this exchange or the API's last one."""
    about = exchange or (api.exchanges[-1] if api.exchanges else None)
    if about is None:
        return ContractBroken(
            f"{clause}: {says(clause)[0]}\n  expected   {expected}\n  received   {received}", [clause]
        )
    return ContractBroken(told(Finding(clause, expected, received, about), api.secrets), [clause], [about])
