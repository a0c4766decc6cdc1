"""A virtual user: its connections, kept open from journey to journey, and the journey that it runs.

A journey is resumed with every response, valid or not; only its own exception ends it early. It runs inside the loop
and must not block: no sleep, no socket, no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import GEN_RUNNING, getgeneratorstate
from time import perf_counter_ns
from typing import Any

from loadtests.engine.backoff import Backoff
from loadtests.engine.chained_requester import requester_of
from loadtests.engine.connection import Connection
from loadtests.engine.deepstream_connection import DeepstreamConnection
from loadtests.engine.deepstream_text_connection import DeepstreamTextConnection
from loadtests.engine.exchange_types import SECOND, Address, Journey, Request, Response
from loadtests.engine.http_connection import HttpConnection, http_connection
from loadtests.engine.loop import Loop
from loadtests.engine.websocket_connection import WebsocketConnection

MAX_PAUSE = 86_400  # seconds

ConnectionTypes = Mapping[str, Callable[[Loop, Address], Connection]]
CONNECTION_TYPES: ConnectionTypes = {
    "http": http_connection,
    "https": HttpConnection,
    "ws": WebsocketConnection,
    "wss": WebsocketConnection,
    "deepstream": DeepstreamConnection,
    "deepstreams": DeepstreamConnection,
    "deepstream-text": DeepstreamTextConnection,
    "deepstreams-text": DeepstreamTextConnection,
}


class VirtualUser:
    """Runs one journey at a time.

    exception: what the last journey raised, None if it ended normally; set before `on_end` is called.
    first_failure: the first request of the journey without a valid response, and why; "" if there is none.
    journey_number: counts journeys, so that a timer of an earlier journey does not resume a later one.
    """

    __slots__ = (
        "_address",
        "_backoff",
        "_connection",
        "_connection_types",
        "_connections",
        "_intended",
        "_is_stopping",
        "_journey",
        "_loop",
        "_on_end",
        "_send",
        "exception",
        "first_failure",
        "journey_number",
    )

    def __init__(
        self, loop: Loop, connection_types: ConnectionTypes = CONNECTION_TYPES, backoff: Backoff | None = None
    ) -> None:
        """connection_types: which connection serves which scheme; backoff: of a user that waits when it is refused."""
        self._connection_types = connection_types
        self._backoff = backoff
        self.exception: Exception | None = None
        self.first_failure = ""
        self._loop = loop
        self._address: Address | None = None  # of the connection used last
        self._connection: Connection | None = None
        self._connections: dict[Address, list[Connection]] = {}
        self._journey: Journey | None = None
        self.journey_number = 0
        self._send: Callable[[Any], Any] | None = None  # resumes the journey
        self._on_end: Callable[[VirtualUser], None] | None = None
        self._intended = 0  # when the next request should be sent; 0: at once
        self._is_stopping = False

    @property
    def is_running(self) -> bool:
        return self._journey is not None

    @property
    def next_due(self) -> int:
        """When the next request should be sent, if the journey has not sent any yet (ns); 0 after that."""
        return self._intended

    def run(self, journey: Journey, intended: int, on_end: Callable[[VirtualUser], None]) -> None:
        """Start `journey` in this iteration of the loop or the next; its first request is due at `intended` (0: now).

        The loop calls `on_end(user)` when the journey is over, and that may run the next one. Raises RuntimeError if a
        journey is running.
        """
        if self._journey is not None:
            raise RuntimeError("this user runs a journey already")
        self.exception = None
        self.first_failure = ""
        self._journey = journey
        self._send = journey.send
        self._on_end = on_end
        self._intended = intended
        self.journey_number += 1
        number = self.journey_number
        self._loop.call_soon(lambda: self._continue(number, intended))

    def stop(self, graceful: bool) -> None:
        """Close the connections: if graceful, after the running journey (`on_end` is called as usual), else now.

        A journey that is stopped at once is closed where it waits: `on_end` is not called, and a request in flight is
        recorded only if it seems to hang.
        """
        self._is_stopping = graceful and self.is_running
        if self._is_stopping:
            return
        journey, self._journey = self._journey, None
        self._send = self._on_end = None
        self.journey_number += 1
        self._close_connections()
        if journey is not None and getgeneratorstate(journey) != GEN_RUNNING:
            self._close_journey(journey)

    def resume(self, response: Response | list[Response] | None) -> None:
        """Resume the journey with what it waits for, and act on what it yields next."""
        send = self._send
        if send is None:
            return
        try:
            yielded = send(response)
        except StopIteration:
            self._finish(None)
            return
        except Exception as error:
            self._finish(error)
            return
        try:
            if yielded.__class__ is Request and yielded.address is self._address:
                intended, self._intended = self._intended, 0
                self._connection.send_request(yielded, self, intended)  # type: ignore[union-attr] # goes with the address
            elif self._send is send:
                self._handle_yield(yielded)
            else:  # the journey has stopped its own user
                self._close_journey(send.__self__)  # type: ignore[attr-defined] # a bound method
        except Exception as error:  # the yielded request cannot be sent
            self._close_connections()
            self._finish(error)

    def resume_later(self, response: Response, pause: int) -> None:
        """The same after a pause, if the journey still runs then."""
        number = self.journey_number
        self._loop.call_at(
            perf_counter_ns() + pause, lambda _: self.resume(response) if number == self.journey_number else None
        )

    def request_failed(self, what: str, is_unsent: bool) -> int:
        """Remember the first request of the journey without a valid response; wait if it was refused."""
        self.first_failure = self.first_failure or what
        return self._backoff.pause(perf_counter_ns()) if is_unsent and self._backoff is not None else 0

    def _handle_yield(self, yielded: Request | float | Sequence[Request]) -> None:
        """Send to another address, pause, or send several requests at once. Raises TypeError for any other value."""
        intended, self._intended = self._intended, 0
        if isinstance(yielded, Request):
            if self._connection is None or yielded.address is not self._address:
                _check_payload(yielded)
                self._connection = self.connection(yielded.address)
                self._address = yielded.address
            self._connection.send_request(yielded, requester_of(yielded, self, self.connection), intended)
        elif isinstance(yielded, (int, float)) and 0 <= yielded < MAX_PAUSE:
            number = self.journey_number
            self._loop.call_at(perf_counter_ns() + int(yielded * SECOND), lambda when: self._continue(number, when))
        elif isinstance(yielded, (list, tuple)) and all(isinstance(item, Request) for item in yielded):
            ParallelRequests(self, self._loop, yielded).send(intended)
        else:
            raise TypeError(f"a journey yields a Request, several of them, or seconds to wait, not {yielded!r:.80}")

    def connection(self, address: Address) -> Connection:
        """An idle connection to `address`; a new one if all are busy."""
        if address.scheme not in self._connection_types:
            raise ValueError(
                f"no connection serves the scheme {address.scheme}; make addresses by Address.from_url(url)"
            )
        connections = self._connections.setdefault(address, [])
        for connection in connections:
            if connection.request is None:
                return connection
        connections.append(self._connection_types[address.scheme](self._loop, address))
        return connections[-1]

    def _continue(self, number: int, intended: int) -> None:
        if number == self.journey_number:
            self._intended = intended
            self.resume(None)

    def _finish(self, error: Exception | None) -> None:
        self.exception = error
        self._journey = self._send = None
        on_end, self._on_end = self._on_end, None
        if self._is_stopping:
            self._is_stopping = False
            self._close_connections()
        if on_end is not None:
            on_end(self)

    def _close_connections(self) -> None:
        self._address = self._connection = None
        for connections in self._connections.values():
            for connection in connections:
                connection.abandon()
        self._connections.clear()

    def _close_journey(self, journey: Journey) -> None:
        """Let the journey's `finally` run."""
        try:
            journey.close()
        except Exception as error:
            self.exception = error


