"""A loop without sockets or clock, and connections on it whose bytes a test sees: for facts that need milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadtests.engine.connection import Connection
from loadtests.engine.exchange_types import Address, Request, Response
from loadtests.engine.recorder import OperationSamples


class Clock:
    """`perf_counter_ns` as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


class FakeLoop:
    """Keeps timers and deferred calls until a test runs them."""

    def __init__(self) -> None:
        self.timers: list[tuple[int, Callable[[int], None]]] = []
        self.deferred: list[Callable[[], None]] = []
        self.held = 0

    def call_at(self, when: int, callback: Callable[[int], None]) -> None:
        self.timers.append((when, callback))

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.deferred.append(callback)

    def unregister(self, sock: object) -> None: ...

    def modify(self, *_: object) -> None: ...

    def fire_timer(self) -> None:
        when, callback = self.timers.pop(0)
        callback(when)

    def run_deferred(self) -> None:
        while self.deferred:
            self.deferred.pop(0)()


class Requester:
    """Remembers its responses and failures, and of each failure whether its request was not sent."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.failures: list[str] = []
        self.unsent: list[bool] = []

    def resume(self, response: Response) -> None:
        self.responses.append(response)

    def resume_later(self, _response: Response, _pause: int) -> None:
        raise AssertionError("it waits for nothing")

    def request_failed(self, what: str, is_unsent: bool) -> int:
        self.failures.append(what)
        self.unsent.append(is_unsent)
        return 0


def connection_on(loop: FakeLoop, kind: type[Connection], address: Address, is_open: bool = True) -> Any:
    """A connection whose `written` has the bytes it wrote, and whose `opened` counts how often it was opened."""

    class Recorded(kind):  # type: ignore[valid-type, misc] # the class is a parameter
        def __init__(self) -> None:
            super().__init__(loop, address)
            self.written: list[bytes] = []
            self.opened = 0

        def open(self) -> None:
            self.opened += 1
            self._open_began = 0
            self._sock = object()
            self.recv = self.send = None

        def write(self, data: bytes) -> None:
            self.written.append(data)

    connection = Recorded()
    if is_open:
        connection.open()
        connection.ready = True
    return connection


def request_to(address: Address, **more: Any) -> Request:
    """A request whose samples are its own."""
    return Request(OperationSamples("operation", "transport"), b"{}", address, **more)
