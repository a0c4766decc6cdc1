"""Validates the response of an RPC call, on any transport, as `http_validator` does: a fast check, or a full judge.

Rule: the envelope is judged by `contracts.judge.rpc_judge`. Over HTTP the response is also one of a documented
operation, and is judged as that too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from contracts import exchange
from contracts.asyncapi import Call, RpcContract
from contracts.json_text import is_too_deep
from contracts.judge.http_judge import Finding, judge_response, status_clause
from contracts.judge.refusal_judge import InvalidCase, may_be_accepted, payload_problems, refusal_rule
from contracts.judge.rpc_judge import judge_accepted, judge_refused
from contracts.openapi import Contract
from contracts.operation import Operation
from loadtests.engine.exchange_types import Request, Response, Validator
from loadtests.validation.http_validator import KeepFindings, exchange_of, refusal_test
from loadtests.validation.strict_json import parse_strictly
from loadtests.validation.violation_causes import CommandOf, ViolationCauses, no_command

UNDOCUMENTED_STATUS = ("status", "undocumented")  # slot and kind of a finding about one
JSON_TYPE = b"application/json"


@dataclass(frozen=True, slots=True)
class CallIntent:
    """What a call is meant to be: a valid one, or one that is invalid in `invalid_case`.

    operation: the operation that the call is over HTTP, None on other transports. clause: what demands that a valid
    call succeeds, None when nothing does; of an invalid one what demands its refusal, None for the rule's own.
    """

    rpc: RpcContract
    call: Call
    contract: Contract
    operation: Operation | None = None
    invalid_case: InvalidCase | None = None
    clause: str | None = None


def call_validator(
    intent: CallIntent, keep_findings: KeepFindings | None = None, environ: Mapping[str, str] = os.environ
) -> Validator:
    """A validator of all responses to such calls; `keep_findings` decides on the findings of a response."""
    is_valid = intent.rpc.contract.validator(intent.call.reply_schema).is_valid
    is_intended = _refusal_check(intent, environ)
    over_http = intent.operation is not None
    parse = parse_strictly

    def by_contract(request: Request, response: Response) -> str | None:
        try:
            value = parse(response.body)
        except ValueError:
            value = None
        if is_too_deep(response.body):
            value = None
        is_usual = not over_http or (response.status == 200 and response.header(b"content-type") == JSON_TYPE)
        if is_usual and value is not None and is_valid(value) and is_intended(value):
            response.parsed_body = value
            return None
        violations = call_findings(intent, exchange_of(request, response), environ)
        if violations:
            return keep_findings(violations, response) if keep_findings else violations[0].clause
        response.parsed_body = value
        return None

    return by_contract


def call_findings(intent: CallIntent, exchanged: exchange.Exchange, environ: Mapping[str, str]) -> list[Finding]:
    """All findings of the contract in this exchange, as the suites judge it."""
    if intent.invalid_case is not None:
        return judge_refused(intent.rpc, intent.call, exchanged, intent.invalid_case, environ, intent.clause)
    violations = judge_accepted(intent.rpc, intent.call, exchanged, intent.clause)
    if intent.operation is not None:
        violations += judge_response(intent.contract, intent.operation, exchanged)
    return violations


def call_status_validator(
    intent: CallIntent, causes: ViolationCauses | None = None, command_of: CommandOf = no_command
) -> Validator:
    """A validator that only asks whether the status, where there is one, is documented for such a call.

    causes: what is accepted all the same; None for nothing. command_of: makes the command that shows a violation.
    """
    operation = intent.operation

    def judge_status(request: Request, response: Response) -> str | None:
        if operation is not None and operation.response_for(response.status) is None:
            clause, status = status_clause(intent.contract, operation), response.status
            what, command = f"received status {status}", partial(command_of, request, response)
            is_accepted = causes is not None and causes.is_accepted(
                clause, *UNDOCUMENTED_STATUS, lambda: what, request.samples.operation, command
            )
            return None if is_accepted else clause
        return None

    return judge_status


def _refusal_check(intent: CallIntent, environ: Mapping[str, str]) -> Callable[[Any], bool]:
    """A check that an envelope refuses an invalid call, as the rule says, and does not refuse a valid one."""
    contract, invalid_case = intent.rpc.contract, intent.invalid_case
    is_refused = refusal_test(contract, 200)  # whatever the status of the transport, the envelope decides
    if invalid_case is None:
        is_demanded = intent.clause is not None
        return (lambda value: not is_refused(value)) if is_demanded else lambda _: True
    rule = refusal_rule(contract, intent.call, invalid_case)
    if "unstated" in rule:
        return lambda _: True
    accepts = may_be_accepted(rule, environ)

    def follows_rule(value: Any) -> bool:
        if not is_refused(value):
            return accepts
        return next(payload_problems(contract, rule, invalid_case, value), None) is None

    return follows_rule
