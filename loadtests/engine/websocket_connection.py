"""A websocket connection (RFC 6455) for calls without a correlation id: one request in flight, one message each way.

An unsolicited message breaks the connection, and so does a timeout: a late response must never be taken for that of
the next call.
"""

from __future__ import annotations

from time import perf_counter_ns

from fixtures.http1 import response_reader
from fixtures.http1.response_head import MalformedResponse, ResponseHead
from fixtures.websocket import frame_codec
from fixtures.websocket.frame_codec import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Event,
    ProtocolError,
    decode_single_text,
    encode_text,
)
from fixtures.websocket.frame_reader import FrameReader
from fixtures.websocket.handshake import accepts_handshake, handshake_request, new_key
from fixtures.websocket.message_deflate import OFFER, MessageDeflate, agreed_parameters
from loadtests.engine.connection import NO_HEADERS, Connection
from loadtests.engine.exchange_types import Address, Request
from loadtests.engine.loop import Loop

NORMAL_CLOSURE, POLICY_VIOLATION = 1000, 1008
UNSOLICITED = "unsolicited message"


class WebsocketConnection(Connection):
    """`Request.payload` is the text of a message, `Response.body` the next message from the server, text or binary."""

    __slots__ = ("_deflate", "_first_byte", "_frame_reader", "_handshake", "_is_idle", "_key")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._key = b""
        self._handshake: response_reader.ResponseReader | None = None  # while the handshake's response is awaited
        self._frame_reader: FrameReader | None = None  # while it has something left over: idle connections need none
        self._is_idle = True  # it has not
        self._deflate: MessageDeflate | None = None  # if the server has agreed to it
        self._first_byte = 0  # when an incomplete message began to come

    def _write_request(self, request: Request) -> None:
        self._is_written = True
        self.send_text(request.payload)

    def send_text(self, payload: bytes) -> None:
        """Send a text message, compressed if that was agreed on."""
        self.write(encode_text(payload) if self._deflate is None else self._deflate.encode_text(payload))

    # Handshake

    def on_open(self) -> None:
        self._key = new_key()
        self._handshake = response_reader.ResponseReader(accept_upgrade=True)
        offer = OFFER if self.address.deflate else ""
        self.write(handshake_request(self.address.path, self.address.authority, self._key, extensions=offer))

    def _on_upgrade(self, reader: response_reader.ResponseReader) -> None:
        head = reader.head
        if head is None:
            return
        self.release()
        if head.status != 101:
            self.fail(f"handshake refused: status {head.status}", head.status, head.headers, reader.body)
        elif not accepts_handshake(head, self._key, self.address.deflate) or not self._agree_on_deflate(head):
            self.fail("handshake: the server's proof or headers are wrong", head.status, head.headers)
        else:
            self._handshake = None
            self._key = b""
            sock = self._sock
            if reader.surplus:
                self.on_bytes(reader.surplus, perf_counter_ns())
            if self._sock is sock:
                self.on_handshake_done()

    def _agree_on_deflate(self, head: ResponseHead) -> bool:
        """Compress if the server has agreed to it; False if its answer to the offer is invalid."""
        answer = dict(head.headers).get(b"sec-websocket-extensions")
        parameters = None if answer is None else agreed_parameters(answer)
        if parameters is not None:
            self._deflate = MessageDeflate(parameters)
        return answer is None or parameters is not None

    def on_handshake_done(self) -> None:
        """The websocket is open. Overridden where a login follows."""
        self.connected()

    # Bytes

    def on_bytes(self, data: bytes, now: int) -> None:
        if self._is_idle and self._is_written:
            payload = decode_single_text(data)
            if payload is not None:
                self.complete(0, NO_HEADERS, payload, now, now)
                return
        if self._handshake is not None:
            try:
                is_complete = self._handshake.feed(data)
            except MalformedResponse as error:
                self.fail(f"handshake: {error}")
                return
            if is_complete:
                self._on_upgrade(self._handshake)
            else:
                self.hold(len(data))
            return
        reader = self._frame_reader = self._frame_reader or self._new_reader()
        try:
            events = reader.feed(data)
        except ProtocolError as error:
            self.send_close(error.code)
            self.fail(f"websocket: {error}")
            return
        if events or not self._is_written:
            self.release()
            self.on_events(events, now)
        else:
            self.hold(len(data))
        if self._frame_reader is not reader:
            return  # it was closed
        if not self._first_byte and reader.surplus:
            self._first_byte = now
        self._is_idle = reader.idle
        if not reader.surplus and reader.idle:
            self._frame_reader = None

    def _new_reader(self) -> FrameReader:
        return FrameReader(inflate=None if self._deflate is None else self._deflate.inflate)

    def on_events(self, events: list[Event], now: int) -> None:
        """Handle control frames and deliver the message that is the response. Any other message is unsolicited."""
        closing = self.handle_control_frames(events)
        messages = [event for event in events if event[0] in {TEXT, BINARY}]
        if messages and self._is_written:
            payload = messages[0][1]
            first, self._first_byte = self._first_byte or now, 0
            if len(messages) > 1 or self._has_surplus:
                self._refuse_unsolicited()
            elif closing is not None:
                self.close()
            self.complete(0, NO_HEADERS, payload, first, now)
        elif messages or (self._has_surplus and not self._is_written):
            self._refuse_unsolicited()
            if self.request is not None:
                self._report_failure()
        elif closing is not None:
            self.fail(closing)

    @property
    def _has_surplus(self) -> bool:
        return self._frame_reader is not None and self._frame_reader.surplus

    def handle_control_frames(self, events: list[Event]) -> str | None:
        """Answer pings at once, and a close frame by a close frame: its reason is returned then."""
        for opcode, payload in events:
            if opcode == PING and not self._unsent:  # a server that does not read needs no pong (section 5.5.3)
                self.write(frame_codec.encode_frame(PONG, payload))
            elif opcode == CLOSE:
                self.write(frame_codec.encode_frame(CLOSE, payload))
                return f"closed by the server: {int.from_bytes(payload, 'big') or 'no code'}"
        return None

    def _refuse_unsolicited(self) -> None:
        self.send_close(POLICY_VIOLATION)
        self.close_as_broken(UNSOLICITED)

    def send_close(self, code: int) -> None:
        """Send a close frame with this code if the connection can take it."""
        if self._sock is not None and self._handshake is None and not self._unsent:
            self.write(frame_codec.encode_close(code))

    # The end

    def on_end(self, reason: str) -> None:
        reader = self._handshake
        if reader is not None and not reason and reader.feed_eof():
            self._on_upgrade(reader)
        elif self.request is None:
            self.close()
        elif not self._is_written:
            self.fail(reason or "closed in the handshake")
        else:
            self.fail(reason or ("closed in response" if self._first_byte else "closed before response"))

    def abandon(self) -> None:
        if self.ready:
            self.send_close(NORMAL_CLOSURE)
        super().abandon()

    def close(self) -> None:
        self._handshake = None
        self._frame_reader = self._deflate = None
        self._is_idle = True
        self._first_byte = 0
        super().close()
