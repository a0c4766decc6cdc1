"""Judges how a broken request was answered: refused at all, with the right class, code and attribute.

Rule: what each kind of broken request calls for is data in the OpenAPI document (`x-flowproof.refusals`); the rule
nearest to the broken spot counts. Where the document leaves a choice, the rule names the reading that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contracts import pointers
from contracts.clauses import ANY, in_force
from contracts.document import Contract
from contracts.exchange import Answer, Exchange
from contracts.judge import Finding, judge, refused
from contracts.operation import Operation

OF_A_VALUE = (
    "missing",
    "empty",
    "wrong_type",
    "out_of_range",
    "not_in_enum",
    "bad_format",
    "unknown",
    "unknown_record",
)
OF_THE_BODY = (
    "malformed_body",
    "not_utf8",
    "not_an_object",
    "wrong_media_type",
    "no_media_type",
    "no_body",
    "too_large",
)
OF_THE_REQUEST = (
    "no_credentials",
    "wrong_credentials",
    "empty_credentials",
    "unknown_method",
    "unknown_path",
    "wrong_accept",
)
KINDS = OF_A_VALUE + OF_THE_BODY + OF_THE_REQUEST


@dataclass(frozen=True, slots=True)
class Mutation:
    """The one thing that is wrong with a request.

    `place` is query, header, path, body, or "" when it is the request as a whole; `name` is the parameter's or
    property's own name. `rules` are the overrides that stand at that very parameter or property.
    """

    kind: str
    place: str = ""
    name: str = ""
    rules: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        what = self.kind.replace("_", " ")
        return f"{what}: {self.place} {self.name}".rstrip(": ")


class Refuses(Protocol):
    """Whatever has rules of its own for broken requests: an operation, or a call."""

    @property
    def refusals(self) -> Mapping[str, Any]: ...


def rule(contract: Contract, operation: Refuses, mutation: Mutation) -> Mapping[str, Any]:
    """What the contract calls for; raises KeyError when it says nothing about this kind at all."""
    for rules in (mutation.rules or {}, operation.refusals, contract.refusals):
        for key in (f"{mutation.place}.{mutation.kind}", mutation.kind):
            if key in rules:
                found: Mapping[str, Any] = rules[key]
                return found
    raise KeyError(f"{contract.api}: the document has no x-flowproof.refusals.{mutation.kind}")


def judge_refusal(
    contract: Contract, operation: Operation, exchange: Exchange, mutation: Mutation, environ: Mapping[str, str]
) -> list[Finding]:
    """Everything wrong with the answer to a request that has this mutation, [] when it is as documented."""
    due = rule(contract, operation, mutation)
    was_refused = refused(contract, exchange.answer)
    found = [_blamed_on(finding, due, operation) for finding in judge(contract, operation, exchange)]
    if exchange.sent.method == "HEAD" or "unstated" in due:
        return found
    clause = due["clause"]
    if not was_refused:
        if may_accept(due, environ):
            return found
        return [*found, Finding(clause, f"a refusal ({mutation})", f"{exchange.answer.status}, accepted", exchange)]
    return found + [Finding(clause, *problem, exchange) for problem in _told(contract, due, mutation, exchange.answer)]


def told_wrongly(
    contract: Contract, due: Mapping[str, Any], mutation: Mutation, status: int, payload: Any
) -> Iterator[tuple[str, str]]:
    """What in a refusal is not as the rule `due` has it: (expected, received) of status class, code and attribute."""
    yield from _of_class(due, mutation, status)
    yield from wrongly_named(contract, due, mutation, payload)


def _blamed_on(finding: Finding, due: Mapping[str, Any], operation: Operation) -> Finding:
    """A shape that breaks no clause of its own is blamed on the refusal's clause, not on the operation's."""
    if finding.clause != operation.clauses[0] or "clause" not in due:
        return finding
    return Finding(due["clause"], finding.expected, finding.received, finding.exchange)


def may_accept(due: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether a reading in force lets a server accept such a request."""
    choices: Mapping[str, str] = due.get("accepted") or {}
    return bool(choices) and all(in_force(reading, environ) in (ANY, meaning) for reading, meaning in choices.items())


def _told(contract: Contract, due: Mapping[str, Any], mutation: Mutation, answer: Answer) -> Iterator[tuple[str, str]]:
    yield from _of_class(due, mutation, answer.status)
    try:
        payload = answer.json()
    except (ValueError, RecursionError):
        return  # the judge of shapes has found that already
    yield from wrongly_named(contract, due, mutation, payload)


def _of_class(due: Mapping[str, Any], mutation: Mutation, status: int) -> Iterator[tuple[str, str]]:
    classes = due.get("status", ["4XX"])
    if not any(_is_of(status, one) for one in classes):
        yield f"status {' or '.join(classes)} ({mutation})", str(status)


def wrongly_named(
    contract: Contract, due: Mapping[str, Any], mutation: Mutation, payload: Any
) -> Iterator[tuple[str, str]]:
    """What in a refusal's payload is not as `due` has it: (expected, received) of code and attribute."""
    items = _errors(contract, payload)
    if due.get("code"):
        told = [str(code) for code, _ in items]
        items = [(code, name) for code, name in items if str(code) in due["code"]]
        if not items:
            yield f"code {' or '.join(due['code'])} ({mutation})", ", ".join(told) or "no code"
            return
    names = [str(name) for _, name in items if name is not None]
    if due.get("attribute") == "name" and mutation.name not in names:
        yield f"attribute {mutation.name} ({mutation})", ", ".join(names) or "no attribute"


def _errors(contract: Contract, payload: Any) -> list[tuple[Any, Any]]:
    """(code, attribute) of every error in the payload, None where one has none."""
    holder, _, code = contract.error.get("code", "").rpartition("/")
    attribute = contract.error.get("attribute", "").rpartition("/")[2]
    found = [item for item in pointers.find(payload, holder) if isinstance(item, dict)]
    return [(item.get(code), item.get(attribute)) for item in found]


def _is_of(status: int, key: str) -> bool:
    return str(status) == key or f"{status // 100}XX" == key
