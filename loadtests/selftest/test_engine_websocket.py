"""Websocket connections of the engine: handshake, frames in both directions, control frames."""

from __future__ import annotations

from random import Random

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from fixtures.websocket import frame_codec
from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.peers import ServerConnection, engine_client, scripted_server
from loadtests.selftest.websocket_peer import after_handshake, agree, answering, next_frame, proof

WRONG = "handshake: the server's proof or headers are wrong"
TEXT = "Grönköping ✓ 𝄞".encode()


def test_the_handshake_is_that_of_the_standard() -> None:
    came: list[bytes] = []

    def script(connection: ServerConnection) -> None:
        came.append(connection.head())
        connection.send(agree(came[0]))
        next_frame(connection)
        connection.send(server_frame(1, b"{}"))

    with scripted_server(script) as server, engine_client() as client:
        client.ask(client.request(server.url("ws", "/api/LIST?a=b"), b"{}"))
        port = server.port
    lines = came[0].decode().split("\r\n")
    assert lines[0] == "GET /api/LIST?a=b HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"} <= {
        *lines
    }


def test_keys_of_handshakes_and_masks_of_frames_differ() -> None:
    keys: list[bytes] = []
    masks: list[bytes] = []

    def script(connection: ServerConnection) -> None:
        head = connection.head()
        keys.append(proof(head))
        connection.send(agree(head))
        for _ in range(3):
            masks.append(connection.exactly(8)[2:6])
            connection.send(server_frame(1, b"{}"))

    with scripted_server(script) as server:
        for _ in range(2):
            with engine_client() as client:
                client.ask(*[client.request(server.url("ws"), b"{}")] * 3)
    assert len(set(keys)) == 2
    assert len(set(masks)) == 6


SIZES = (0, 1, 3, 125, 126, 127, 2047, 2048, 65535, 65536, 1_000_001)


def test_messages_of_every_size_go_both_ways() -> None:
    got: list[Frame] = []

    def script(connection: ServerConnection) -> None:
        for _ in SIZES:
            got.append(next_frame(connection))
            connection.send(server_frame(1, bytes(got[-1].data)[::-1]))

    payloads = [Random(size).randbytes(size).hex().encode()[:size] for size in SIZES]
    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        responses = client.ask(*[client.request(server.url("ws"), payload) for payload in payloads])
    assert [(response.opcode, response.fin, bytes(response.data)) for response in got] == [
        (Opcode.TEXT, True, p) for p in payloads
    ]
    assert [(response.error, response.body) for response in responses] == [
        (None, payload[::-1]) for payload in payloads
    ]


ANSWERS: dict[str, tuple[bytes, ...]] = {
    "one frame": (server_frame(1, TEXT),),
    "byte by byte": tuple(bytes([byte]) for byte in server_frame(1, TEXT)),
    "fragments within characters": (
        server_frame(1, TEXT[:4], fin=False) + server_frame(0, TEXT[4:12], fin=False) + server_frame(0, TEXT[12:]),
    ),
    "empty fragments": (server_frame(1, b"", fin=False) + server_frame(0, TEXT, fin=False) + server_frame(0, b""),),
    "binary": (server_frame(2, TEXT),),
    "binary fragments": (server_frame(2, TEXT[:4], fin=False) + server_frame(0, TEXT[4:]),),
    "ping before": (server_frame(9, b"!") + server_frame(1, TEXT),),
    "pong before": (server_frame(10, b"!"), server_frame(1, TEXT)),
    "ping between": (server_frame(1, TEXT[:4], fin=False), server_frame(9, b"!"), server_frame(0, TEXT[4:])),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_message_is_whole_however_it_comes(case: str) -> None:
    with scripted_server(answering(*ANSWERS[case])) as server, engine_client() as client:
        response = client.ask(client.request(server.url("ws"), b"{}"))[0]
    assert (response.status, response.error, response.body) == (0, None, TEXT)


def test_a_ping_gets_a_pong_at_once_with_its_payload() -> None:
    pongs: list[Frame] = []

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        connection.send(server_frame(1, b"[", fin=False) + server_frame(9, b"still there?"))
        pongs.append(next_frame(connection))
        connection.send(server_frame(0, b"]"))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        assert client.ask(client.request(server.url("ws"), b"{}"))[0].body == b"[]"
    assert [(frame.opcode, bytes(frame.data)) for frame in pongs] == [(Opcode.PONG, b"still there?")]


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "401": (
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno",
        401,
        "handshake refused: status 401",
    ),
    "200": (b"HTTP/1.1 200 OK\r\n\r\nno", 200, "handshake refused: status 200"),
    "wrong proof": (
        b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        101,
        WRONG,
    ),
    "not HTTP": (b"\x81\x02{}", 0, "handshake: not HTTP/1"),
    "nothing": (b"", 0, "closed in the handshake"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_handshake_is_a_response(case: str) -> None:
    response, status, error = REFUSED[case]

    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(response)

    with scripted_server(script) as server, engine_client() as client:
        got = client.ask(client.request(server.url("ws"), b"{}"))[0]
    assert (got.status, got.error) == (status, error)
    assert got.body == (b"no" if error.startswith("handshake refused") else b"")


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        (b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", WRONG),
        (b"Connection: keep-alive, Upgrade\r\n", b"Connection: keep-alive\r\n", "handshake: malformed head"),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", WRONG),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n", WRONG),
        (b"101", b"102", "closed in the handshake"),
    ],
)
def test_a_handshake_has_to_be_agreed_to_as_it_was_offered(was: bytes, becomes: bytes, reason: str) -> None:
    def script(connection: ServerConnection) -> None:
        agreed = agree(connection.head())
        assert was in agreed
        connection.send(agreed.replace(was, becomes))

    with scripted_server(script) as server, engine_client() as client:
        got = client.ask(client.request(server.url("ws"), b"{}"))[0]
    assert got.error == reason


def test_a_user_that_ends_sends_a_close_frame() -> None:
    closes: list[Frame] = []

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        connection.send(server_frame(1, b"{}"))
        closes.append(next_frame(connection))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        client.ask(client.request(server.url("ws"), b"{}"))
        client.user.stop(graceful=False)
    assert [(frame.opcode, bytes(frame.data)) for frame in closes] == [(Opcode.CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_is_what_websockets_reads(size: int) -> None:
    payload = Random(size).randbytes(size)
    for opcode, framed in (
        (Opcode.TEXT, frame_codec.encode_text(payload)),
        (Opcode.PING, frame_codec.encode_frame(frame_codec.PING, payload[:125])),
    ):
        reader = StreamReader()
        reader.feed_data(framed)
        with pytest.raises(StopIteration) as read:
            next(Frame.parse(reader.read_exact, mask=True))
        assert read.value.value == Frame(opcode, payload if opcode is Opcode.TEXT else payload[:125])
