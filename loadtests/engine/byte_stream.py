"""A byte stream to an address: opens it (name, TCP, proxy, TLS), writes, reads and closes. It interprets none.

Every failure is reported by a call of `fail`, in a later iteration than the call that caused it.
"""

from __future__ import annotations

import errno
import ssl
from _socket import IPPROTO_TCP, SO_ERROR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket
from collections.abc import Sequence
from time import perf_counter_ns

from fixtures.http1.forward_proxy import connect_request, tunnel_status
from fixtures.http1.response_head import MalformedResponse
from fixtures.network_routes import DIRECT, authority, tls_context
from loadtests.engine import connect_errors
from loadtests.engine.exchange_types import ENCRYPTED, Address
from loadtests.engine.loop import Handler, Loop
from loadtests.engine.poller import READ, WRITE
from loadtests.engine.resolver import SocketAddress
from loadtests.engine.tls import Tls, tls_reason

RECV = 65_536
OPENING = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR})


class ByteStream:
    """Base class: override `on_open`, `on_bytes`, `on_end`, `fail` and `fail_soon`."""

    __slots__ = (
        "_open_began",
        "_read_handler",
        "_sock",
        "_tls",
        "_tunnel_response",
        "_unsent",
        "_untried",
        "address",
        "loop",
        "recv",
        "send",
    )  # fmt: skip

    def __init__(self, loop: Loop, address: Address) -> None:
        self.loop = loop
        self.address = address
        self._unsent: bytes | memoryview = b""  # bytes that the system has not taken yet
        self._untried: Sequence[SocketAddress] = ()  # addresses of the host that were not tried yet
        self._read_handler: Handler = self.on_readable  # reads plain bytes or the TLS handshake
        self._open_began = 0  # ns
        self._sock: socket | None = None
        self._tls: Tls | None = None
        self._tunnel_response = b""  # of a proxy, as far as it came

    # Opening

    def open(self) -> None:
        """Begin to connect."""
        self._open_began = perf_counter_ns()
        try:
            self._untried = self.loop.resolve(*self.address.next_hop)
        except OSError:
            self.fail_soon("connect: unknown host")
            return
        self._try_next("no address")

    def _try_next(self, reason: str) -> None:
        """Try the next address of the host; the last one's failure is reported."""
        while self._untried:
            (family, address), self._untried = self._untried[0], self._untried[1:] or ()
            try:
                sock = socket(family, SOCK_STREAM, 0)
            except OSError as error:
                reason = _error_reason("connect", error)
                if connect_errors.is_own(error.errno or 0):
                    break
                continue
            sock.setblocking(False)
            code = sock.connect_ex(address)
            if code == 0 or code in OPENING:
                sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                self._sock = sock
                self.recv, self.send = sock.recv, sock.send
                self.loop.register(sock, WRITE, self._on_connecting)
                return
            sock.close()
            reason = connect_errors.reason("connect", code)
            if connect_errors.is_own(code):
                break
        self.fail_soon(reason)

    def _on_connecting(self, _: int) -> None:
        sock = self._sock
        if sock is None:
            return
        code = sock.getsockopt(SOL_SOCKET, SO_ERROR)
        if code:
            self.close()
            self._try_next(connect_errors.reason("connect", code))
            return
        if self.address.is_tunnel:
            self._receive_by(self._on_tunnel)
            self.write(connect_request(authority(self.address.host, self.address.port)))
        else:
            self._on_connected()

    def _receive_by(self, handler: Handler) -> None:
        self._read_handler = handler
        if self._sock is not None and not self._unsent:
            self.loop.modify(self._sock, READ, handler)

    def _on_tunnel(self, _: int) -> None:
        """Read the proxy's response to CONNECT."""
        data = self._receive_opening("proxy")
        if data is None:
            return
        self._tunnel_response += data
        try:
            status = tunnel_status(self._tunnel_response)
        except MalformedResponse as error:
            self.fail(f"proxy: {error}")
            return
        if status is not None and not 200 <= status < 300:
            self.fail(f"proxy: status {status}")
        elif status is not None:
            self._on_connected()

    def _on_connected(self) -> None:
        """The bytes of the server itself begin."""
        if self.address.scheme not in ENCRYPTED:
            self._receive_by(self.on_readable)
            self.on_open()
            return
        self._receive_by(self._on_handshake)
        self._tls = Tls(tls_context(self.address.route or DIRECT), self.address.host)
        self._continue_handshake(b"")

    def _on_handshake(self, _: int) -> None:
        data = self._receive_opening("tls")
        if data is not None:
            self._continue_handshake(data)

    def _receive_opening(self, stage: str) -> bytes | None:
        """What came while the stream is being opened; None if nothing did, or if that has failed now."""
        try:
            data = self.recv(RECV)
        except BlockingIOError:
            return None
        except OSError as error:
            self.fail(_error_reason(stage, error))
            return None
        if not data:
            self.fail(f"{stage}: closed in the handshake")
        return data or None

    def _continue_handshake(self, data: bytes) -> None:
        tls, sock = self._tls, self._sock
        if tls is None or sock is None:
            return
        try:
            done = tls.handshake(data)
        except ssl.SSLError as error:
            self.write(b"")  # the alert
            self.fail(f"tls: {tls_reason(error, self.address.route or DIRECT)}")
            return
        self.write(b"")
        if done:
            self._receive_by(self.on_readable)
            self._on_ciphertext(tls, b"", is_end=False)  # bytes that came with the end of the handshake
            if self._tls is tls:
                self.on_open()

    # Bytes

    def write(self, data: bytes) -> None:
        """Send what the system takes now, and the rest when it takes more. Errors show when reading."""
        if self._tls is not None:
            try:
                data = self._tls.encrypt(data)
            except ssl.SSLError:
                return  # reading reports it, as for the socket's error below
        if self._unsent:
            self._unsent = bytes(self._unsent) + data
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # a response may have come before; if not, reading reports how the connection ended
        if sent != len(data) and self._sock is not None:
            self._unsent = memoryview(data)[sent:]
            self.loop.modify(self._sock, READ | WRITE, self._on_ready)

    def _on_ready(self, mask: int) -> None:
        if mask & WRITE and self._sock is not None:
            data, self._unsent = self._unsent, b""
            try:
                sent = self.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                sent = len(data)
            self._unsent = data[sent:]
            if not self._unsent:
                self.loop.modify(self._sock, READ, self._read_handler)
        if mask & ~WRITE:
            self._read_handler(mask)

    def on_readable(self, _: int) -> None:
        """Read: bytes go to `on_bytes`, the end or an error to `on_end`."""
        try:
            data = self.recv(RECV)
        except BlockingIOError:
            return
        except OSError:
            self.on_end("connection reset")
            return
        if self._tls is not None:
            self._on_ciphertext(self._tls, data, is_end=not data)
        elif data:
            self.on_bytes(data, perf_counter_ns())
        else:
            self.on_end("")

    def _on_ciphertext(self, tls: Tls, data: bytes, *, is_end: bool) -> None:
        """The same for ciphertext. An end that TLS does not announce may be an attack (RFC 8446 section 6.1)."""
        try:
            plain = tls.decrypt(data)
        except ssl.SSLError as error:
            self.on_end(f"tls: {tls_reason(error, self.address.route or DIRECT)}")
            return
        if tls.has_output:
            self.write(b"")
        if plain:
            self.on_bytes(plain, perf_counter_ns())
        if self._tls is tls and (tls.close_notified or is_end):
            self.on_end("" if tls.close_notified else "tls: cut off")

    def close(self) -> None:
        """Close the socket if there is one; the next request opens another."""
        self._unsent = self._tunnel_response = b""
        self._tls = None
        if self._sock is not None:
            self.loop.unregister(self._sock)
            self._sock = None
            del self.recv, self.send  # they hold the socket

    # To override

    def on_open(self) -> None:
        """The stream is open."""
        raise NotImplementedError

    def on_bytes(self, data: bytes, now: int) -> None:
        """Bytes came at `now` (ns)."""
        raise NotImplementedError

    def on_end(self, reason: str) -> None:
        """The stream has ended; `reason` says how, "" for a normal end."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """The stream failed. Called by the loop."""
        raise NotImplementedError

    def fail_soon(self, reason: str) -> None:
        """As `fail`, in a later iteration: its caller must not be called back within the call."""
        raise NotImplementedError


def _error_reason(stage: str, error: OSError) -> str:
    return connect_errors.reason(stage, error.errno) if error.errno else f"{stage}: {type(error).__name__}"
