"""Messages of deepstream's text protocol on a connection of a test's own.

Rule: every wait is bounded, tightly at our own reference. A connection that fails where the engine must serve it is a
finding. Heartbeats are answered.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from contracts.exchange import FRAME, Exchange, Request, Response
from contracts.formatting import TEXT_ENGINE
from fixtures import websocket_client
from fixtures.departures.translation import Inexpressible
from fixtures.in_process_client import InProcessClient
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from fixtures.transports.deepstream_endpoints import TEXT, endpoint_url, login_data
from fixtures.transports.engine_disconnected import Disconnected, MalformedMessage
from fixtures.transports.rpc_names import is_known, name_at
from fixtures.transports.text_engine_connection import TextConnection, message_text
from fixtures.websocket import deepstream_text_protocol as protocol
from fixtures.websocket.deepstream_text_protocol import Message, MessageError, RpcEvent
from suites.bitvis.client import QUEUE, SWITCHING_PROTOCOLS, ObjectKind
from suites.bitvis.raw_frames import list_message, response_timeout

QUIET_SECONDS = 0.2  # seconds during which nothing may arrive, where no heartbeat shows the end of what was sent


@dataclass
class TextLink:
    """A connection to the text endpoint at `url`, not logged in.

    `received`: every message so far; `endpoints`: by name at the engine, those that were called.
    """

    api: Api
    url: str
    connection: TextConnection
    received: list[Message] = field(default_factory=list)
    endpoints: dict[bytes, bytes] = field(default_factory=dict)

    def send(self, *parts: bytes) -> None:
        """Send one message: topic, action and fields."""
        self.send_payload(protocol.encode_message(*parts))

    def send_payload(self, payload: bytes) -> None:
        """Send this payload in one frame."""
        try:
            self.connection.send_payload(self._deadline(), payload)
        except Disconnected as error:
            raise AssertionError(f"expected a connection that takes messages, got none: {error}") from None

    def next(self, why: str, seconds: float | None = None) -> Message:
        """The next message, also a heartbeat, which is answered. Raises AssertionError when none comes."""
        message = self.next_or_none(seconds)
        assert message is not None, f"expected {why}, got no message{_behind(self.received)}"
        return message

    def next_or_none(self, seconds: float | None = None) -> Message | None:
        """The next message, None if none comes within the seconds or before the end of the connection.

        Raises AssertionError for what is no message of the protocol.
        """
        try:
            message = self.connection.receive_any(self._deadline(seconds))
            if message[:2] == (protocol.CONNECTION, protocol.PING):
                self.connection.send(self._deadline(), protocol.CONNECTION, protocol.PONG)
        except MalformedMessage as error:
            raise AssertionError(f"{error}") from None
        except Disconnected:
            return None
        self.received.append(message)
        return message

    def acceptance(self) -> Message:
        """What should be the acceptance: the first message, or the next one once its challenge is answered."""
        message = self.next("a challenge or an acceptance")
        if message[:2] == (protocol.CONNECTION, protocol.CHALLENGE):
            self.send(protocol.CONNECTION, protocol.CHALLENGE_RESPONSE, self.url.encode())
            message = self.next("an acceptance")
        return message

    def log_in(self, data: bytes | None = None) -> None:
        """Log in with that JSON object, by default with the target's credentials."""
        credentials = login_data(self.api.target.settings) if data is None else data
        try:
            self.connection.log_in(self.url, credentials, self._deadline())
        except Disconnected as error:
            raise AssertionError(f"expected an accepted login, got none: {error}") from None

    def call(self, name: str, identifier: str, body: bytes) -> list[RpcEvent]:
        """Call that RPC with a JSON object; returns all that is sent about calls until the engine has no more."""
        return self.calls([(name, identifier, body)])

    def calls(self, calls: Sequence[tuple[str, str, bytes]]) -> list[RpcEvent]:
        """As `call`, for calls that are sent in one frame."""
        payload = b""
        for name, identifier, body in calls:
            request = Request(FRAME, f"{TEXT_ENGINE}{self.url}#{name}", (), body)
            self.api.require_permission(request)
            if self.api.target.pace is not None:
                self.api.target.pace.take_turn(request)
            named = name_at(self.url, name).encode()
            self.endpoints[named] = name.encode()
            fields = (named, identifier.encode(), protocol.OBJECT + self.deployed(request).body)
            payload += protocol.encode_message(protocol.RPC, protocol.REQUEST, *fields)
        self.send_payload(payload)
        return self.events(len(calls))

    def deployed(self, request: Request) -> Request:
        """The request as the target wants it. Raises MissingPrecondition where it has no way to express it."""
        try:
            return self.api.target.translation.request(request) if self.api.target.translation else request
        except Inexpressible as error:
            raise MissingPrecondition(f"the target's departures cannot express this request: {error}") from None

    def events(self, answers: int = 1) -> list[RpcEvent]:
        """What is sent about calls: until so many answers have come, and then as long as there is more."""
        events: list[RpcEvent] = []
        while sum(event.kind != protocol.ACK for event in events) < answers:
            message = self.next_or_none()
            if message is None:
                return events
            events += self._event(message)
        self.send(protocol.CONNECTION, protocol.PING)  # its answer comes after all that was sent before
        while (message := self.next_or_none(QUIET_SECONDS)) is not None:
            if is_answer_to_heartbeat(message):
                break
            events += self._event(message)
        return events

    def _event(self, message: Message) -> list[RpcEvent]:
        """What the message says of a call, with the endpoint as its name; [] for any other message."""
        is_about_no_call = message.action == protocol.ERROR and len(message.fields) < 3
        if message.topic != protocol.RPC or is_about_no_call:
            return []
        try:
            event = protocol.rpc_event(message)
        except MessageError as error:
            raise AssertionError(f"{error}") from None
        return [event._replace(name=self.endpoints.get(event.name, event.name))]

    def _deadline(self, seconds: float | None = None) -> float:
        return time.monotonic() + (response_timeout(self.api) if seconds is None else seconds)


