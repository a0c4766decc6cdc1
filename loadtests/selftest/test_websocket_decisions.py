"""What a websocket connection does with handshakes, messages and control frames: on a loop without sockets."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Any

import pytest

from fixtures.websocket.frame_codec import BINARY, CLOSE, PING, PONG, TEXT, decode_frame, encode_frame
from fixtures.websocket.handshake import GUID
from loadtests.engine import connection as connection_module
from loadtests.engine import websocket_connection
from loadtests.engine.exchange_types import Address
from loadtests.engine.websocket_connection import WebsocketConnection
from loadtests.selftest.fake_loop import FakeLoop, Requester, connection_on, request_to

WS = Address("ws", "h", 80, "/path")
TEXT_B = encode_frame(TEXT, b"b", masked=False)
LONG_BEGIN, LONG_END = b"\x01\x01a", b"\x80\x01b"  # a text in two fragments


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is always 1000 ns, but for bytes, whose time the tests say."""
    for module in (connection_module, websocket_connection):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: 1_000)


def server_close(code: bytes) -> bytes:
    return encode_frame(CLOSE, code, masked=False)


def frames(connection: Any) -> list[tuple[int, bytes]]:
    """Opcode and payload of the frames that were written."""
    decoded = [decode_frame(data) or (0, False, b"", 0) for data in connection.written]
    assert all(masked for _, masked, _, _ in decoded)
    return [(first & 0x0F, payload) for first, _, payload, _ in decoded]


def in_flight() -> tuple[Any, Requester]:
    """A connection whose request was written, and its requester."""
    connection, requester = connection_on(FakeLoop(), WebsocketConnection, WS), Requester()
    connection.send_request(request_to(WS), requester, 900)
    assert frames(connection) == [(TEXT, b"{}")]
    connection.written.clear()
    return connection, requester


def in_handshake() -> tuple[Any, Requester]:
    """A connection that waits for the response to its handshake, with a request that waits for that."""
    connection, requester = connection_on(FakeLoop(), WebsocketConnection, WS, is_open=False), Requester()
    connection.send_request(request_to(WS), requester, 900)
    connection.on_open()
    return connection, requester


def upgrade(connection: Any) -> bytes:
    """The head of a response that accepts the handshake."""
    proof = b64encode(sha1(connection._key + GUID, usedforsecurity=False).digest())
    return b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n" % proof


def errors(requester: Requester) -> list[str | None]:
    return [response.error for response in requester.responses]


def error_of_next(connection: Any) -> list[str | None]:
    """The error of another request on that connection; empty while it waits."""
    requester = Requester()
    connection.send_request(request_to(WS), requester)
    connection.loop.run_deferred()
    return errors(requester)


# ------------------------------------------------------------------------------------------------ messages


@pytest.mark.parametrize(
    ("pieces", "body", "first"),
    [
        ([TEXT_B], b"b", 1_100),
        ([encode_frame(BINARY, b"b", masked=False)], b"b", 1_100),
        ([LONG_BEGIN, LONG_END], b"ab", 1_100),
        ([b"\x81", b"\x01", b"b"], b"b", 1_100),
        ([encode_frame(PONG, b"", masked=False), LONG_BEGIN, LONG_END], b"ab", 1_200),
        ([encode_frame(PING, b"x", masked=False)[:1], b"\x01x" + LONG_BEGIN, LONG_END], b"ab", 1_200),
    ],
    ids=["text", "binary", "fragments", "bytes", "after a pong", "after a ping in pieces"],
)
def test_message_is_the_response(pieces: list[bytes], body: bytes, first: int) -> None:
    connection, requester = in_flight()
    for number, piece in enumerate(pieces, 1):
        assert requester.responses == []
        connection.on_bytes(piece, 1_000 + 100 * number)
    (response,) = requester.responses
    assert (response.error, response.status, response.headers, response.body) == (None, 0, [], body)
    times = (response.intended, response.sent, response.first, response.done)
    assert times == (900, 1_000, first, 1_000 + 100 * len(pieces))
    assert (connection.ready, connection.request) == (True, None)


