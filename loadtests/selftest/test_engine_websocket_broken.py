"""What breaks a websocket: violations, closes, messages that nobody asked for, answers that come too late."""

from __future__ import annotations

import threading

import pytest
from websockets.frames import Frame, Opcode

from loadtests.engine.call import Answer, Journey
from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import SHORT, Client, Peer, Talk, client, one, peer
from loadtests.selftest.websocket_peer import after_handshake, agree, answering, next_frame

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
