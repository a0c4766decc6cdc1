"""Properties of whole connections: each request gets exactly one response, and never that of another request.

A journey sends requests over a connection without a socket, each with a token of its own. The server responds with that
token mutated, cut, repeated, followed by surplus bytes or while no request waits, and closes or resets at will. It
never sends a second response after the next request: HTTP and bare websockets cannot tell it from the right one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from loadtests.engine.connection import Connection
from loadtests.engine.deepstream_connection import DeepstreamConnection
from loadtests.engine.deepstream_text_connection import DeepstreamTextConnection
from loadtests.engine.exchange_types import Address, Journey, Request, Response
from loadtests.engine.http_connection import HttpConnection
from loadtests.engine.recorder import OperationSamples
from loadtests.engine.virtual_user import VirtualUser
from loadtests.engine.websocket_connection import WebsocketConnection
from loadtests.fuzz.mutator import FRAMES, HTTP, mutate, mutated_sample, pieces, server_frame
from loadtests.fuzz.parser_properties import PropertyViolated

ROUNDS = 5
STEPS = 10_000  # more than any run without a defect takes
Segments = list[bytes | None]  # None: the connection is reset; b"": it is closed


class FakeLoop:
    """A loop without sockets or clock, and the server's end of its connection."""

    def __init__(self) -> None:
        self.held = 0
        self.deferred: deque[Callable[[], Any]] = deque()
        self.inbox: deque[bytes | None] = deque()

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.deferred.append(callback)

    def call_at(self, when: int, callback: Callable[[int], None]) -> None:
        """Pauses end at once. Deadlines never come: this server always ends."""
        if not isinstance(getattr(callback, "__self__", None), Connection):
            self.deferred.append(lambda: callback(when))

    def modify(self, *_: object) -> None: ...

    def unregister(self, _: object) -> None:
        self.inbox.clear()

    def recv(self, _: int) -> bytes:
        if not self.inbox:
            raise BlockingIOError
        segment = self.inbox.popleft()
        if segment is None:
            raise ConnectionResetError
        return segment

    def send(self, data: bytes) -> int:
        return len(data)


def _connection_on(kind: type[Connection], loop: Any) -> Connection:
    class Recorded(kind):  # type: ignore[valid-type, misc] # the class is a parameter
        def open(self) -> None:
            sock = self._sock = object()
            self.recv, self.send = loop.recv, loop.send
            self.loop.call_soon(lambda: self.connected() if self._sock is sock else None)

    connection: Connection = Recorded(loop, Address("http", "loop", 1))
    return connection


def _http_response(body: bytes, _: int, rng: Random) -> tuple[bytes, bool]:
    """A valid response, and whether the connection's end belongs to it."""
    kind = rng.randrange(4)
    if kind == 0:
        return b"HTTP/1.1 200 OK\r\n\r\n" + body, True
    if kind == 1:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in pieces(body, rng))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", False
    early = b"HTTP/1.1 100 Continue\r\n\r\n" if kind == 2 else b""
    return early + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, False


def _frame_response(body: bytes, _: int, rng: Random) -> tuple[bytes, bool]:
    parts = [b"", *pieces(body, rng)] if rng.random() < 0.5 else [body]
    last = len(parts) - 1
    sent = [server_frame(0 if at else 1, part, fin=at == last) for at, part in enumerate(parts)]
    return server_frame(9, b"?").join(sent), False


def _rpc_response(body: bytes, at: int, rng: Random) -> tuple[bytes, bool]:
    """Correlation ids count from 1, as rounds do from 0."""
    message = b'{"topic":6,"action":5,"correlationId":"%d","data":"%b"}' % (at + 1, body)
    return _frame_response(message, at, rng)


def _text_response(body: bytes, at: int, rng: Random) -> tuple[bytes, bool]:
    """As `_rpc_response`, in the text protocol, with an acknowledgement before or none."""
    acknowledgement = b"P\x1fA\x1fREQ\x1fname\x1f%d\x1e" % (at + 1) if rng.random() < 0.5 else b""
    return _frame_response(acknowledgement + b"P\x1fRES\x1fname\x1f%d\x1fS%b\x1e" % (at + 1, body), at, rng)


class Kind(NamedTuple):
    """A connection, how its server responds in each round, what to mutate, and unsolicited bytes.

    Without `surplus`, unsolicited bytes are recognized and ignored.
    """

    connection: type[Connection]
    response: Callable[[bytes, int, Random], tuple[bytes, bool]]
    corpus: tuple[bytes, ...]
    surplus: tuple[bytes, ...]


