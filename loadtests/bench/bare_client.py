"""`python -m loadtests.bench.bare_client URL RATE SECONDS CONNECTIONS`: a minimal client with an open model.

Rule: it sends RATE GET requests per second, each when it is due, on any idle connection. In between it spins, so it is
late only when the machine takes its core away: its error is the machine's. Its last line is JSON, with times in µs
from when a request was due. It needs a core of its own.
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
from loadtests.bench.true_latency import even_arrivals, percentiles

WAITS = 30.0  # seconds for the last responses
US = 1_000_000


def run_client(url: str, rate: float, seconds: float, connections: int) -> list[float]:
    """The time of each response in seconds, in ascending order. Raises OSError, and TimeoutError for lost responses."""
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
    planned_times = deque(even_arrivals(time.perf_counter(), rate, seconds))
    latencies: list[float] = []
    end = planned_times[-1] + WAITS
    while planned_times or waiting:
        while planned_times and idle and planned_times[0] <= time.perf_counter():
            connection = idle.popleft()
            waiting[connection.fileno()] = connection, planned_times.popleft()
            connection.send(request)
        for number, _ in poll.poll(0):
            connection, planned = waiting.pop(number)
            connection.recv(65536)
            latencies.append(time.perf_counter() - planned)
            idle.append(connection)
        if time.perf_counter() > end:
            raise TimeoutError(f"{len(waiting)} responses did not come within {WAITS:g} s")
    return sorted(latencies)


def main(url: str, rate: str, seconds: str, connections: str) -> None:
    """Print the number of requests and their percentiles."""
    times = run_client(url, float(rate), float(seconds), int(connections))
    figures = {name: round(value * US, 1) for name, value in percentiles(times).items()}
    print(json.dumps({"count": len(times), **figures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
