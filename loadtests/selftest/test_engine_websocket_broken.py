"""What ends a websocket connection: violations, close frames, unsolicited messages, late responses."""

from __future__ import annotations

import threading

import pytest
from websockets.frames import Frame, Opcode

from loadtests.engine.exchange_types import Journey, Response
from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.peers import (
    PATIENCE,
    SHORT,
    EngineClient,
    ScriptedServer,
    ServerConnection,
    engine_client,
    scripted_server,
    single,
)
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
    response, code, reason = VIOLATIONS[case]
    closes: list[Frame] = []

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        if connection.number == 0:
            connection.send(response)
            closes.append(next_frame(connection))
        else:
            connection.send(server_frame(1, b"{}"))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        bad, good = client.ask(*[client.request(server.url("ws"), b"{}")] * 2)
    assert (bad.error, good.error) == (f"websocket: {reason}", None)
    assert [(frame.opcode, bytes(frame.data)) for frame in closes] == [(Opcode.CLOSE, code.to_bytes(2, "big"))]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (server_frame(8, b"\x03\xe9going"), "closed by the server: 1001"),
        (server_frame(8, b""), "closed by the server: no code"),
    ],
)
def test_a_close_instead_of_a_response_is_an_error_and_the_next_call_opens_a_new_connection(
    response: bytes, error: str
) -> None:
    with scripted_server(answering(response)) as server, engine_client() as client:
        bad, good = client.ask(*[client.request(server.url("ws"), b"{}")] * 2)
    assert (bad.error, good.error, server.connections) == (error, None, 2)


def test_a_close_is_echoed_with_its_code() -> None:
    closes: list[Frame] = []

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        connection.send(server_frame(8, b"\x0f\xa0why"))
        closes.append(next_frame(connection))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        client.ask(client.request(server.url("ws"), b"{}"))
    assert [(frame.opcode, bytes(frame.data)) for frame in closes] == [(Opcode.CLOSE, b"\x0f\xa0")]


def test_a_close_after_the_response_only_ends_the_connection() -> None:
    with (
        scripted_server(answering(server_frame(1, b"[]") + server_frame(8, b"\x03\xe8"))) as server,
        engine_client() as client,
    ):
        responses = client.ask(*[client.request(server.url("ws"), b"{}")] * 2)
    assert [(response.error, response.body) for response in responses] == [(None, b"[]"), (None, b"{}")]


@pytest.mark.parametrize("behind", [server_frame(1, b"[]"), b"\x81", b"\x01\x00", b"\xff\xff"])
def test_bytes_after_the_response_fail_the_next_call_and_only_that(behind: bytes) -> None:
    with scripted_server(answering(server_frame(1, b"[1]") + behind)) as server, engine_client() as client:
        responses = client.ask(*[client.request(server.url("ws"), b"{}")] * 3)
    assert [(response.error, response.body) for response in responses] == [
        (None, b"[1]"),
        ("unsolicited message", b""),
        (None, b"{}"),
    ]


@pytest.mark.parametrize("early", [b"", server_frame(9, b"hi")], ids=["nothing", "ping"])
def test_a_message_before_any_call_fails_that_call(early: bytes) -> None:
    def script(connection: ServerConnection) -> None:
        connection.send(agree(connection.head()) + early + server_frame(1, b"welcome"))
        while connection.read():
            pass

    with scripted_server(script) as server, engine_client() as client:
        assert client.ask(client.request(server.url("ws"), b"{}"))[0].error == "unsolicited message"


def test_a_message_while_idle_fails_the_next_call() -> None:
    go = threading.Event()

    def script(connection: ServerConnection) -> None:
        next_frame(connection)
        connection.send(server_frame(1, b"{}"))
        if connection.number == 0:
            assert go.wait(PATIENCE)
            connection.send(server_frame(1, b"news"))
        while connection.read():
            pass

    def journey(client: EngineClient, server: ScriptedServer, responses: list[Response]) -> Journey:
        request = client.request(server.url("ws"), b"{}")
        responses.append(single((yield request)))
        go.set()
        yield from client.until_closed(request)
        responses.append(single((yield request)))
        responses.append(single((yield request)))

    responses: list[Response] = []
    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        client.play(journey(client, server, responses))
    assert [response.error for response in responses] == [None, "unsolicited message", None]


def test_a_late_response_is_never_that_of_the_next_call() -> None:
    def script(connection: ServerConnection) -> None:
        text = bytes(next_frame(connection).data)
        if text == b"[0]":
            connection.send(server_frame(1, text))
            text = bytes(next_frame(connection).data)
            connection.read()  # the client gives up
        connection.send(server_frame(1, text))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        opening = client.request(server.url("ws"), b"[0]")  # so that the time limit is not that of a handshake
        late = client.request(server.url("ws"), b"[1]", timeout_ns=SHORT)
        _, *responses = client.ask(opening, late, client.request(server.url("ws"), b"[2]"))
    assert [(response.error, response.body) for response in responses] == [("timeout", b""), (None, b"[2]")]
