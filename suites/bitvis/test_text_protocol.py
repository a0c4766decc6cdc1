"""The text protocol of deepstream 2 and 3, by which public installations take the document's calls.

Rule: as in `test_protocol`: each test has a connection of its own, and every wait is bounded. What the calls mean is
tested by the tests of every transport.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.target_api import Api
from fixtures.transports.text_engine_connection import message_text
from fixtures.websocket import deepstream_text_protocol as protocol
from suites.bitvis.client import KINDS, QUEUE, ObjectKind
from suites.bitvis.raw_frames import list_message
from suites.bitvis.text_links import (
    QUIET_SECONDS,
    TextLink,
    event_text,
    is_answer_to_heartbeat,
    list_events,
    logged_in_link,
    text_link,
)

pytestmark = [pytest.mark.sockets, pytest.mark.bug_kind("ways in")]
clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)

HEARTBEAT_SECONDS = 35.0  # within which an engine sends one: its default is every 30 seconds
UNKNOWN_MESSAGES = {
    "unknown_topic": protocol.encode_message(b"Q", b"REQ", b"x"),
    "unknown_action": protocol.encode_message(protocol.RPC, b"NOPE", b"x"),
    "unknown_connection_action": protocol.encode_message(protocol.CONNECTION, b"NOPE"),
}


@pytest.fixture
def link(api: Api) -> Iterator[TextLink]:
    """A connection that is logged in, dropped when the test is over."""
    with logged_in_link(api) as opened:
        yield opened


# ------------------------------------------------------------------------------------- connection and login


@clause("BITVIS-TEXT-1")
def test_the_engine_speaks_first_and_accepts_the_client(api: Api) -> None:
    """The first message is a challenge or an acceptance; the answer to a challenge is accepted."""
    with text_link(api) as link:
        acceptance = link.acceptance()
        assert acceptance[:2] == (protocol.CONNECTION, protocol.ACK), f"expected C|A, got {message_text(acceptance)}"


@clause("BITVIS-TEXT-3")
def test_a_login_is_accepted_or_refused_with_a_reason(api: Api) -> None:
    """An unknown user is let in, as by an engine that is open to all, or refused with an error that has a reason."""
    with text_link(api) as link:
        link.acceptance()
        link.send(protocol.AUTH, protocol.REQUEST, b'{"username": "flowproof-nobody", "password": "x"}')
        answer = link.next("an answer to the login")
        while answer.topic == protocol.CONNECTION:
            answer = link.next("an answer to the login")
    assert answer.topic == protocol.AUTH, f"expected an answer to the login, got {message_text(answer)}"
    if answer.action != protocol.ACK:
        assert answer.action == protocol.ERROR, f"expected A|A or A|E, got {message_text(answer)}"
        assert answer.fields, "expected a reason in the refusal, got A|E alone"
        assert answer.fields[0], "expected a reason in the refusal, got an empty one"


@clause("BITVIS-TEXT-4")
def test_no_call_is_served_before_the_login(api: Api) -> None:
    """A call before the login has no response."""
    with text_link(api) as link:
        link.acceptance()
        body = protocol.OBJECT + list_message(api)
        link.send(protocol.RPC, protocol.REQUEST, QUEUE.endpoint.encode(), b"flowproof-1", body)
        while (message := link.next_or_none(QUIET_SECONDS)) is not None:
            is_response = message[:2] == (protocol.RPC, protocol.RESPONSE)
            assert not is_response, f"expected no response before the login, got {message_text(message)}"


# ---------------------------------------------------------------------------------------------------- messages


@clause("BITVIS-TEXT-2")
@each_kind
def test_messages_have_the_form_of_the_protocol(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """Everything that the engine sends about a call to LIST and about an unknown name consists of complete messages."""
    list_events(api, link, kind)
    link.call("flowproof/nobody", "flowproof-2", b"{}")
    surplus = [event for event in map(protocol.rpc_event, _rpc_messages(link)) if event.details]
    assert not surplus, f"expected no more fields than the protocol has, got {event_text(surplus[0])}"


# ------------------------------------------------------------------------------------- what a connection is


@clause("BITVIS-TEXT-9")
def test_a_heartbeat_is_answered(api: Api, link: TextLink) -> None:
    """A heartbeat is answered by one, or by an error that says it is unknown, before and after a call."""
    for _ in range(2):
        link.send(protocol.CONNECTION, protocol.PING)
        answer = link.next("an answer to a heartbeat")
        while answer[:2] == (protocol.CONNECTION, protocol.PING):
            answer = link.next("an answer to a heartbeat")
        assert is_answer_to_heartbeat(answer), f"expected C|PO or an error on the topic X, got {message_text(answer)}"
        list_events(api, link)


@clause("BITVIS-TEXT-10")
def test_the_engine_sends_heartbeats(api: Api) -> None:
    """A heartbeat comes within the interval that is the engines' default, or at once, as newer versions send one."""
    with text_link(api) as link:
        link.acceptance()
        link.send(protocol.AUTH, protocol.REQUEST, b"{}")
        seconds = None if api.target.embedded else HEARTBEAT_SECONDS
        while link.next("a heartbeat", seconds)[:2] != (protocol.CONNECTION, protocol.PING):
            pass


@clause("BITVIS-TEXT-13")
@pytest.mark.parametrize("payload", UNKNOWN_MESSAGES.values(), ids=UNKNOWN_MESSAGES)
def test_an_unknown_message_leaves_the_connection_usable(api: Api, link: TextLink, payload: bytes) -> None:
    """A message with an unknown topic or action is ignored or answered with an error; then a call is served."""
    link.send_payload(payload)
    assert list_events(api, link)[-1].kind == protocol.RESPONSE


def _rpc_messages(link: TextLink) -> list[protocol.Message]:
    return [message for message in link.received if message.topic == protocol.RPC]
