"""A byte stream through a proxy and over TLS: with a scripted socket and a scripted TLS connection."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from fixtures.network_routes import DIRECT, Route
from loadtests.engine import byte_stream
from loadtests.engine.byte_stream import ByteStream
from loadtests.engine.exchange_types import Address
from loadtests.engine.poller import READ, WRITE

PROXIED = Route("getflow", "http://127.0.0.1:3128")
PLAIN, ENCRYPTED, TUNNEL = Address("ws", "h", 80), Address("wss", "h", 443), Address("ws", "h", 80, "", PROXIED)
ESTABLISHED = b"HTTP/1.1 200 Connected\r\n\r\n"


class Socket:
    """A connected socket that receives what a test says, and takes as many bytes of a write as `takes` says."""

    def __init__(self) -> None:
        self.receives: list[bytes] = []
        self.sent: list[bytes] = []
        self.takes: list[int] = []

    def getsockopt(self, *_: int) -> int:
        return 0

    def recv(self, _: int) -> bytes:
        return self.receives.pop(0)

    def send(self, data: bytes) -> int:
        self.sent.append(bytes(data))
        return self.takes.pop(0) if self.takes else len(data)


class Loop:
    """Remembers for what the socket is watched."""

    def __init__(self) -> None:
        self.watched: list[tuple[int, Any]] = []

    def modify(self, _: object, mask: int, handler: Any) -> None:
        self.watched.append((mask, handler))

    def unregister(self, _: object) -> None: ...


class ScriptedTls:
    """Encrypts into angle brackets; what `handshake` and `decrypt` return, or raise, is scripted."""

    def __init__(self) -> None:
        self.handshakes: list[Any] = []
        self.plain: list[Any] = []
        self.received: list[bytes] = []
        self.close_notified = self.has_output = False

    def handshake(self, data: bytes) -> Any:
        return self._next(self.handshakes, data)

    def decrypt(self, data: bytes) -> Any:
        return self._next(self.plain, data)

    def encrypt(self, data: bytes) -> bytes:
        return b"<" + data + b">"

    def _next(self, script: list[Any], data: bytes) -> Any:
        self.received.append(data)
        following = script.pop(0)
        if isinstance(following, Exception):
            raise following
        return following


class Stream(ByteStream):
    """Notes what happens."""

    def __init__(self, address: Address) -> None:
        super().__init__(Loop(), address)  # type: ignore[arg-type]
        self.events: list[Any] = []
        self.is_closing = False
        self.plug(Socket())

    def plug(self, sock: Any) -> None:
        self.sock = self._sock = sock
        self.recv, self.send = sock.recv, sock.send

    def on_open(self) -> None:
        self.events.append("open")

    def on_bytes(self, data: bytes, now: int) -> None:
        assert now > 0
        self.events.append(data)
        if self.is_closing:
            self.close()

    def on_end(self, reason: str) -> None:
        self.events.append(f"end {reason}")

    def fail(self, reason: str) -> None:
        self.events.append(f"fail {reason}")
        self.close()

    def watched(self) -> Any:
        return self.loop.watched  # type: ignore[attr-defined]


def receive(stream: Stream, data: bytes) -> None:
    """Let the stream's present handler read these bytes."""
    stream.sock.receives.append(data)
    stream._read_handler(READ)


# ------------------------------------------------------------------------------------------------ tunnels


def tunnel() -> Stream:
    stream = Stream(TUNNEL)
    stream._on_connecting(WRITE)
    return stream


def test_tunnel_is_opened_to_the_server_before_the_stream() -> None:
    stream = tunnel()
    assert stream.sock.sent == [b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"]
    assert stream.watched() == [(READ, stream._on_tunnel)]
    for size in range(len(ESTABLISHED)):
        assert stream.events == []
        receive(stream, ESTABLISHED[size : size + 1])
    assert (stream.events, stream.watched()[-1]) == (["open"], (READ, stream.on_readable))


def test_second_tunnel_of_a_stream_begins_anew() -> None:
    stream = tunnel()
    receive(stream, b"HTTP/1.1 2")
    stream.close()
    stream.plug(Socket())
    stream._on_connecting(WRITE)
    receive(stream, ESTABLISHED)
    assert stream.events == ["open"]


@pytest.mark.parametrize(
    ("response", "event"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "open"),
        (b"HTTP/1.1 299 OK\r\n\r\n", "open"),
        (b"HTTP/1.1 300 No\r\n\r\n", "fail proxy: status 300"),
        (b"HTTP/1.1 407 No\r\n\r\n", "fail proxy: status 407"),
        (b"SSH-2.0\r\n\r\n", "fail proxy: not HTTP/1"),
        (b"", "fail proxy: closed in the handshake"),
    ],
)
def test_response_of_the_proxy_decides(response: bytes, event: str) -> None:
    stream = tunnel()
    receive(stream, response)
    assert stream.events == [event]


def test_bytes_that_the_system_has_not_taken_go_on_being_written() -> None:
    stream = Stream(TUNNEL)
    stream.sock.takes = [1]
    stream._on_connecting(WRITE)
    receive(stream, ESTABLISHED)
    assert stream.watched()[-1] == (READ | WRITE, stream._on_ready)


