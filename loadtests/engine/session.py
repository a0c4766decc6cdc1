"""One virtual user: its connections, kept from journey to journey, and the journey it is playing.

A journey is resumed with each answer, good or bad; only its own exception ends it early. It runs inside the loop and
must not block: no sleep, no socket, no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import GEN_RUNNING, getgeneratorstate
from time import perf_counter_ns
from typing import Any

from loadtests.engine.call import SECOND, Address, Answer, Journey, Request
from loadtests.engine.connection import Connection
from loadtests.engine.deepstream import Deepstream
from loadtests.engine.http import HttpConnection
from loadtests.engine.loop import Loop
from loadtests.engine.websocket import Websocket

LONGEST = 86_400  # seconds of a pause

Kinds = Mapping[str, Callable[[Loop, Address], Connection]]
KINDS: Kinds = {
    "http": HttpConnection,
    "https": HttpConnection,
    "ws": Websocket,
    "wss": Websocket,
    "deepstream": Deepstream,
    "deepstreams": Deepstream,
}


class Session:
    """Plays one journey at a time.

    raised: the exception that the last journey ended with, None if it ended well; set before `on_end` is called.
    failure: the first request of the journey that had no good answer, and why; "" if all had.
    """

    __slots__ = (
        "_address", "_connection", "_connections", "_intended", "_journey", "_kinds", "_loop", "_on_end", "_step",
        "_stopping", "failure", "number", "raised",
    )  # fmt: skip

    def __init__(self, loop: Loop, kinds: Kinds = KINDS) -> None:
        """`kinds` says which connection serves a scheme."""
        self._kinds = kinds
        self.raised: Exception | None = None
        self.failure = ""
        self._loop = loop
        self._address: Address | None = None  # of the connection used last
        self._connection: Connection | None = None
        self._connections: dict[Address, list[Connection]] = {}
        self._journey: Journey | None = None
        self.number = 0  # of the journey, so that what one put off does not touch the next
        self._step: Callable[[Any], Any] | None = None  # resumes the journey
        self._on_end: Callable[[Session], None] | None = None
        self._intended = 0  # when the next request should go out; 0: as soon as it is asked
        self._stopping = False

    @property
    def playing(self) -> bool:
        return self._journey is not None

    def play(self, journey: Journey, intended: int, on_end: Callable[[Session], None]) -> None:
        """Begin `journey` in this turn of the loop or the next. Its first request is due at `intended` (0: now).

        `on_end(session)` is called by the loop when the journey is over, and may play the next. Raises RuntimeError
        if a journey is being played.
        """
        if self._journey is not None:
            raise RuntimeError("the session plays a journey already")
        self.raised = None
        self.failure = ""
        self._journey = journey
        self._step = journey.send
        self._on_end = on_end
        self._intended = intended
        self.number += 1
        number = self.number
        self._loop.soon(lambda: self._wake(number, intended))

    def stop(self, graceful: bool) -> None:
        """Close the connections: gracefully after the journey being played (`on_end` is called as ever), else now.

        A journey stopped at once is closed where it waits; what is in flight is recorded only if it seems to hang,
        `on_end` is not called.
        """
        self._stopping = graceful and self.playing
        if self._stopping:
            return
        journey, self._journey = self._journey, None
        self._step = self._on_end = None
        self.number += 1
        self._close()
        if journey is not None and getgeneratorstate(journey) != GEN_RUNNING:
            self._shut(journey)

    def resume(self, answer: Answer | list[Answer] | None) -> None:
        """Give the journey what it waits for, and do what it wants next."""
        step = self._step
        if step is None:
            return
        try:
            wanted = step(answer)
        except StopIteration:
            self._end(None)
            return
        except Exception as raised:
            self._end(raised)
            return
        try:
            if wanted.__class__ is Request and wanted.address is self._address:
                intended, self._intended = self._intended, 0
                self._connection.call(wanted, self, intended)  # type: ignore[union-attr] # goes with the address
            elif self._step is step:
                self._other(wanted)
            else:  # the journey stopped its own session
                self._shut(step.__self__)  # type: ignore[attr-defined] # a bound method
        except Exception as raised:  # what was yielded cannot be sent
            self._close()
            self._end(raised)

    def failed(self, what: str) -> None:
        """Note that a request had no good answer."""
        self.failure = self.failure or what

    def _other(self, wanted: Request | float | Sequence[Request]) -> None:
        """Another address than last time, a pause, or several requests at once. Raises TypeError for anything else."""
        intended, self._intended = self._intended, 0
        if isinstance(wanted, Request):
            _check(wanted)
            self._connection = self.connection(wanted.address)
            self._address = wanted.address
            self._connection.call(wanted, self, intended)
        elif isinstance(wanted, (int, float)) and 0 <= wanted < LONGEST:
            number = self.number
            self._loop.at(perf_counter_ns() + int(wanted * SECOND), lambda due: self._wake(number, due))
        elif isinstance(wanted, (list, tuple)) and all(isinstance(each, Request) for each in wanted):
            Together(self, self._loop, wanted).ask(intended)
        else:
            raise TypeError(f"a journey yields a Request, several of them, or seconds to wait, not {wanted!r:.80}")

    def connection(self, address: Address) -> Connection:
        """An idle connection to `address`; a new one if all are busy."""
        if address.scheme not in self._kinds:
            raise ValueError(f"nothing here speaks {address.scheme}; make addresses by Address.of(url)")
        kept = self._connections.setdefault(address, [])
        for connection in kept:
            if connection.request is None:
                return connection
        kept.append(self._kinds[address.scheme](self._loop, address))
        return kept[-1]

    def _wake(self, number: int, due: int) -> None:
        if number == self.number:
            self._intended = due
            self.resume(None)

    def _end(self, raised: Exception | None) -> None:
        self.raised = raised
        self._journey = self._step = None
        on_end, self._on_end = self._on_end, None
        if self._stopping:
            self._stopping = False
            self._close()
        if on_end is not None:
            on_end(self)

    def _close(self) -> None:
        self._address = self._connection = None
        for kept in self._connections.values():
            for connection in kept:
                connection.drop()
        self._connections.clear()

    def _shut(self, journey: Journey) -> None:
        """Let the journey's `finally` run."""
        try:
            journey.close()
        except Exception as raised:
            self.raised = raised


