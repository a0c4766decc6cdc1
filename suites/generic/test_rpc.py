"""Tests every call of every AsyncAPI document by frame: documented, boundary, generated and invalid messages."""

from __future__ import annotations

import pytest

from contracts.asyncapi import Call
from fixtures.corpus.rpc_messages import Message, Messages
from fixtures.target_api import Api
from fixtures.transports import FRAME_TRANSPORTS, Transport
from suites.generic.rpc_conformance import ErrorIds, RpcChecker
from suites.reporting.failures import raise_findings

# An AsyncAPI document has the refusal rules of frames; over HTTP those of the OpenAPI document apply (test_operations).
frame_transports = pytest.mark.parametrize("transport", FRAME_TRANSPORTS, indirect=True)


@pytest.fixture(scope="session")
def error_ids() -> ErrorIds:
    """The ids of all refusals of the run so far."""
    return {}


@pytest.fixture
def checker(api: Api, transport: Transport, messages: Messages, call: Call, error_ids: ErrorIds) -> RpcChecker:
    """Sends and checks the call's messages over this transport."""
    return RpcChecker(api, transport, messages, call, error_ids)


@frame_transports
def test_valid_calls(checker: RpcChecker) -> None:
    """Documented, boundary and generated messages succeed, with the response envelope of their call."""
    messages = checker.messages.effort.some_of(checker.messages.valid(checker.call), checker.call.label)
    raise_findings(checker.findings(messages, checker.check_accepted), checker.api)


@frame_transports
def test_invalid_calls(checker: RpcChecker) -> None:
    """Messages with one error are refused with the documented code, each with an id of its own."""
    raise_findings(checker.findings(invalid_messages(checker), checker.check_refused), checker.api)


@frame_transports
def test_connection_after_refusals(checker: RpcChecker) -> None:
    """After each invalid message the same connection serves a call that only reads."""
    messages = checker.messages.effort.some_of(invalid_messages(checker), checker.call.label)
    raise_findings(checker.findings_after_refusals(messages), checker.api)


def invalid_messages(checker: RpcChecker) -> list[Message]:
    """The messages with one error; with little effort one of each kind in each part, which differ by transport.

    With the default effort transports share the values of a field.
    """
    label, effort = f"{checker.call.label} {checker.transport.name}", checker.messages.effort
    number = FRAME_TRANSPORTS.index(checker.transport.name)
    messages = effort.turn_of(checker.messages.invalid(checker.call), _kind_and_field, number, len(FRAME_TRANSPORTS))
    return effort.one_of_each(messages, _kind_and_part, label)


def _kind_and_field(message: Message) -> tuple[str, str, str]:
    assert message.invalid_case is not None
    return (*_kind_and_part(message), message.invalid_case.name)


def _kind_and_part(message: Message) -> tuple[str, str]:
    assert message.invalid_case is not None
    return message.invalid_case.kind, message.invalid_case.location