# ------------------------------------------------------------------------------------------------ TLS


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> ScriptedTls:
    """The TLS connection of every stream, to the host h by the certificates of a direct route."""
    scripted = ScriptedTls()

    def connection(context: Any, host: str) -> ScriptedTls:
        assert (context, host) == (("context", DIRECT), "h")
        return scripted

    monkeypatch.setattr(byte_stream, "tls_context", lambda route: ("context", route))
    monkeypatch.setattr(byte_stream, "Tls", connection)
    return scripted


def encrypted(tls: ScriptedTls) -> Stream:
    """An open stream over TLS."""
    tls.handshakes, tls.plain = [False, True], [b""]
    stream = Stream(ENCRYPTED)
    stream._on_connecting(WRITE)
    receive(stream, b"x")
    stream.events.clear()
    stream.sock.sent.clear()
    tls.received.clear()
    return stream


def test_handshake_is_before_the_stream(tls: ScriptedTls) -> None:
    tls.handshakes, tls.plain = [False, False, True], [b"early"]
    stream = Stream(ENCRYPTED)
    stream._on_connecting(WRITE)
    assert stream.watched() == [(READ, stream._on_handshake)]
    receive(stream, b"a")
    assert stream.events == []
    receive(stream, b"b")
    assert (tls.received, stream.sock.sent) == ([b"", b"a", b"b", b""], [b"<>"] * 3)
    assert (stream.events, stream.watched()[-1]) == ([b"early", "open"], (READ, stream.on_readable))


def test_certificates_of_the_route_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    routes: list[Route] = []
    monkeypatch.setattr(byte_stream, "tls_context", routes.append)
    monkeypatch.setattr(byte_stream, "Tls", lambda *_: ScriptedTls())
    monkeypatch.setattr(ScriptedTls, "handshake", lambda *_: False)
    Stream(Address("wss", "h", 443, "", Route("bitvis")))._on_connected()
    assert routes == [Route("bitvis")]


def test_handshake_that_fails_sends_its_alert(tls: ScriptedTls) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "self-signed certificate"
    tls.handshakes = [False, error]
    stream = Stream(ENCRYPTED)
    stream._on_connecting(WRITE)
    receive(stream, b"x")
    assert (stream.events, stream.sock.sent) == (["fail tls: certificate: self-signed certificate"], [b"<>"] * 2)


def test_stream_that_ends_with_the_handshake_is_never_open(tls: ScriptedTls) -> None:
    tls.handshakes, tls.plain = [False, True], [b"last"]
    stream = Stream(ENCRYPTED)
    stream._on_connecting(WRITE)
    stream.is_closing = True
    receive(stream, b"x")
    assert stream.events == [b"last"]


def test_handshake_of_a_closed_stream_is_over(tls: ScriptedTls) -> None:
    stream = encrypted(tls)
    stream.close()
    stream._continue_handshake(b"x")
    assert (stream.events, tls.received) == ([], [])


def test_text_is_encrypted(tls: ScriptedTls) -> None:
    stream = encrypted(tls)
    stream.write(b"text")
    assert stream.sock.sent == [b"<text>"]
    stream.close()
    stream.plug(Socket())
    stream.write(b"text")
    assert stream.sock.sent == [b"text"]


@pytest.mark.parametrize(
    ("received", "plain", "is_notified", "events"),
    [
        (b"x", b"text", False, [b"text"]),
        (b"x", b"", False, []),
        (b"x", b"text", True, [b"text", "end "]),
        (b"", b"", False, ["end tls: cut off"]),
        (b"", b"", True, ["end "]),
    ],
    ids=["text", "half a record", "last text", "cut off", "end"],
)
def test_ciphertext_is_decrypted(
    tls: ScriptedTls, received: bytes, plain: bytes, is_notified: bool, events: list[Any]
) -> None:
    stream = encrypted(tls)
    tls.plain, tls.close_notified = [plain], is_notified
    receive(stream, received)
    assert (tls.received, stream.sock.sent) == ([received], [])
    assert stream.events == events


def test_broken_record_ends_the_stream(tls: ScriptedTls) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "certificate has expired"
    stream = encrypted(tls)
    tls.plain = [error]
    receive(stream, b"x")
    assert stream.events == ["end tls: certificate: certificate has expired"]


def test_answers_of_tls_itself_are_sent(tls: ScriptedTls) -> None:
    stream = encrypted(tls)
    tls.plain, tls.has_output = [b"text"], True
    receive(stream, b"x")
    assert (stream.sock.sent, stream.events) == ([b"<>"], [b"text"])


def test_end_of_a_stream_that_its_bytes_close_is_not_reported(tls: ScriptedTls) -> None:
    stream = encrypted(tls)
    stream.is_closing = tls.close_notified = True
    tls.plain = [b"last"]
    receive(stream, b"x")
    assert stream.events == [b"last"]


def test_plain_stream_has_neither_tunnel_nor_handshake() -> None:
    stream = Stream(PLAIN)
    stream._on_connecting(WRITE)
    assert (stream.sock.sent, stream.events, stream.watched()) == ([], ["open"], [(READ, stream.on_readable)])
