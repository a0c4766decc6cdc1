"""`python -m loadtests.selftest.ways_out HOST PORT guarded|open`: tries to reach that place in every way there is.

Prints one JSON line, {"way": "what became of it"}: the name of the exception that ended it, "" for none. `guarded`
installs the guard as the entry points do.
"""

from __future__ import annotations

import _socket
import asyncio
import ftplib
import http.client
import json
import smtplib
import socket
import sys
import urllib.request
import xmlrpc.client
from collections.abc import Callable

import gevent.socket
import requests
import websocket
import websockets.sync.client

from contracts.exchange import Request
from fixtures import network_guard, websocket_client
from fixtures.http_client import HttpClient
from loadtests.engine.exchange_types import Address
from loadtests.engine.exchange_types import Request as EngineRequest
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import OperationSamples
from loadtests.engine.virtual_user import VirtualUser

SECONDS = 5.0
NAME = "elsewhere.invalid"  # RFC 2606: nobody has that name


async def by_asyncio(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


async def by_asyncio_datagram(host: str, port: int) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(host, port)
    )
    transport.sendto(b"secret")
    transport.close()


def by_engine(host: str, port: int, scheme: str = "http") -> None:
    loop, address = Loop(), Address.from_url(f"{scheme}://{host}:{port}")
    request = EngineRequest(OperationSamples("way", "out"), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", address)
    user, ended = VirtualUser(loop), []

    def journey():  # type: ignore[no-untyped-def]
        yield request

    user.run(journey(), 0, ended.append)
    loop.run(lambda: bool(ended), SECONDS)
    if user.exception:
        raise user.exception


def by_datagram(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"secret", (host, port))


def by_message(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"secret"], [], 0, (host, port))


def by_socket(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.connect((host, port))


def by_connect_ex(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.connect_ex((host, port))


def by_c_socket(host: str, port: int) -> None:
    sock = _socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    sock.connect_ex((host, port))
    sock.close()


def by_ipv6(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.connect((f"::ffff:{host}", port))


def by_bytes(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.connect((host.encode(), port))


WAYS: dict[str, Callable[[str, int], object]] = {
    "requests": lambda host, port: requests.get(f"http://{host}:{port}", timeout=SECONDS),
    "urllib": lambda host, port: urllib.request.urlopen(f"http://{host}:{port}", timeout=SECONDS),
    "http.client": lambda host, port: http.client.HTTPConnection(host, port, timeout=SECONDS).request("GET", "/"),
    "https": lambda host, port: http.client.HTTPSConnection(host, port, timeout=SECONDS).request("GET", "/"),
    "xmlrpc": lambda host, port: xmlrpc.client.ServerProxy(f"http://{host}:{port}").anything(),
    "ftplib": lambda host, port: ftplib.FTP(timeout=SECONDS).connect(host, port),
    "smtplib": lambda host, port: smtplib.SMTP(host, port, local_hostname="localhost", timeout=SECONDS),
    "websocket-client": lambda host, port: websocket.create_connection(f"ws://{host}:{port}", timeout=SECONDS),
    "websockets": lambda host, port: websockets.sync.client.connect(f"ws://{host}:{port}", proxy=None),
    "gevent": lambda host, port: gevent.socket.create_connection((host, port), SECONDS),
    "asyncio": lambda host, port: asyncio.run(by_asyncio(host, port)),
    "asyncio datagram": lambda host, port: asyncio.run(by_asyncio_datagram(host, port)),
    "create_connection": lambda host, port: socket.create_connection((host, port), SECONDS),
    "connect": by_socket,
    "connect_ex": by_connect_ex,
    "C socket": by_c_socket,
    "IPv6": by_ipv6,
    "address in bytes": by_bytes,
    "sendto": by_datagram,
    "sendmsg": by_message,
    "our HTTP client": lambda host, port: HttpClient(f"http://{host}:{port}", "X_URL", SECONDS).send(
        Request("GET", f"http://{host}:{port}/")
    ),
    "our websocket client": lambda host, port: websocket_client.connect(f"ws://{host}:{port}", SECONDS),
    "engine, HTTP": by_engine,
    "engine, websocket": lambda host, port: by_engine(host, port, "ws"),
}
LOOK_UPS: dict[str, Callable[[], object]] = {
    "getaddrinfo": lambda: socket.getaddrinfo(NAME, 80),
    "C getaddrinfo": lambda: _socket.getaddrinfo(NAME, 80),
    "gethostbyname": lambda: socket.gethostbyname(NAME),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(NAME),
    "gethostbyaddr": lambda: socket.gethostbyaddr("192.0.2.1"),
    "getnameinfo": lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
    "requests by name": lambda: requests.get(f"http://{NAME}", timeout=SECONDS),
    "engine by name": lambda: by_engine(NAME, 80),
}


def outcome(way: Callable[..., object], *where: object) -> str:
    """The name of the exception at the bottom of what the way raises."""
    try:
        way(*where)
    except Exception as error:
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        return type(error).__name__
    return ""


def main() -> None:
    host, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    outcomes = {}
    if mode == "guarded":
        network_guard.install()
        outcomes = {name: outcome(way) for name, way in LOOK_UPS.items()}
    outcomes |= {name: outcome(way, host, port) for name, way in WAYS.items()}
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
