"""Every call of every AsyncAPI document, as frames: documented, at its edges, generated, and broken in one way each."""

from __future__ import annotations

import pytest

from contracts.rpc import Call
from fixtures.api import Api
from fixtures.corpus.messages import Messages
from fixtures.transports import Transport
from suites.blame import blame
from suites.calls import Caller, ErrorIds

# The rules of an AsyncAPI document are those of frames; over HTTP the OpenAPI document has its own (test_operations).
by_frame = pytest.mark.parametrize("transport", ["websocket", "deepstream"], indirect=True)


@pytest.fixture(scope="session")
def errorids() -> ErrorIds:
    """The ids of all refusals of the run."""
    return {}


@pytest.fixture
def caller(api: Api, transport: Transport, messages: Messages, call: Call, errorids: ErrorIds) -> Caller:
    """Sends the call's messages by this transport."""
    return Caller(api, transport, messages, call, errorids)


@by_frame
def test_valid_calls(caller: Caller) -> None:
    """Documented, edge and generated messages succeed, and are answered with the envelope of that call."""
    blame(caller.findings(caller.messages.valid(caller.call), caller.accepted), caller.api.secrets)


@by_frame
def test_broken_calls(caller: Caller) -> None:
    """Messages with one thing wrong are refused with the code that it calls for, each under an id of its own."""
    blame(caller.findings(caller.messages.broken(caller.call), caller.refused), caller.api.secrets)


@by_frame
def test_connection_after_refusals(caller: Caller) -> None:
    """After each broken message the same connection serves a plain reading call."""
    blame(caller.unusable_after(caller.messages.broken(caller.call)), caller.api.secrets)
