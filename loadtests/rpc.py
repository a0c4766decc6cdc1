"""Makes the engine's requests for remote calls: by frame, through deepstream, or over HTTP in its three forms.

Rule: as for `calls`: made ready once, then gaps are filled. The bytes are those of `fixtures.transports`, asked once
for each shape of call with marks in the places of the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from contracts.exchange import Answer, Exchange, Sent
from contracts.operation import Operation
from contracts.refusals import rule
from contracts.rpc import Call, Rpc, rpc
from fixtures import http1, socket
from fixtures.api import Api
from fixtures.cases import filled
from fixtures.corpus.messages import Message, messages
from fixtures.targets import Misuse
from fixtures.transports import ABSENT, transport
from fixtures.transports.parts import Parts, message, permit
from loadtests.calls import EFFORT, REFUSED, Calls, Key, Ready
from loadtests.engine.call import Address, Request
from loadtests.judging import Check
from loadtests.rpc_judging import AskedCall
from loadtests.turns import Turns, in_turn
from loadtests.values import inside, is_fresh
from loadtests.wire import Marks, Wire, cut, frame

BY_HTTP = ("header", "query", "path")
BY_GET = ("LIST", "OPEN", "DELETE")  # lines 68-69 of the document
BY_FRAME = ("websocket", "deepstream")
PARTS = ("objectid", "namespace", "parameters", "data")
ENGINE = "DEEPSTREAM"  # the setting with the engine's ws URL


class RpcCalls:
    """The calls of one API to one target. Raises LookupError for an API without an AsyncAPI document."""

    def __init__(self, calls: Calls, seed: int = 0) -> None:
        """Shares target, known values, slots and judges with `calls`. `seed` is that of the messages."""
        found = rpc(calls.target.api)
        if found is None:
            raise LookupError(f"{calls.target.api} has no asyncapi.yaml")
        self.rpc = found
        self._calls = calls
        self._messages = messages(calls.target.api, EFFORT, seed)
        self._caught = _Caught()
        self._api = Api(calls.target, self._caught)
        self._ready: dict[Key, Ready] = {}
        self._turns: Turns[Ready] = Turns()

    @property
    def transports(self) -> tuple[str, ...]:
        """The ways that this target can be called; deepstream only where the target names its engine."""
        return tuple(
            name for name in (*BY_HTTP, *BY_FRAME) if name != "deepstream" or ENGINE in self._api.target.settings
        )

    def prepare(self, labels: Iterable[str]) -> list[str]:
        """As `Calls.prepare`, for the calls of these labels."""
        found = []
        for label in labels:
            call = self.rpc.calls[label]
            self.rpc.contract.validator(call.reply)  # is compiled here, not while the load runs
            for one in (*self._messages.valid(call), *self._messages.broken(call)):
                found += [source for source in inside(one.parts) if "operation" in source]
        return self._calls.found.read(found)

    def call(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The plain valid call with these parts (objectid, namespace, parameters, data) by that transport.

        Raises KeyError for an unknown label, NotPermitted for a call that may change what is not ours to change.
        """
        ready = self._ready.get((way, label, *parts))
        if ready is None:
            call = self.rpc.calls[label]
            ready = self._made(way, call, self._messages.plain(call), tuple(parts))
            self._ready[(way, label, *parts)] = ready
        return ready.request(parts, check)

    def drawn(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next valid message of the corpus that this transport can carry, with these parts put in."""
        return self._next(self._messages.valid, way, label, tuple(parts)).request(parts, check)

    def broken(self, way: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next call that has one thing wrong, whose refusal the documents describe; parts where that is not.

        Over HTTP these are the broken requests of its operation there, since much cannot be said in headers.
        """
        operation = self._operation(way, self.rpc.calls[label])
        if operation is None:
            return self._next(self._stated, way, label, tuple(parts)).request(parts, check)
        return self._calls.broken(operation.id, check, **{_name(way, part): value for part, value in parts.items()})

    def _stated(self, call: Call) -> list[Message]:
        def is_stated(one: Message) -> bool:
            assert one.mutation is not None
            return "clause" in rule(self.rpc.contract, call, one.mutation)

        return [one for one in self._messages.broken(call) if is_stated(one)]

    def _next(self, make: Callable[[Call], list[Message]], way: str, label: str, given: tuple[str, ...]) -> Ready:
        def begin() -> Iterator[Ready]:
            call = self.rpc.calls[label]
            made = (self._made(way, call, one, given) for one in make(call) if self._can(way, one, given))
            return in_turn(made, lambda: self._made(way, call, self._messages.plain(call), given))

        return self._turns.next((make.__name__, way, label, *given), begin)

    def _can(self, way: str, one: Message, given: tuple[str, ...]) -> bool:
        if one.mutation and one.mutation.place.partition(".")[0] in given:
            return False
        parts = {**one.parts, **dict.fromkeys(given, "given")}
        for source in inside(parts):
            if "operation" in source and (is_fresh(source) or not self._calls.found.has(source)):
                return False
        if way in BY_FRAME:
            return True
        if parts.get("method") in BY_GET and "data" in parts:
            return False  # data needs POST, which these methods are not documented for
        return transport(self._api, way).can(**filled(parts, lambda _: "known"), credentials=one.credentials)

    def _made(self, way: str, call: Call, one: Message, given: tuple[str, ...]) -> Ready:
        calls, target = self._calls, self._api.target
        marks = Marks(target.settings)
        parts = {**one.parts, **{name: marks.mark(name) for name in given}}
        try:
            wire = self._wire(way, call, filled(parts, marks.resolve), one.credentials, marks)
        except KeyError as missing:
            raise Misuse(
                f"{target.api.upper()}_{missing.args[0]} is not set, and {target.url} cannot be loaded without it"
            ) from None
        asked = AskedCall(self.rpc, call, calls.contract, self._operation(way, call), one.mutation)
        judge = calls.judges.of_call(asked)
        slot = calls.slots(call.label + (REFUSED if one.mutation else ""), way)
        gaps = tuple((name, None) if isinstance(name, str) else ("", calls.turn(name)) for name in wire.names)
        address, name = self._address(way, call.endpoint), call.endpoint if way == "deepstream" else ""
        always = None if gaps else Request(slot, wire.fill(()), address, judge, name=name)
        return Ready(wire, gaps, slot, address, judge, calls.judges, False, always, name)

    def _wire(self, way: str, call: Call, parts: Mapping[str, Any], credentials: str, marks: Marks) -> Wire:
        if way in BY_FRAME:
            permit(self._api, parts.get("method"))
            whole = {name: parts.get(name, ABSENT) for name in ("method", *PARTS)}
            return frame(message(self._api, Parts(**whole, credentials=credentials)), marks)
        transport(self._api, way).call(call.endpoint, **parts, credentials=credentials)
        head, blank, body = http1.request(self._caught.sent).partition(b"\r\n\r\n")
        return cut(head + blank, body, marks, in_form=False)

    def _address(self, way: str, endpoint: str) -> Address:
        if way in BY_HTTP:
            return self._calls.address
        if way == "websocket":
            return Address.of(socket.address(self._api.target.url, endpoint))
        parts = urlsplit(self._api.target.settings[ENGINE])
        scheme = {"ws": "deepstream", "wss": "deepstreams"}[parts.scheme]
        return Address.of(parts._replace(scheme=scheme).geturl())

    def _operation(self, way: str, call: Call) -> Operation | None:
        """What the call is over HTTP, by the path of its endpoint and the name of its form."""
        if way not in BY_HTTP:
            return None
        name = f"{call.method} by {way}"
        found = [
            one
            for one in self._calls.contract.operations.values()
            if one.path.startswith(call.path) and one.id.partition(" ")[2] == name
        ]
        return found[0] if found else None


def _name(way: str, part: str) -> str:
    """What a part is called in the OpenAPI document, for that form of HTTP."""
    return {"objectid": "Flow-Request-ObjectId", "data": "body"}.get(part, part) if way == "header" else part


def named(rpc: Rpc, operation: Operation) -> tuple[str, str]:
    """What an operation is counted as: the label of its call, and how it travels."""
    _, _, call = operation.id.partition(" ")
    method, _, way = call.partition(" by ")
    endpoint = next((name for name, path in rpc.endpoints.items() if operation.path.startswith(path)), operation.path)
    return f"{endpoint} {method}", way.partition(" ")[0] or "http"


class _Caught:
    """Takes what would be sent, and sends nothing."""

    def __init__(self) -> None:
        self.sent = Sent("GET", "http://127.0.0.1/")

    def send(self, sent: Sent) -> Exchange:
        """An empty answer."""
        self.sent = sent
        return Exchange(sent, Answer(200))
