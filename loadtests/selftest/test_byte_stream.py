"""A byte stream over a scripted socket: each address is tried, bytes are kept until the system takes them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest

from loadtests.engine import byte_stream
from loadtests.engine.byte_stream import RECV, ByteStream
from loadtests.engine.exchange_types import Address
from loadtests.engine.poller import READ, WRITE

FIRST, SECOND = (("127.0.0.1", 1), ("127.0.0.2", 1))
MORE = 256  # another bit of a mask than those of the poller, as for an error


class Socket:
    """A socket that does what a test says: `connects` and `errors` are error numbers, `takes` what `send` returns."""

    def __init__(self, connects: int = 0, error: int = 0) -> None:
        self.connects = connects
        self.error = error
        self.takes: list[int | OSError] = []
        self.receives: list[bytes | OSError] = []
        self.sent: list[bytes] = []
        self.options: list[tuple[int, int, int]] = []
        self.is_closed = False
        self.connected_to: Any = None

    def setblocking(self, value: bool) -> None:
        assert not value

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)  # type: ignore[arg-type]

    def getsockopt(self, level: int, option: int) -> int:
        assert (level, option) == (byte_stream.SOL_SOCKET, byte_stream.SO_ERROR)
        return self.error

    def connect_ex(self, address: Any) -> int:
        self.connected_to = address
        return self.connects

    def close(self) -> None:
        self.is_closed = True

    def send(self, data: bytes) -> int:
        self.sent.append(bytes(data))
        took = self.takes.pop(0) if self.takes else len(data)
        if isinstance(took, OSError):
            raise took
        return took

    def recv(self, size: int) -> bytes:
        assert size == RECV
        received = self.receives.pop(0)
        if isinstance(received, OSError):
            raise received
        return received


class Loop:
    """Remembers for what a socket is watched; resolves every host to the given addresses."""

    def __init__(self, *addresses: Any) -> None:
        self.addresses = addresses
        self.watched: list[tuple[Any, int, Any]] = []
        self.forgotten: list[Any] = []

    def resolve(self, host: str, port: int) -> list[Any]:
        assert (host, port) == ("localhost", 1)
        if not self.addresses:
            raise OSError
        return [(2, address) for address in self.addresses if address]

    def register(self, sock: Any, mask: int, handler: Any) -> None:
        self.watched.append((sock, mask, handler))

    modify = register

    def unregister(self, sock: Any) -> None:
        self.forgotten.append(sock)


class Stream(ByteStream):
    """Notes what happens."""

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop, Address("http", "localhost", 1))  # type: ignore[arg-type]
        self.events: list[Any] = []

    def on_open(self) -> None:
        self.events.append("open")

    def on_bytes(self, data: bytes, now: int) -> None:
        assert now > 0
        self.events.append(data)

    def on_end(self, reason: str) -> None:
        self.events.append(f"end {reason}")

    def fail(self, reason: str) -> None:
        self.events.append(f"now {reason}")

    def fail_soon(self, reason: str) -> None:
        self.events.append(f"soon {reason}")


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sockets that are opened, in this order; an exception is raised instead."""
    scripted: list[Any] = []
    supply: Iterator[Any] = iter(scripted)

    def opened(family: int, kind: int, protocol: int) -> Any:
        assert (family, kind, protocol) == (2, byte_stream.SOCK_STREAM, 0)
        following = next(supply)
        if isinstance(following, OSError):
            raise following
        return following

    monkeypatch.setattr(byte_stream, "socket", opened)
    return scripted


def connected(sockets: list[Any]) -> tuple[Stream, Socket, Loop]:
    """An open stream, its socket and its loop."""
    sock, loop = Socket(), Loop(FIRST)
    sockets.append(sock)
    stream = Stream(loop)
    stream.open()
    stream._on_connecting(WRITE)
    return stream, sock, loop


def test_unknown_host_fails_later() -> None:
    stream = Stream(Loop())
    stream.open()
    assert stream.events == ["soon connect: unknown host"]


def test_host_without_address_fails_later() -> None:
    stream = Stream(Loop(None))
    stream.open()
    assert stream.events == ["soon no address"]


@pytest.mark.parametrize("code", [0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR])
def test_connection_that_begins_is_watched_until_it_can_be_written_to(sockets: list[Any], code: int) -> None:
    sock, loop = Socket(code), Loop(FIRST)
    sockets.append(sock)
    stream = Stream(loop)
    stream.open()
    assert (sock.connected_to, loop.watched) == (FIRST, [(sock, WRITE, stream._on_connecting)])
    assert sock.options == [(byte_stream.IPPROTO_TCP, byte_stream.TCP_NODELAY, 1)]
    assert stream.events == []


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (Socket(errno.EPERM), "connect: operation not permitted"),
        (Socket(errno.ENETUNREACH), "connect: network is unreachable"),
        (OSError(errno.EAFNOSUPPORT, "x"), "connect: address family not supported by protocol"),
        (
            OSError(errno.EMFILE, "x"),
            "load generator: too many open files (EMFILE); raise ulimit -n, or use more workers",
        ),
        (OSError(), "connect: OSError"),
    ],
    ids=["1", "unreachable", "no socket", "no files", "no number"],
)
def test_last_address_that_fails_gives_the_reason(sockets: list[Any], failing: Any, reason: str) -> None:
    sockets += [Socket(errno.ECONNREFUSED), failing]
    stream = Stream(Loop(FIRST, SECOND))
    stream.open()
    assert stream.events == [f"soon {reason}"]
    assert all(sock.is_closed for sock in sockets if isinstance(sock, Socket))


