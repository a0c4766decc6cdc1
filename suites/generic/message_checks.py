"""Checks of the messages of one call: other ways that must not give more, and spellings that mean the same.

Rule: two responses of the same target are compared, so a target that does not know a way has no finding.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import WAS_ACCEPTED, Finding, is_refusal
from contracts.judge.refusal_judge import refusal_rule
from contracts.judge.rpc_judge import judge_envelope
from fixtures.acceptance import message_refusal_clause
from fixtures.cases import fill_placeholders
from fixtures.corpus import EFFORTS
from fixtures.corpus.rpc_messages import Message
from fixtures.pace import TooManyWrongCredentials
from fixtures.record_kinds import kind_of
from fixtures.resources import case_about
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from suites.generic.call_transport import write_by_call
from suites.generic.message_ways import MESSAGE_WAYS, MessageWay
from suites.generic.request_spellings import SPELLINGS
from suites.generic.rpc_conformance import MessageFindings, RpcChecker
from suites.generic.spelling_checks import lost_values, other_content, refused_spelling, value_count


def with_known_values(checker: RpcChecker, message: Message) -> Message:
    """The message with values of the target in place of placeholders. Raises what `Api.known_value` does."""
    return replace(message, parts=fill_placeholders(message.parts, checker.api.known_value))


def members_of(checker: RpcChecker, message: Message) -> Mapping[str, object]:
    """The members that the message is sent with."""
    parts = fill_placeholders(message.parts, checker.api.known_value)
    members: Mapping[str, object] = json.loads(checker.transport.message(parts, message.credentials))
    return members


def way_findings(checker: RpcChecker, messages: Sequence[Message]) -> MessageFindings:
    """The findings of the ways, each with one of these invalid messages by turns; with little effort, of some ways.

    Raises MissingPrecondition when the target accepts all of them by the documented way.
    """
    refused = [message for message in messages if _is_refused(checker, message)]
    if not refused:
        raise MissingPrecondition("no such message is refused by the documented way")
    start = zlib.crc32(checker.call.label.encode())
    findings: MessageFindings = []
    effort = checker.messages.effort
    for number, way in effort.some_of(list(enumerate(MESSAGE_WAYS, start)), checker.call.label):
        about = [message for message in refused if message.invalid_case and message.invalid_case.location == way.part]
        fitting = about or refused
        turns = len(fitting) if effort.invalid > EFFORTS["default"].invalid else 1
        for turn in range(turns):
            message = fitting[(number + turn) % len(fitting)]
            if way.is_same_call or message.credentials != "token":
                findings += [(finding, message) for finding in _by(checker, way, message)]
    return findings


def _is_refused(checker: RpcChecker, message: Message) -> bool:
    try:
        response = checker.send(message).response
    except (NotPermitted, TooManyWrongCredentials):
        return False
    return not response.error and is_refusal(checker.rpc.contract, response)


def _by(checker: RpcChecker, way: MessageWay, message: Message) -> Iterator[Finding]:
    endpoint = checker.call.endpoint
    members = members_of(checker, message)
    text = way.write(members)
    if text == json.dumps(members) and not way.is_after_success:
        return
    with suppress(NotPermitted, TooManyWrongCredentials):
        probe = checker.probe_message() if way.is_after_success else None
        if probe:
            checker.send(probe[1])
        exchange = checker.transport.send_message(endpoint, text)
        if is_served(checker, exchange):
            _remove(checker.api, exchange)
            expected = f"a refusal, as by the documented way ({message.invalid_case}, sent with {way.title})"
            clause = _clause(checker, message)
            yield Finding(clause, expected, "success, accepted", exchange, kind=WAS_ACCEPTED)


def is_served(checker: RpcChecker, exchange: Exchange) -> bool:
    """Whether the response is the one that the call has for a valid message."""
    response = exchange.response
    if response.error or is_refusal(checker.rpc.contract, response):
        return False
    return not judge_envelope(checker.rpc, checker.call, exchange)


def _clause(checker: RpcChecker, message: Message) -> str:
    """The clause by which the documented way refuses the message."""
    invalid, contract = message.invalid_case, checker.rpc.contract
    assert invalid is not None
    minimal = checker.messages.minimal(checker.call)
    clause = message_refusal_clause(checker.rpc, checker.call, invalid, minimal, lambda: True)
    return clause or str(refusal_rule(contract, checker.call, invalid)["clause"])


def _remove(api: Api, exchange: Exchange) -> None:
    """Deletes the record that the message made, if it made one."""
    kind = kind_of("create", exchange.request, api.target.api, api.target.url)
    identifier = kind.record_id(exchange) if kind and kind.can_be_deleted else None
    if kind is not None and identifier is not None:
        api.send(kind.operation("delete"), case_about(api.contract, kind, "delete", identifier))


def accepted_message(checker: RpcChecker) -> tuple[Message, Exchange]:
    """The richest message that the target accepts, or else the minimal one. Raises MissingPrecondition."""
    richest = max(checker.messages.valid(checker.call), key=lambda message: value_count(message.parts))
    minimal = checker.messages.minimal(checker.call)
    for message in (richest, minimal):
        if checker.call.safe:  # each time about the same record, so that the responses can be compared
            message = with_known_values(checker, message)
        usual = checker.send(message)
        if not usual.response.error and not is_refusal(checker.rpc.contract, usual.response):
            return message, usual
    raise MissingPrecondition(f"{checker.call} refuses the message in its usual spelling: {minimal.title}")


def spelling_findings(checker: RpcChecker) -> MessageFindings:
    """The findings of a message in every other spelling. Raises MissingPrecondition if its usual one is refused."""
    api, write = checker.api, write_by_call(checker.call)
    message, usual = accepted_message(checker)
    findings: list[Finding] = []
    for title, spell in checker.messages.effort.some_of(list(SPELLINGS.items()), checker.call.label):
        request = Request("POST", checker.call.path, (), json.dumps(members_of(checker, message)).encode())
        written = spell(request)
        if written == request:
            continue
        exchange = checker.transport.send_message(checker.call.endpoint, written.body.decode())
        send_usual = partial(checker.send, message)
        refused = refused_spelling(api, title, exchange, send_usual)
        findings += refused
        if refused or is_refusal(checker.rpc.contract, exchange.response):
            continue
        if checker.call.safe:
            findings += other_content(api, title, usual, exchange, send_usual)
        elif write:
            findings += lost_values(api, write, title, usual, exchange)
    return [(finding, message) for finding in findings]
