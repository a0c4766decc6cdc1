"""Turns findings into a failure that a stranger can act on: clause, expected, received, and a curl line to try it.

Rule: `AssertionError` blames the vendor; any other exception is a mistake of ours or of the set-up. What the document
states or shows is demanded; a breach of what was inferred, or found in public material, is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from contracts.asyncapi import Call, load_rpc_contract
from contracts.clauses import clauses, sentence_and_citation
from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, reported
from contracts.operation import Operation
from contracts.reader.document_lines import OF_THE_DOCUMENT
from contracts.router import subject_of
from contracts.secret_mask import NAMED, mask_secrets
from fixtures.target_api import Api
from suites.reporting.reproduction import compared_in, reproduction

MAX_SHOWN = 3  # findings that are shown in full


class Titled(Protocol):
    """A request that a finding is about: a case or a message."""

    @property
    def title(self) -> str: ...


Reported = tuple[Finding, Titled | None]  # a finding, and the case or message that it is about


class ContractViolation(AssertionError):
    """The target broke a promise: the clauses' ids, the main one first, and the findings that say so."""

    def __init__(
        self,
        message: str,
        clauses: Sequence[str],
        findings: Sequence[Reported] = (),
        compared: Sequence[Exchange] = (),
    ) -> None:
        """compared: exchanges that those at fault differ from."""
        super().__init__(message)
        self.compared = tuple(compared)
        self.clauses = tuple(clauses)
        self.findings = tuple(findings)

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges at fault, the first of each clause, and those that they were compared with."""
        first: dict[str, Exchange] = {}
        for finding, _ in self.findings:
            first.setdefault(finding.clause, finding.exchange)
        return list({id(it): it for it in (*first.values(), *self.compared)}.values())


def is_warning(blamed: Iterable[str]) -> bool:
    """Whether the document itself demands none of these clauses; one without a grade, such as a reading, it demands."""
    grades = [grade_of(identifier) for identifier in blamed]
    return bool(grades) and not any(grade in OF_THE_DOCUMENT or not grade for grade in grades)


def grade_of(identifier: str) -> str:
    """The grade of that clause, "" for a reading and for no clause."""
    api = identifier.partition("-")[0].lower()
    clause = clauses(api).get(identifier) if identifier else None
    return clause.grade if clause else ""


def finding_text(finding: Finding, api: Api, case: Titled | None = None, compared: Sequence[Exchange] = ()) -> str:
    """A finding as text for people, with the secrets masked. compared: exchanges that the one at fault differs from."""
    sentence, citation = sentence_and_citation(finding.clause)
    lines = [
        f"{finding.clause}: {sentence}",
        f"  document   {citation}",
        *([f"  request    {case.title}"] if case else []),
        f"  expected   {finding.expected}",
        f"  received   {finding.received}",
        *request_lines(finding.exchange, api, compared),
    ]
    return mask_secrets("\n".join(lines), api.secrets)


def request_lines(exchange: Exchange, api: Api, compared: Sequence[Exchange] = ()) -> list[str]:
    """Whose credentials the request at fault had, and the shell commands that show what is wrong from nothing."""
    first, *others = reproduction(api, exchange, compared).split("\n")
    return [
        f"  account    {account_of(exchange, api)}",
        f"  try it     {first}",
        *(f"             {line}" for line in others),
    ]


def account_of(exchange: Exchange, api: Api) -> str:
    """Whose credentials a request had: the names of the variables that hold them, or what else there was."""
    request = exchange.request
    fields = [f"{name}: {value}" for name, value in request.headers]
    sent = "\n".join([request.url, *fields, request.body.decode(errors="replace")])
    names = [name for value, name in api.secret_variables.items() if value in sent]
    if names:
        return ", ".join(sorted(names))
    return "other credentials" if NAMED.search(sent.lower()) else "none"


def raise_findings(findings: Sequence[Reported], api: Api, compared: Sequence[Exchange] = ()) -> None:
    """Raises ContractViolation when there are findings: one per clause, MAX_SHOWN in full, the rest counted.

    compared: exchanges without which those at fault show nothing.
    """
    __tracebackhide__ = True
    if not findings:
        return
    findings = [(_reported(api, finding, case), case) for finding, case in findings]
    first: dict[str, Reported] = {}
    for finding, case in findings:
        first.setdefault(finding.clause, (finding, case))
    texts = [finding_text(finding, api, case, compared) for finding, case in list(first.values())[:MAX_SHOWN]]
    rest = len(findings) - len(texts)
    if rest:
        texts.append(f"… and {rest} more findings in this test")
    raise ContractViolation("\n\n".join(texts), list(first), findings, compared)


def _reported(api: Api, finding: Finding, case: Titled | None) -> Finding:
    """The finding under the clause that it is reported under at the operation or call of its case or exchange."""
    rpc = load_rpc_contract(api.target.api)
    known: dict[str, Operation | Call] = {**api.contract.operations, **(rpc.calls if rpc else {})}
    label = getattr(case, "operation", getattr(case, "call", ""))
    subject = known.get(label) or subject_of(api.contract, api.target.url, finding.exchange)
    return reported(api.contract, subject, [finding])[0] if subject else finding


def violation(
    api: Api, clause: str, expected: str, received: str, exchange: Exchange | None = None, kind: str = ""
) -> ContractViolation:
    """The exception to raise for that clause or reading, about this exchange or the API's last one.

    kind: that of the finding, for causes.
    """
    shown = exchange or (api.exchanges[-1] if api.exchanges else None)
    if shown is None:
        sentence, _ = sentence_and_citation(clause)
        return ContractViolation(f"{clause}: {sentence}\n  expected   {expected}\n  received   {received}", [clause])
    finding = Finding(clause, expected, received, shown, kind=kind)
    compared = () if kind else compared_in(api, shown)
    return ContractViolation(finding_text(finding, api, None, compared), [clause], [(finding, None)], compared)