class Together:
    """Several requests in flight, each on a connection of its own; the session goes on when all are answered."""

    __slots__ = ("_answers", "_loop", "_number", "_requests", "_session")

    def __init__(self, session: Session, loop: Loop, requests: Sequence[Request]) -> None:
        self._session = session
        self._number = session.number
        self._loop = loop
        self._requests = requests
        self._answers: dict[int, Answer] = {}

    def ask(self, intended: int) -> None:
        for index, request in enumerate(self._requests):
            _check(request)
            self._session.connection(request.address).call(request, Part(self, index), intended)
        if not self._requests:
            self._loop.soon(self._done)

    def answered(self, index: int, answer: Answer) -> None:
        self._answers[index] = answer
        if len(self._answers) == len(self._requests):
            self._done()

    def failed(self, what: str) -> None:
        if self._number == self._session.number:
            self._session.failed(what)

    def _done(self) -> None:
        if self._number == self._session.number:
            self._session.resume([self._answers[index] for index in range(len(self._requests))])


class Part:
    """One of several requests: knows its place."""

    __slots__ = ("_index", "_together")

    def __init__(self, together: Together, index: int) -> None:
        self._together = together
        self._index = index

    def resume(self, answer: Answer) -> None:
        self._together.answered(self._index, answer)

    def failed(self, what: str) -> None:
        self._together.failed(what)


def _check(request: Request) -> None:
    """Raises TypeError for what could not be written later, when nobody is there to be told."""
    if not isinstance(request.payload, bytes):
        raise TypeError(f"the payload of a Request is bytes, not {type(request.payload).__name__}")
