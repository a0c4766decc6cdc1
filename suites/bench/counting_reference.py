"""`python -m suites.bench.counting_reference`: serves a reference and records its requests.

Rule: two requests are the same when method, target, body and headers are equal, apart from headers that an API ignores
and those that number a client's requests. A request counts when its response was sent completely.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from fixtures.reference import identity, load
from fixtures.reference.protocol import World
from fixtures.reference.server import App, Event, Receive, Send, create_server, listening_socket

IGNORED_HEADERS = ("host", "connection", "user-agent", "accept-encoding", "content-length", "transfer-encoding", "date")
NUMBERED_HEADERS = b"x-schemathesis-"


class CountingApp(App):
    """The references; `requests` have a complete response, `first` and `last` are the times of the outermost ones."""

    requests: list[str]
    first = 0.0
    last = 0.0

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Counts one HTTP request of the API; websockets and the question whose server it is are not counted."""
        if scope["type"] != "http" or scope["path"] == identity.PATH:
            await super().__call__(scope, receive, send)
            return
        digest = hashlib.blake2b(digest_size=12)
        self.first = self.first or time.perf_counter()

        async def hash_body() -> Event:
            message = await receive()
            digest.update(message.get("body", b""))
            return message

        async def count_complete(message: Event) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                digest.update(request_head(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"]))
                self.requests.append(digest.hexdigest())
                self.last = time.perf_counter()

        await super().__call__(scope, hash_body, count_complete)


def request_head(method: str, path: bytes, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Everything but the body that distinguishes two requests."""
    counted = [
        (name, value)
        for name, value in sorted(headers)
        if name.decode("latin-1") not in IGNORED_HEADERS
        and not name.startswith(NUMBERED_HEADERS)
        and (name, value) != (b"accept", b"*/*")  # means the same as no such header (RFC 9110, 12.5.1)
    ]
    return repr((method, path, query, counted)).encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM, then writes requests (in order), first and last second to the file."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.counting_reference", description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument(
        "--smtp", type=int, required=True, metavar="PORT", help="the loopback port that mails are sent to"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    world = World(now=lambda: datetime.now(UTC), random=random.Random(f"0/{options.api}"))
    app = CountingApp({options.api: load(options.api).create(world)}, {}, ("127.0.0.1", options.smtp))
    app.requests = []
    socket = listening_socket()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/{options.api}"
    http = create_server(app, on_ready=lambda: print(json.dumps({options.api: url}), flush=True))

    def stop(*_: object) -> None:
        http.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    http.run(sockets=[socket])
    options.out.write_text(json.dumps({"requests": app.requests, "first": app.first, "last": app.last}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
