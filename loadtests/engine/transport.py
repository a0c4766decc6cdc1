"""A byte stream to an address: opening it (name, TCP, TLS), writing, reading, closing. What flows is others' business.

Whatever goes wrong is told by `fail`, in a later turn than the one that asked.
"""

from __future__ import annotations

import errno
import os
import ssl
from _socket import IPPROTO_TCP, SO_ERROR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, socket
from time import perf_counter_ns

from loadtests.engine.call import ENCRYPTED, Address
from loadtests.engine.loop import Handler, Loop, Target
from loadtests.engine.poller import READ, WRITE
from loadtests.engine.tls import Tls, why

RECV = 65_536
OPENING = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR})


class Transport:
    """Derive from it, and override `on_open`, `on_bytes`, `on_end`, `fail` and `fail_soon`."""

    __slots__ = (
        "_backlog", "_left", "_on_read", "_opened", "_sock", "_tls", "address", "loop", "recv", "send",
    )  # fmt: skip

    def __init__(self, loop: Loop, address: Address) -> None:
        self.loop = loop
        self.address = address
        self._backlog: bytes | memoryview = b""  # what the system did not take yet
        self._left: list[Target] = []  # addresses of the host still to try
        self._on_read: Handler = self.on_readable  # who reads now
        self._opened = 0  # when opening began
        self._sock: socket | None = None
        self._tls: Tls | None = None

    # Opening

    def open(self) -> None:
        """Begin to connect. Whatever goes wrong is reported in a later turn."""
        self._opened = perf_counter_ns()
        try:
            self._left = list(self.loop.resolve(self.address.host, self.address.port))
        except OSError:
            self.fail_soon("connect: unknown host")
            return
        self._try_next("no address")

    def _try_next(self, reason: str) -> None:
        """Try the host's addresses in turn; the last one's reason is the one reported."""
        while self._left:
            family, where = self._left.pop(0)
            try:
                sock = socket(family, SOCK_STREAM, 0)
            except OSError as wrong:
                reason = _named("connect", wrong)
                continue
            sock.setblocking(False)
            code = sock.connect_ex(where)
            if code == 0 or code in OPENING:
                sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                self._sock = sock
                self.recv, self.send = sock.recv, sock.send
                self.loop.add(sock, WRITE, self._on_connecting)
                return
            sock.close()
            reason = f"connect: {os.strerror(code).lower()}"
        self.fail_soon(reason)

    def _on_connecting(self, _: int) -> None:
        sock = self._sock
        if sock is None:
            return
        code = sock.getsockopt(SOL_SOCKET, SO_ERROR)
        if code:
            self.close()
            self._try_next(f"connect: {os.strerror(code).lower()}")
            return
        encrypted = self.address.scheme in ENCRYPTED
        self._on_read = self._on_handshake if encrypted else self.on_readable
        self.loop.change(sock, READ, self._on_read)
        if encrypted:
            self._tls = Tls(self.loop.tls(), self.address.host)
            self._shake(b"")
        else:
            self.on_open()

    def _on_handshake(self, _: int) -> None:
        try:
            data = self.recv(RECV)
        except BlockingIOError:
            return
        except OSError as wrong:
            self.fail(_named("tls", wrong))
            return
        if data:
            self._shake(data)
        else:
            self.fail("tls: closed in the handshake")

    def _shake(self, data: bytes) -> None:
        tls, sock = self._tls, self._sock
        if tls is None or sock is None:
            return
        try:
            done = tls.handshake(data)
        except ssl.SSLError as wrong:
            self.write(b"")  # the alert that says why
            self.fail(f"tls: {why(wrong)}")
            return
        self.write(b"")
        if done:
            self._on_read = self.on_readable
            if not self._backlog:
                self.loop.change(sock, READ, self._on_read)
            self._on_sealed(tls, b"", over=False)  # what came with the last bytes of the handshake
            if self._tls is tls:
                self.on_open()

    # Bytes

    def write(self, data: bytes) -> None:
        """Send now what the system takes, and the rest when it takes more. Errors show when reading."""
        if self._tls is not None:
            try:
                data = self._tls.seal(data)
            except ssl.SSLError:
                return  # as for an error of the socket below
        if self._backlog:
            self._backlog = bytes(self._backlog) + data
            return
        try:
            sent = self.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # an answer may have come before; if none did, reading says how the connection ended
        if sent != len(data) and self._sock is not None:
            self._backlog = memoryview(data)[sent:]
            self.loop.change(self._sock, READ | WRITE, self._on_both)

    def _on_both(self, mask: int) -> None:
        if mask & WRITE and self._sock is not None:
            data, self._backlog = self._backlog, b""
            try:
                sent = self.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                sent = len(data)
            self._backlog = data[sent:]
            if not self._backlog:
                self.loop.change(self._sock, READ, self._on_read)
        if mask & ~WRITE:
            self._on_read(mask)

    def on_readable(self, _: int) -> None:
        """Bytes, or the end of them, or an error: plain bytes go to `on_bytes`, the end to `on_end`."""
        try:
            data = self.recv(RECV)
        except BlockingIOError:
            return
        except OSError:
            self.on_end("connection reset")
            return
        if self._tls is not None:
            self._on_sealed(self._tls, data, over=not data)
        elif data:
            self.on_bytes(data, perf_counter_ns())
        else:
            self.on_end("")

    def _on_sealed(self, tls: Tls, data: bytes, *, over: bool) -> None:
        """The same for ciphertext. An end that TLS does not announce may be an attacker's (RFC 8446 section 6.1)."""
        try:
            plain = tls.open(data)
        except ssl.SSLError as wrong:
            self.on_end(f"tls: {why(wrong)}")
            return
        if tls.waiting:
            self.write(b"")
        if plain:
            self.on_bytes(plain, perf_counter_ns())
        if self._tls is tls and (tls.ended or over):
            self.on_end("" if tls.ended else "tls: cut off")

    def close(self) -> None:
        """Close the socket, if there is one. The next call opens another."""
        self._backlog = b""
        self._tls = None
        if self._sock is not None:
            self.loop.remove(self._sock)
            self._sock = None
            del self.recv, self.send  # they hold the socket

    # To override

    def on_open(self) -> None:
        """The stream is open."""
        raise NotImplementedError

    def on_bytes(self, data: bytes, now: int) -> None:
        """Bytes came, at `now`."""
        raise NotImplementedError

    def on_end(self, reason: str) -> None:
        """The stream is over; `reason` says how if it did not simply end."""
        raise NotImplementedError

    def fail(self, reason: str) -> None:
        """The stream cannot be opened. Called by the loop."""
        raise NotImplementedError

    def fail_soon(self, reason: str) -> None:
        """As `fail`, but called by whoever asked, who is not to be told within the call."""
        raise NotImplementedError


def _named(stage: str, wrong: OSError) -> str:
    return f"{stage}: {os.strerror(wrong.errno).lower() if wrong.errno else type(wrong).__name__}"
