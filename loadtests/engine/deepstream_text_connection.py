"""Remote procedure calls through a deepstream engine, in its text protocol (endpoint type `ws-text`).

As with the JSON protocol, one connection carries any number of calls, which are paired with their responses by id.
"""

from __future__ import annotations

from fixtures.websocket import deepstream_text_protocol as protocol
from fixtures.websocket.deepstream_text_protocol import (
    ACK,
    AUTH,
    CONNECTION,
    RESPONSE,
    RPC,
    Message,
    MessageError,
    RpcEvent,
)
from loadtests.engine.connection import NO_HEADERS, deliver
from loadtests.engine.deepstream_connection import DeepstreamConnection
from loadtests.engine.exchange_types import Request, Response


class DeepstreamTextConnection(DeepstreamConnection):
    """As `DeepstreamConnection`: `payload` is the JSON object of a call, `Response.body` that of its response."""

    __slots__ = ()

    def _send_call(self, identifier: str, request: Request) -> None:
        data = protocol.OBJECT + request.payload  # JSON, which escapes both separators
        fields = (RPC, protocol.REQUEST, request.rpc_name.encode(), identifier.encode(), data)
        message = protocol.UNIT_SEPARATOR.join(fields) + protocol.RECORD_SEPARATOR
        self.send_text(message)

    def _send(self, *parts: bytes) -> None:
        self.send_text(protocol.encode_message(*parts))

    def on_handshake_done(self) -> None:
        """Wait: the engine speaks first."""

    def _on_text(self, payload: bytes, now: int) -> None:
        if (event := protocol.sole_rpc_event(payload)) is not None:
            self._on_event(event, now)
            return
        if not payload:
            return  # an engine of version 7 sends an empty frame for an error that this protocol lacks
        try:
            messages = protocol.decode_messages(payload)
        except MessageError:
            self._close_for("deepstream: not a message of its text protocol")
            return
        sock = self._sock
        for message in messages:
            if self._sock is not sock:
                return  # the message before closed it
            if message.topic == RPC:
                self._on_rpc_message(message, now)
            elif message.topic == CONNECTION:
                self._on_connection(message.action)
            elif message.topic == AUTH and message.action == ACK and not self.ready:
                self.connected()
            else:
                self._close_for("deepstream: login refused" if message.topic == AUTH else "deepstream: error message")

    def _on_connection(self, action: bytes) -> None:
        if action == protocol.PING:
            self._send(CONNECTION, protocol.PONG)
        elif action == protocol.CHALLENGE and not self.ready:
            self._send(CONNECTION, protocol.CHALLENGE_RESPONSE, self._url().encode())
        elif action == ACK and not self.ready:
            self._send(AUTH, protocol.REQUEST, self.address.login.encode())
        elif action != protocol.PONG:
            self._close_for("deepstream: connection refused")

    def _on_rpc_message(self, message: Message, now: int) -> None:
        try:
            event = protocol.rpc_event(message)
        except MessageError:
            self._close_for("deepstream: not a message of its text protocol")
            return
        self._on_event(event, now)

    def _on_event(self, event: RpcEvent, now: int) -> None:
        if event.kind == ACK:
            return  # a provider has the call
        try:
            body = protocol.json_of(event.data) if event.kind == RESPONSE else b""
        except MessageError:
            self._close_for("deepstream: not a message of its text protocol")
            return
        identifier = event.identifier.decode(errors="replace")
        call = self._pending.pop(identifier, None)
        if call is None or not self.ready:
            if not self._was_issued(identifier):
                self._close_for("deepstream: a response to no call")
            return  # it came after its timeout, or twice
        error = None if event.kind == RESPONSE else f"deepstream: {_error_kind(event.data)}"
        deliver(call.request, call.requester, Response(0, NO_HEADERS, body, error, call.intended, call.sent, now, now))


def _error_kind(error: bytes) -> str:
    """The name of an engine's own error; a provider's has one name, so that errors can be counted."""
    text = protocol.error_text(error)
    return text if text in protocol.ENGINE_ERRORS else "error of the provider"
