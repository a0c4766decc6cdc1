"""Judges the answer of a remote call, on any transport, as `judging` does for operations: a fast yes, a slow why not.

Rule: the envelope is judged by `contracts.replies`; over HTTP the answer is one of a documented operation as well, and
is judged as that too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from contracts import exchange
from contracts.document import Contract
from contracts.judge import Finding, judge
from contracts.operation import Operation
from contracts.refusals import Mutation, may_accept, rule, wrongly_named
from contracts.replies import judge_accepted, judge_refused
from contracts.rpc import Call, Rpc
from loadtests.engine.call import Answer, Judge, Request
from loadtests.judging import Tell, exchange_of, refuses

JSON_TYPE = b"application/json"


@dataclass(frozen=True, slots=True)
class AskedCall:
    """What a call was meant to be: `operation` is what it is over HTTP, None elsewhere; `mutation` is what is wrong."""

    rpc: Rpc
    call: Call
    contract: Contract
    operation: Operation | None = None
    mutation: Mutation | None = None


def judged_call(asked: AskedCall, tell: Tell | None = None, environ: Mapping[str, str] = os.environ) -> Judge:
    """The judge of all answers to such calls; `tell` is given the first finding of each that fails."""
    is_valid = asked.rpc.contract.validator(asked.call.reply).is_valid
    is_told = _told(asked, environ)
    over_http = asked.operation is not None
    loads = orjson.loads

    def by_contract(request: Request, answer: Answer) -> str | None:
        try:
            value = loads(answer.body)
        except ValueError:
            value = None
        plain = not over_http or (answer.status == 200 and answer.header(b"content-type") == JSON_TYPE)
        if plain and value is not None and is_valid(value) and is_told(value):
            answer.value = value
            return None
        found = call_findings(asked, exchange_of(request, answer), environ)
        if found:
            if tell:
                tell(found[0])
            return found[0].clause
        answer.value = value
        return None

    return by_contract


def call_findings(asked: AskedCall, told: exchange.Exchange, environ: Mapping[str, str]) -> list[Finding]:
    """All that the contract has against this exchange, as the suites judge it."""
    if asked.mutation is not None:
        return judge_refused(asked.rpc, asked.call, told, asked.mutation, environ)
    found = judge_accepted(asked.rpc, asked.call, told)
    if asked.operation is not None:
        found += judge(asked.contract, asked.operation, told)
    return found


def call_by_status(asked: AskedCall) -> Judge:
    """Whether the status alone, where there is one, is documented for such a call."""
    operation = asked.operation

    def judge_status(_: Request, answer: Answer) -> str | None:
        if operation is not None and operation.response(answer.status) is None:
            return operation.clauses[0]
        return None

    return judge_status


def _told(asked: AskedCall, environ: Mapping[str, str]) -> Callable[[Any], bool]:
    contract, mutation = asked.rpc.contract, asked.mutation
    is_refused = refuses(contract, 200)  # whatever the transport's status, the envelope says it
    if mutation is None:
        return lambda value: not is_refused(value)
    due = rule(contract, asked.call, mutation)
    if "unstated" in due:
        return lambda _: True
    accepts = may_accept(due, environ)

    def as_due(value: Any) -> bool:
        if not is_refused(value):
            return accepts
        return next(wrongly_named(contract, due, mutation, value), None) is None

    return as_due
