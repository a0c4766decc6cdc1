"""The engine's input and output: addresses, requests, responses, and journeys that yield requests.

Times are nanoseconds of `time.perf_counter_ns`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import orjson

from fixtures.http1.response_head import Headers
from fixtures.network_routes import DIRECT, Route
from fixtures.origins import DEFAULT_PORTS

if TYPE_CHECKING:
    from loadtests.engine.recorder import OperationSamples

SECOND = 1_000_000_000
DEFAULT_TIMEOUT = 30 * SECOND  # ns for one request, connecting included, unless the request says otherwise
PORTS = {**DEFAULT_PORTS, **dict.fromkeys(("deepstream", "deepstream-text"), 80)}
PORTS |= dict.fromkeys(("deepstreams", "deepstreams-text"), 443)
ENCRYPTED = frozenset({"https", "wss", "deepstreams", "deepstreams-text"})

Validator = Callable[["Request", "Response"], "str | None"]
Journey = Generator["Request | float | Sequence[Request]", "Response | list[Response] | None", None]


class Address(NamedTuple):
    """Where connections go. Two requests share a connection if their addresses are equal.

    `path` is the request target of the websocket handshake; empty for HTTP, where each request has its own. `route` is
    None for a plain connection without a proxy, which needs no certificates either. `login` is the data of a login at a
    deepstream engine, a JSON object.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    route: Route | None = None
    login: str = "{}"
    deflate: bool = False

    @classmethod
    def from_url(cls, url: str, route: Route = DIRECT, deflate: bool = False) -> Address:
        """The address in `url`, such as `http://127.0.0.1:8080/api` or `deepstream://host:6020/deepstream`.

        route: by which proxy and with which certificates it is reached; deflate: whether websockets offer to compress
        messages (permessage-deflate).

        Raises ValueError, which says what is wrong with the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"cannot read the URL {url!r}: {error}") from None
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
        is_http = scheme in {"http", "https"}
        needed = route if route.proxy is not None or (scheme in ENCRYPTED and route != DIRECT) else None
        address = cls(scheme, parts.hostname, PORTS[scheme] if port is None else port, "" if is_http else path, needed)
        return address._replace(deflate=True) if deflate and not is_http else address

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them (RFC 9112 section 3.2): a default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def next_hop(self) -> tuple[str, int]:
        """Host and port that connections are opened to: its own, or the proxy's."""
        return (self.host, self.port) if self.route is None else self.route.next_hop(self.host, self.port)

    @property
    def is_tunnel(self) -> bool:
        """Whether connections go through a tunnel of a proxy."""
        return self.route is not None and self.route.is_tunnel(self.scheme)


class Request:
    """One request, ready to send. Sending changes nothing in it, so one object may be sent any number of times.

    samples: where its times are recorded.
    payload: HTTP: all bytes of the request; websocket: the text of one message; deepstream: the RPC's data as JSON.
    validator: called with a complete response; returns None if it is valid, else a reason from a bounded set, such as
        "BITVIS-RESP-1". Without a validator a response is valid unless its status is 400 or more. One that returns None
        may have set the response's error: it counts as valid then, and its journey has nothing to go on with.
    timeout_ns: within which the response must be complete, connecting included.
    is_head: the method is HEAD, whose response has no body.
    rpc_name: deepstream: the name of the RPC.
    """

    __slots__ = ("address", "is_head", "payload", "rpc_name", "samples", "timeout_ns", "validator")

    def __init__(
        self,
        samples: OperationSamples,
        payload: bytes,
        address: Address,
        validator: Validator | None = None,
        timeout_ns: int = DEFAULT_TIMEOUT,
        is_head: bool = False,
        rpc_name: str = "",
    ) -> None:
        self.samples = samples
        self.payload = payload
        self.address = address
        self.validator = validator
        self.timeout_ns = timeout_ns
        self.is_head = is_head
        self.rpc_name = rpc_name

    def with_samples(self, samples: OperationSamples) -> Request:
        """The same request, whose times are recorded elsewhere."""
        same = copy(self)
        same.samples = samples
        return same


class ChainedRequest(Request):
    """A request that may be followed by others before the journey goes on, such as after a redirect."""

    __slots__ = ()

    def follow_up(self, response: Response) -> Request | None:
        """The request that is sent after this response, which is validated; None if it is the last one.

        The journey gets the last response. Must not raise.
        """
        raise NotImplementedError


class Requester(Protocol):
    """Waits for a response, which never comes within the call that sends the request."""

    def resume(self, response: Response, /) -> None: ...

    def resume_later(self, response: Response, pause: int, /) -> None:
        """The same after a pause of so many ns."""

    def request_failed(self, what: str, is_unsent: bool, /) -> int:
        """Its request has no valid response, and was not even sent if `is_unsent`: no connection could be opened.

        Returns how long (ns) to wait before the requester is resumed, 0 for not at all.
        """


class Response:
    """The outcome of one request.

    status: HTTP's; 0 where there is none: websocket messages, and requests without a response.
    headers, body: as received; the body without chunk framing but with its content coding. Shared: do not change them.
    error: None if the response is valid; otherwise why none came ("timeout") or why the validator refuses it.
    parsed_body: what the validator parsed, so that a journey need not parse the body again.
    received: status, headers and body as received, where they were translated since; None otherwise.
    intended, sent, first, done: when the request should have been sent and was sent, and when the first and the last
        bytes of the response came.
    """

    __slots__ = ("body", "done", "error", "first", "headers", "intended", "parsed_body", "received", "sent", "status")

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
        self.parsed_body: object = None
        self.received: tuple[int, Headers, bytes] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError for another body, and for the empty one of a response that never came."""
        return orjson.loads(self.body)

    def __repr__(self) -> str:
        return (
            f"Response({self.status}, {self.error!r}, {len(self.body)} B, {(self.done - self.intended) / 1e6:.3f} ms)"
        )
