"""`python -m suites.bench.counted`: serves a reference and writes down what it is asked.

Rule: two requests are the same when method, target, body and headers are, without the headers that say nothing to
an API or that a client numbers its requests with. A request counts when its answer was sent whole.
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

from fixtures.reference import load
from fixtures.reference.protocol import World
from fixtures.reference.server import App, Event, Receive, Send, listener, server

UNSAID = ("host", "connection", "user-agent", "accept-encoding", "content-length", "transfer-encoding", "date")
NUMBERED = b"x-schemathesis-"


class Counted(App):
    """The references, with every whole answer's request in `requests`, and when the first and last of them were."""

    requests: list[str]
    first = 0.0
    last = 0.0

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """One HTTP request; a websocket is passed on and not counted."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        digest = hashlib.blake2b(digest_size=12)
        self.first = self.first or time.perf_counter()

        async def listen() -> Event:
            message = await receive()
            digest.update(message.get("body", b""))
            return message

        async def tell(message: Event) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                digest.update(head(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"]))
                self.requests.append(digest.hexdigest())
                self.last = time.perf_counter()

        await super().__call__(scope, listen, tell)


def head(method: str, path: bytes, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """All of a request but its body, as far as it tells two requests apart."""
    told = [
        (name, value)
        for name, value in sorted(headers)
        if name.decode("latin-1") not in UNSAID
        and not name.startswith(NUMBERED)
        and (name, value) != (b"accept", b"*/*")  # which means as much as none (RFC 9110, 12.5.1)
    ]
    return repr((method, path, query, told)).encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM, then writes requests (in order), first and last second to the file."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench.counted", description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--smtp", type=int, required=True, metavar="PORT", help="where mails go on loopback")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    world = World(now=lambda: datetime.now(UTC), random=random.Random(f"0/{options.api}"))
    app = Counted({options.api: load(options.api).create(world)}, {}, ("127.0.0.1", options.smtp))
    app.requests = []
    socket = listener()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/{options.api}"
    http = server(app, ready=lambda: print(json.dumps({options.api: url}), flush=True))

    def stop(*_: object) -> None:
        http.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    http.run(sockets=[socket])
    options.out.write_text(json.dumps({"requests": app.requests, "first": app.first, "last": app.last}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
