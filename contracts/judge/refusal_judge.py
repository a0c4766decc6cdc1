"""Judges the response to an invalid request: whether it refuses, with the right status class, code and attribute.

How each kind of invalid request is refused is data in the OpenAPI document (`x-flowproof.refusals`, `x-refusals`); the
rule nearest to the invalid value counts. Where the vendor's document leaves a choice, the rule names the reading that
makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from contracts import json_pointer
from contracts.clauses import ANY, meaning_in_force
from contracts.errors import ContractError
from contracts.exchange import Exchange, Response
from contracts.invalid_kinds import BODY_KINDS as BODY_KINDS
from contracts.invalid_kinds import INVALID_KINDS as INVALID_KINDS
from contracts.invalid_kinds import REQUEST_KINDS as REQUEST_KINDS
from contracts.invalid_kinds import VALUE_KINDS as VALUE_KINDS
from contracts.judge.http_judge import REFUSED_OTHERWISE, WAS_ACCEPTED, Finding, is_refusal, judge_response, reported
from contracts.openapi import Contract
from contracts.operation import Operation
from contracts.reader.document_lines import blamed_clause

Problem = tuple[str, str]  # expected, received


@dataclass(frozen=True, slots=True)
class InvalidCase:
    """The one thing that is wrong with a request.

    `location` is query, header, path, body, or "" when it is the request as a whole; `name` is the parameter's or
    property's own name. `rules` are the refusal rules that stand at that very parameter or property.
    `label` names the request where runs are compared, without what was generated; "" when the rest says enough.
    """

    kind: str
    location: str = ""
    name: str = ""
    rules: Mapping[str, Any] | None = None
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        kind = self.kind.replace("_", " ")
        return f"{kind}: {self.location} {self.name}".rstrip(": ")


class HasRefusals(Protocol):
    """An operation or a call, which may have refusal rules of its own."""

    @property
    def refusals(self) -> Mapping[str, Any]: ...


def refusal_rule(contract: Contract, operation: HasRefusals, case: InvalidCase) -> Mapping[str, Any]:
    """The rule for such a request: the value's own, else the operation's, else the API's.

    Each of them may have one for the location (`query.missing`) before one for the kind alone. Raises ContractError
    when the document says nothing about this kind.
    """
    for rules in (case.rules or {}, operation.refusals, contract.refusals):
        for key in (f"{case.location}.{case.kind}", case.kind):
            if key in rules:
                rule: Mapping[str, Any] = rules[key]
                return rule
    raise ContractError(f"{contract.api}: there is no rule for {case.kind}: expected one in x-flowproof.refusals")


def judge_refusal(
    contract: Contract,
    operation: Operation,
    exchange: Exchange,
    case: InvalidCase,
    environ: Mapping[str, str],
    clause: str | None = None,
) -> list[Finding]:
    """A finding for each violation in the response to a request that is invalid in this way.

    `clause` demands the refusal in place of the rule's own, of a request that the document does not bear.
    """
    return reported(contract, operation, _refusal_findings(contract, operation, exchange, case, environ, clause))


def _refusal_findings(
    contract: Contract,
    operation: Operation,
    exchange: Exchange,
    case: InvalidCase,
    environ: Mapping[str, str],
    clause: str | None,
) -> list[Finding]:
    rule = refusal_rule(contract, operation, case)
    response = exchange.response
    findings = judge_response(contract, operation, exchange)
    if not contract.silent or response.error:  # else each has the clause whose lines bear it
        findings = [_blame_rule(finding, rule, operation) for finding in findings]
    if exchange.request.method == "HEAD" or "unstated" in rule:
        return findings
    clause = clause or rule["clause"]
    if not is_refusal(contract, response):
        if may_be_accepted(rule, environ):
            return findings
        received = f"{response.status}, accepted"
        return [*findings, Finding(clause, f"a refusal ({case})", received, exchange, kind=WAS_ACCEPTED)]
    status_clause = blamed_clause(contract, [clause], rule.get("lines", {}).get("status", ""), "status")
    problems = _status_problems(rule, case, response.status)
    findings += [Finding(status_clause, *problem, exchange, kind=REFUSED_OTHERWISE) for problem in problems]
    is_body_judged = operation.response_for(response.status) is not None or not contract.silent
    problems = _problems(contract, rule, case, response, is_body_judged)
    return findings + [Finding(clause, *problem, exchange, kind=REFUSED_OTHERWISE) for problem in problems]


def refusal_problems(
    contract: Contract, rule: Mapping[str, Any], case: InvalidCase, status: int, payload: Any
) -> Iterator[Problem]:
    """Yield (expected, received) for each part of a refusal (status class, code, attribute) that violates `rule`."""
    yield from _status_problems(rule, case, status)
    yield from payload_problems(contract, rule, case, payload)


def _blame_rule(finding: Finding, rule: Mapping[str, Any], operation: Operation) -> Finding:
    """A body that breaks no clause of its own is blamed on the rule's clause, not on the operation's."""
    if finding.clause != operation.clauses[0] or "clause" not in rule:
        return finding
    return replace(finding, clause=rule["clause"])


def may_be_accepted(rule: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether the readings in force, all that the rule names, let a server accept such a request."""
    choices: Mapping[str, str] = rule.get("accepted") or {}
    return bool(choices) and all(
        meaning_in_force(reading, environ) in (ANY, meaning) for reading, meaning in choices.items()
    )