def test_a_connection_has_a_reader_only_while_a_message_is_incomplete() -> None:
    connection, requester = connection_on(FakeLoop(), WebsocketConnection, WS), Requester()
    has_reader = [connection._frame_reader is not None]
    for data in (TEXT_B[:2], TEXT_B[2:], encode_frame(PING, b"", masked=False)):
        connection.request or connection.send_request(request_to(WS), requester)
        connection.on_bytes(data, 1_100)
        has_reader.append(connection._frame_reader is not None)
    assert (has_reader, len(requester.responses)) == ([False, True, False, False], 1)


def test_message_in_one_frame_needs_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, requester = connection_on(FakeLoop(), WebsocketConnection, WS), Requester()
    for _ in range(2):
        connection.send_request(request_to(WS), requester)
        with monkeypatch.context() as patch:
            patch.setattr(websocket_connection, "FrameReader", None)
            connection.on_bytes(TEXT_B, 1_100)
        connection.on_bytes(encode_frame(PING, b"", masked=False), 1_200)
    assert [response.body for response in requester.responses] == [b"b", b"b"]


def test_next_response_begins_anew() -> None:
    connection, requester = in_flight()
    for now, piece in ((1_100, LONG_BEGIN), (1_200, LONG_END), (1_300, encode_frame(PING, b"", masked=False))):
        connection.on_bytes(piece, now)
    connection.send_request(request_to(WS), requester)
    connection.on_bytes(LONG_BEGIN, 1_400)
    connection.on_bytes(LONG_END + encode_frame(PONG, b"", masked=False), 1_500)
    assert [(response.first, response.done) for response in requester.responses] == [(1_100, 1_200), (1_400, 1_500)]


@pytest.mark.parametrize(
    "more", [TEXT_B, TEXT_B[:1], LONG_BEGIN, b"\xff"], ids=["text", "byte", "fragment", "no frame"]
)
def test_message_after_the_response_breaks_the_connection(more: bytes) -> None:
    connection, requester = in_flight()
    connection.on_bytes(TEXT_B + more, 1_100)
    assert [(response.error, response.body) for response in requester.responses] == [(None, b"b")]
    assert (frames(connection), connection.ready) == ([(CLOSE, b"\x03\xf0")], False)
    assert error_of_next(connection) == ["unsolicited message"]


@pytest.mark.parametrize("data", [TEXT_B, encode_frame(BINARY, b"", masked=False), TEXT_B[:1], LONG_BEGIN])
def test_message_while_idle_fails_the_next_request(data: bytes) -> None:
    connection = connection_on(FakeLoop(), WebsocketConnection, WS)
    connection.on_bytes(data, 1_100)
    assert (frames(connection), connection.ready) == ([(CLOSE, b"\x03\xf0")], False)
    assert error_of_next(connection) == ["unsolicited message"]
    assert error_of_next(connection) == []


def test_violation_of_the_protocol_is_named_and_its_code_sent() -> None:
    connection, requester = in_flight()
    connection.on_bytes(b"\x81\x81", 1_100)
    assert (errors(requester), frames(connection)) == (
        ["websocket: masked frame from the server"],
        [(CLOSE, b"\x03\xea")],
    )


def test_nothing_of_a_closed_connection_is_read_on_the_next() -> None:
    connection, requester = in_flight()
    connection.on_bytes(LONG_BEGIN, 1_100)
    connection.on_end("connection reset")
    connection.open()
    connection.ready = True
    connection.send_request(request_to(WS), requester)
    connection.on_bytes(TEXT_B, 1_200)
    connection.send_request(request_to(WS), requester)
    connection.on_end("")
    assert errors(requester) == ["connection reset", None, "closed before response"]


# ------------------------------------------------------------------------------------------------ control frames


