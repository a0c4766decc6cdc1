"""Websockets of the engine compress messages where the server agrees to it (permessage-deflate, RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.sync.server import ServerConnection, serve

from fixtures.websocket import frame_codec
from fixtures.websocket.frame_codec import INVALID_DATA, TEXT, TOO_BIG, ProtocolError, encode_frame
from fixtures.websocket.frame_reader import FrameReader
from fixtures.websocket.message_deflate import TAIL, DeflateParameters, MessageDeflate, agreed_parameters
from loadtests.engine.exchange_types import Address, Request
from loadtests.engine.recorder import Recorder
from loadtests.selftest.peers import EngineClient, engine_client, scripted_server
from loadtests.selftest.peers import ServerConnection as ScriptedConnection
from loadtests.selftest.websocket_peer import agree

LONG = b'{"devices": "' + b"Gr\xc3\xb6nk\xc3\xb6ping " * 9_000 + b'"}'
PAYLOADS = [b"{}", LONG, b"", LONG[::2].decode(errors="ignore").encode(), LONG]


@contextmanager
def websockets_server(**parameters: bool | int) -> Iterator[tuple[str, list[ServerConnection]]]:
    """A server of the package `websockets` that returns each message, and its connections."""
    connections: list[ServerConnection] = []

    def respond(connection: ServerConnection) -> None:
        connections.append(connection)
        for message in connection:
            connection.send(message)

    factory = ServerPerMessageDeflateFactory(**parameters)  # type: ignore[arg-type]
    with serve(respond, "127.0.0.1", 0, compression=None, extensions=[factory]) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/", connections
        server.shutdown()
        thread.join()


def exchange(client: EngineClient, url: str, deflate: bool = True) -> list[tuple[str | None, bytes]]:
    """Error and body of the responses to all payloads, one after the other on one connection."""
    responses = client.ask(*(request_to(url, payload, deflate) for payload in PAYLOADS))
    return [(response.error, response.body) for response in responses]


def request_to(url: str, payload: bytes, deflate: bool = True) -> Request:
    """A message; `deflate`: whether its connection offers to compress it."""
    return Request(Recorder().samples_of("message", "ws"), payload, Address.from_url(url, deflate=deflate))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True},
        {"server_no_context_takeover": True, "client_no_context_takeover": True},
        {"server_max_window_bits": 9, "client_max_window_bits": 9},
        {"client_max_window_bits": 8},
    ],
    ids=str,
)
def test_messages_go_both_ways_with_what_the_server_agrees_to(parameters: dict[str, bool | int]) -> None:
    with websockets_server(**parameters) as (url, connections), engine_client() as client:
        assert exchange(client, url) == [(None, payload) for payload in PAYLOADS]
        names = [extension.name for extension in connections[0].protocol.extensions]
    assert (len(connections), names) == (1, ["permessage-deflate"])


def test_nothing_is_offered_unless_the_address_says_so() -> None:
    with websockets_server() as (url, connections), engine_client() as client:
        assert exchange(client, url, deflate=False) == [(None, payload) for payload in PAYLOADS]
        assert connections[0].protocol.extensions == []


def test_a_server_may_decline() -> None:
    with engine_client() as client, serve(_return_all, "127.0.0.1", 0, compression=None) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        answers = exchange(client, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/")
        server.shutdown()
        thread.join()
    assert answers == [(None, payload) for payload in PAYLOADS]


def _return_all(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        (b"permessage-deflate", DeflateParameters()),
        (b"permessage-deflate; server_no_context_takeover", DeflateParameters(server_keeps=False)),
        (b"permessage-deflate; client_no_context_takeover", DeflateParameters(client_keeps=False)),
        (
            b'permessage-deflate; server_max_window_bits="10"; client_max_window_bits=12',
            DeflateParameters(True, True, 10, 12),
        ),
        (b"permessage-deflate; client_max_window_bits", None),
        (b"permessage-deflate; server_max_window_bits=7", None),
        (b"permessage-deflate; server_max_window_bits=08", None),
        (b"permessage-deflate; client_max_window_bits=16", None),
        (b"permessage-deflate; server_no_context_takeover=1", None),
        (b"permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        (b"permessage-deflate; unknown", None),
        (b"permessage-deflate, permessage-deflate", None),
        (b"x-webkit-deflate-frame", None),
        (b"", None),
        (b";", None),
    ],
)
def test_only_an_answer_to_the_offer_is_agreement(header: bytes, parameters: DeflateParameters | None) -> None:
    assert agreed_parameters(header) == parameters


def test_an_answer_that_was_not_offered_fails_the_handshake() -> None:
    answer = b"\r\nSec-WebSocket-Extensions: permessage-deflate; unknown\r\n\r\n"

    def script(connection: ScriptedConnection) -> None:
        connection.send(agree(connection.head()).replace(b"\r\n\r\n", answer))

    with scripted_server(script) as server, engine_client() as client:
        (response,) = client.ask(request_to(server.url("ws"), b"{}"))
    assert response.error == "handshake: the server's proof or headers are wrong"


def compressed(data: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    """A message as a server compresses it."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(flush)).removesuffix(TAIL)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (compressed(bytes(1_001)), TOO_BIG),
        (compressed(bytes(50_000_000)), TOO_BIG),
        (b"\xff\xff\xff", INVALID_DATA),
        (compressed(b"x", zlib.Z_FINISH) + b"more", INVALID_DATA),
    ],
    ids=["one byte more", "a bomb", "no deflate", "bytes behind the end"],
)
def test_a_message_that_cannot_be_inflated_is_a_violation(
    data: bytes, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_codec, "MAX_MESSAGE", 1_000)
    with pytest.raises(ProtocolError) as violation:
        MessageDeflate(DeflateParameters()).inflate(data)
    assert violation.value.code == code


