"""The server's side of a websocket for the engine's tests: it accepts handshakes and reads frames by `websockets`."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

from websockets.frames import Frame
from websockets.streams import StreamReader

from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.peers import Script, ServerConnection


def proof(request: bytes) -> bytes:
    """The Sec-WebSocket-Accept for this request (RFC 6455 section 4.2.2)."""
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    return b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def agree(request: bytes) -> bytes:
    """The response that accepts this handshake."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof(request) + b"\r\n\r\n"
    )


def next_frame(connection: ServerConnection) -> Frame:
    """The next frame from the client, read by `websockets`, which insists on the mask."""
    reader = StreamReader()
    parsing = Frame.parse(reader.read_exact, mask=True)
    while True:
        try:
            next(parsing)
        except StopIteration as stop:
            frame: Frame = stop.value
            connection.unread(bytes(reader.buffer))
            return frame
        data = connection.read()
        assert data, "the client left within a frame"
        reader.feed_data(data)


def after_handshake(script: Script) -> Script:
    """A script whose connection is a websocket already."""

    def handshake_then_script(connection: ServerConnection) -> None:
        connection.send(agree(connection.head()))
        script(connection)

    return handshake_then_script


def answering(*responses: bytes) -> Script:
    """Read a frame, send these bytes, and wait for the client to leave; the next connections get `{}`."""

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        connection.send(*(responses if connection.number == 0 else (server_frame(1, b"{}"),)))
        while connection.read():
            pass

    return after_handshake(script)