class ParallelRequests:
    """Several requests in flight, each on its own connection; the user is resumed when all have their responses."""

    __slots__ = ("_loop", "_number", "_requests", "_responses", "_user")

    def __init__(self, user: VirtualUser, loop: Loop, requests: Sequence[Request]) -> None:
        self._user = user
        self._number = user.journey_number
        self._loop = loop
        self._requests = requests
        self._responses: dict[int, Response] = {}

    def send(self, intended: int) -> None:
        for index, request in enumerate(self._requests):
            _check_payload(request)
            requester = requester_of(request, ParallelRequest(self, index), self._user.connection)
            self._user.connection(request.address).send_request(request, requester, intended)
        if not self._requests:
            self._loop.call_soon(self._done)

    def on_response(self, index: int, response: Response) -> None:
        self._responses[index] = response
        if len(self._responses) == len(self._requests):
            self._done()

    def resume_later(self, index: int, response: Response, pause: int) -> None:
        self._loop.call_at(perf_counter_ns() + pause, lambda _: self.on_response(index, response))

    def request_failed(self, what: str, is_unsent: bool) -> int:
        return self._user.request_failed(what, is_unsent) if self._number == self._user.journey_number else 0

    def _done(self) -> None:
        if self._number == self._user.journey_number:
            self._user.resume([self._responses[index] for index in range(len(self._requests))])


class ParallelRequest:
    """One of several requests, and its index among them."""

    __slots__ = ("_group", "_index")

    def __init__(self, group: ParallelRequests, index: int) -> None:
        self._group = group
        self._index = index

    def resume(self, response: Response) -> None:
        self._group.on_response(self._index, response)

    def resume_later(self, response: Response, pause: int) -> None:
        self._group.resume_later(self._index, response, pause)

    def request_failed(self, what: str, is_unsent: bool) -> int:
        return self._group.request_failed(what, is_unsent)


def _check_payload(request: Request) -> None:
    """Raise TypeError now: once the connection opens, there is no caller left to raise it to."""
    if not isinstance(request.payload, bytes):
        raise TypeError(f"the payload of a Request is bytes, not {type(request.payload).__name__}")