def test_a_message_of_the_greatest_size_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_codec, "MAX_MESSAGE", 1_000)
    assert MessageDeflate(DeflateParameters()).inflate(compressed(bytes(1_000))) == bytes(1_000)


def test_messages_go_on_after_a_final_block() -> None:
    deflate = MessageDeflate(DeflateParameters())
    ends = [compressed(b"first", zlib.Z_FINISH), compressed(b"second", zlib.Z_FINISH) + b"\x00", compressed(b"third")]
    assert [deflate.inflate(data) for data in ends] == [b"first", b"second", b"third"]


@pytest.mark.parametrize(
    ("frames", "outcome"),
    [
        ([(TEXT, compressed(LONG), True, 4)], LONG),
        ([(TEXT, compressed(LONG)[:9], False, 4), (0, compressed(LONG)[9:], True, 0)], LONG),
        ([(TEXT, b"plain", True, 0)], b"plain"),
        ([(TEXT, b"x", False, 4), (0, b"x", True, 4)], "reserved bit set"),
        ([(9, b"x", True, 4)], "reserved bit set"),
        ([(TEXT, b"x", True, 2)], "reserved bit set"),
        ([(TEXT, compressed(b"\xff"), True, 4)], "text is not UTF-8"),
    ],
)
def test_the_first_frame_says_whether_a_message_is_compressed(
    frames: list[tuple[int, bytes, bool, int]], outcome: bytes | str
) -> None:
    reader = FrameReader(inflate=MessageDeflate(DeflateParameters()).inflate)
    data = b"".join(encode_frame(*frame, masked=False) for frame in frames)
    try:
        got: bytes | str = reader.feed(data)[0][1]
    except ProtocolError as violation:
        got = str(violation)
    assert got == outcome


def test_a_bomb_breaks_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_codec, "MAX_MESSAGE", 100_000)
    with websockets_server() as (url, _), engine_client() as client:
        assert client.ask(request_to(url, bytes(200_000)))[0].error == "websocket: message too big when inflated"
