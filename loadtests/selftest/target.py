"""A server on loopback that tells the truth: it notes when each request came, and can be slow, frozen or broken."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

BODY = b'{"success": true, "data": [1, 2, 3]}'


class Hit(NamedTuple):
    """A request that came: when (s, monotonic), and what it asked."""

    at: float
    method: str
    path: str


class Target:
    """What came, and how to answer. Paths: /fail is refused with 500, /slow takes 200 ms, /hang is
    never answered."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.url = ""
        self.freeze_at = 0  # with the request of this number everything stands still
        self.freeze_for = 0.0  # seconds
        self.frozen = 0.0  # when it did

    def counts(self) -> Counter[str]:
        """How often each path was asked for, queries left out."""
        return Counter(hit.path.partition("?")[0] for hit in self.hits)

    def came(self, hit: Hit) -> None:
        """Note a request, and stand still if it is the one to do so at."""
        self.hits.append(hit)
        if len(self.hits) == self.freeze_at:
            self.frozen = time.monotonic()
            threading.Event().wait(self.freeze_for)


class Talk(asyncio.Protocol):
    """One connection; one request at a time, as clients of HTTP/1.1 without pipelining do."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        head, found, rest = self._bytes.partition(b"\r\n\r\n")
        if not found:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(rest) < int(fields.get(b"content-length", b"0")):
            return
        self._bytes = b""
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self._target.came(Hit(time.monotonic(), method, path))
        if path.startswith("/hang"):
            return
        delay = 0.2 if path.startswith("/slow") else 0.0
        asyncio.get_running_loop().call_later(delay, self._answer, b"500 No" if path.startswith("/fail") else b"200 OK")

    def _answer(self, status: bytes) -> None:
        self._transport.write(  # type: ignore[attr-defined] # it is a transport of a stream
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(BODY), BODY)
        )


@contextmanager
def serving() -> Iterator[Target]:
    """A target on a free port, in a thread of its own."""
    target = Target()
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> None:
        server = await loop.create_server(lambda: Talk(target), "127.0.0.1", 0, backlog=512)
        target.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield target
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