@pytest.mark.parametrize(("unsent", "written"), [(b"", [(PONG, b"x"), (PONG, b"y")]), (b"rest", [])])
def test_pings_are_answered_if_the_server_reads(unsent: bytes, written: list[tuple[int, bytes]]) -> None:
    connection, requester = in_flight()
    connection._unsent = unsent
    for payload in (b"x", b"y"):
        connection.on_bytes(encode_frame(PING, payload, masked=False), 1_100)
    assert (frames(connection), requester.responses, connection.ready) == (written, [], True)


def test_ping_while_idle_is_answered() -> None:
    connection = connection_on(FakeLoop(), WebsocketConnection, WS)
    connection.on_bytes(encode_frame(PING, b"x", masked=False), 1_100)
    assert (frames(connection), connection.ready) == ([(PONG, b"x")], True)


@pytest.mark.parametrize(("code", "text"), [(b"\x03\xe9", "1001"), (b"", "no code")])
def test_close_frame_is_answered_and_named(code: bytes, text: str) -> None:
    connection, requester = in_flight()
    connection.on_bytes(encode_frame(PONG, b"", masked=False) + server_close(code), 1_100)
    assert (errors(requester), frames(connection)) == ([f"closed by the server: {text}"], [(CLOSE, code)])
    assert connection.ready is False


def test_response_before_a_close_frame_counts() -> None:
    connection, requester = in_flight()
    connection.on_bytes(TEXT_B + server_close(b"\x03\xe8"), 1_100)
    assert (errors(requester), frames(connection), connection.ready) == ([None], [(CLOSE, b"\x03\xe8")], False)
    assert error_of_next(connection) == []


def test_close_frame_while_idle_fails_nothing() -> None:
    connection = connection_on(FakeLoop(), WebsocketConnection, WS)
    connection.on_bytes(server_close(b""), 1_100)
    assert (connection.ready, error_of_next(connection), connection.opened) == (False, [], 2)


# ------------------------------------------------------------------------------------------------ handshake


