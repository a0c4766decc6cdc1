"""Websockets as the engine speaks them: handshake, frames both ways, control frames."""

from __future__ import annotations

from random import Random

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from loadtests.engine import frames
from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import Talk, client, peer
from loadtests.selftest.websocket_peer import after_handshake, agree, answering, next_frame, proof

WRONG = "handshake: the server's proof or headers are wrong"
TEXT = "Grönköping ✓ 𝄞".encode()


def test_the_handshake_is_that_of_the_standard() -> None:
    came: list[bytes] = []

    def script(talk: Talk) -> None:
        came.append(talk.head())
        talk.send(agree(came[0]))
        next_frame(talk)
        talk.send(server_frame(1, b"{}"))

    with peer(script) as server, client() as ours:
        ours.ask(ours.request(server.url("ws", "/api/LIST?a=b"), b"{}"))
        port = server.port
    lines = came[0].decode().split("\r\n")
    assert lines[0] == "GET /api/LIST?a=b HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"} <= {
        *lines
    }


def test_keys_of_handshakes_and_masks_of_frames_differ() -> None:
    keys: list[bytes] = []
    masks: list[bytes] = []

    def script(talk: Talk) -> None:
        head = talk.head()
        keys.append(proof(head))
        talk.send(agree(head))
        for _ in range(3):
            masks.append(talk.exactly(8)[2:6])
            talk.send(server_frame(1, b"{}"))

    with peer(script) as server:
        for _ in range(2):
            with client() as ours:
                ours.ask(*[ours.request(server.url("ws"), b"{}")] * 3)
    assert len(set(keys)) == 2
    assert len(set(masks)) == 6


SIZES = (0, 1, 3, 125, 126, 127, 2047, 2048, 65535, 65536, 1_000_001)


def test_messages_of_every_size_go_both_ways() -> None:
    got: list[Frame] = []

    def script(talk: Talk) -> None:
        for _ in SIZES:
            got.append(next_frame(talk))
            talk.send(server_frame(1, bytes(got[-1].data)[::-1]))

    payloads = [Random(size).randbytes(size).hex().encode()[:size] for size in SIZES]
    with peer(after_handshake(script)) as server, client() as ours:
        answers = ours.ask(*[ours.request(server.url("ws"), payload) for payload in payloads])
    assert [(each.opcode, each.fin, bytes(each.data)) for each in got] == [(Opcode.TEXT, True, p) for p in payloads]
    assert [(each.error, each.body) for each in answers] == [(None, payload[::-1]) for payload in payloads]


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
    with peer(answering(*ANSWERS[case])) as server, client() as ours:
        answer = ours.ask(ours.request(server.url("ws"), b"{}"))[0]
    assert (answer.status, answer.error, answer.body) == (0, None, TEXT)


def test_a_ping_is_answered_at_once_with_its_payload() -> None:
    pongs: list[Frame] = []

    def script(talk: Talk) -> None:
        next_frame(talk)
        talk.send(server_frame(1, b"[", fin=False) + server_frame(9, b"still there?"))
        pongs.append(next_frame(talk))
        talk.send(server_frame(0, b"]"))

    with peer(after_handshake(script)) as server, client() as ours:
        assert ours.ask(ours.request(server.url("ws"), b"{}"))[0].body == b"[]"
    assert [(each.opcode, bytes(each.data)) for each in pongs] == [(Opcode.PONG, b"still there?")]


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
def test_a_refused_handshake_is_an_answer(case: str) -> None:
    answer, status, error = REFUSED[case]

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(answer)

    with peer(script) as server, client() as ours:
        got = ours.ask(ours.request(server.url("ws"), b"{}"))[0]
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
    def script(talk: Talk) -> None:
        agreed = agree(talk.head())
        assert was in agreed
        talk.send(agreed.replace(was, becomes))

    with peer(script) as server, client() as ours:
        got = ours.ask(ours.request(server.url("ws"), b"{}"))[0]
    assert got.error == reason


def test_a_session_that_ends_says_goodbye() -> None:
    closes: list[Frame] = []

    def script(talk: Talk) -> None:
        next_frame(talk)
        talk.send(server_frame(1, b"{}"))
        closes.append(next_frame(talk))

    with peer(after_handshake(script)) as server, client() as ours:
        ours.ask(ours.request(server.url("ws"), b"{}"))
        ours.session.stop(graceful=False)
    assert [(each.opcode, bytes(each.data)) for each in closes] == [(Opcode.CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_is_what_websockets_reads(size: int) -> None:
    payload = Random(size).randbytes(size)
    for opcode, framed in (
        (Opcode.TEXT, frames.text(payload)),
        (Opcode.PING, frames.frame(frames.PING, payload[:125])),
    ):
        reader = StreamReader()
        reader.feed_data(framed)
        with pytest.raises(StopIteration) as read:
            next(Frame.parse(reader.read_exact, mask=True))
        assert read.value.value == Frame(opcode, payload if opcode is Opcode.TEXT else payload[:125])
