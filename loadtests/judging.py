"""Judges every answer by the contract at a few microseconds each: a fast yes, or the slow judge that says why not.

Rule: the fast way may only say yes, and only where `contracts.judge` does; all else goes to that judge, and the clause
of its first finding is the reason of the failure. The fast way is fast because status and media type are looked
up in a table that the slow judge has filled, orjson parses the body, and the compiled schema tries it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from contracts import exchange, pointers
from contracts.document import Contract
from contracts.judge import JSON, Finding, coerced, judge, media_of, refused
from contracts.operation import Operation, Response, Schema
from contracts.refusals import Mutation, judge_refusal, may_accept, rule, told_wrongly
from loadtests.engine.call import Answer, Judge, Request

KNOWN = 64  # pairs of status and media type that a table holds

Broken = tuple[str, str, str]  # what a journey finds: the clause's id, what was due and what came
Check = Callable[[Any, Answer], "Broken | None"]  # given the parsed body and its answer
Fast = Callable[[Answer], bool]
Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request was meant to be: `mutation` is what is wrong with it, None for nothing.

    `may_be_refused`: a reading lets the server refuse it although nothing is wrong.
    """

    contract: Contract
    operation: Operation
    mutation: Mutation | None = None
    method: str = ""
    may_be_refused: bool = False

    @property
    def is_head(self) -> bool:
        """Whether its answer has no body."""
        return (self.method or self.operation.method) == "HEAD"


def judged(asked: Asked, tell: Tell | None = None, environ: Mapping[str, str] = os.environ) -> Judge:
    """The judge of all answers to such requests; `tell` is given the first finding of each that fails.

    A JSON body that was tried by its schema is left in `Answer.value`.
    """
    table: dict[tuple[int, bytes | None], Fast] = {}
    find = table.get

    def by_contract(request: Request, answer: Answer) -> str | None:
        kind = None
        for name, value in answer.headers:
            if name == b"content-type":
                kind = value
                break
        key = (answer.status, kind)
        fast = find(key)
        if fast is not None and fast(answer):
            return None
        told = exchange_of(request, answer)
        found = findings(asked, told, environ)
        if found:
            if tell:
                tell(found[0])
            return found[0].clause
        if fast is None and len(table) < KNOWN:
            table[key] = fast_way(asked, told.answer, environ) or _never
        return None

    return by_contract


def findings(asked: Asked, told: exchange.Exchange, environ: Mapping[str, str]) -> list[Finding]:
    """All that the contract has against this exchange, as the suites judge it."""
    if asked.mutation is not None:
        return judge_refusal(asked.contract, asked.operation, told, asked.mutation, environ)
    found = judge(asked.contract, asked.operation, told)
    if not told.answer.error and not asked.may_be_refused and refused(asked.contract, told.answer):
        received = f"{told.answer.status}: {told.answer.text()[:300]}"
        return [*found, Finding(asked.operation.clauses[0], "a valid request is accepted", received, told)]
    return found


def exchange_of(request: Request, answer: Answer) -> exchange.Exchange:
    """The exchange as the contract's judge takes it, read off the bytes of the request."""
    address = request.address
    if address.scheme not in ("http", "https"):
        url = f"{address.scheme}://{address.authority}{request.name or address.path}"
        sent = exchange.Sent(exchange.FRAME, url, (), request.payload)
        got = exchange.Answer(answer.status, (), answer.body)
        return exchange.Exchange(sent, got, (answer.done - answer.sent) / 1e9)
    head, _, body = request.payload.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = line.partition(" ")
    url = f"{address.scheme}://{address.authority}{rest.rpartition(' ')[0]}"
    pairs = [one.partition(": ") for one in lines]
    sent = exchange.Sent(method, url, tuple((name, value) for name, _, value in pairs if name != "Host"), body)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
    got = exchange.Answer(answer.status, headers, answer.body)
    return exchange.Exchange(sent, got, (answer.done - answer.sent) / 1e9)


def fast_way(asked: Asked, told: exchange.Answer, environ: Mapping[str, str]) -> Fast | None:
    """A test that accepts nothing but what `findings` has nothing against, for answers with this one's status and type.

    `told` is such an answer, and a good one. None where there is no faster way than the slow judge, as with CSV.
    """
    response = asked.operation.response(told.status)
    media = media_of(response, told) if response else None
    if response is None or asked.is_head or media is None or not told.media_type().endswith(JSON):
        return None
    in_headers = _headers(asked.contract, response) if response.headers else None
    is_told = _told(asked, told.status, environ)
    is_valid = asked.contract.validator(media.get("schema", {})).is_valid
    loads = orjson.loads

    def fast(answer: Answer) -> bool:
        try:
            value = loads(answer.body)
        except ValueError:
            return False
        if not is_valid(value) or not is_told(value) or (in_headers and not in_headers(answer)):
            return False
        answer.value = value
        return True

    return fast


def _never(_: Answer) -> bool:
    return False


def _told(asked: Asked, status: int, environ: Mapping[str, str]) -> Callable[[Any], bool]:
    """Whether a body refuses the request if it was to be refused, and so as its rule has it, and else does not."""
    is_refused = refuses(asked.contract, status)
    if asked.mutation is None:
        return (lambda _: True) if asked.may_be_refused else lambda value: not is_refused(value)
    mutation, contract = asked.mutation, asked.contract
    due = rule(contract, asked.operation, mutation)
    if "unstated" in due:
        return lambda _: True
    accepts = may_accept(due, environ)

    def as_due(value: Any) -> bool:
        if not is_refused(value):
            return accepts
        return next(told_wrongly(contract, due, mutation, status, value), None) is None

    return as_due


def refuses(contract: Contract, status: int) -> Callable[[Any], bool]:
    """`contracts.judge.refused` for a body that is parsed already."""
    refusing = contract.error.get("refused", {})
    if 400 <= status < 600:
        return lambda _: True
    if "pointer" not in refusing:
        return lambda _: False
    names, equals = pointers.parts(refusing["pointer"]), refusing["equals"]
    if len(names) == 1:
        name = names[0]
        return lambda value: isinstance(value, dict) and name in value and value[name] == equals
    return lambda value: pointers.find(value, refusing["pointer"])[:1] == [equals]


def _headers(contract: Contract, response: Response) -> Callable[[Answer], bool]:
    """Whether the documented headers are there, if they must be, and fit their schemas."""
    tests = [
        (name.lower().encode(), header.get("required", False), header.get("schema"))
        for name, header in response.headers.items()
    ]

    def fit(answer: Answer) -> bool:
        return all(_fits(contract, answer.header(name), required, schema) for name, required, schema in tests)

    return fit


def _fits(contract: Contract, raw: bytes | None, required: bool, schema: Schema | None) -> bool:
    if raw is None:
        return not required
    return schema is None or contract.validator(schema).is_valid(coerced(contract, schema, raw.decode("latin-1")))
