"""`python -m loadtests.bench.serve_delayed PORT RECORD_PORT DELAY FREEZE EVERY FIRST`: a server with known delays.

Rule: each GET gets its response DELAY seconds after it was read. FIRST seconds after the first request, and every EVERY
seconds from then on, the whole server stands still for FREEZE seconds (0: never): it reads and sends nothing. To be
punctual it spins shortly before a response is due, so it needs a core of its own, and it records when it lost that
core. A connection to RECORD_PORT receives JSON: the number of responses, the time of the first request, when the server
stood still (for any reason, for a millisecond or more), how late its responses were, and the CPU time it used. All
times are in seconds.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import time
from array import array
from collections import deque

from loadtests.bench.payloads import http_response
from loadtests.bench.true_latency import after_freeze, percentiles

NEAR = 0.0025  # seconds before a response in which it spins; epoll waits in whole milliseconds, and may be late
STILL = 0.001  # seconds of standing still that are reported
END = b"\r\n\r\n"
BODY = http_response("87").encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class DelayedServer:
    """The server; `run` serves until the process is ended."""

    def __init__(self, port: int, record_port: int, delay: float, freeze: float, every: float, first: float) -> None:
        self.delay, self.freeze, self.every, self.phase = delay, freeze, every, first
        self.origin = 0.0
        self.still: list[tuple[float, float]] = []
        self._frozen = 0
        self.late = array("d")
        self._waiting: deque[tuple[float, socket.socket]] = deque()
        self._open: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._poll = select.epoll()
        self._listening, self._recording = _listener(port), _listener(record_port)
        for listener in (self._listening, self._recording):
            self._poll.register(listener.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Serve until the process is ended."""
        while True:
            before = time.perf_counter()
            pause = self._pause(before)
            ready = self._poll.poll(pause)
            woken = self._note_stall(before + pause)
            for number, _ in ready:
                self._ready(number)
            now = time.perf_counter()
            while self._waiting and self._waiting[0][0] <= now:
                self._respond(*self._waiting.popleft())
            if self.freeze and self.origin and now >= self._next_freeze():
                time.sleep(self.freeze)
                self._frozen += 1
            self._note_stall(woken)

    def _note_stall(self, expected: float) -> float:
        """Record the stall if the server stood still since `expected`; return the current time."""
        now = time.perf_counter()
        if now - expected > STILL:
            self.still.append((expected, now))
        return now

    def report(self) -> dict[str, object]:
        """The report of the run so far."""
        late = percentiles(self.late or [0.0])
        figures = {"requests": len(self.late), "origin": self.origin, "still": self.still, "late": late}
        return {**figures, "cpu": time.process_time()}

    def _pause(self, now: float) -> float:
        """Seconds until something is due, less the possible delay of epoll."""
        moments = [self._waiting[0][0]] if self._waiting else []
        if self.freeze and self.origin:
            moments.append(self._next_freeze())
        return max(0.0, min(moments) - now - NEAR) if moments else 1.0

    def _next_freeze(self) -> float:
        return self.origin + self.phase + self._frozen * self.every

    def _ready(self, number: int) -> None:
        if number == self._listening.fileno():
            self._accept()
        elif number == self._recording.fileno():
            with self._recording.accept()[0] as asker:
                asker.sendall(json.dumps(self.report()).encode())
        else:
            self._read(number)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection = self._listening.accept()[0]
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open[connection.fileno()] = connection
                self._rest[connection.fileno()] = b""
                self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        connection = self._open[number]
        try:
            data = connection.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._poll.unregister(number)
            del self._open[number], self._rest[number]
            connection.close()
            return
        now = time.perf_counter()
        self.origin = self.origin or now
        requests = (self._rest[number] + data).split(END)
        self._rest[number] = requests.pop()
        for _ in requests:
            self._waiting.append((now + self.delay, connection))

    def _respond(self, due_at: float, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            connection.send(RESPONSE)
        self.late.append(time.perf_counter() - after_freeze(due_at, self.still[-1:]))


def _listener(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=8192)
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    DelayedServer(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])).run()
