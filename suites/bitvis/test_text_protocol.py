"""The text protocol of deepstream 2 and 3, by which public installations take the document's calls.

Rule: as in `test_protocol`: each test has a connection of its own, and every wait is bounded. What the calls mean is
tested by the tests of every transport.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.target_api import Api
from fixtures.transports.deepstream_text_transport import message_text
from fixtures.websocket import deepstream_text_protocol as protocol
from fixtures.websocket.deepstream_text_protocol import UNDEFINED, MessageError
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    QUEUE,
    ObjectKind,
    assert_failure,
    assert_success,
    checked_envelope,
    two_devices,
)
from suites.bitvis.raw_frames import list_message, refused_message
from suites.bitvis.text_links import (
    QUIET_SECONDS,
    TextLink,
    answers,
    event_text,
    is_answer_to_heartbeat,
    list_events,
    logged_in_link,
    response_exchange,
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


# ---------------------------------------------------------------------------------------------------- calls


@clause("BITVIS-TEXT-2")
@each_kind
def test_messages_have_the_form_of_the_protocol(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """Everything that the engine sends about a call to LIST and about an unknown name consists of complete messages."""
    list_events(api, link, kind)
    link.call("flowproof/nobody", "flowproof-2", b"{}")
    surplus = [event for event in map(protocol.rpc_event, _rpc_messages(link)) if event.details]
    assert not surplus, f"expected no more fields than the protocol has, got {event_text(surplus[0])}"


@clause("BITVIS-TEXT-5")
@each_kind
def test_a_call_is_acknowledged_once_before_its_response(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """LIST is acknowledged once, with its name and id, and then answered."""
    events = list_events(api, link, kind)
    acknowledgements = [event for event in events if event.kind == protocol.ACK]
    assert len(acknowledgements) == 1, f"expected one acknowledgement, got {len(acknowledgements)}"
    (acknowledged,) = acknowledgements
    expected = (kind.endpoint.encode(), b"flowproof-1")
    assert acknowledged[1:3] == expected, f"expected that of {expected!r}, got {event_text(acknowledged)}"
    assert events[0] is acknowledged, f"expected the acknowledgement first, got {event_text(events[0])}"


@clause("BITVIS-TEXT-6")
@each_kind
def test_a_call_has_one_answer_with_its_name_and_id(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """LIST, and a refused OPEN, have one answer each, which repeats the call's name and id."""
    for identifier, body in (("flowproof-1", list_message(api)), ("flowproof-2", refused_message(api))):
        received = answers(link.call(kind.endpoint, identifier, body))
        assert len(received) == 1, f"expected one answer, got {len(received)}: {[*map(event_text, received)]}"
        expected = (kind.endpoint.encode(), identifier.encode())
        assert received[0][1:3] == expected, f"expected that to {expected!r}, got {event_text(received[0])}"


@clause("BITVIS-TEXT-7")
@each_kind
def test_the_data_of_a_response_is_an_object(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """The data of the response to LIST is typed, and an object or a text that is one; so is that to a refused OPEN."""
    for method, body in (("LIST", list_message(api)), ("OPEN", refused_message(api))):
        (response,) = answers(link.call(kind.endpoint, "flowproof-1", body))[:1]
        try:
            value = protocol.decode_typed(response.data)
        except MessageError as error:
            raise AssertionError(f"{error}") from None
        shown = "nothing" if value is UNDEFINED else repr(value)[:200]
        assert isinstance(value, dict | str), f"expected an object or a text, got {shown}"
        envelope = checked_envelope(api, response_exchange(api, link, response, body), method, kind)
        if method == "LIST":
            assert_success(envelope)
        else:
            assert_failure(envelope, "no object has that id")


@clause("BITVIS-TEXT-8")
def test_an_unknown_name_is_an_error_of_the_engine(api: Api, link: TextLink) -> None:
    """A call to a name that nobody provides has no response but the error NO_RPC_PROVIDER, with its name and id."""
    name = api.unique_text("flowproof/nobody-")
    received = answers(link.call(name, "flowproof-1", list_message(api)))
    assert received, "expected the error NO_RPC_PROVIDER, got nothing"
    expected = (protocol.ERROR, name.encode(), b"flowproof-1")
    assert received[0][:3] == expected, f"expected an error of that call, got {event_text(received[0])}"
    error = protocol.error_text(received[0].data)
    assert error == "NO_RPC_PROVIDER", f"expected the error NO_RPC_PROVIDER, got {error[:200]!r}"
    list_events(api, link, QUEUE, "flowproof-2")


@clause("BITVIS-TEXT-11")
@pytest.mark.parametrize("count", [2, 5])
def test_calls_in_one_frame_are_each_answered(api: Api, link: TextLink, count: int) -> None:
    """Calls to three endpoints that come in one frame each have a response of their own kind."""
    kinds = [(DEVICE, ADDRESS, QUEUE)[number % 3] for number in range(count)]
    calls = [(kind.endpoint, f"flowproof-{number}", list_message(api)) for number, kind in enumerate(kinds)]
    received = answers(link.calls(calls))
    expected = sorted((name.encode(), identifier.encode()) for name, identifier, _ in calls)
    assert sorted(event[1:3] for event in received) == expected, (
        f"expected an answer to each of {count} calls, got {[*map(event_text, received)]}"
    )
    for response in received:
        kind = next(kind for kind in kinds if kind.endpoint.encode() == response.name)
        exchange = response_exchange(api, link, response, list_message(api))
        assert_success(checked_envelope(api, exchange, "LIST", kind))


@clause("BITVIS-TEXT-11")
def test_each_response_has_the_id_of_its_call(api: Api, link: TextLink) -> None:
    """Two OPEN calls in one frame: the response with the id of a call has the device that the call has named."""
    devices = two_devices(api)
    bodies = [list_message(api, objectid=device).replace(b'"LIST"', b'"OPEN"') for device in devices]
    received = answers(
        link.calls([(DEVICE.endpoint, device, body) for device, body in zip(devices, bodies, strict=True)])
    )
    assert len(received) == len(devices), f"expected two answers, got {[*map(event_text, received)]}"
    for response in received:
        exchange = response_exchange(api, link, response, bodies[0])
        opened = assert_success(checked_envelope(api, exchange, "OPEN", DEVICE))
        assert opened["id"].encode() == response.identifier, (
            f"expected the device {response.identifier.decode()}, got {opened['id']}"
        )


@clause("BITVIS-TEXT-12")
@each_kind
def test_what_the_api_refuses_is_a_response(api: Api, link: TextLink, kind: ObjectKind) -> None:
    """An OPEN of no object and a call with a wrong token have responses, not errors of the protocol."""
    for body in (refused_message(api), b'{"method": "LIST", "token": "flowproof"}'):
        received = answers(link.call(kind.endpoint, "flowproof-1", body))
        assert received, "expected a response that refuses the call, got nothing"
        assert received[0].kind == protocol.RESPONSE, f"expected a response, got {event_text(received[0])}"


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