KINDS = {
    "http connection": Kind(HttpConnection, _http_response, HTTP, (*HTTP, b"\r\n", b"\0", b"H")),
    "websocket connection": Kind(
        WebsocketConnection,
        _frame_response,
        FRAMES,
        (FRAMES[0], FRAMES[5], FRAMES[6], b"\x81", b"\x01\x00", b"\x81\x02x"),
    ),
    "deepstream text connection": Kind(
        DeepstreamTextConnection,
        _text_response,
        (*FRAMES, _text_response(b"?", 0, Random(1))[0], server_frame(1, b"C\x1fPI\x1e")),
        (),
    ),
    "deepstream connection": Kind(
        DeepstreamConnection, _rpc_response, (*FRAMES, _rpc_response(b"?", 0, Random(1))[0]), ()
    ),
}


def _server_segments(kind: Kind, token: bytes, at: int, pauses: bool, rng: Random) -> tuple[str, Segments]:
    """How the server behaves, and the segments that arrive."""
    honest, ends = kind.response(token, at, rng)
    behaviour = rng.choice(("honest", "honest", "behind", "mess", "mutated", "cut", "close", "idle"))
    end: Segments = [rng.choice((b"", None))]
    if behaviour == "behind" and kind.surplus and not ends:
        return behaviour, [honest + rng.choice(kind.surplus)]
    if behaviour == "mess":
        return behaviour, [honest + mutated_sample(kind.corpus, rng)]
    if behaviour == "mutated":
        return behaviour, [mutate(honest, rng), *end]
    if behaviour == "cut":
        return behaviour, [*pieces(honest[: rng.randrange(len(honest))], rng), *end]
    if behaviour == "close":
        return behaviour, [honest, b""]
    if behaviour == "idle" and kind.surplus and pauses and not ends:
        return behaviour, [*pieces(honest, rng), rng.choice(kind.surplus)]
    return "honest", [*pieces(honest, rng), b""] if ends else [*pieces(honest, rng)]


def run_journey(name: str, rng: Random) -> None:
    """One journey of some rounds. Raises PropertyViolated."""
    kind = KINDS[name]
    loop: Any = FakeLoop()
    connection = _connection_on(kind.connection, loop)
    samples = OperationSamples("fuzz", name)
    tokens = [b"<%016x>" % rng.getrandbits(64) for _ in range(ROUNDS)]
    pauses = [rng.random() < 0.5 for _ in range(ROUNDS)]
    responses: list[Response] = []
    behaviours: dict[int, list[str]] = {}  # by round; the server may have to go on in a round
    ended: list[VirtualUser] = []

    def journey() -> Journey:
        for pause in pauses:
            response = yield Request(samples, b"?", connection.address)
            if isinstance(response, Response):
                responses.append(response)
            if pause:
                yield 0.0

    user = VirtualUser(loop, {"http": lambda *_: connection})
    user.run(journey(), 0, ended.append)
    for _ in range(STEPS):
        if loop.inbox and connection.ready:
            connection.on_readable(1)
        elif loop.deferred:
            loop.deferred.popleft()()
        elif ended:
            break
        else:
            at = len(responses)
            behaviour, segments = _server_segments(kind, tokens[at], at, pauses[at], rng)
            behaviours.setdefault(at, []).append(behaviour)
            loop.inbox.extend(segments)
    _check(user, samples, tokens, behaviours, responses)


def _check(
    user: VirtualUser,
    samples: OperationSamples,
    tokens: list[bytes],
    behaviours: dict[int, list[str]],
    responses: list[Response],
) -> None:
    if user.exception is not None:
        raise PropertyViolated(f"the journey was given an exception: {user.exception!r}")
    if len(responses) != ROUNDS or len(samples.times) + len(samples.failures) != ROUNDS:
        raise PropertyViolated(
            f"{len(responses)} responses and {len(samples.times)} + {len(samples.failures)} records of {ROUNDS}"
        )
    for at, response in enumerate(responses):
        if response.error is None and any(token in response.body for token in tokens if token != tokens[at]):
            raise PropertyViolated(f"round {at} got the response of another round: {response.body!r}")
        if (
            behaviours.get(at) == ["honest"]
            and (at == 0 or behaviours.get(at - 1) == ["honest"])
            and response.body != tokens[at]
        ):
            raise PropertyViolated(f"round {at} got a correct response, and returned {response!r}")
        warned = at > 0 and behaviours.get(at - 1) in (["behind"], ["idle"]) and responses[at - 1].error is None
        if warned and not str(response.error).startswith("unsolicited"):
            raise PropertyViolated(f"round {at} does not report what came behind the response before it: {response!r}")
