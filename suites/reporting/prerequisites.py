"""What the tests of an API stand on: a key that works, a list, a new record, a login, mail, a websocket.

Rule: each is tried once in a run, when the first test that may stand on it has a finding or cannot go on, with as few
requests as show it; what writes is tried only after a test that has written. It is kept as a record with its exchange.
Which tests a missing one blocks is decided from the records (`reports/results/blocked_tests.py`), so that it does not
matter in which process and order tests ran.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from contracts.asyncapi import load_rpc_contract
from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_REFUSED, Finding, is_refusal, judge_response
from contracts.judge.rpc_judge import judge_accepted
from contracts.operation import Operation
from fixtures.acceptance import acceptance_clause, message_acceptance_clause
from fixtures.cases import fill_placeholders
from fixtures.corpus import EFFORTS
from fixtures.corpus.builder import minimal_case
from fixtures.corpus.request_fields import needs_mail, request_fields
from fixtures.corpus.rpc_messages import load_messages
from fixtures.departures.departed_clause import departed_clause
from fixtures.http_client import Unreachable
from fixtures.pace import NotTested
from fixtures.preflight.preflight_run import login_operation, read_operations
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.targets import UsageError
from fixtures.transports import transport
from reports.results.causes import ABOUT_CREDENTIALS

READING, WRITING = "reading", "writing"  # kinds of prerequisites
KEY, LIST, RECORD, LOGIN, MAIL, SOCKET = "key", "list", "record", "login", "mail", "socket"
SENTENCES = {
    KEY: "A valid key is accepted",
    LIST: "What is there can be read",
    RECORD: "A record can be made",
    LOGIN: "A login gives a key",
    MAIL: "Mail arrives",
    SOCKET: "A websocket answers",
}
UNAUTHORIZED = (401, 403)
CANNOT_TRY = (MissingPrecondition, NotPermitted, NotTested, UsageError, Unreachable)
ACCEPTED = "a valid request is accepted"  # what is expected of each
MAX_SHOWN = 300  # characters of a response
MAX_EXCHANGES = 8  # that are kept while one of them is tried
Reporter = tuple[str, Callable[[Api], Iterator[Finding]]]


@dataclass(frozen=True)
class Prerequisite:
    """One thing that tests stand on. findings: what is wrong with it. reason: why it could not be tried, or "".

    exchange: the last one that was made to try it.
    """

    name: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    exchange: Exchange | None = None


def try_some(api: Api, kind: str) -> list[Prerequisite]:
    """The prerequisites of that kind, READING or WRITING; where the key is refused, nothing else is tried."""
    shown, api.exchanges = api.exchanges, deque(maxlen=MAX_EXCHANGES)  # the report shows the test's own
    tried: list[Prerequisite] = []
    try:
        for name, check in CHECKS[kind]:
            api.exchanges.clear()
            is_blocked = any(it.name == KEY and it.findings for it in tried)
            tried.append(Prerequisite(name, reason="the key is refused") if is_blocked else _tried(api, name, check))
    finally:
        api.exchanges = shown
    return [it for it in tried if it.exchange or it.reason]


def _tried(api: Api, name: str, check: Callable[[Api], Iterator[Finding]]) -> Prerequisite:
    try:
        findings = tuple(check(api))
    except CANNOT_TRY as error:
        return Prerequisite(name, reason=" ".join(str(error).split()))
    exchanges = [finding.exchange for finding in findings] or list(api.exchanges)[-1:]
    return Prerequisite(name, findings, exchange=exchanges[0] if exchanges else None)


def _key(api: Api) -> Iterator[Finding]:
    operation = next((it for _, it in read_operations(api.contract) if it.needs_credentials), None)
    if operation is None:
        return
    exchange = api.send(operation, minimal_case(api.contract, operation))
    status = exchange.response.status
    if status in UNAUTHORIZED:
        received = f"a valid key was refused with status {status}"
        yield Finding(_key_clause(api, operation), "a request with a valid key is served", received, exchange)


def _key_clause(api: Api, operation: Operation) -> str:
    about_credentials = [clause for clause in operation.clauses if ABOUT_CREDENTIALS in clause]
    return about_credentials[0] if about_credentials else departed_clause(api.contract, "authorization", "")


def _accepted_findings(api: Api, operation: Operation) -> list[Finding]:
    """What is wrong with the answer to a valid request; of a refusal no more than that it is one."""
    case = minimal_case(api.contract, operation)
    exchange = api.send(operation, case)
    if exchange.response.error or not is_refusal(api.contract, exchange.response):
        return judge_response(api.contract, operation, exchange)
    clause = acceptance_clause(api.contract, operation, case, os.environ)
    received = f"{exchange.response.status}: {exchange.response.text()[:MAX_SHOWN]}"
    return [Finding(clause, ACCEPTED, received, exchange, kind=WAS_REFUSED)] if clause else []


def _list(api: Api) -> Iterator[Finding]:
    for _, operation in read_operations(api.contract):
        findings = _accepted_findings(api, operation)
        yield from findings
        if findings:
            return


def _record(api: Api) -> Iterator[Finding]:
    operation = _creation(api)
    if operation is not None:
        yield from _accepted_findings(api, operation)


def _creation(api: Api) -> Operation | None:
    """The first operation that makes a record from nothing but what a run knows."""
    creations = [definition["create"] for definition in api.contract.resources.values() if "create" in definition]
    return api.contract.find(creations[0], 0) if creations else None


def _login(api: Api) -> Iterator[Finding]:
    operation = login_operation(api.contract)
    if operation is not None:
        yield from _accepted_findings(api, operation)


def _mail(api: Api) -> Iterator[Finding]:
    if not needs_mail(api.contract):
        return
    source = next(
        field.value_source
        for operation in api.contract.operations.values()
        for field in request_fields(api.contract, operation)
        if field.value_source and field.value_source.get("mail")
    )
    operation = api.contract.find(source["operation"], 0)
    exchange = api.send(operation, minimal_case(api.contract, operation))
    if is_refusal(api.contract, exchange.response):
        raise MissingPrecondition(f"{operation} was refused ({exchange.response.status})", refusal=exchange)
    members = parse_qs(exchange.request.body.decode())
    address = next(value for values in members.values() for value in values if "@" in value)
    if not api.received_mails(address):
        yield Finding(
            source.get("clause") or operation.clauses[0], f"a mail with a code to {address}", "none", exchange
        )


def _socket(api: Api) -> Iterator[Finding]:
    rpc = load_rpc_contract(api.target.api)
    reading = [call for call in rpc.calls.values() if call.safe and not call.served_if] if rpc else []
    call = min(reading, key=lambda it: len(it.required_parts), default=None)
    if rpc is None or call is None:
        return
    message = load_messages(api.target.api, EFFORTS["quick"], 0).minimal(call)
    clause = message_acceptance_clause(rpc, call, message)
    carrier = transport(api, "websocket")
    try:
        exchange = carrier.call(call.endpoint, **fill_placeholders(message.parts, api.known_value))
    finally:
        carrier.close()
    yield from judge_accepted(rpc, call, exchange, clause)


CHECKS: Mapping[str, Sequence[Reporter]] = {
    READING: ((KEY, _key), (LIST, _list), (SOCKET, _socket)),
    WRITING: ((RECORD, _record), (LOGIN, _login), (MAIL, _mail)),
}