@contextmanager
def text_link(api: Api) -> Iterator[TextLink]:
    """A connection on which nothing was sent or received. Raises MissingPrecondition without a text endpoint."""
    if isinstance(api.client, InProcessClient):
        raise MissingPrecondition("deepstream needs a target on sockets, and this one is in process")
    url = endpoint_url(api.target, TEXT)
    try:
        connection = TextConnection.open(url, response_timeout(api), api.target.route, api.target.pace)
    except websocket_client.HandshakeRefused as refused:
        raise MissingPrecondition(f"{url} is no deepstream engine: {refused}") from None
    api.on_websocket(f"{TEXT_ENGINE}{url}")
    try:
        yield TextLink(api, url, connection)
    finally:
        connection.drop()


@contextmanager
def logged_in_link(api: Api) -> Iterator[TextLink]:
    """A connection that is logged in, at an engine whose form of names is known if it can be."""
    if not isinstance(api.client, InProcessClient) and not is_known(endpoint_url(api.target, TEXT)):
        carrier = transport(api, "deepstream-text")
        carrier.call(QUEUE.endpoint, "LIST")
        carrier.close()
    with text_link(api) as link:
        link.log_in()
        yield link


def list_events(api: Api, link: TextLink, kind: ObjectKind = QUEUE, identifier: str = "flowproof-1") -> list[RpcEvent]:
    """What is sent about a LIST call, which must be answered."""
    events = link.call(kind.endpoint, identifier, list_message(api))
    assert answers(events), f"expected an answer to LIST, got none{_behind(link.received)}"
    return events


def is_answer_to_heartbeat(message: Message) -> bool:
    """Whether this answers a client's heartbeat: later versions send one, version 2 says that it knows none."""
    return message[:2] == (protocol.CONNECTION, protocol.PONG) or message.topic == protocol.ERRORS


def answers(events: Sequence[RpcEvent]) -> list[RpcEvent]:
    """The responses and errors among them."""
    return [event for event in events if event.kind != protocol.ACK]


def response_exchange(api: Api, link: TextLink, event: RpcEvent, body: bytes) -> Exchange:
    """The exchange of a call with that body and its response, which the API records."""
    request = Request(FRAME, f"{TEXT_ENGINE}{link.url}#{event.name.decode(errors='replace')}", (), body)
    try:
        text = protocol.json_of(event.data)
    except MessageError as error:
        raise AssertionError(f"{error}") from None
    exchange = Exchange(link.deployed(request), Response(SWITCHING_PROTOCOLS, (), text))
    if api.target.translation:
        exchange = api.target.translation.documented(request, exchange)
    api.record_exchanges([exchange])
    return exchange


def event_text(event: RpcEvent) -> str:
    """What a message says of a call, for people."""
    return message_text(Message(event.kind, event.data[:80] or b"-", (event.name, event.identifier)))


def _behind(received: Sequence[Message]) -> str:
    return f" after {', '.join(message_text(message) for message in received[-3:])}" if received else ""
