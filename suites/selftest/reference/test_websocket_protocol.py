"""The websockets of the honest references keep RFC 6455, as seen by a client.

Rule: the reference of bitvis is served on sockets by a thread of this process; the client sends raw frames.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.http_client import TIMEOUT
from fixtures.reference.protocol import MAX_BODY, Change, Handler, Reply, Request
from fixtures.transports.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, RawWebsocket
from suites.mutation.socket_reference import SocketReference

ENDPOINT = "inventory/device"
PAUSE = 0.15  # seconds that a slow response takes


@pytest.fixture(scope="module")
def served() -> Iterator[SocketReference]:
    reference = SocketReference("bitvis")
    yield reference
    reference.stop()


@pytest.fixture
def link(served: SocketReference) -> Iterator[RawWebsocket]:
    with RawWebsocket(served.api, ENDPOINT) as connection:
        yield connection


def call(served: SocketReference, size: int = 1, **members: Any) -> bytes:
    """A call that lists `size` devices."""
    page = {"pagination": True, "pagination.size": size, "pagination.from": 0}
    return json.dumps({"method": "LIST", "token": served.api.setting("TOKEN"), "parameters": page, **members}).encode()


def remaining_frames(link: RawWebsocket) -> list[Frame]:
    """All frames up to the end of the connection."""
    frames = list(iter(link.recv, None))
    assert link.closed, f"the connection is still open after {frames}"
    return frames


def close_codes(link: RawWebsocket) -> list[int | None]:
    """The codes of the received close frames; fails when another frame is received."""
    frames = remaining_frames(link)
    assert {frame.opcode for frame in frames} <= {CLOSE}
    return [frame.close_code for frame in frames]


def is_served(served: SocketReference) -> bool:
    """Whether a new connection is answered."""
    with RawWebsocket(served.api, ENDPOINT) as link:
        return link.call(call(served)).response.json()["success"] is True


# Calls.


def test_text_and_binary_calls_have_the_same_response(served: SocketReference, link: RawWebsocket) -> None:
    link.send_text(call(served))
    text = link.recv()
    link.send_binary(call(served))
    binary = link.recv()
    assert text == binary
    assert text is not None
    assert (text.opcode, text.fin, text.rsv, text.masked) == (TEXT, True, 0, False)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_one_message(served: SocketReference, link: RawWebsocket, opcode: int) -> None:
    expected = link.call(call(served)).response
    link.send_fragments([bytes([byte]) for byte in call(served)], opcode)
    assert link.receive_exchange().response == expected


def test_calls_are_answered_in_order(served: SocketReference, link: RawWebsocket) -> None:
    sizes = [1 + number % 9 for number in range(300)]
    link.send(*(Frame(TEXT, call(served, size)) for size in sizes))
    assert [len(link.receive_exchange().response.json()["data"]) for _ in sizes] == sizes


def test_a_pending_response_delays_the_next_call_but_no_ping(served: SocketReference) -> None:
    slow = SocketReference("bitvis", [Change("slow", "variant", (), "Responses are slow.", _slow)])
    with RawWebsocket(slow.api, ENDPOINT) as link:
        started = time.monotonic()
        link.send(Frame(TEXT, call(served, 2)), Frame(PING, b"now"), Frame(TEXT, call(served, 3)))
        frames = [link.recv(), link.recv(), link.recv()]
        seconds = time.monotonic() - started
    slow.stop()
    opcodes = [frame.opcode for frame in frames if frame]
    lengths = [len(json.loads(frame.payload)["data"]) for frame in frames[1:] if frame]
    assert (opcodes, lengths) == ([PONG, TEXT, TEXT], [2, 3])
    assert seconds > 1.9 * PAUSE  # one after the other


def _slow(api: Any, request: Request, answer: Handler) -> Reply:  # noqa: ARG001  # the signature of every change
    reply = answer(request)
    reply.delay = PAUSE
    return reply


def test_a_client_that_does_not_read_blocks_no_other(served: SocketReference) -> None:
    count, data = 0, Frame(TEXT, call(served, 32)).encode() * 50
    with RawWebsocket(served.api, ENDPOINT, timeout=0.2) as link:
        while not link.closed and count < 2000:
            link.send_bytes(data)  # ends the loop when the server takes no more
            count += 1
        assert count < 2000
        assert is_served(served)


# Control frames.


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"x" * 125])
def test_a_ping_is_answered_by_its_pong(link: RawWebsocket, payload: bytes) -> None:
    link.ping(payload)
    assert link.recv() == Frame(PONG, payload, masked=False)


def test_a_pong_is_not_answered(served: SocketReference, link: RawWebsocket) -> None:
    link.send(Frame(PONG, b"unasked"))
    assert link.call(call(served)).response.json()["success"] is True


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe9leaving", b"\x0f\xa0", b"\x13\x87" + b"x" * 123])
def test_a_close_frame_is_answered_by_the_same(link: RawWebsocket, payload: bytes) -> None:
    link.send(Frame(CLOSE, payload))
    assert remaining_frames(link) == [Frame(CLOSE, payload, masked=False)]


def test_calls_before_a_close_frame_are_answered_first(served: SocketReference, link: RawWebsocket) -> None:
    link.send(*[Frame(TEXT, call(served))] * 40, Frame(CLOSE, b"\x03\xe8"), Frame(TEXT, call(served)))
    assert [frame.opcode for frame in remaining_frames(link)] == [TEXT] * 40 + [CLOSE]


def test_the_server_sends_nothing_unrequested(served: SocketReference, link: RawWebsocket) -> None:
    assert link.recv(0.3) is None
    assert link.call(call(served)).response.json()["success"] is True


def test_a_stopping_server_closes_with_1001() -> None:
    reference = SocketReference("bitvis")
    with RawWebsocket(reference.api, ENDPOINT) as link:
        started = time.monotonic()
        reference.stop()
        assert close_codes(link) == [1001]
        assert time.monotonic() - started < TIMEOUT  # the connection's own time limit


# Protocol errors.


@pytest.mark.parametrize("text", [b"\xff", b'{"a": "\xc3"}', b"\xed\xa0\x80", b"\xc0\xaf"])
def test_text_that_is_not_utf_8_is_1007(served: SocketReference, link: RawWebsocket, text: bytes) -> None:
    link.send(Frame(TEXT, call(served)), Frame(TEXT, text), Frame(TEXT, call(served)))
    first, *others = remaining_frames(link)
    assert (first.opcode, [frame.close_code for frame in others]) == (TEXT, [1007])


def test_binary_that_is_not_utf_8_is_refused_and_the_connection_stays(
    served: SocketReference, link: RawWebsocket
) -> None:
    link.send_binary(b"\xff")
    assert link.receive_exchange().response.json()["success"] is False
    assert link.call(call(served)).response.json()["success"] is True


@pytest.mark.parametrize(
    "frames",
    [
        [Frame(TEXT, b"{}", masked=False)],
        [Frame(TEXT, b"{}", rsv=1)],
        [Frame(0x3)],
        [Frame(0xB)],
        [Frame(CONTINUATION, b"{}")],
        [Frame(TEXT, b"{", fin=False), Frame(TEXT, b"}")],
        [Frame(PING, fin=False)],
        [Frame(PING, b"x" * 126)],
        [Frame(CLOSE, b"x")],
        [Frame(CLOSE, b"\x03\xed")],
    ],
    ids=lambda frames: "-".join(f"{frame.opcode:x}" for frame in frames),
)
def test_an_invalid_frame_is_1002(link: RawWebsocket, frames: list[Frame]) -> None:
    link.send(*frames)
    assert close_codes(link) == [1002]


def test_a_message_of_the_maximum_size_is_answered(served: SocketReference, link: RawWebsocket) -> None:
    text = call(served)
    assert link.call(text + b" " * (MAX_BODY - len(text))).response.json()["success"] is True


@pytest.mark.parametrize("size", [MAX_BODY + 1, 8 * MAX_BODY])
@pytest.mark.parametrize("pieces", [1, 8])
def test_a_larger_message_is_1009_and_not_reset(link: RawWebsocket, size: int, pieces: int) -> None:
    link.send_fragments([b" " * (size // pieces + 1)] * pieces)
    assert close_codes(link) == [1009]


# Handshakes.

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3


def handshake(served: SocketReference, **changes: str) -> bytes:
    """The response to a handshake with these headers changed (`_` stands for `-`); "" leaves one out."""
    headers = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": KEY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    port = int(served.api.target.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(f"GET /bitvis/{ENDPOINT} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_accepted_handshake_has_its_accept_value_and_no_extension(served: SocketReference) -> None:
    changes = {"Sec_WebSocket_Extensions": "permessage-deflate", "Sec_WebSocket_Protocol": "flow"}
    head = handshake(served, **changes).split(b"\r\n")
    assert head[0].startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert not [line for line in head if b"Extensions" in line or b"Protocol:" in line or b"Date" in line]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Sec_WebSocket_Key": ""}, b"400"),
        ({"Sec_WebSocket_Key": "short"}, b"400"),
        ({"Sec_WebSocket_Version": "8"}, b"400"),
        ({"Connection": "Upgrade", "Sec_WebSocket_Protocol": "a, ,\x7f"}, b"400"),
        ({"Host": "x" * 9000}, b"431"),
    ],
    ids=["no key", "short key", "version", "protocol", "long header"],
)
def test_a_bad_handshake_is_refused_by_http(served: SocketReference, changes: dict[str, str], status: bytes) -> None:
    assert handshake(served, **changes).startswith(b"HTTP/1.1 " + status)
    assert is_served(served)


# Hostile clients.

FRAMES = st.builds(
    Frame,
    st.sampled_from([*range(16), TEXT, TEXT, CONTINUATION, CONTINUATION]),
    st.binary(max_size=130) | st.just(b'{"method": "LIST"}'),
    st.booleans(),
    st.sampled_from([0, 0, 0, 0, 1, 4]),
    st.sampled_from([True, True, True, False]),
)
PIECES = st.lists(FRAMES.map(Frame.encode) | st.binary(max_size=40), min_size=1, max_size=6)


@settings(derandomize=True, deadline=None, database=None, max_examples=150)
@given(pieces=PIECES, cut=st.integers(0, 60))
def test_no_input_stops_the_server(served: SocketReference, pieces: list[bytes], cut: int) -> None:
    data = b"".join(pieces)
    with RawWebsocket(served.api, ENDPOINT) as link:
        link.send_bytes(data[: len(data) - cut] or b"\x88")
    assert is_served(served)


def test_a_client_that_disconnects_early_causes_no_output(capfd: pytest.CaptureFixture[str]) -> None:
    slow = SocketReference("bitvis", [Change("slow", "variant", (), "Responses are slow.", _slow)])
    encoded = Frame(TEXT, b"{}").encode()
    for size in (0, 1, 4, len(encoded) - 1, len(encoded)):
        with RawWebsocket(slow.api, ENDPOINT) as link:
            link.send_bytes(encoded[:size])
    assert is_served(slow)
    slow.stop()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
