"""What must hold of whole connections: each request gets exactly one answer, and never that of another one.

A journey sends requests, each with a token of its own, over a connection without a socket. The server answers with that
token, spoiled, cut, repeated, with something behind it or while nobody waits, and closes or resets as it likes. It
never sends a second answer after the next request is out: HTTP and bare websockets cannot tell it from the right one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from loadtests.engine.call import Address, Answer, Journey, Request
from loadtests.engine.connection import Connection
from loadtests.engine.deepstream import Deepstream
from loadtests.engine.http import HttpConnection
from loadtests.engine.recorder import Slot
from loadtests.engine.session import Session
from loadtests.engine.websocket import Websocket
from loadtests.fuzz.claims import Disproved
from loadtests.fuzz.corpus import FRAMES, HTTP, pieces, server_frame, spoiled, spoilt

ROUNDS = 5
STEPS = 10_000  # more than any honest run takes
Segments = list[bytes | None]  # None: the connection is reset; b"": it is closed


class Stage:
    """A loop without sockets or clock, and the server's end of its connection."""

    def __init__(self) -> None:
        self.put_off: deque[Callable[[], Any]] = deque()
        self.inbox: deque[bytes | None] = deque()

    def soon(self, callback: Callable[[], None]) -> None:
        self.put_off.append(callback)

    def at(self, due: int, callback: Callable[[int], None]) -> None:
        """Pauses end at once. Alarms never ring: here the server always comes to an end."""
        if not isinstance(getattr(callback, "__self__", None), Connection):
            self.put_off.append(lambda: callback(due))

    def change(self, *_: object) -> None: ...

    def remove(self, _: object) -> None:
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


def _staged(kind: type[Connection], stage: Any) -> Connection:
    class Staged(kind):  # type: ignore[valid-type, misc] # the class is a parameter
        def open(self) -> None:
            sock = self._sock = object()
            self.recv, self.send = stage.recv, stage.send
            self.loop.soon(lambda: self.connected() if self._sock is sock else None)

    connection: Connection = Staged(stage, Address("http", "stage", 1))
    return connection


def _http_answer(body: bytes, _: int, rng: Random) -> tuple[bytes, bool]:
    """An honest answer, and whether the connection's end belongs to it."""
    kind = rng.randrange(4)
    if kind == 0:
        return b"HTTP/1.1 200 OK\r\n\r\n" + body, True
    if kind == 1:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in pieces(body, rng))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", False
    early = b"HTTP/1.1 100 Continue\r\n\r\n" if kind == 2 else b""
    return early + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, False


def _frame_answer(body: bytes, _: int, rng: Random) -> tuple[bytes, bool]:
    parts = [b"", *pieces(body, rng)] if rng.random() < 0.5 else [body]
    last = len(parts) - 1
    sent = [server_frame(0 if at else 1, part, fin=at == last) for at, part in enumerate(parts)]
    return server_frame(9, b"?").join(sent), False


def _rpc_answer(body: bytes, at: int, rng: Random) -> tuple[bytes, bool]:
    """Correlation ids count from 1, as rounds do from 0."""
    said = b'{"topic":6,"action":5,"correlationId":"%d","data":"%b"}' % (at + 1, body)
    return _frame_answer(said, at, rng)


class Kind(NamedTuple):
    """A connection, how to answer in which round, what to spoil, and what nobody can have asked for.

    Without `surplus`, what nobody asked for is known as such and let pass.
    """

    connection: type[Connection]
    answer: Callable[[bytes, int, Random], tuple[bytes, bool]]
    corpus: tuple[bytes, ...]
    surplus: tuple[bytes, ...]


KINDS = {
    "http connection": Kind(HttpConnection, _http_answer, HTTP, (*HTTP, b"\r\n", b"\0", b"H")),
    "websocket connection": Kind(
        Websocket, _frame_answer, FRAMES, (FRAMES[0], FRAMES[5], FRAMES[6], b"\x81", b"\x01\x00", b"\x81\x02x")
    ),
    "deepstream connection": Kind(Deepstream, _rpc_answer, (*FRAMES, _rpc_answer(b"?", 0, Random(1))[0]), ()),
}


