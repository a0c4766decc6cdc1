"""Creates requests for RPC calls: as a frame, through deepstream in one of its protocols, or over HTTP in three forms.

Rule: as in `http_factory`, a form of call is prepared once, and then its placeholders are filled. The bytes are those
of `fixtures.transports`, which renders each form once with placeholder texts for the values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from contracts.asyncapi import Call, RpcContract, load_rpc_contract
from contracts.errors import UsageError
from contracts.exchange import FRAME, Exchange, Response
from contracts.exchange import Request as HttpRequest
from contracts.judge.refusal_judge import refusal_rule
from contracts.operation import Operation
from fixtures import websocket_client
from fixtures.acceptance import message_acceptance_clause, message_refusal_clause
from fixtures.cases import fill_placeholders
from fixtures.corpus.rpc_messages import Message, load_messages
from fixtures.http1 import request_writer
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import Target
from fixtures.transports import ABSENT, FRAME_TRANSPORTS
from fixtures.transports import transport as transport_of
from fixtures.transports.call_parts import CallParts, call_message
from fixtures.transports.deepstream_endpoints import JSON, TEXT, endpoint_url, login_data
from fixtures.transports.rpc_names import is_known, name_at
from loadtests.engine.exchange_types import Address, Request
from loadtests.request_factory.data_sources import is_per_request, placeholder_sources
from loadtests.request_factory.deployed_requests import Deploy, depends_on_values, deploy_http, deploy_message
from loadtests.request_factory.http_factory import EFFORT, CacheKey, HttpRequestFactory
from loadtests.request_factory.prepared_request import PreparedRequest, filler
from loadtests.request_factory.request_preparation import INVALID_SUFFIX, permitted
from loadtests.request_factory.request_template import Placeholders, RequestTemplate, message_template, split_request
from loadtests.request_factory.round_robin import RoundRobin, repeat_forever
from loadtests.validation.http_validator import Check
from loadtests.validation.rpc_validator import CallIntent

HTTP_TRANSPORTS = ("header", "query", "path")
GET_METHODS = ("LIST", "OPEN", "DELETE")  # lines 68-69 of the document
CALL_PARTS = ("objectid", "namespace", "parameters", "data")
ENGINE_PROTOCOLS = {"deepstream": JSON, "deepstream-text": TEXT}  # the transports through an engine
ENGINE_SCHEMES = {
    ("deepstream", "ws"): "deepstream",
    ("deepstream", "wss"): "deepstreams",
    ("deepstream-text", "ws"): "deepstream-text",
    ("deepstream-text", "wss"): "deepstreams-text",
}


class RpcRequestFactory:
    """Creates requests for the RPC calls of one API at one target."""

    def __init__(self, http_factory: HttpRequestFactory, seed: int = 0, deflate: bool = False) -> None:
        """Shares target, known values, samples and validators with `http_factory`. seed: of the messages.

        deflate: whether websockets offer to compress messages.

        Raises LookupError for an API without an AsyncAPI document.
        """
        api = http_factory.target.api
        rpc_contract = load_rpc_contract(api)
        if rpc_contract is None:
            raise LookupError(f"{api} has no asyncapi.yaml")
        self.rpc = rpc_contract
        self._http = http_factory
        self._messages = load_messages(api, EFFORT, seed)
        self._capture = _CapturingClient()
        self._api = Api(replace(http_factory.target, translation=None), self._capture)  # its requests are documented
        self._prepared: dict[CacheKey, PreparedRequest] = {}
        self._round_robin: RoundRobin[PreparedRequest] = RoundRobin()
        self._engine_urls = _engine_urls(http_factory.target)
        self._engines = _engine_addresses(http_factory.target, self._engine_urls, deflate)
        self._deflate = deflate

    @property
    def transports(self) -> tuple[str, ...]:
        """The transports that reach this target; those through an engine only where the target has an endpoint."""
        return tuple(
            name
            for name in (*HTTP_TRANSPORTS, *FRAME_TRANSPORTS)
            if name not in ENGINE_PROTOCOLS or name in self._engines
        )

    def forget_prepared(self) -> None:
        """Prepare every request anew when it is next needed, since the target's token is another one."""
        self._prepared.clear()
        self._round_robin = RoundRobin()

    def prepare(self, labels: Collection[str], pause: Callable[[], None] = lambda: None) -> list[str]:
        """As `HttpRequestFactory.prepare`, for the calls with these labels."""
        self._find_out_names(labels)
        sources = []
        for label in labels:
            pause()
            call = self._call(label)
            self.rpc.contract.validator(call.reply_schema)  # is compiled now, not while the load runs
            for message in (*self._messages.valid(call), *self._messages.invalid(call)):
                sources += [source for source in placeholder_sources(message.parts) if "operation" in source]
        return self._http.known_values.read(sources)

    def _find_out_names(self, labels: Collection[str]) -> None:
        """Makes one call at each engine of others, unless it is known in which form it provides the names of calls."""
        calls = [call for call in map(self._call, labels) if call.safe and not call.required_parts]
        target = self._http.target
        for transport, url in self._engine_urls.items():
            if calls and not target.is_reference and not is_known(url):
                carrier = transport_of(Api(target), transport)
                carrier.call(calls[0].endpoint, calls[0].method)
                carrier.close()

    def request_for(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The plain valid call with these parts (objectid, namespace, parameters, data) by that transport.

        Raises UsageError for an unknown label or part, NotPermitted for a call that may change somebody else's data.
        """
        prepared = self._prepared.get((transport, label, *parts))
        if prepared is None:
            call = self._call(label)
            prepared = self._prepare_message(transport, call, self._messages.minimal(call), tuple(parts))
            self._prepared[(transport, label, *parts)] = prepared
        return prepared.request(parts, check)

    def sampled_request(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next valid message of the corpus that this transport can carry, with these parts put in."""
        return self._next_prepared(self._messages.valid, transport, label, tuple(parts)).request(parts, check)

    def invalid_request(self, transport: str, label: str, check: Check | None = None, **parts: Any) -> Request:
        """The next call that is invalid in one place, and whose refusal the documents describe; `parts` go elsewhere.

        Over HTTP these are the invalid requests of its operation there, since headers can express less than frames.
        """
        operation = self._operation(transport, self._call(label))
        if operation is None:
            return self._next_prepared(self._described_invalid, transport, label, tuple(parts)).request(parts, check)
        values = {_parameter_name(transport, part): value for part, value in parts.items()}
        return self._http.invalid_request(operation.id, check, **values)

    def _call(self, label: str) -> Call:
        if label not in self.rpc.calls:
            known = ", ".join(sorted(self.rpc.calls))
            raise UsageError(f"{self._api.target.api} has no call {label!r}; expected one of {known}")
        return self.rpc.calls[label]

    def _described_invalid(self, call: Call) -> list[Message]:
        def is_described(message: Message) -> bool:
            assert message.invalid_case is not None
            return "clause" in refusal_rule(self.rpc.contract, call, message.invalid_case)

        return [message for message in self._messages.invalid(call) if is_described(message)]

    def _next_prepared(
        self, messages: Callable[[Call], list[Message]], transport: str, label: str, names: tuple[str, ...]
    ) -> PreparedRequest:
        def begin() -> Iterator[PreparedRequest]:
            call = self._call(label)
            usable = (message for message in messages(call) if self._is_usable(transport, message, names))
            prepared = permitted(partial(self._prepare_message, transport, call, message, names) for message in usable)
            return repeat_forever(
                prepared, lambda: self._prepare_message(transport, call, self._messages.minimal(call), names)
            )

        return self._round_robin.next((messages.__name__, transport, label, *names), begin)

    def _is_usable(self, transport: str, message: Message, names: tuple[str, ...]) -> bool:
        """Whether the transport can carry it, all its values are known, and none of the named parts is invalid."""
        if message.invalid_case and message.invalid_case.location.partition(".")[0] in names:
            return False
        parts = {**message.parts, **dict.fromkeys(names, "given")}
        for source in placeholder_sources(parts):
            if "operation" in source and (is_per_request(source) or not self._http.known_values.has(source)):
                return False
        if transport in FRAME_TRANSPORTS:
            return True
        if parts.get("method") in GET_METHODS and "data" in parts:
            return False  # data needs POST, which is not documented for these methods
        filled = fill_placeholders(parts, lambda _: "known")
        return transport_of(self._api, transport).supports(**filled, credentials=message.credentials)

    def _prepare_message(self, transport: str, call: Call, message: Message, names: tuple[str, ...]) -> PreparedRequest:
        http, target, translation = self._http, self._api.target, self._http.target.translation
        unknown = [name for name in names if name not in CALL_PARTS]
        if unknown:
            raise UsageError(f"{call} has no part {unknown[0]!r}; expected one of {', '.join(CALL_PARTS)}")
        placeholders = Placeholders(target.settings)
        parts = {**message.parts, **{name: placeholders.add(name) for name in names}}
        try:
            rendered = fill_placeholders(parts, placeholders.resolve)
            make = partial(self._template, transport, call, rendered, message.credentials, placeholders)
            template, deploy = make(), self._deploy(transport, call)
            if deploy and translation and not depends_on_values(translation, template):
                template, deploy = make(deploy), None
        except KeyError as error:
            raise UsageError(
                f"{target.api.upper()}_{error.args[0]} is not set, and {target.url} cannot be loaded without it"
            ) from None
        operation = self._operation(transport, call)
        invalid = message.invalid_case
        clause = message_acceptance_clause(self.rpc, call, message)
        if invalid:
            clause = message_refusal_clause(self.rpc, call, invalid, self._messages.minimal(call), lambda: True)
        intent = CallIntent(self.rpc, call, http.contract, operation, invalid, clause)
        validator = http.preparation.documented(http.validators.for_call(intent))
        samples = http.samples_of(str(call) + (INVALID_SUFFIX if message.invalid_case else ""), transport)
        values = tuple(
            (placeholder, None) if isinstance(placeholder, str) else ("", http.preparation.next_value(placeholder))
            for placeholder in template.placeholders
        )
        address = self._address(transport, call.endpoint)
        rpc_name = self._names(transport, call.endpoint) if transport in ENGINE_PROTOCOLS else ""
        constant = None if values else Request(samples, template.fill(()), address, validator, rpc_name=rpc_name)
        return PreparedRequest(
            filler(template, values), samples, address, validator, http.validators, False, constant, rpc_name, deploy
        )

    def _deploy(self, transport: str, call: Call) -> Deploy | None:
        """What translates such requests, None at a target without departures."""
        translation, url = self._http.preparation.translation, self._api.target.url
        if translation is None:
            return None
        if transport in FRAME_TRANSPORTS:
            return deploy_message(translation, websocket_client.websocket_url(url, call.endpoint))
        return deploy_http(translation, self._http.origin)

    def _template(
        self,
        transport: str,
        call: Call,
        parts: Mapping[str, Any],
        credentials: str,
        placeholders: Placeholders,
        deploy: Deploy | None = None,
    ) -> RequestTemplate:
        if transport in FRAME_TRANSPORTS:
            call_parts = {name: parts.get(name, ABSENT) for name in ("method", *CALL_PARTS)}
            message = call_message(self._api, CallParts(**call_parts, credentials=credentials))
            self._api.require_permission(HttpRequest(FRAME, self._api.target.url, (), message))
            return message_template(deploy(message) if deploy else message, placeholders)
        transport_of(self._api, transport).call(call.endpoint, **parts, credentials=credentials)
        data = request_writer.encode_request(self._capture.request)
        head, blank, body = (deploy(data) if deploy else data).partition(b"\r\n\r\n")
        return split_request(head + blank, body, placeholders, is_form=False)

    def _names(self, transport: str, endpoint: str) -> str:
        """The name of that endpoint's calls at the engine of that transport."""
        return name_at(self._engine_urls[transport], endpoint)

    def _address(self, transport: str, endpoint: str) -> Address:
        if transport in HTTP_TRANSPORTS:
            return self._http.preparation.address
        if transport in self._engines:
            return self._engines[transport]
        target = self._http.target
        url = websocket_client.websocket_url(target.url, endpoint)
        deployed_url = target.translation.websocket_url(url) if target.translation else url
        return Address.from_url(deployed_url, target.route, self._deflate)

    def _operation(self, transport: str, call: Call) -> Operation | None:
        """The operation that carries the call over HTTP, found by the path of its endpoint and the name of its form."""
        if transport not in HTTP_TRANSPORTS:
            return None
        name = f"{call.method} by {transport}"
        operations = self._http.contract.operations.values()
        return next(
            (
                operation
                for operation in operations
                if operation.path.startswith(call.path)
                and operation.id.partition(" ")[2] == name
                and operation.served_if == call.served_if
            ),
            None,
        )


def _engine_urls(target: Target) -> dict[str, str]:
    """The ws URLs of the target's endpoints at an engine, by transport."""
    urls = {}
    for transport, protocol in ENGINE_PROTOCOLS.items():
        with suppress(MissingPrecondition):
            urls[transport] = endpoint_url(target, protocol)
    return urls


def _engine_addresses(target: Target, urls: Mapping[str, str], deflate: bool) -> dict[str, Address]:
    """The addresses of these endpoints."""
    login = login_data(target.settings).decode()
    addresses = {}
    for transport, ws_url in urls.items():
        parts = urlsplit(ws_url)
        url = parts._replace(scheme=ENGINE_SCHEMES[transport, parts.scheme]).geturl()
        addresses[transport] = Address.from_url(url, target.route, deflate)._replace(login=login)
    return addresses


def _parameter_name(transport: str, part: str) -> str:
    """The name of a part in the OpenAPI document, for that form of HTTP."""
    return {"objectid": "Flow-Request-ObjectId", "data": "body"}.get(part, part) if transport == "header" else part


def call_label(rpc: RpcContract, operation: Operation) -> tuple[str, str]:
    """The name and transport in the figures of an operation that is an RPC call: the call's name, and its form."""
    _, _, call = operation.id.partition(" ")
    method, _, transport = call.partition(" by ")
    endpoint = next(
        (name for name, path in rpc.endpoint_paths.items() if operation.path.startswith(path)), operation.path
    )
    return f"{rpc.api} {endpoint} {method}", transport.partition(" ")[0] or "http"


class _CapturingClient:
    """A client that keeps the request instead of sending it."""

    def __init__(self) -> None:
        self.request = HttpRequest("GET", "http://127.0.0.1/")

    def send(self, request: HttpRequest) -> Exchange:
        """An empty response."""
        self.request = request
        return Exchange(request, Response(200))
