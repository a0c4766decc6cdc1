"""What goes into the engine and what comes out: an address, a request, its answer, and a journey that plays them.

Times are nanoseconds of `time.perf_counter_ns`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from loadtests.engine.recorder import Slot

SECOND = 1_000_000_000
TIMEOUT = 30 * SECOND  # of one request, connecting included, unless the request says otherwise
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "deepstream": 80, "deepstreams": 443}
ENCRYPTED = frozenset({"https", "wss", "deepstreams"})

Headers = list[tuple[bytes, bytes]]  # names in lower case, values without surrounding blanks
Judge = Callable[["Request", "Answer"], "str | None"]
Journey = Generator["Request | float | Sequence[Request]", "Answer | list[Answer] | None", None]


class Address(NamedTuple):
    """Where connections go. Two requests share a connection if their addresses are equal.

    `path` is the target of the websocket handshake, and empty for HTTP, where each request names its own.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in `url`, such as `http://127.0.0.1:8080/api` or `deepstream://host:6020/deepstream`.

        Raises ValueError, which says what is wrong with the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as wrong:
            raise ValueError(f"cannot read the URL {url!r}: {wrong}") from None
        scheme = parts.scheme.lower()
        if scheme not in PORTS:
            raise ValueError(f"the URL {url!r} must begin with one of {', '.join(f'{known}://' for known in PORTS)}")
        if not parts.hostname or parts.username is not None:
            raise ValueError(f"the URL must name a host and carry no credentials, such as {scheme}://127.0.0.1:8080")
        path = parts.path or "/"
        if parts.query:
            path += f"?{parts.query}"
        if not path.isascii() or any(char <= " " or char == "\x7f" for char in path):
            raise ValueError(f"the path of the URL {url!r} must be percent-encoded ASCII")
        where = "" if scheme in {"http", "https"} else path
        return cls(scheme, parts.hostname, PORTS[scheme] if port is None else port, where)

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9112 section 3.2): a default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Request:
    """One request, ready to send. Nothing in it changes by sending, so one object may be sent any number of times.

    payload: HTTP: everything as on the wire; websocket: the text of one message; deepstream: the RPC's data as JSON.
    head: whether the method is HEAD, whose answer has no body.
    timeout_ns: until the whole answer must be there, connecting included.
    judge: called with an answer that came whole; gives None if it is good, else a reason out of a bounded set, such as
        "BITVIS-RESP-1". Without a judge an answer is good unless its status is 400 or more.
    name: deepstream: the name of the RPC.
    """

    __slots__ = ("address", "head", "judge", "name", "payload", "slot", "timeout_ns")

    def __init__(
        self,
        slot: Slot,
        payload: bytes,
        address: Address,
        judge: Judge | None = None,
        timeout_ns: int = TIMEOUT,
        head: bool = False,
        name: str = "",
    ) -> None:
        self.slot = slot
        self.payload = payload
        self.address = address
        self.judge = judge
        self.timeout_ns = timeout_ns
        self.head = head
        self.name = name


class Owner(Protocol):
    """Who waits for an answer. It is never given within the call that asks for it."""

    def resume(self, answer: Answer, /) -> None: ...

    def failed(self, what: str, /) -> None:
        """Its request has no good answer; `resume` follows at once."""


class Answer:
    """What came of one request.

    status: HTTP's, and 0 where there is none: websocket messages, and requests that got no answer.
    headers, body: as received; the body without chunk framing, with its content coding. Not to be changed: shared.
    error: None if all is well; otherwise why no answer came ("timeout") or why the judge refuses it.
    value: whatever the judge made of the body, so that a journey need not parse it again.
    intended, sent, first, done: when it should have gone out, went out, its first bytes came and its last bytes came.
    """

    __slots__ = ("body", "done", "error", "first", "headers", "intended", "sent", "status", "value")

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        error: str | None,
        intended: int,
        sent: int,
        first: int,
        done: int,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.error = error
        self.intended = intended
        self.sent = sent
        self.first = first
        self.done = done
        self.value: object = None

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.error!r}, {len(self.body)} B, {(self.done - self.intended) / 1e6:.3f} ms)"
