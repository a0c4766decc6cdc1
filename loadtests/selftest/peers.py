"""Servers for the engine's tests that do what a test says, byte by byte, and the engine's side of such a test.

A script runs in a thread for each connection. What goes wrong in one is raised where the server is closed.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from loadtests.engine.call import SECOND, Address, Answer, Journey, Request
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import Slot
from loadtests.engine.session import Session

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 20.0  # seconds until a test gives up
SHORT = 300_000_000  # ns: a time limit that is to be over, and still long enough to connect on a busy machine


class Talk:
    """The server's end of one connection. `number` counts connections from 0."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self._rest = b""

    def read(self) -> bytes:
        """What comes next; empty at the end, also if the client reset the connection."""
        data, self._rest = self._rest, b""
        try:
            return data or self.sock.recv(65536)
        except ConnectionError:
            return b""

    def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`; less if the connection ends before."""
        data = b""
        while mark not in data and (more := self.read()):
            data += more
        at = data.find(mark)
        if at >= 0:
            data, self._rest = data[: at + len(mark)], data[at + len(mark) :]
        return data

    def head(self) -> bytes:
        """The head of the next request; its body is not read. Empty if no request comes."""
        return self.until(b"\r\n\r\n")

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self.read()):
            data += more
        data, self._rest = data[:size], data[size:]
        return data

    def send(self, *parts: bytes) -> None:
        """Send the parts one after the other."""
        for part in parts:
            self.sock.sendall(part)

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Talk], object]


def always(answer: bytes, ends: bool = False, bytewise: bool = False) -> Script:
    """Give this answer to every request, and close the connection if that `ends` it."""
    parts = [answer[at : at + 1] for at in range(len(answer))] if bytewise else [answer]

    def script(talk: Talk) -> None:
        while talk.head():
            talk.send(*parts)
            if ends:
                return

    return script


class Peer:
    """A listening server: where it is, and how many connections came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0

    def url(self, scheme: str = "http", path: str = "/") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


@contextmanager
def peer(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Serve `script` on a free port of loopback until the block is left."""
    failed: list[BaseException] = []
    threads: list[threading.Thread] = []
    socks: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Peer(listening.getsockname()[1])

        def converse(sock: socket.socket, number: int) -> None:
            sock.settimeout(PATIENCE)
            try:
                with tls.wrap_socket(sock, server_side=True) if tls else sock as wrapped:
                    script(Talk(wrapped, number))
            except (ssl.SSLError, ConnectionError):
                pass  # the client went away, as some tests want
            except BaseException as wrong:
                failed.append(wrong)

        def accept() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                socks.append(sock)
                threads.append(threading.Thread(target=converse, args=(sock, server.connections), daemon=True))
                server.connections += 1
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(PATIENCE)
            for sock in socks:
                with suppress(OSError):  # closed already
                    sock.shutdown(socket.SHUT_RD)
            for thread in threads:
                thread.join(PATIENCE)
    if failed:
        raise failed[0]


class Client:
    """A loop with one session, and a slot that notes what it did."""

    def __init__(self, cafile: str | None = None) -> None:
        self.loop = Loop(cafile)
        self.session = Session(self.loop)
        self.slot = Slot("test", "any")

    def request(self, url: str, payload: bytes | None = None, **more: Any) -> Request:
        """A request to `url`; for HTTP a GET of its path if no payload is given."""
        address = Address.of(url)
        path = "/" + url.split("/", 3)[-1]
        get = f"GET {path} HTTP/1.1\r\nHost: {address.authority}\r\n\r\n".encode()
        more.setdefault("timeout_ns", int(PATIENCE * SECOND))
        return Request(self.slot, get if payload is None else payload, address, **more)

    def play(self, journey: Journey, intended: int = 0) -> Session:
        """Play it to its end. What it raises is raised here."""
        ended: list[Session] = []
        self.session.play(journey, intended, ended.append)
        self.loop.run(lambda: bool(ended), PATIENCE)
        if self.session.raised is not None:
            raise self.session.raised
        return self.session

    def ask(self, *requests: Request) -> list[Answer]:
        """The answers to these requests, sent one after the other by one journey."""
        answers: list[Answer] = []

        def journey() -> Journey:
            for request in requests:
                answer = yield request
                answers.append(one(answer))

        self.play(journey())
        return answers

    def together(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers to these requests, all in flight at once."""
        answers: list[Answer] = []

        def journey() -> Journey:
            several = yield requests
            assert isinstance(several, list)
            answers.extend(several)

        self.play(journey())
        return answers

    def until_closed(self, request: Request) -> Iterator[float]:
        """Pauses for a journey until the connection of this request has noticed that it is over."""
        connection = self.session.connection(request.address)
        while connection.ready:
            yield 0.001

    def close(self) -> None:
        self.session.stop(graceful=False)
        self.loop.run_once()
        self.loop.close()


def one(answer: Answer | list[Answer] | None) -> Answer:
    """What a request is resumed with."""
    assert isinstance(answer, Answer)
    return answer


@contextmanager
def client(cafile: str | None = None) -> Iterator[Client]:
    """A client that is closed at the end."""
    made = Client(cafile)
    try:
        yield made
    finally:
        made.close()
