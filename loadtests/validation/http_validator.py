"""Validates every response against the contract in a few microseconds: a fast check, or the full judge with a reason.

Rule: the fast check may only accept, and only what `contracts.judge.http_judge` accepts; everything else goes to that
judge, and the clause of its first finding is the reason of the failure. The fast check is fast because status and media
type are looked up in a table that the full judge has filled, orjson parses the body (as in strict_json.py), and the
compiled schema tests it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts import exchange, json_pointer
from contracts.json_text import is_too_deep
from contracts.judge.http_judge import (
    JSON_SUFFIXES,
    WAS_REFUSED,
    Finding,
    coerce,
    is_refusal,
    judge_response,
    media_type_object,
)
from contracts.judge.refusal_judge import InvalidCase, judge_refusal, may_be_accepted, refusal_problems, refusal_rule
from contracts.openapi import Contract
from contracts.operation import DocumentedResponse, Operation, Schema
from fixtures.http1.response_head import Headers
from loadtests.engine.exchange_types import Request, Response, Validator
from loadtests.validation.strict_json import parse_strictly

MAX_TABLE_SIZE = 64  # pairs of status and media type in a table

Violation = tuple[str, str, str]  # id of the clause, expected, received
Check = Callable[[Any, Response], "Violation | None"]  # given the parsed body and the response
FastCheck = Callable[[Response], bool]
# given the findings of a response, of which there are some: the clause of the one that it fails by, None if none does
KeepFindings = Callable[[Sequence[Finding], Response], "str | None"]


@dataclass(frozen=True, slots=True)
class RequestIntent:
    """What a request is meant to be: a valid one, or one that is invalid in `invalid_case`.

    may_be_refused: whether nothing demands that the server accepts the request although it is valid.
    clause: what demands the acceptance or the refusal; "" for the operation's first clause, or the rule's own.
    """

    contract: Contract
    operation: Operation
    invalid_case: InvalidCase | None = None
    method: str = ""
    may_be_refused: bool = False
    clause: str = ""

    @property
    def acceptance_clause(self) -> str:
        """The clause that a refusal of the valid request is reported under."""
        return self.clause or self.operation.clauses[0]

    @property
    def is_head(self) -> bool:
        """Whether the response has no body."""
        return (self.method or self.operation.method) == "HEAD"


def contract_validator(
    intent: RequestIntent, keep_findings: KeepFindings | None = None, environ: Mapping[str, str] = os.environ
) -> Validator:
    """A validator of all responses to such requests; `keep_findings` decides on the findings of a response.

    A JSON body that its schema accepts is left in `Response.parsed_body`.
    """
    table: dict[tuple[int, bytes | None], FastCheck] = {}
    find = table.get

    def by_contract(request: Request, response: Response) -> str | None:
        kind = None
        for name, value in response.headers:
            if name == b"content-type":
                kind = value
                break
        key = (response.status, kind)
        fast = find(key)
        if fast is not None and fast(response):
            return None
        exchanged = exchange_of(request, response)
        violations = findings(intent, exchanged, environ)
        if violations:
            return keep_findings(violations, response) if keep_findings else violations[0].clause
        if fast is None and len(table) < MAX_TABLE_SIZE:
            table[key] = fast_check(intent, exchanged.response, environ) or _never
        return None

    return by_contract


def findings(intent: RequestIntent, exchanged: exchange.Exchange, environ: Mapping[str, str]) -> list[Finding]:
    """All findings of the contract in this exchange, as the suites judge it."""
    if intent.invalid_case is not None:
        return judge_refusal(
            intent.contract, intent.operation, exchanged, intent.invalid_case, environ, intent.clause or None
        )
    violations = judge_response(intent.contract, intent.operation, exchanged)
    if not exchanged.response.error and not intent.may_be_refused and is_refusal(intent.contract, exchanged.response):
        received = f"{exchanged.response.status}: {exchanged.response.text()[:300]}"
        clause, expected = intent.acceptance_clause, "a valid request is accepted"
        return [*violations, Finding(clause, expected, received, exchanged, kind=WAS_REFUSED)]
    return violations


def exchange_of(request: Request, response: Response) -> exchange.Exchange:
    """The exchange in the form of the contract's judges; the request is parsed from its bytes."""
    seconds = (response.done - response.sent) / 1e9
    actual = None if response.received is None else _exchange(request, *response.received, seconds)
    documented = _exchange(request, response.status, response.headers, response.body, seconds)
    return replace(documented, actual=actual)


