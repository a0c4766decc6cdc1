"""A websocket connection (RFC 6455) of calls without a correlation id: a text message out, a message in, one in flight.

A message that nobody asked for breaks the connection, and so does a timeout: a late answer must never be taken for
that of the next call.
"""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha1
from time import perf_counter_ns

from loadtests.engine import frames, http1
from loadtests.engine.call import Address, Request
from loadtests.engine.connection import NO_HEADERS, Connection
from loadtests.engine.frames import BINARY, CLOSE, PING, PONG, TEXT, Event, Frames, Violation, whole_text
from loadtests.engine.heads import Head, Malformed
from loadtests.engine.loop import Loop

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
NORMAL, POLICY = 1000, 1008
UNSOLICITED = "unsolicited message"


def accepts(head: Head, key: bytes) -> bool:
    """Whether this answer agrees to the handshake with that key (section 4.1), without extension or subprotocol."""
    proof = b64encode(sha1(key + GUID, usedforsecurity=False).digest())
    values = dict(head.headers)
    options = [part.strip().lower() for part in values.get(b"connection", b"").split(b",")]
    return (
        head.status == 101
        and values.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in options
        and values.get(b"sec-websocket-accept") == proof
        and b"sec-websocket-extensions" not in values
        and b"sec-websocket-protocol" not in values
    )


class Websocket(Connection):
    """`Request.payload` is the text of a message, `Answer.body` the next message from the server, text or binary."""

    __slots__ = ("_first", "_frames", "_idle", "_key", "_upgrade")

    def __init__(self, loop: Loop, address: Address) -> None:
        super().__init__(loop, address)
        self._key = b""
        self._upgrade: http1.Reader | None = None  # of the handshake's answer while it is awaited
        self._frames = Frames()
        self._idle = True  # nothing left over in `_frames`
        self._first = 0  # when the first bytes came of a message that is not whole

    def _ask(self, request: Request) -> None:
        self._asked = True
        self.write(frames.text(request.payload))

    # Handshake

    def on_open(self) -> None:
        self._key = b64encode(os.urandom(16))
        self._upgrade = http1.Reader(upgrade=True)
        self.write(
            b"GET %b HTTP/1.1\r\nHost: %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % (self.address.path.encode() or b"/", self.address.authority.encode(), self._key)
        )

    def _on_upgrade(self, reader: http1.Reader, whole: bool) -> None:
        head = reader.head
        if not whole or head is None:
            return
        if head.status != 101:
            self.fail(f"handshake refused: status {head.status}", head.status, head.headers, reader.body)
        elif not accepts(head, self._key):
            self.fail("handshake: the server's proof or headers are wrong", head.status, head.headers)
        else:
            self._upgrade = None
            sock = self._sock
            if reader.surplus:
                self.on_bytes(reader.surplus, perf_counter_ns())
            if self._sock is sock:
                self.opened()

    def opened(self) -> None:
        """The websocket is there. Overridden where a login follows."""
        self.connected()

    # Bytes

    def on_bytes(self, data: bytes, now: int) -> None:
        if self._idle and self._asked:
            payload = whole_text(data)
            if payload is not None:
                self.finish(0, NO_HEADERS, payload, now, now)
                return
        if self._upgrade is not None:
            try:
                whole = self._upgrade.feed(data)
            except Malformed as wrong:
                self.fail(f"handshake: {wrong}")
                return
            self._on_upgrade(self._upgrade, whole)
            return
        try:
            events = self._frames.feed(data)
        except Violation as wrong:
            self.goodbye(wrong.code)
            self.fail(f"websocket: {wrong}")
            return
        if events or not self._asked:
            self.on_events(events, now)
        self._idle = self._frames.idle
        if not self._first and self._frames.surplus:
            self._first = now

    def on_events(self, events: list[Event], now: int) -> None:
        """See to the control frames, and take the message that is the answer. Any other one is nobody's."""
        closing = self.controls(events)
        messages = [event for event in events if event[0] in {TEXT, BINARY}]
        if messages and self._asked:
            payload = messages[0][1]
            first, self._first = self._first or now, 0
            if len(messages) > 1 or self._frames.surplus:
                self._unsolicited()
            elif closing is not None:
                self.close()
            self.finish(0, NO_HEADERS, payload, first, now)
        elif messages or (self._frames.surplus and not self._asked):
            self._unsolicited()
            if self.request is not None:
                self._report()
        elif closing is not None:
            self.fail(closing)

    def controls(self, events: list[Event]) -> str | None:
        """Answer pings at once, and a close with a close: then what it said is returned."""
        for opcode, payload in events:
            if opcode == PING and not self._backlog:  # who does not read needs no answer (section 5.5.3)
                self.write(frames.frame(PONG, payload))
            elif opcode == CLOSE:
                self.write(frames.frame(CLOSE, payload))
                return f"closed by the server: {int.from_bytes(payload, 'big') or 'no code'}"
        return None

    def _unsolicited(self) -> None:
        self.goodbye(POLICY)
        self.refuse(UNSOLICITED)

    def goodbye(self, code: int) -> None:
        """Say why we close, as far as the connection still takes it."""
        if self._sock is not None and self._upgrade is None and not self._backlog:
            self.write(frames.close(code))

    # The end

    def on_end(self, reason: str) -> None:
        reader = self._upgrade
        if reader is not None and not reason and reader.end():
            self._on_upgrade(reader, True)
        elif self.request is None:
            self.close()
        elif not self._asked:
            self.fail(reason or "closed in the handshake")
        else:
            self.fail(reason or ("closed in answer" if self._first else "closed before answer"))

    def drop(self) -> None:
        if self.ready:
            self.goodbye(NORMAL)
        super().drop()

    def close(self) -> None:
        self._upgrade = None
        self._frames = Frames()
        self._idle = True
        self._first = 0
        super().close()
