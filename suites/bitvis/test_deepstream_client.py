"""A client of the text protocol that others wrote agrees with ours, as a caller and as a provider.

Rule: the client needs npm, so these tests run where an engine on loopback is named, as `tox -e deepstream` does.
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
from suites.bitvis.client import without_errorid
from suites.hypothesis_checks import for_all

pytestmark = pytest.mark.sockets
clause = pytest.mark.clause

ECHO = "flowproof/echo"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.sampled_from([0.5, -1.25, 1e-7, 1e21])  # that JavaScript has
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


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
        assert exchange.response.error is None, f"expected a response, got {exchange.response.error}"
        assert exchange.response.json() == {"echo": json.loads(exchange.request.body)}

    for_all(check, 100, data=VALUES)
