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
from pathlib import Path
from typing import Any

from fixtures.network_routes import DIRECT, Route
from loadtests.engine.exchange_types import SECOND, Address, Journey, Request, Response
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import OperationSamples
from loadtests.engine.virtual_user import VirtualUser

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 60.0  # seconds until a test gives up; a good test never comes near
SHORT = 300_000_000  # ns: a time limit that is to be over, and still long enough to connect on a busy machine


class ServerConnection:
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

    def unread(self, data: bytes) -> None:
        """Put back bytes that `read` returned, so that the next read returns them again."""
        self._rest = data + self._rest

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


Script = Callable[[ServerConnection], object]


def always(response: bytes, ends: bool = False, bytewise: bool = False) -> Script:
    """Give this response to every request, and close the connection if that `ends` it."""
    parts = [response[at : at + 1] for at in range(len(response))] if bytewise else [response]

    def script(connection: ServerConnection) -> None:
        while connection.head():
            connection.send(*parts)
            if ends:
                return

    return script


class ScriptedServer:
    """A listening server: where it is, and how many connections came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0

    def url(self, scheme: str = "http", path: str = "/") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


@contextmanager
def scripted_server(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Serve `script` on a free port of loopback until the block is left."""
    failed: list[BaseException] = []
    threads: list[threading.Thread] = []
    socks: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = ScriptedServer(listening.getsockname()[1])

        def converse(sock: socket.socket, number: int) -> None:
            sock.settimeout(PATIENCE)
            try:
                with tls.wrap_socket(sock, server_side=True) if tls else sock as wrapped:
                    script(ServerConnection(wrapped, number))
            except (ssl.SSLError, ConnectionError):
                pass  # the client went away, as some tests want
            except BaseException as error:
                failed.append(error)

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


class EngineClient:
    """A loop with one virtual user, and the samples of its requests."""

    def __init__(self, route: Route = DIRECT) -> None:
        self.loop = Loop()
        self.route = route
        self.user = VirtualUser(self.loop)
        self.samples = OperationSamples("test", "any")

    def request(self, url: str, payload: bytes | None = None, **more: Any) -> Request:
        """A request to `url`; for HTTP a GET of its path if no payload is given."""
        address = Address.from_url(url, self.route)
        path = "/" + url.split("/", 3)[-1]
        get = f"GET {path} HTTP/1.1\r\nHost: {address.authority}\r\n\r\n".encode()
        more.setdefault("timeout_ns", int(PATIENCE * SECOND))
        return Request(self.samples, get if payload is None else payload, address, **more)

    def play(self, journey: Journey, intended: int = 0) -> VirtualUser:
        """Run the journey to its end. Raises what it raises."""
        ended: list[VirtualUser] = []
        self.user.run(journey, intended, ended.append)
        self.loop.run(lambda: bool(ended), PATIENCE)
        if self.user.exception is not None:
            raise self.user.exception
        return self.user

    def ask(self, *requests: Request) -> list[Response]:
        """The responses to these requests, sent one after the other by one journey."""
        responses: list[Response] = []

        def journey() -> Journey:
            for request in requests:
                response = yield request
                responses.append(single(response))

        self.play(journey())
        return responses

    def together(self, requests: Sequence[Request]) -> list[Response]:
        """The responses to these requests, all in flight at once."""
        responses: list[Response] = []

        def journey() -> Journey:
            several = yield requests
            assert isinstance(several, list)
            responses.extend(several)

        self.play(journey())
        return responses

    def until_closed(self, request: Request) -> Iterator[float]:
        """Pauses for a journey until the connection of this request has noticed that it is over."""
        connection = self.user.connection(request.address)
        while connection.ready:
            yield 0.001

    def close(self) -> None:
        self.user.stop(graceful=False)
        self.loop.run_once()
        self.loop.close()


def single(response: Response | list[Response] | None) -> Response:
    """What a request is resumed with."""
    assert isinstance(response, Response)
    return response


@contextmanager
def engine_client(cafile: str | None = None, route: Route = DIRECT) -> Iterator[EngineClient]:
    """A client that is closed at the end. cafile: a short way to write a route that trusts those authorities."""
    client = EngineClient(Route(ca=Path(cafile)) if cafile else route)
    try:
        yield client
    finally:
        client.close()
