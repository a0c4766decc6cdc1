"""Remote procedure calls through a deepstream engine, in its JSON protocol (endpoint type `ws-json`).

One connection carries any number of calls, which are paired with their responses by correlation id.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as json_string
from time import perf_counter_ns
from typing import Any

import orjson

from fixtures.http1.response_head import Headers
from fixtures.websocket import frame_codec
from fixtures.websocket.deepstream_protocol import (
    ACCEPTED,
    AUTH,
    CHALLENGE,
    CONNECTION,
    LOGGED_IN,
    LOGIN,
    PING,
    PONG,
    REQUEST,
    RESPONSE,
    RPC,
    RPC_REFUSALS,
    VERSION,
)
from fixtures.websocket.frame_codec import BINARY, TEXT, Event
from loadtests.engine.connection import NEVER, NO_HEADERS, deliver
from loadtests.engine.exchange_types import Address, Request, Requester, Response
from loadtests.engine.loop import Loop
from loadtests.engine.websocket_connection import POLICY_VIOLATION, WebsocketConnection


class PendingCall:
    """A call that waits for its response."""

    __slots__ = ("deadline", "intended", "request", "requester", "sent")

    def __init__(self, request: Request, requester: Requester, intended: int, sent: int) -> None:
        self.request = request
        self.requester = requester
        self.intended = intended
        self.sent = sent
        self.deadline = sent + request.timeout_ns


class DeepstreamConnection(WebsocketConnection):
    """`Request.rpc_name` is the RPC's name, `payload` its data; `Response.body` is the data of the response.

    `request` stays None: the connection is never too busy for another call.
    """

    __slots__ = ("_last_id", "_opening", "_pending")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._pending: dict[str, PendingCall] = {}
        self._last_id = 0  # correlation id of the last call
        self._opening = False

    # Calls

    def send_request(self, request: Request, requester: Requester, intended: int = 0) -> None:
        now = perf_counter_ns()
        self._last_id += 1
        identifier = str(self._last_id)
        call = self._pending[identifier] = PendingCall(request, requester, intended or now, now)
        if call.deadline < self._timer_due:
            self._timer_due = call.deadline
            self.loop.call_at(call.deadline, self._on_timer)
        if self.ready:
            self._send_call(identifier, request)
        elif not self._opening:
            self._opening = True
            if self._pending_failure:
                self.loop.call_soon(self._report_failure)
            else:
                self.open()

    def _send_call(self, identifier: str, request: Request) -> None:
        name, data = json_string(request.rpc_name), json_string(request.payload.decode(errors="replace"))
        message = f'{{"topic":{RPC},"action":{REQUEST},"name":{name},"correlationId":"{identifier}","data":{data}}}'
        self.send_text(message.encode())

    def _send_message(self, **message: object) -> None:
        self.send_text(orjson.dumps(message))

    # Login

    def on_handshake_done(self) -> None:
        self._send_message(topic=CONNECTION, action=CHALLENGE, url=self._url(), protocolVersion=VERSION)

    def _url(self) -> str:
        return f"ws://{self.address.authority}{self.address.path}"

    def connected(self) -> None:
        self.ready = True
        self._opening = False
        now = perf_counter_ns()
        if self._pending:
            next(iter(self._pending.values())).request.samples.connects.append(now - self._open_began)
        for identifier, call in self._pending.items():
            call.sent = now
            self._send_call(identifier, call.request)

    # Messages

    def on_bytes(self, data: bytes, now: int) -> None:
        payload = frame_codec.decode_single_text(data) if self._is_idle and self._handshake is None else None
        if payload is None:
            super().on_bytes(data, now)
        else:
            self._on_text(payload, now)

    def on_events(self, events: list[Event], now: int) -> None:
        sock = self._sock
        closing = self.handle_control_frames(events)
        for opcode, payload in events:
            if self._sock is not sock:
                return  # the message before closed it, and it may be open again
            if opcode == TEXT:
                self._on_text(payload, now)
            elif opcode == BINARY:
                self._close_for("binary message")
        if closing is not None and self._sock is sock:
            self.fail(closing)

    def _on_text(self, payload: bytes, now: int) -> None:
        try:
            message = orjson.loads(payload)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._close_for("deepstream: not a message of its JSON protocol")
            return
        topic, action = message.get("topic"), message.get("action")
        if topic == RPC:
            self._on_rpc(action, message, now)
        elif topic == CONNECTION and action == PING:
            self._send_message(topic=CONNECTION, action=PONG)
        elif topic == CONNECTION and action == ACCEPTED and not self.ready:
            self._send_message(topic=AUTH, action=LOGIN, data=self.address.login)
        elif topic == AUTH and action == LOGGED_IN and not self.ready:
            self.connected()
        elif (topic, action) != (CONNECTION, CHALLENGE):
            self._close_for("deepstream: login refused" if topic == AUTH else "deepstream: connection refused")

    def _on_rpc(self, action: Any, message: dict[str, Any], now: int) -> None:
        if action != RESPONSE and action not in RPC_REFUSALS:
            return  # ACCEPT: a provider has the call
        identifier = message.get("correlationId")
        call = self._pending.pop(identifier, None) if isinstance(identifier, str) else None
        if call is None or not self.ready:
            if not self._was_issued(identifier):
                self._close_for("deepstream: a response to no call")
            return  # it came after its timeout, or twice
        data = message.get("data", "")
        try:
            body = data.encode() if isinstance(data, str) else orjson.dumps(data)
        except (TypeError, UnicodeEncodeError):  # nested too deeply, or half a character
            self._close_for("deepstream: a response that is no JSON")
            return
        error = None if action == RESPONSE else f"deepstream: {RPC_REFUSALS[action]}"
        deliver(call.request, call.requester, Response(0, NO_HEADERS, body, error, call.intended, call.sent, now, now))

    def _was_issued(self, identifier: object) -> bool:
        return isinstance(identifier, str) and identifier.isdecimal() and 0 < int(identifier[:18]) <= self._last_id

    # Failures

    def _close_for(self, reason: str) -> None:
        self.send_close(POLICY_VIOLATION)
        self.fail(reason)

    def fail(self, reason: str, status: int = 0, headers: Headers = NO_HEADERS, body: bytes = b"") -> None:
        """Close, and fail every waiting call."""
        self._pending_failure = ""
        is_unsent = not self.ready
        self.close()
        calls, self._pending = self._pending, {}
        now = perf_counter_ns()
        for call in calls.values():
            response = Response(status, headers, body, reason, call.intended, call.sent, now, now)
            deliver(call.request, call.requester, response, is_unsent)

    def _on_timer(self, when: int) -> None:
        """Fail the calls whose deadline has passed. The connection stays open: a late response has another id."""
        if when != self._timer_due:
            return
        self._timer_due = NEVER
        now = perf_counter_ns()
        expired = [identifier for identifier, call in self._pending.items() if call.deadline <= now]
        calls = [self._pending.pop(identifier) for identifier in expired]
        reason = "timeout" if self.ready else "timeout while connecting"
        if not self.ready and not self._pending:
            self.close()  # the next call tries anew
        for call in calls:
            response = Response(0, NO_HEADERS, b"", reason, call.intended, call.sent, now, now)
            deliver(call.request, call.requester, response)
        nearest = min((call.deadline for call in self._pending.values()), default=NEVER)
        if nearest < self._timer_due:
            self._timer_due = nearest
            self.loop.call_at(nearest, self._on_timer)

    def on_end(self, reason: str) -> None:
        if self._pending:
            self.fail(reason or ("closed before response" if self.ready else "closed in the handshake"))
        else:
            self.close()

    def abandon(self) -> None:
        for call in self._pending.values():
            call.request.samples.record_abandoned(call.intended, call.sent)
        self._pending.clear()
        super().abandon()

    def close(self) -> None:
        self._opening = False
        super().close()
