"""Remote procedure calls through a deepstream engine, in its JSON protocol (endpoint type `ws-json`).

One connection carries any number of calls, paired with their answers by correlation id. The numbers are those of the
type declarations in the npm package @deepstream/protobuf 1.0.9.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted
from time import perf_counter_ns
from typing import Any

import orjson

from loadtests.engine import frames
from loadtests.engine.call import Address, Answer, Headers, Owner, Request
from loadtests.engine.connection import NEVER, NO_HEADERS, settle
from loadtests.engine.frames import BINARY, TEXT, Event
from loadtests.engine.loop import Loop
from loadtests.engine.websocket import POLICY, Websocket

CONNECTION, AUTH, RPC = 2, 3, 6  # topics
PING, PONG, ACCEPTED, CHALLENGE = 2, 3, 4, 5  # actions of CONNECTION
LOGIN, LOGGED_IN = 2, 3  # actions of AUTH
REQUEST, ACCEPT, RESPONSE = 2, 4, 5  # actions of RPC
REFUSALS = {  # actions of RPC that end a call without a response
    1: "ERROR",
    6: "REJECT",
    7: "REQUEST_ERROR",
    100: "NO_RPC_PROVIDER",
    101: "ACCEPT_TIMEOUT",
    103: "INVALID_RPC_CORRELATION_ID",
    104: "RESPONSE_TIMEOUT",
    106: "MESSAGE_PERMISSION_ERROR",
    107: "MESSAGE_DENIED",
    108: "INVALID_MESSAGE_DATA",
}


class Call:
    """A request that waits for its answer."""

    __slots__ = ("deadline", "intended", "owner", "request", "sent")

    def __init__(self, request: Request, owner: Owner, intended: int, sent: int) -> None:
        self.request = request
        self.owner = owner
        self.intended = intended
        self.sent = sent
        self.deadline = sent + request.timeout_ns


class Deepstream(Websocket):
    """`Request.name` is the RPC's, `payload` its data; `Answer.body` is the data of the response.

    `request` stays None: the connection is never too busy for another call.
    """

    __slots__ = ("_calls", "_number", "_opening")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._calls: dict[str, Call] = {}
        self._number = 0  # of the last call; its correlation id
        self._opening = False

    # Asking

    def call(self, request: Request, owner: Owner, intended: int = 0) -> None:
        now = perf_counter_ns()
        self._number += 1
        identifier = str(self._number)
        call = self._calls[identifier] = Call(request, owner, intended or now, now)
        if call.deadline < self._alarm:
            self._alarm = call.deadline
            self.loop.at(call.deadline, self._on_alarm)
        if self.ready:
            self._say(identifier, request)
        elif not self._opening:
            self._opening = True
            if self._broken:
                self.loop.soon(self._report)
            else:
                self.open()

    def _say(self, identifier: str, request: Request) -> None:
        name, data = quoted(request.name), quoted(request.payload.decode(errors="replace"))
        said = f'{{"topic":{RPC},"action":{REQUEST},"name":{name},"correlationId":"{identifier}","data":{data}}}'
        self.write(frames.text(said.encode()))

    def _tell(self, **message: object) -> None:
        self.write(frames.text(orjson.dumps(message)))

    # Login, which the server lets pass without credentials

    def opened(self) -> None:
        url = f"ws://{self.address.authority}{self.address.path}"
        self._tell(topic=CONNECTION, action=CHALLENGE, url=url, protocolVersion="0.1a")

    def connected(self) -> None:
        self.ready = True
        self._opening = False
        now = perf_counter_ns()
        if self._calls:
            next(iter(self._calls.values())).request.slot.connects.append(now - self._opened)
        for identifier, call in self._calls.items():
            call.sent = now
            self._say(identifier, call.request)

    # Hearing

    def on_bytes(self, data: bytes, now: int) -> None:
        payload = frames.whole_text(data) if self._idle and self._upgrade is None else None
        if payload is None:
            super().on_bytes(data, now)
        else:
            self._on_text(payload, now)

    def on_events(self, events: list[Event], now: int) -> None:
        sock = self._sock
        closing = self.controls(events)
        for opcode, payload in events:
            if self._sock is not sock:
                return  # broken by the message before, and perhaps open again
            if opcode == TEXT:
                self._on_text(payload, now)
            elif opcode == BINARY:
                self._break("binary message")
        if closing is not None and self._sock is sock:
            self.fail(closing)

    def _on_text(self, payload: bytes, now: int) -> None:
        try:
            message = orjson.loads(payload)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self._break("deepstream: not a message of its JSON protocol")
            return
        topic, action = message.get("topic"), message.get("action")
        if topic == RPC:
            self._on_rpc(action, message, now)
        elif topic == CONNECTION and action == PING:
            self._tell(topic=CONNECTION, action=PONG)
        elif topic == CONNECTION and action == ACCEPTED and not self.ready:
            self._tell(topic=AUTH, action=LOGIN, data="{}")
        elif topic == AUTH and action == LOGGED_IN and not self.ready:
            self.connected()
        elif (topic, action) != (CONNECTION, CHALLENGE):
            self._break("deepstream: login refused" if topic == AUTH else "deepstream: connection refused")

    def _on_rpc(self, action: Any, message: dict[str, Any], now: int) -> None:
        if action != RESPONSE and action not in REFUSALS:
            return  # ACCEPT: a provider has the call
        identifier = message.get("correlationId")
        call = self._calls.pop(identifier, None) if isinstance(identifier, str) else None
        if call is None or not self.ready:
            if not self._ours(identifier):
                self._break("deepstream: an answer to no call")
            return  # else it came after its timeout, or twice
        data = message.get("data", "")
        body = data.encode() if isinstance(data, str) else orjson.dumps(data)
        error = None if action == RESPONSE else f"deepstream: {REFUSALS[action]}"
        settle(call.request, call.owner, Answer(0, NO_HEADERS, body, error, call.intended, call.sent, now, now))

    def _ours(self, identifier: object) -> bool:
        return isinstance(identifier, str) and identifier.isdecimal() and 0 < int(identifier[:18]) <= self._number

    # Failing

    def _break(self, reason: str) -> None:
        self.goodbye(POLICY)
        self.fail(reason)

    def fail(self, reason: str, status: int = 0, headers: Headers = NO_HEADERS, body: bytes = b"") -> None:
        """Close, and fail every call that waits."""
        self._broken = ""
        self.close()
        calls, self._calls = self._calls, {}
        now = perf_counter_ns()
        for call in calls.values():
            answer = Answer(status, headers, body, reason, call.intended, call.sent, now, now)
            settle(call.request, call.owner, answer)

    def _on_alarm(self, due: int) -> None:
        """Fail the calls whose time is over; the connection stays, for a late answer is known by its id."""
        if due != self._alarm:
            return
        self._alarm = NEVER
        now = perf_counter_ns()
        over = [identifier for identifier, call in self._calls.items() if call.deadline <= now]
        calls = [self._calls.pop(identifier) for identifier in over]
        reason = "timeout" if self.ready else "timeout while connecting"
        if not self.ready and not self._calls:
            self.close()  # the next call tries anew
        for call in calls:
            answer = Answer(0, NO_HEADERS, b"", reason, call.intended, call.sent, now, now)
            settle(call.request, call.owner, answer)
        nearest = min((call.deadline for call in self._calls.values()), default=NEVER)
        if nearest < self._alarm:
            self._alarm = nearest
            self.loop.at(nearest, self._on_alarm)

    def on_end(self, reason: str) -> None:
        if self._calls:
            self.fail(reason or ("closed before answer" if self.ready else "closed in the handshake"))
        else:
            self.close()

    def drop(self) -> None:
        for call in self._calls.values():
            call.request.slot.given_up(call.intended, call.sent)
        self._calls.clear()
        super().drop()

    def close(self) -> None:
        self._opening = False
        super().close()
