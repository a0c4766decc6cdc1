"""Websockets as the engine speaks them: handshake, frames both ways, control frames, and what breaks a connection."""

from __future__ import annotations

import threading
from base64 import b64encode
from hashlib import sha1
from random import Random

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from loadtests.engine import frames
from loadtests.engine.call import Answer, Journey
from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import SHORT, Client, Peer, Script, Talk, client, one, peer

WRONG = "handshake: the server's proof or headers are wrong"
TEXT = "Grönköping ✓ 𝄞".encode()


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


VIOLATIONS: dict[str, tuple[bytes, int, str]] = {
    "masked": (b"\x81\x81abcd\x00", 1002, "masked frame from the server"),
    "reserved bit": (b"\xc1\x00", 1002, "reserved bit set"),
    "unknown opcode": (b"\x83\x00", 1002, "unknown opcode"),
    "fragmented ping": (b"\x09\x00", 1002, "fragmented control frame"),
    "long ping": (b"\x89\x7e\x00\x7e", 1002, "control frame too long"),
    "continuation of nothing": (b"\x80\x00", 1002, "fragments out of order"),
    "message within a message": (b"\x01\x00\x81\x00", 1002, "fragments out of order"),
    "16 bits for little": (b"\x81\x7e\x00\x05hello", 1002, "length not minimal"),
    "64 bits for little": (b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 1002, "length not minimal"),
    "length of 64 bits": (b"\x81\x7f" + b"\xff" * 8, 1002, "length out of range"),
    "too big": (b"\x81\x7f\x00\x00\x00\x00\x01\x00\x00\x01", 1009, "message too big"),
    "not UTF-8": (b"\x81\x02\xff\xfe", 1007, "text is not UTF-8"),
    "surrogate": (b"\x81\x03\xed\xa0\x80", 1007, "text is not UTF-8"),
    "not UTF-8 in fragments": (b"\x01\x01\xc3\x80\x01(", 1007, "text is not UTF-8"),
    "close of one byte": (b"\x88\x01\x03", 1002, "malformed close frame"),
    "close with a code that never travels": (b"\x88\x02\x03\xed", 1002, "malformed close frame"),
    "close with a reason not UTF-8": (b"\x88\x03\x03\xe8\xff", 1007, "close reason is not UTF-8"),
}


@pytest.mark.parametrize("case", VIOLATIONS)
def test_a_violation_ends_the_connection_with_its_code(case: str) -> None:
    answer, code, reason = VIOLATIONS[case]
    closes: list[Frame] = []

    def script(talk: Talk) -> None:
        next_frame(talk)
        if talk.number == 0:
            talk.send(answer)
            closes.append(next_frame(talk))
        else:
            talk.send(server_frame(1, b"{}"))

    with peer(after_handshake(script)) as server, client() as ours:
        bad, good = ours.ask(*[ours.request(server.url("ws"), b"{}")] * 2)
    assert (bad.error, good.error) == (f"websocket: {reason}", None)
    assert [(each.opcode, bytes(each.data)) for each in closes] == [(Opcode.CLOSE, code.to_bytes(2, "big"))]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (server_frame(8, b"\x03\xe9going"), "closed by the server: 1001"),
        (server_frame(8, b""), "closed by the server: no code"),
    ],
)
def test_a_close_instead_of_an_answer_is_an_error_and_the_next_call_a_new_connection(answer: bytes, error: str) -> None:
    with peer(answering(answer)) as server, client() as ours:
        bad, good = ours.ask(*[ours.request(server.url("ws"), b"{}")] * 2)
    assert (bad.error, good.error, server.connections) == (error, None, 2)


def test_a_close_is_answered_with_its_code() -> None:
    closes: list[Frame] = []

    def script(talk: Talk) -> None:
        next_frame(talk)
        talk.send(server_frame(8, b"\x0f\xa0why"))
        closes.append(next_frame(talk))

    with peer(after_handshake(script)) as server, client() as ours:
        ours.ask(ours.request(server.url("ws"), b"{}"))
    assert [(each.opcode, bytes(each.data)) for each in closes] == [(Opcode.CLOSE, b"\x0f\xa0")]


def test_a_close_behind_the_answer_only_ends_the_connection() -> None:
    with peer(answering(server_frame(1, b"[]") + server_frame(8, b"\x03\xe8"))) as server, client() as ours:
        answers = ours.ask(*[ours.request(server.url("ws"), b"{}")] * 2)
    assert [(each.error, each.body) for each in answers] == [(None, b"[]"), (None, b"{}")]


@pytest.mark.parametrize("behind", [server_frame(1, b"[]"), b"\x81", b"\x01\x00", b"\xff\xff"])
def test_something_behind_the_answer_fails_the_next_call_and_only_that(behind: bytes) -> None:
    with peer(answering(server_frame(1, b"[1]") + behind)) as server, client() as ours:
        answers = ours.ask(*[ours.request(server.url("ws"), b"{}")] * 3)
    assert [(each.error, each.body) for each in answers] == [
        (None, b"[1]"),
        ("unsolicited message", b""),
        (None, b"{}"),
    ]


@pytest.mark.parametrize("early", [b"", server_frame(9, b"hi")], ids=["nothing", "ping"])
def test_a_message_before_any_call_fails_that_call(early: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.send(agree(talk.head()) + early + server_frame(1, b"welcome"))
        while talk.read():
            pass

    with peer(script) as server, client() as ours:
        assert ours.ask(ours.request(server.url("ws"), b"{}"))[0].error == "unsolicited message"


def test_a_message_while_idle_fails_the_next_call() -> None:
    go = threading.Event()

    def script(talk: Talk) -> None:
        next_frame(talk)
        talk.send(server_frame(1, b"{}"))
        if talk.number == 0:
            go.wait(10)
            talk.send(server_frame(1, b"news"))
        while talk.read():
            pass

    def journey(ours: Client, server: Peer, answers: list[Answer]) -> Journey:
        request = ours.request(server.url("ws"), b"{}")
        answers.append(one((yield request)))
        go.set()
        yield from ours.until_closed(request)
        answers.append(one((yield request)))
        answers.append(one((yield request)))

    answers: list[Answer] = []
    with peer(after_handshake(script)) as server, client() as ours:
        ours.play(journey(ours, server, answers))
    assert [each.error for each in answers] == [None, "unsolicited message", None]


def test_a_late_answer_is_never_that_of_the_next_call() -> None:
    def script(talk: Talk) -> None:
        asked = bytes(next_frame(talk).data)
        if talk.number == 0:
            talk.read()  # the client gives up
        talk.send(server_frame(1, asked))

    with peer(after_handshake(script)) as server, client() as ours:
        late = ours.request(server.url("ws"), b"[1]", timeout_ns=SHORT)
        answers = ours.ask(late, ours.request(server.url("ws"), b"[2]"))
    assert [(each.error, each.body) for each in answers] == [("timeout", b""), (None, b"[2]")]


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
