"""The server's side of a websocket for the engine's tests: it agrees to handshakes and reads frames by `websockets`."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

from websockets.frames import Frame
from websockets.streams import StreamReader

from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import Script, Talk


def proof(request: bytes) -> bytes:
    """The Sec-WebSocket-Accept for this request (RFC 6455 section 4.2.2)."""
    key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
    return b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def agree(request: bytes) -> bytes:
    """The answer that agrees to this handshake."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + proof(request) + b"\r\n\r\n"
    )


def next_frame(talk: Talk) -> Frame:
    """The next frame from the client, read by `websockets`, which insists on the mask."""
    reader = StreamReader()
    parsing = Frame.parse(reader.read_exact, mask=True)
    while True:
        try:
            next(parsing)
        except StopIteration as end:
            frame: Frame = end.value
            return frame
        data = talk.exactly(1)
        assert data, "the client left within a frame"
        reader.feed_data(data)


def after_handshake(script: Script) -> Script:
    """A script whose connection is a websocket already."""

    def whole(talk: Talk) -> None:
        talk.send(agree(talk.head()))
        script(talk)

    return whole


def answering(*answers: bytes) -> Script:
    """Read a frame, send these bytes, and wait for the client to leave; the next connections get `{}`."""

    def script(talk: Talk) -> None:
        next_frame(talk)
        talk.send(*(answers if talk.number == 0 else (server_frame(1, b"{}"),)))
        while talk.read():
            pass

    return after_handshake(script)