def test_address_after_one_that_fails_is_tried(sockets: list[Any]) -> None:
    sockets += [OSError(errno.EAFNOSUPPORT, "x"), Socket(error=errno.ECONNREFUSED), Socket()]
    loop = Loop(FIRST, FIRST, SECOND)
    stream = Stream(loop)
    stream.open()
    stream._on_connecting(WRITE)
    assert (loop.forgotten, sockets[2].connected_to) == ([sockets[1]], SECOND)
    stream._on_connecting(WRITE)
    assert stream.events == ["open"]


@pytest.mark.parametrize("failing", [OSError(errno.EMFILE, "x"), Socket(errno.EADDRNOTAVAIL)], ids=["files", "ports"])
def test_no_other_address_is_tried_when_the_machine_lacks_something(sockets: list[Any], failing: Any) -> None:
    sockets += [failing, Socket()]
    stream = Stream(Loop(FIRST, SECOND))
    stream.open()
    assert (len(stream.events), sockets[1].connected_to) == (1, None)


def test_last_connection_that_is_refused_gives_the_reason(sockets: list[Any]) -> None:
    sockets.append(Socket(error=errno.ECONNREFUSED))
    stream = Stream(Loop(FIRST))
    stream.open()
    stream._on_connecting(WRITE)
    assert stream.events == ["soon connect: connection refused"]


def test_open_stream_is_watched_for_bytes(sockets: list[Any]) -> None:
    stream, sock, loop = connected(sockets)
    assert (stream.events, loop.watched[-1]) == (["open"], (sock, READ, stream.on_readable))


def test_bytes_that_the_system_takes_are_written_at_once(sockets: list[Any]) -> None:
    stream, sock, loop = connected(sockets)
    stream.write(b"abc")
    assert (sock.sent, len(loop.watched)) == ([b"abc"], 2)


@pytest.mark.parametrize(("takes", "rest"), [(1, b"bcde"), (BlockingIOError(), b"abcde")], ids=["some", "none"])
def test_rest_is_written_when_the_system_takes_more(sockets: list[Any], takes: Any, rest: bytes) -> None:
    stream, sock, loop = connected(sockets)
    sock.takes = [takes, BlockingIOError(), 2]
    stream.write(b"abc")
    assert loop.watched[-1] == (sock, READ | WRITE, stream._on_ready)
    stream.write(b"de")
    for _ in range(3):
        stream._on_ready(WRITE)
    assert sock.sent == [b"abc", rest, rest, rest[2:]]
    assert loop.watched[-1] == (sock, READ, stream.on_readable)
    stream.write(b"f")
    assert sock.sent[-1] == b"f"


def test_error_of_writing_shows_when_reading(sockets: list[Any]) -> None:
    stream, sock, loop = connected(sockets)
    sock.takes = [ConnectionResetError(), 1, ConnectionResetError()]
    stream.write(b"a")
    assert (stream.events, len(loop.watched)) == (["open"], 2)
    stream.write(b"bc")
    stream._on_ready(WRITE)
    assert (stream.events, loop.watched[-1]) == (["open"], (sock, READ, stream.on_readable))


@pytest.mark.parametrize(
    ("mask", "events", "sent"),
    [
        (READ, [b"x"], [b"ab"]),
        (MORE, [b"x"], [b"ab"]),
        (READ | WRITE, [b"x"], [b"ab", b"b"]),
        (WRITE, [], [b"ab", b"b"]),
    ],
)
def test_stream_reads_and_writes_what_is_ready(
    sockets: list[Any], mask: int, events: list[Any], sent: list[bytes]
) -> None:
    stream, sock, _ = connected(sockets)
    sock.takes, sock.receives = [1], [b"x"]
    stream.write(b"ab")
    stream._on_ready(mask)
    assert (stream.events[1:], sock.sent) == (events, sent)


@pytest.mark.parametrize(
    ("received", "events"),
    [
        (b"abc", [b"abc"]),
        (b"", ["end "]),
        (BlockingIOError(), []),
        (ConnectionResetError(), ["end connection reset"]),
    ],
    ids=["bytes", "end", "nothing", "reset"],
)
def test_what_is_received_is_reported(sockets: list[Any], received: Any, events: list[Any]) -> None:
    stream, sock, _ = connected(sockets)
    sock.receives = [received]
    stream.on_readable(READ)
    assert stream.events[1:] == events


@pytest.mark.parametrize(
    ("received", "events"),
    [
        (b"", ["now tls: closed in the handshake"]),
        (BlockingIOError(), []),
        (ConnectionResetError(errno.ECONNRESET, "x"), ["now tls: connection reset by peer"]),
    ],
    ids=["end", "nothing", "reset"],
)
def test_stream_that_ends_in_the_handshake_fails(sockets: list[Any], received: Any, events: list[Any]) -> None:
    stream, sock, _ = connected(sockets)
    sock.receives = [received]
    stream._on_handshake(READ)
    assert stream.events[1:] == events


def test_closed_stream_forgets_its_socket_and_its_bytes(sockets: list[Any]) -> None:
    stream, sock, loop = connected(sockets)
    sock.takes = [1]
    stream.write(b"ab")
    stream.close()
    stream.close()
    assert loop.forgotten == [sock]
    stream._on_ready(WRITE)
    stream._on_connecting(WRITE)
    assert (sock.sent, stream.events) == ([b"ab"], ["open"])