def _exchange(request: Request, status: int, fields: Headers, content: bytes, seconds: float) -> exchange.Exchange:
    """The exchange of that request and a response of these parts."""
    address = request.address
    if address.scheme not in ("http", "https"):
        url = f"{address.scheme}://{address.authority}{request.rpc_name or address.path}"
        message = exchange.Request(exchange.FRAME, url, (), request.payload)
        reply = exchange.Response(status, (), content)
        return exchange.Exchange(message, reply, seconds)
    head, _, body = request.payload.partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = request_line.partition(" ")
    url = f"{address.scheme}://{address.authority}{rest.rpartition(' ')[0]}"
    pairs = [line.partition(": ") for line in lines]
    sent = tuple((name, value) for name, _, value in pairs if name != "Host")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    return exchange.Exchange(
        exchange.Request(method, url, sent, body), exchange.Response(status, headers, content), seconds
    )


def fast_check(intent: RequestIntent, accepted: exchange.Response, environ: Mapping[str, str]) -> FastCheck | None:
    """A check that accepts only responses without `findings`, for all responses with the status and type of this one.

    accepted: such a response, without findings. None where nothing is faster than the full judge, as for CSV.
    """
    documented = intent.operation.response_for(accepted.status)
    media = media_type_object(documented, accepted) if documented else None
    if documented is None or intent.is_head or media is None or not accepted.media_type().endswith(JSON_SUFFIXES):
        return None
    are_headers_valid = _header_check(intent.contract, documented) if documented.headers else None
    is_intended = _refusal_check(intent, accepted.status, environ)
    is_valid = intent.contract.validator(media.get("schema", {})).is_valid
    parse = parse_strictly

    def fast(response: Response) -> bool:
        try:
            value = parse(response.body)
        except ValueError:
            return False
        if is_too_deep(response.body) or not is_valid(value):
            return False
        if (is_intended and not is_intended(value)) or (are_headers_valid and not are_headers_valid(response)):
            return False
        response.parsed_body = value
        return True

    return fast


def _never(_: Any) -> bool:
    return False


NEVER_REFUSED = _never  # the refusal test of a status that refuses nothing, whatever the body


def _refusal_check(intent: RequestIntent, status: int, environ: Mapping[str, str]) -> Callable[[Any], bool] | None:
    """A check that a body refuses an invalid request, as the rule says, and does not refuse a valid one.

    None where every body passes it.
    """
    is_refused = refusal_test(intent.contract, status)
    if intent.invalid_case is None:
        if intent.may_be_refused or is_refused is NEVER_REFUSED:
            return None
        return lambda value: not is_refused(value)
    invalid_case, contract = intent.invalid_case, intent.contract
    rule = refusal_rule(contract, intent.operation, invalid_case)
    if "unstated" in rule:
        return None
    accepts = may_be_accepted(rule, environ)

    def follows_rule(value: Any) -> bool:
        if not is_refused(value):
            return accepts
        return next(refusal_problems(contract, rule, invalid_case, status, value), None) is None

    return follows_rule


def refusal_test(contract: Contract, status: int) -> Callable[[Any], bool]:
    """`contracts.judge.http_judge.is_refusal` for a body that is parsed already, and a status."""
    refusing = contract.error_format.get("refused", {})
    if 400 <= status < 600:
        return lambda _: True
    if "pointer" not in refusing:
        return NEVER_REFUSED
    names, equals = json_pointer.reference_tokens(refusing["pointer"]), refusing["equals"]
    if len(names) == 1:
        name = names[0]
        return lambda value: isinstance(value, dict) and name in value and value[name] == equals
    return lambda value: json_pointer.find(value, refusing["pointer"])[:1] == [equals]


def _header_check(contract: Contract, documented: DocumentedResponse) -> Callable[[Response], bool]:
    """A check that required headers are present, and that documented ones fit their schemas."""
    tests = [
        (name.lower().encode(), header.get("required", False), header.get("schema"))
        for name, header in documented.headers.items()
    ]

    def fit(response: Response) -> bool:
        return all(_fits(contract, response.header(name), required, schema) for name, required, schema in tests)

    return fit


def _fits(contract: Contract, raw: bytes | None, required: bool, schema: Schema | None) -> bool:
    if raw is None:
        return not required
    return schema is None or contract.validator(schema).is_valid(coerce(contract, schema, raw.decode("latin-1")))
