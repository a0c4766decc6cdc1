"""A server with habits that our references do not have: it throttles, or locks whoever sends wrong credentials.

Behind the habits is the honest reference, so a suite that copes with them has no findings.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from contracts.exchange import Request, Response
from fixtures import reference
from fixtures.in_process_client import InProcessClient
from fixtures.reference import identity

NOT_FOUND = Response(404, (("Content-Type", "text/plain"),), b"no such page")
LOCKED = Response(401, (("Content-Type", "application/json"),), b'{"error": "locked"}')
Habit = Callable[["Log", Request], Response | None]


@dataclass
class Log:
    """What the server has received and how it behaved; times are those of `time.monotonic`.

    identity_requests: how often it was asked whether it is our reference, which is no request to its API.
    """

    times: list[float] = field(default_factory=list)
    throttled: int = 0
    wrong: deque[float] = field(default_factory=deque)
    is_locked: bool = False
    identity_requests: int = 0

    def recent(self, seconds: float) -> int:
        """How many requests came within so many seconds, the last one included."""
        return sum(moment > self.times[-1] - seconds for moment in self.times)


def throttles(rate: int, status: int, retry_after: Callable[[], str]) -> Habit:
    """Answers that status with that Retry-After when more than `rate` requests come within a second."""

    def habit(log: Log, _: Request) -> Response | None:
        if log.recent(1.0) <= rate:
            return None
        log.times.pop()  # a request that is not served does not count
        log.throttled += 1
        return Response(status, (("Retry-After", retry_after()),), b"<h1>busy</h1>")

    return habit


def locks_after(attempts: int, header: str, valid: set[str]) -> Habit:
    """Locks everybody out for good after so many requests within a minute whose `header` is wrong."""

    def habit(log: Log, request: Request) -> Response | None:
        values = {value.removeprefix("Bearer").strip() for name, value in request.headers if name.lower() == header}
        if values - valid:
            log.wrong.append(log.times[-1])
        while log.wrong and log.wrong[0] < log.times[-1] - 60:
            log.wrong.popleft()
        log.is_locked |= len(log.wrong) > attempts
        return LOCKED if log.is_locked else None

    return habit


def in_seconds() -> str:
    """A Retry-After of one second."""
    return "1"


def as_a_date() -> str:
    """A Retry-After of one to two seconds, as a date."""
    return formatdate(time.time() + 2, usegmt=True)


@contextmanager
def serve(
    api: str, habit: Habit, alter: Callable[[Response], Response] = lambda response: response
) -> Iterator[tuple[str, Log]]:
    """URL and log of a server of that API with that habit; `alter` changes what the reference would respond."""
    client, log, lock = InProcessClient(api), Log(), Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, f"{origin}{self.path}", tuple(self.headers.items()), body)
            with lock:
                response = self.response_to(request)
            self.send_response_only(response.status)
            for name, value in response.headers:
                if name.lower() not in ("content-length", "transfer-encoding"):
                    self.send_header(name, value)
            if response.status != 204:
                self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def response_to(self, request: Request) -> Response:
            if request.url == f"{origin}{identity.PATH}":
                log.identity_requests += 1
                return NOT_FOUND
            log.times.append(time.monotonic())
            return habit(log, request) or alter(client.send(request).response)

        def log_message(self, *_: object) -> None:
            """Writes nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://127.0.0.1:{server.server_port}"
    client.target = replace(client.target, url=f"{origin}/{api}")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{origin}/{api}", log
    finally:
        server.shutdown()
        server.server_close()


def settings(api: str, url: str, **options: str) -> dict[str, str]:
    """The environment of a run against that server: all settings of the reference, and these of the run."""
    values = {**reference.load(api).KNOWN, "URL": url, "WRITES": "1", **options}
    return {f"{api.upper()}_{name}": value for name, value in values.items()}
