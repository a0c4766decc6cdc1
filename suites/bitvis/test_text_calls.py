"""Calls by deepstream's text protocol: acknowledgements, answers and errors, received by our client and another one.

Rule: as in `test_text_protocol`. The other client needs npm, so its tests run where an engine on loopback is named, as
`tox -e deepstream` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.asyncapi import Call
from fixtures.cases import fill_placeholders
from fixtures.corpus.rpc_messages import Messages
from fixtures.deepstream.independent_client import IndependentClient, independent_client
from fixtures.server_identity import is_loopback
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import deepstream_host
from fixtures.transports import FRAME_TRANSPORTS, Transport, transport
from fixtures.transports.deepstream_endpoints import TEXT, endpoint_url, login_data
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
    without_errorid,
)
from suites.bitvis.raw_frames import list_message, refused_message
from suites.bitvis.text_links import TextLink, answers, event_text, list_events, logged_in_link, response_exchange
from suites.hypothesis_checks import for_all

pytestmark = [pytest.mark.sockets, pytest.mark.bug_kind("ways in")]
clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)

ECHO = "flowproof/echo"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.sampled_from([0.5, -1.25, 1e-7, 1e21])  # that JavaScript has
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def link(api: Api) -> Iterator[TextLink]:
    """A connection that is logged in, dropped when the test is over."""
    with logged_in_link(api) as opened:
        yield opened


# ------------------------------------------------------------------------------------------ one client


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


# ----------------------------------------------------------------------------------------- two clients


def url_on_loopback(api: Api) -> str:
    """The text endpoint to use. Raises MissingPrecondition unless an engine on loopback is named."""
    named = api.target.settings.get("DEEPSTREAM", "")
    if not named or not is_loopback(deepstream_host(named, "BITVIS_DEEPSTREAM")):
        raise MissingPrecondition("BITVIS_DEEPSTREAM names no engine on loopback: run `tox -e deepstream`")
    return endpoint_url(api.target, TEXT)


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, tuple[Any, IndependentClient]]]:
    """The clients by URL: one process serves all tests."""
    clients: dict[str, tuple[Any, IndependentClient]] = {}
    yield clients
    for context, _ in clients.values():
        context.__exit__(None, None, None)


@pytest.fixture
def other(api: Api, started: dict[str, tuple[Any, IndependentClient]]) -> IndependentClient:
    """The client that others wrote, logged in."""
    url = url_on_loopback(api)
    if url not in started:
        context = independent_client(url, login_data(api.target.settings), ECHO)
        started[url] = (context, context.__enter__())
    return started[url][1]


@pytest.fixture
def ours(api: Api) -> Iterator[Transport]:
    """Our own client, with a connection of its own."""
    opened = transport(api, FRAME_TRANSPORTS[2])
    yield opened
    opened.close()


@clause("BITVIS-TEXT-6", "BITVIS-TEXT-7", "BITVIS-TEXT-8")
def test_both_clients_receive_the_same_from_deepstream(
    api: Api, other: IndependentClient, ours: Transport, messages: Messages, call: Call
) -> None:
    """Valid and invalid messages of a call that only reads have the same response by either client."""
    if not call.safe:
        raise MissingPrecondition(f"{call} changes something, so the second client would find another object")
    for message in (*messages.valid(call), *messages.invalid(call)):
        try:
            parts = fill_placeholders(message.parts, api.known_value)
        except KeyError:
            continue  # the target has no such value
        exchange = ours.call(call.endpoint, **parts, credentials=message.credentials)
        exchange = exchange.actual or exchange  # the other client knows of no departures
        answer = other.call(call.endpoint, json.loads(exchange.request.body))
        assert "data" in answer, f"expected a response by the other client, too, got {answer}"
        received, expected = without_errorid(answer["data"]), without_errorid(exchange.response.json())
        assert received == expected, f"the other client received {received}, ours {expected} for {parts}"


@clause("BITVIS-TEXT-8")
def test_both_clients_receive_the_engines_error_of_deepstream(other: IndependentClient, ours: Transport) -> None:
    """A call to a name that nobody provides is the same error for both."""
    assert other.call("flowproof/nobody", {}) == {"error": "NO_RPC_PROVIDER"}
    assert ours.call("flowproof/nobody", "LIST").response.error == "the engine answered NO_RPC_PROVIDER"


@clause("BITVIS-TEXT-7")
def test_our_client_is_answered_by_the_other_one_through_deepstream(
    api: Api, other: IndependentClient, ours: Transport
) -> None:
    """What our client sends is what a provider by the other client receives, and so is its response."""
    if endpoint_url(api.target, TEXT) != api.target.settings.get("DEEPSTREAM"):
        raise MissingPrecondition("the text endpoint of our reference takes no providers")
    assert other is not None

    def check(data: Any) -> None:
        exchange = ours.call(ECHO, "LIST", data=data)
        exchange = exchange.actual or exchange
        assert exchange.response.error is None, f"expected a response, got {exchange.response.error}"
        assert exchange.response.json() == {"echo": json.loads(exchange.request.body)}

    for_all(check, 200, data=VALUES)