def _performance(kind: Kind, token: bytes, at: int, pauses: bool, rng: Random) -> tuple[str, Segments]:
    """What the server does instead of only answering, and the segments that arrive."""
    honest, ends = kind.answer(token, at, rng)
    trick = rng.choice(("honest", "honest", "behind", "mess", "spoiled", "cut", "close", "idle"))
    end: Segments = [rng.choice((b"", None))]
    if trick == "behind" and kind.surplus and not ends:
        return trick, [honest + rng.choice(kind.surplus)]
    if trick == "mess":
        return trick, [honest + spoiled(kind.corpus, rng)]
    if trick == "spoiled":
        return trick, [spoilt(honest, rng), *end]
    if trick == "cut":
        return trick, [*pieces(honest[: rng.randrange(len(honest))], rng), *end]
    if trick == "close":
        return trick, [honest, b""]
    if trick == "idle" and kind.surplus and pauses and not ends:
        return trick, [*pieces(honest, rng), rng.choice(kind.surplus)]
    return "honest", [*pieces(honest, rng), b""] if ends else [*pieces(honest, rng)]


def play(name: str, rng: Random) -> None:
    """One journey of some rounds. Raises Disproved."""
    kind = KINDS[name]
    stage: Any = Stage()
    connection = _staged(kind.connection, stage)
    slot = Slot("fuzz", name)
    tokens = [b"<%016x>" % rng.getrandbits(64) for _ in range(ROUNDS)]
    pauses = [rng.random() < 0.5 for _ in range(ROUNDS)]
    answers: list[Answer] = []
    tricks: dict[int, list[str]] = {}  # by round; the server may have to go on in a round
    ended: list[Session] = []

    def journey() -> Journey:
        for pause in pauses:
            answer = yield Request(slot, b"?", connection.address)
            if isinstance(answer, Answer):
                answers.append(answer)
            if pause:
                yield 0.0

    session = Session(stage, {"http": lambda *_: connection})
    session.play(journey(), 0, ended.append)
    for _ in range(STEPS):
        if stage.inbox and connection.ready:
            connection.on_readable(1)
        elif stage.put_off:
            stage.put_off.popleft()()
        elif ended:
            break
        else:
            at = len(answers)
            trick, segments = _performance(kind, tokens[at], at, pauses[at], rng)
            tricks.setdefault(at, []).append(trick)
            stage.inbox.extend(segments)
    _check(session, slot, tokens, tricks, answers)


def _check(
    session: Session, slot: Slot, tokens: list[bytes], tricks: dict[int, list[str]], answers: list[Answer]
) -> None:
    if session.raised is not None:
        raise Disproved(f"the journey was given an exception: {session.raised!r}")
    if len(answers) != ROUNDS or len(slot.times) + len(slot.failures) != ROUNDS:
        raise Disproved(f"{len(answers)} answers and {len(slot.times)} + {len(slot.failures)} records of {ROUNDS}")
    for at, answer in enumerate(answers):
        if answer.error is None and any(token in answer.body for token in tokens if token != tokens[at]):
            raise Disproved(f"round {at} got the answer of another round: {answer.body!r}")
        if tricks.get(at) == ["honest"] and (at == 0 or tricks.get(at - 1) == ["honest"]) and answer.body != tokens[at]:
            raise Disproved(f"round {at} was answered honestly, and came out as {answer!r}")
        warned = at > 0 and tricks.get(at - 1) in (["behind"], ["idle"]) and answers[at - 1].error is None
        if warned and not str(answer.error).startswith("unsolicited"):
            raise Disproved(f"round {at} does not report what came behind the answer before it: {answer!r}")
