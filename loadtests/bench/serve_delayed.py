"""`python -m loadtests.bench.serve_delayed PORT TOLD_PORT DELAY FREEZE EVERY FIRST`: a server with known delays.

Rule: each GET is answered DELAY seconds after it was read. From FIRST seconds after the first request on, and EVERY
seconds again, the whole server stands still for FREEZE seconds (0: never): it reads nothing and sends nothing. To be
late by little, it spins when an answer is near, so it wants a core of its own; where it did not have it, it notices.
Whoever connects to TOLD_PORT is told as JSON how many requests were answered, when the first came, from when to when it
stood still (for whatever reason, if for a millisecond or more), how late its answers went out, and the CPU it used.
Seconds.
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

from loadtests.bench.payloads import http_answer
from loadtests.bench.truth import percentiles, thawed

NEAR = 0.0025  # seconds before an answer in which it spins; epoll waits in whole milliseconds, and may be late
STILL = 0.001  # seconds without a turn that are told
END = b"\r\n\r\n"
BODY = http_answer("87").encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Delayed:
    """The server: `run` serves until the process is ended."""

    def __init__(self, port: int, told_port: int, delay: float, freeze: float, every: float, first: float) -> None:
        self.delay, self.freeze, self.every, self.phase = delay, freeze, every, first
        self.origin = 0.0
        self.still: list[tuple[float, float]] = []
        self._frozen = 0
        self.late = array("d")
        self._due: deque[tuple[float, socket.socket]] = deque()
        self._open: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._poll = select.epoll()
        self._listening, self._telling = _listener(port), _listener(told_port)
        for listener in (self._listening, self._telling):
            self._poll.register(listener.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """One turn after the other."""
        while True:
            before = time.perf_counter()
            pause = self._pause(before)
            ready = self._poll.poll(pause)
            woken = self._turned(before + pause)
            for number, _ in ready:
                self._ready(number)
            now = time.perf_counter()
            while self._due and self._due[0][0] <= now:
                self._answer(*self._due.popleft())
            if self.freeze and self.origin and now >= self._next_freeze():
                time.sleep(self.freeze)
                self._frozen += 1
            self._turned(woken)

    def _turned(self, expected: float) -> float:
        """Notes that it stood still since `expected`, if it did, and gives the time."""
        now = time.perf_counter()
        if now - expected > STILL:
            self.still.append((expected, now))
        return now

    def told(self) -> dict[str, object]:
        """What is told of the run so far."""
        late = percentiles(self.late or [0.0])
        known = {"requests": len(self.late), "origin": self.origin, "still": self.still, "late": late}
        return {**known, "cpu": time.process_time()}

    def _pause(self, now: float) -> float:
        """Seconds until there is something to do, less what the wait may be too long."""
        moments = [self._due[0][0]] if self._due else []
        if self.freeze and self.origin:
            moments.append(self._next_freeze())
        return max(0.0, min(moments) - now - NEAR) if moments else 1.0

    def _next_freeze(self) -> float:
        return self.origin + self.phase + self._frozen * self.every

    def _ready(self, number: int) -> None:
        if number == self._listening.fileno():
            self._accept()
        elif number == self._telling.fileno():
            with self._telling.accept()[0] as asking:
                asking.sendall(json.dumps(self.told()).encode())
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
            self._due.append((now + self.delay, connection))

    def _answer(self, due: float, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it has gone
            connection.send(ANSWER)
        self.late.append(time.perf_counter() - thawed(due, self.still[-1:]))


def _listener(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=8192)
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    Delayed(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:])).run()
