"""`python -m loadtests.bench.bare URL RATE SECONDS CONNECTIONS`: an open client that does nothing else.

Rule: one GET after the other at RATE a second, each when it is due, on whichever connection is idle; between them it
spins, so it is late only when the machine takes its core away: its error is the machine's. Its last line is JSON,
times in µs from when a request was due. It needs a core of its own.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from urllib.parse import urlsplit

from loadtests.bench.payloads import HEADERS, ONE_PATH
from loadtests.bench.truth import even, percentiles

WAITS = 30.0  # seconds for the last answers
US = 1_000_000


def played(url: str, rate: float, seconds: float, connections: int) -> list[float]:
    """How long each answer took, in seconds, in ascending order. Raises OSError, and TimeoutError for lost answers."""
    parts = urlsplit(url)
    headers = (f"{key}: {value}" for key, value in {"Host": parts.netloc, **HEADERS}.items())
    request = "\r\n".join([f"GET {ONE_PATH} HTTP/1.1", *headers, "", ""]).encode()
    poll = select.epoll()
    idle: deque[socket.socket] = deque()
    for _ in range(connections):
        idle.append(socket.create_connection((parts.hostname or "", parts.port or 80)))
        idle[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(idle[-1].fileno(), select.EPOLLIN)
    waiting: dict[int, tuple[socket.socket, float]] = {}
    due = deque(even(time.perf_counter(), rate, seconds))
    took: list[float] = []
    end = due[-1] + WAITS
    while due or waiting:
        while due and idle and due[0] <= time.perf_counter():
            connection = idle.popleft()
            waiting[connection.fileno()] = connection, due.popleft()
            connection.send(request)
        for number, _ in poll.poll(0):
            connection, planned = waiting.pop(number)
            connection.recv(65536)
            took.append(time.perf_counter() - planned)
            idle.append(connection)
        if time.perf_counter() > end:
            raise TimeoutError(f"{len(waiting)} answers did not come within {WAITS:g} s")
    return sorted(took)


def main(url: str, rate: str, seconds: str, connections: str) -> None:
    """Prints how many requests there were and their percentiles."""
    took = played(url, float(rate), float(seconds), int(connections))
    told = {name: round(value * US, 1) for name, value in percentiles(took).items()}
    print(json.dumps({"count": len(took), **told}))


if __name__ == "__main__":
    main(*sys.argv[1:])
