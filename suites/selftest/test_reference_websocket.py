"""The websockets of the references, honest: RFC 6455 by what a client sees on the socket.

Rule: the reference of bitvis behind real sockets, in a thread of this process; a raw link beside it.
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

from fixtures.client import TIMEOUT
from fixtures.reference.protocol import MAX_BODY, Answer, Change, Reply, Request
from fixtures.transports.link import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Link
from suites.prove.served import Served

ENDPOINT = "inventory/device"
PAUSE = 0.15  # seconds that a slow answer takes


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served("bitvis")
    yield one
    one.end()


@pytest.fixture
def link(served: Served) -> Iterator[Link]:
    with Link(served.api, ENDPOINT) as one:
        yield one


def call(served: Served, size: int = 1, **members: Any) -> bytes:
    """A call that lists so many devices."""
    page = {"pagination": True, "pagination.size": size, "pagination.from": 0}
    return json.dumps({"method": "LIST", "token": served.api.setting("TOKEN"), "parameters": page, **members}).encode()


def rest(link: Link) -> list[Frame]:
    """All frames until the server ends the connection."""
    found = list(iter(link.recv, None))
    assert link.ended, f"the connection is still open after {found}"
    return found


def codes(link: Link) -> list[int | None]:
    """The codes of the close frames that come, and that nothing else comes, until the end."""
    found = rest(link)
    assert {frame.opcode for frame in found} <= {CLOSE}
    return [frame.code for frame in found]


def is_served(served: Served) -> bool:
    """Whether a new connection is answered."""
    with Link(served.api, ENDPOINT) as link:
        return link.call(call(served)).answer.json()["success"] is True


# Calls.


def test_text_and_binary_calls_have_the_same_answer(served: Served, link: Link) -> None:
    link.send_text(call(served))
    text = link.recv()
    link.send_binary(call(served))
    binary = link.recv()
    assert text == binary
    assert text is not None
    assert (text.opcode, text.fin, text.rsv, text.masked) == (TEXT, True, 0, False)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_one_message(served: Served, link: Link, opcode: int) -> None:
    whole = link.call(call(served)).answer
    link.send_fragments([bytes([byte]) for byte in call(served)], opcode)
    assert link.answer().answer == whole


def test_calls_are_answered_in_order(served: Served, link: Link) -> None:
    sizes = [1 + number % 9 for number in range(300)]
    link.send(*(Frame(TEXT, call(served, size)) for size in sizes))
    assert [len(link.answer().answer.json()["data"]) for _ in sizes] == sizes


def test_an_answer_under_way_holds_the_next_call_and_no_ping(served: Served) -> None:
    slow = Served("bitvis", [Change("slow", "variant", (), "Answers are slow.", _slow)])
    with Link(slow.api, ENDPOINT) as link:
        started = time.monotonic()
        link.send(Frame(TEXT, call(served, 2)), Frame(PING, b"now"), Frame(TEXT, call(served, 3)))
        frames = [link.recv(), link.recv(), link.recv()]
        seconds = time.monotonic() - started
    slow.end()
    opcodes = [frame.opcode for frame in frames if frame]
    lengths = [len(json.loads(frame.payload)["data"]) for frame in frames[1:] if frame]
    assert (opcodes, lengths) == ([PONG, TEXT, TEXT], [2, 3])
    assert seconds > 1.9 * PAUSE  # one after the other


def _slow(api: Any, request: Request, answer: Answer) -> Reply:  # noqa: ARG001  # the shape of every change
    reply = answer(request)
    reply.delay = PAUSE
    return reply


def test_a_client_that_does_not_read_is_waited_for_and_holds_nobody(served: Served) -> None:
    count, one = 0, Frame(TEXT, call(served, 32)).encoded() * 50
    with Link(served.api, ENDPOINT, timeout=0.2) as link:
        while not link.ended and count < 2000:
            link.send_bytes(one)  # ends the loop when the server takes no more
            count += 1
        assert count < 2000
        assert is_served(served)


# Control frames.


@pytest.mark.parametrize("payload", [b"", b"\x00\xff", b"x" * 125])
def test_a_ping_comes_back(link: Link, payload: bytes) -> None:
    link.ping(payload)
    assert link.recv() == Frame(PONG, payload, masked=False)


def test_a_pong_is_not_answered(served: Served, link: Link) -> None:
    link.send(Frame(PONG, b"unasked"))
    assert link.call(call(served)).answer.json()["success"] is True


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe9leaving", b"\x0f\xa0", b"\x13\x87" + b"x" * 123])
def test_a_close_frame_comes_back(link: Link, payload: bytes) -> None:
    link.send(Frame(CLOSE, payload))
    assert rest(link) == [Frame(CLOSE, payload, masked=False)]


def test_calls_before_a_close_frame_are_answered_first(served: Served, link: Link) -> None:
    link.send(*[Frame(TEXT, call(served))] * 40, Frame(CLOSE, b"\x03\xe8"), Frame(TEXT, call(served)))
    assert [frame.opcode for frame in rest(link)] == [TEXT] * 40 + [CLOSE]


def test_nothing_is_said_unasked(served: Served, link: Link) -> None:
    assert link.recv(0.3) is None
    assert link.call(call(served)).answer.json()["success"] is True


def test_the_end_of_the_server_is_told() -> None:
    one = Served("bitvis")
    with Link(one.api, ENDPOINT) as link:
        started = time.monotonic()
        one.end()
        assert codes(link) == [1001]
        assert time.monotonic() - started < TIMEOUT / 3


# What breaks the protocol.


@pytest.mark.parametrize("text", [b"\xff", b'{"a": "\xc3"}', b"\xed\xa0\x80", b"\xc0\xaf"])
def test_text_that_is_not_utf_8_is_1007(served: Served, link: Link, text: bytes) -> None:
    link.send(Frame(TEXT, call(served)), Frame(TEXT, text), Frame(TEXT, call(served)))
    first, *others = rest(link)
    assert (first.opcode, [frame.code for frame in others]) == (TEXT, [1007])


def test_binary_that_is_not_utf_8_is_refused_and_the_connection_stays(served: Served, link: Link) -> None:
    link.send_binary(b"\xff")
    assert link.answer().answer.json()["success"] is False
    assert link.call(call(served)).answer.json()["success"] is True


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
def test_a_broken_frame_is_1002(link: Link, frames: list[Frame]) -> None:
    link.send(*frames)
    assert codes(link) == [1002]


def test_a_message_of_the_limit_is_answered(served: Served, link: Link) -> None:
    text = call(served)
    assert link.call(text + b" " * (MAX_BODY - len(text))).answer.json()["success"] is True


@pytest.mark.parametrize("size", [MAX_BODY + 1, 8 * MAX_BODY])
@pytest.mark.parametrize("pieces", [1, 8])
def test_a_larger_message_is_1009_and_not_reset(link: Link, size: int, pieces: int) -> None:
    link.send_fragments([b" " * (size // pieces + 1)] * pieces)
    assert codes(link) == [1009]


# Handshakes.

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3


def handshake(served: Served, **changes: str) -> bytes:
    """What is said to a handshake with these headers changed (`_` for `-`), "" leaves one out."""
    headers = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": KEY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    port = int(served.api.target.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(f"GET /bitvis/{ENDPOINT} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_handshake_is_accepted_with_its_value_and_no_extension(served: Served) -> None:
    asked = {"Sec_WebSocket_Extensions": "permessage-deflate", "Sec_WebSocket_Protocol": "flow"}
    head = handshake(served, **asked).split(b"\r\n")
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
def test_a_bad_handshake_is_refused_by_http(served: Served, changes: dict[str, str], status: bytes) -> None:
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
PIECES = st.lists(FRAMES.map(Frame.encoded) | st.binary(max_size=40), min_size=1, max_size=6)


@settings(derandomize=True, deadline=None, database=None, max_examples=150)
@given(pieces=PIECES, cut=st.integers(0, 60))
def test_whatever_is_sent_the_server_goes_on(served: Served, pieces: list[bytes], cut: int) -> None:
    data = b"".join(pieces)
    with Link(served.api, ENDPOINT) as link:
        link.send_bytes(data[: len(data) - cut] or b"\x88")
    assert is_served(served)


def test_a_client_that_leaves_leaves_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    slow = Served("bitvis", [Change("slow", "variant", (), "Answers are slow.", _slow)])
    whole = Frame(TEXT, b"{}").encoded()
    for size in (0, 1, 4, len(whole) - 1, len(whole)):
        with Link(slow.api, ENDPOINT) as link:
            link.send_bytes(whole[:size])
    assert is_served(slow)
    slow.end()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
