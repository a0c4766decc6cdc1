"""The raw websocket connection: frames go out as told, come in with all their bits, and no wait is without end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as Judged
from websockets.frames import Opcode
from websockets.streams import StreamReader
from websockets.sync.server import ServerConnection

from fixtures.api import Api, Lacking, NotPermitted
from fixtures.inprocess import InProcess
from fixtures.reference.bitvis.data import KNOWN
from fixtures.targets import Target, embedded
from fixtures.transports.link import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Link
from suites.selftest.test_socket import serving

LIST = json.dumps({"method": "LIST", "token": KNOWN["TOKEN"]}).encode()
SIZES = [0, 1, 125, 126, 65_535, 65_536, 100_000]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The reference on sockets."""
    with embedded(["bitvis"], "127.0.0.1:9") as targets:
        yield targets["bitvis"]


def linked(url: str, timeout: float = 5.0) -> Link:
    """A link to a server of the test's own."""
    return Link(Api(Target("bitvis", url, KNOWN, True, False)), "x", timeout=timeout)


def says(data: bytes) -> Callable[[ServerConnection], None]:
    """A server that says these bytes as they are and then goes."""

    def talk(connection: ServerConnection) -> None:
        connection.socket.sendall(data)
        connection.socket.shutdown(1)
        connection.recv()

    return talk


def parsed(data: bytes) -> Judged:
    """The frame that a library reads in these bytes."""
    reader = StreamReader()
    reader.feed_data(data)
    reading = Judged.parse(reader.read_exact, mask=True)
    try:
        while True:
            next(reading)
    except StopIteration as whole:
        frame: Judged = whole.value
        return frame


@pytest.mark.parametrize("size", SIZES)
def test_frames_go_out_as_a_library_reads_them(size: int) -> None:
    frame = Frame(BINARY, bytes(range(256)) * (size // 256) + bytes(size % 256))
    found = parsed(frame.encoded())
    assert (found.opcode, found.data, found.fin) == (Opcode.BINARY, frame.payload, True)


@given(st.sampled_from([TEXT, BINARY, CONTINUATION]), st.binary(max_size=300), st.booleans(), st.integers(0, 7))
def test_all_bits_go_out(opcode: int, payload: bytes, fin: bool, rsv: int) -> None:
    encoded = Frame(opcode, payload, fin, rsv).encoded()
    found = parsed(bytes([encoded[0] & 0x8F]) + encoded[1:])  # the library takes no reserved bits
    assert (found.opcode, found.data, found.fin, encoded[0] >> 4 & 7) == (opcode, payload, fin, rsv)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_frames_come_in_with_all_their_bits(size: int, masked: bool) -> None:
    frame = Frame(PONG, b"\x00\xff" * (size // 2) + b"x" * (size % 2), fin=False, rsv=5, masked=masked)
    with serving(says(frame.encoded())) as url, linked(url) as link:
        assert link.recv() == frame
        assert link.recv() is None
        assert link.ended


def test_half_a_frame_is_none() -> None:
    whole = Frame(TEXT, b"x" * 70_000, masked=False).encoded()
    for cut in (1, 2, 5, 9, 10, 60_000):
        with serving(says(whole[:cut])) as url, linked(url) as link:
            assert (link.recv(), link.ended) == (None, True)


def test_silence_ends_a_wait_and_not_the_connection() -> None:
    asked = threading.Event()

    def late(connection: ServerConnection) -> None:
        assert asked.wait(5)
        connection.send("late")

    with serving(late) as url, linked(url) as link:
        assert (link.recv(0.1), link.ended) == (None, False)
        asked.set()
        assert link.recv() == Frame(TEXT, b"late", masked=False)


def test_calls_are_answered_and_remembered(target: Target) -> None:
    api = Api(target)
    with Link(api, "address/address") as link:
        exchange = link.call(LIST)
    assert exchange.answer.json()["count"] == 12
    assert (exchange.sent.body, list(api.exchanges)) == (LIST, [exchange])


@pytest.mark.parametrize("pieces", [[LIST], [LIST[:5], LIST[5:]], [b"", LIST, b""]], ids=["one", "two", "empty ends"])
def test_fragments_are_one_message(target: Target, pieces: list[bytes]) -> None:
    with Link(Api(target), "address/address") as link:
        link.send_fragments(pieces)
        exchange = link.answer()
    assert exchange.answer.json()["count"] == 12
    assert exchange.sent.body == LIST


def test_answer_joins_fragments_and_answers_pings() -> None:
    def in_pieces(connection: ServerConnection) -> None:
        connection.recv()
        frames = [
            Frame(PONG, masked=False),
            Frame(TEXT, b"[1,", fin=False, masked=False),
            Frame(PING, b"still there?", masked=False),
            Frame(CONTINUATION, b"2]", masked=False),
        ]
        connection.socket.sendall(b"".join(frame.encoded() for frame in frames))
        connection.recv()

    with serving(in_pieces) as url, linked(url) as link:
        assert link.call("go").answer.json() == [1, 2]


def test_ping_and_close_are_answered_by_frames(target: Target) -> None:
    with Link(Api(target), "address/address") as link:
        link.ping(b"hello")
        assert link.recv() == Frame(PONG, b"hello", masked=False)
        link.close(1000, "bye")
        closing = link.recv()
        assert closing is not None
        assert (closing.opcode, closing.code) == (CLOSE, 1000)
        assert (link.recv(), link.ended) == (None, True)


def test_close_is_told_with_its_code() -> None:
    frame = Frame(CLOSE, (1011).to_bytes(2, "big"), masked=False)
    with serving(says(frame.encoded())) as url, linked(url) as link:
        assert link.call("x").answer.error == "connection closed before an answer came (close code 1011)"


def test_what_was_said_before_the_end_is_still_read() -> None:
    gone = threading.Event()

    def talks_and_goes(connection: ServerConnection) -> None:
        connection.socket.sendall(Frame(CLOSE, (1009).to_bytes(2, "big"), masked=False).encoded())
        connection.socket.shutdown(2)
        gone.set()

    with serving(talks_and_goes) as url, linked(url) as link:
        assert gone.wait(5)
        link.send_text("x")
        link.send_text("y")
        found = link.recv()
        assert found is not None
        assert found.code == 1009


def test_in_process_there_are_no_frames() -> None:
    client = InProcess("bitvis")
    with pytest.raises(Lacking, match="in process"):
        Link(Api(client.target, client), "address/address")


def test_frames_that_may_change_something_have_to_be_allowed(target: Target) -> None:
    api = Api(replace(target, writes=False))
    with pytest.raises(NotPermitted, match="only reading is allowed"):
        Link(api, "address/address")
    with Link(api, "address/address", changes=False) as link:
        assert link.call(LIST).answer.error is None