def readings_left_open(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """The readings that leave open whether a server refuses such a request, () where the document demands it."""
    return (rule["unstated"],) if "unstated" in rule else tuple(rule.get("accepted") or ())


def _problems(
    contract: Contract, rule: Mapping[str, Any], case: InvalidCase, response: Response, is_body_judged: bool
) -> Iterator[Problem]:
    try:
        payload = response.shared_json()
    except (ValueError, RecursionError):
        if rule.get("code") and not is_body_judged:  # else judge_response has a finding about it already
            yield f"code {' or '.join(rule['code'])} ({case})", "no JSON"
        return
    yield from payload_problems(contract, rule, case, payload)


def _status_problems(rule: Mapping[str, Any], case: InvalidCase, status: int) -> Iterator[Problem]:
    expected = rule.get("status", ["4XX"])
    if not any(_matches(status, key) for key in expected):
        yield f"status {' or '.join(expected)} ({case})", str(status)


def payload_problems(contract: Contract, rule: Mapping[str, Any], case: InvalidCase, payload: Any) -> Iterator[Problem]:
    """Yield (expected, received) for the code or the attribute in a refusal's payload that violates `rule`."""
    errors = _errors(contract, payload)
    if rule.get("code"):
        received = [str(code) for code, _ in errors]
        errors = [(code, name) for code, name in errors if str(code) in rule["code"]]
        if not errors:
            yield f"code {' or '.join(rule['code'])} ({case})", ", ".join(received) or "no code"
            return
    names = [str(name) for _, name in errors if name is not None]
    if rule.get("attribute") == "name" and case.name not in names:
        yield f"attribute {case.name} ({case})", ", ".join(names) or "no attribute"


def refusal_errors(contract: Contract, exchange: Exchange) -> set[tuple[str, str]]:
    """(code, attribute) of every error in a refusal, as text; an empty set for a response that is no JSON."""
    try:
        payload = exchange.response.shared_json()
    except (ValueError, RecursionError):
        return set()
    return {(str(code), str(attribute)) for code, attribute in _errors(contract, payload)}


def _errors(contract: Contract, payload: Any) -> list[tuple[Any, Any]]:
    """(code, attribute) of every error in the payload, None where one has none."""
    holder, _, code = contract.error_format.get("code", "").rpartition("/")
    attribute = contract.error_format.get("attribute", "").rpartition("/")[2]
    errors = [error for error in json_pointer.find(payload, holder) if isinstance(error, dict)]
    return [(error.get(code), error.get(attribute)) for error in errors]


def _matches(status: int, key: str) -> bool:
    """Whether a status is the key's, which is a status or a class such as 4XX."""
    return str(status) == key or f"{status // 100}XX" == key
