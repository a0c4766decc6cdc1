"""A server on loopback that records when each request came, and can be slow, frozen or faulty."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

BODY = b'{"success": true, "data": [1, 2, 3]}'


class Hit(NamedTuple):
    """A request that came. at: when (s, monotonic)."""

    at: float
    method: str
    path: str


class FaultyTarget:
    """The requests that came, and how to respond: to /fail with 500, to /slow after 200 ms, to /hang never."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.url = ""
        self.freeze_at = 0  # the number of the request at which the server stops responding
        self.freeze_for = 0.0  # seconds
        self.frozen_at = 0.0  # when it stopped (s, monotonic)

    def counts(self) -> Counter[str]:
        """How often each path was requested, without queries."""
        return Counter(hit.path.partition("?")[0] for hit in self.hits)

    def record(self, hit: Hit) -> None:
        """Record a request; freeze for a while if it is number `freeze_at`."""
        self.hits.append(hit)
        if len(self.hits) == self.freeze_at:
            self.frozen_at = time.monotonic()
            threading.Event().wait(self.freeze_for)


class Connection(asyncio.Protocol):
    """One connection, with one request at a time (HTTP/1.1 without pipelining)."""

    def __init__(self, target: FaultyTarget) -> None:
        self._target = target
        self._bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        head, blank, rest = self._bytes.partition(b"\r\n\r\n")
        if not blank:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(rest) < int(fields.get(b"content-length", b"0")):
            return
        self._bytes = b""
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self._target.record(Hit(time.monotonic(), method, path))
        if path.startswith("/hang"):
            return
        delay = 0.2 if path.startswith(("/slow", "/fail-slow")) else 0.0
        asyncio.get_running_loop().call_later(
            delay, self._respond, b"500 No" if path.startswith("/fail") else b"200 OK"
        )

    def _respond(self, status: bytes) -> None:
        self._transport.write(  # type: ignore[attr-defined] # it is a transport of a stream
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(BODY), BODY)
        )


@contextmanager
def running_server(connect: Callable[[], asyncio.Protocol]) -> Iterator[str]:
    """The URL of a server on a free port, in a thread of its own; `connect` makes each of its connections."""
    loop, urls, ready = asyncio.new_event_loop(), [], threading.Event()

    async def serve() -> None:
        server = await loop.create_server(connect, "127.0.0.1", 0, backlog=512)
        urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def running_target() -> Iterator[FaultyTarget]:
    """A faulty target on a free port, in a thread of its own."""
    target = FaultyTarget()
    with running_server(lambda: Connection(target)) as target.url:
        yield target