def test_handshake_names_path_host_and_a_new_key() -> None:
    connection, _ = in_handshake()
    key = connection._key
    assert connection.written == [
        b"GET /path HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ]
    connection.on_open()
    assert connection._key != key


@pytest.mark.parametrize("size", [1, 1_000])
def test_accepted_handshake_is_followed_by_the_request(size: int) -> None:
    connection, requester = in_handshake()
    connection.written.clear()
    data = upgrade(connection)
    for start in range(0, len(data), size):
        assert connection.ready is False
        connection.on_bytes(data[start : start + size], 1_050)
    assert (frames(connection), connection.ready) == ([(TEXT, b"{}")], True)
    connection.on_bytes(TEXT_B, 1_100)
    assert [(response.error, response.first) for response in requester.responses] == [(None, 1_100)]


def test_refused_handshake_has_status_headers_and_body() -> None:
    connection, requester = in_handshake()
    connection.on_bytes(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nn", 1_050)
    assert requester.responses == []
    connection.on_bytes(b"o", 1_060)
    (response,) = requester.responses
    assert (response.error, response.status, response.body) == ("handshake refused: status 403", 403, b"no")
    assert (response.headers, connection.ready) == ([(b"content-length", b"2")], False)


def test_handshake_with_a_wrong_proof_has_status_and_headers() -> None:
    connection, requester = in_handshake()
    connection.on_bytes(upgrade(connection).replace(b"Accept: ", b"Accept: x"), 1_050)
    (response,) = requester.responses
    assert response.error == "handshake: the server's proof or headers are wrong"
    assert (response.status, response.headers[0]) == (101, (b"upgrade", b"websocket"))


def test_malformed_handshake_is_named() -> None:
    connection, requester = in_handshake()
    connection.on_bytes(b"SSH-2.0\r\n\r\n", 1_050)
    assert errors(requester) == ["handshake: not HTTP/1"]


def test_handshake_refused_without_length_ends_with_the_connection() -> None:
    connection, requester = in_handshake()
    connection.on_bytes(b"HTTP/1.1 500 Broken\r\n\r\nwhy", 1_050)
    assert requester.responses == []
    connection.on_end("")
    assert [(response.error, response.body) for response in requester.responses] == [
        ("handshake refused: status 500", b"why")
    ]


@pytest.mark.parametrize(("reason", "error"), [("", "closed in the handshake"), ("tls: cut off", "tls: cut off")])
@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 1", b"HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\n"])
def test_end_in_the_handshake_is_named(reason: str, error: str, data: bytes) -> None:
    connection, requester = in_handshake()
    connection.on_bytes(data, 1_050)
    connection.on_end(reason)
    assert errors(requester) == [error]


def test_frames_that_come_with_the_handshake_are_read() -> None:
    connection, requester = in_handshake()
    connection.written.clear()
    connection.on_bytes(upgrade(connection) + encode_frame(PING, b"x", masked=False), 1_050)
    assert frames(connection) == [(PONG, b"x"), (TEXT, b"{}")]
    assert (requester.responses, connection.ready) == ([], True)


@pytest.mark.parametrize("data", [TEXT_B, LONG_BEGIN])
def test_message_that_comes_with_the_handshake_fails_the_request(data: bytes) -> None:
    connection, requester = in_handshake()
    connection.written.clear()
    connection.on_bytes(upgrade(connection) + data, 1_050)
    assert (errors(requester), frames(connection)) == (["unsolicited message"], [(CLOSE, b"\x03\xf0")])
    assert (connection.ready, error_of_next(connection)) == (False, [])


def test_no_close_frame_is_sent_in_the_handshake_nor_to_a_server_that_does_not_read() -> None:
    connection, _ = in_handshake()
    connection.written.clear()
    connection.send_close(1_000)
    connection._handshake = None
    connection._unsent = b"rest"
    connection.send_close(1_000)
    connection.close()
    connection.send_close(1_000)
    assert connection.written == []


# ------------------------------------------------------------------------------------------------ the end


@pytest.mark.parametrize(
    ("data", "reason", "error"),
    [
        (b"", "", "closed before response"),
        (LONG_BEGIN, "", "closed in response"),
        (LONG_BEGIN, "connection reset", "connection reset"),
        (b"", "connection reset", "connection reset"),
    ],
)
def test_end_is_named(data: bytes, reason: str, error: str) -> None:
    connection, requester = in_flight()
    if data:
        connection.on_bytes(data, 1_100)
    connection.on_end(reason)
    assert (errors(requester), connection.ready) == ([error], False)


def test_end_while_idle_fails_nothing() -> None:
    connection = connection_on(FakeLoop(), WebsocketConnection, WS)
    connection.on_end("connection reset")
    assert (connection.ready, error_of_next(connection), connection.opened) == (False, [], 2)


def test_abandoned_connection_says_goodbye_if_it_is_open() -> None:
    connection, requester = in_flight()
    connection.abandon()
    assert (frames(connection), connection.ready, requester.responses) == ([(CLOSE, b"\x03\xe8")], False, [])
    connection.abandon()
    assert len(connection.written) == 1


def test_violation_while_idle_closes_the_connection() -> None:
    connection, requester = in_flight()
    connection.on_bytes(TEXT_B, 1_100)
    connection.on_bytes(b"\xff", 1_200)
    assert (errors(requester), connection.ready, error_of_next(connection)) == ([None], False, [])


def test_bytes_of_incomplete_messages_are_counted() -> None:
    connection, _ = in_handshake()
    head = upgrade(connection)
    connection.on_bytes(head[:9], 1_050)
    assert connection.loop.held == 9
    connection.on_bytes(head[9:], 1_060)
    assert (connection.loop.held, connection.ready) == (0, True)
    connection.on_bytes(LONG_BEGIN, 1_100)
    assert connection.loop.held == len(LONG_BEGIN)
    connection.on_bytes(LONG_END, 1_200)
    assert connection.loop.held == 0
