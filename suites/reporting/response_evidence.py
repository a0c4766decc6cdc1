"""Decides whether a test that passed has tested anything: its target has to serve what the test is about.

Rule: a refusal shows something only at an address that serves another request, since an address that is not there
refuses everything. Who has seen no such request sends a valid one, once for each operation or call.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from contracts import formatting, json_pointer
from contracts.asyncapi import Call, load_rpc_contract
from contracts.exchange import FRAME, Exchange, Request, frame_endpoint
from contracts.judge.http_judge import is_refusal
from contracts.operation import Operation
from fixtures.cases import fill_placeholders
from fixtures.corpus import EFFORTS
from fixtures.corpus.builder import minimal_case
from fixtures.corpus.rpc_messages import load_messages
from fixtures.pace import TooManyWrongCredentials
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.transports import transport

UNKNOWN_PATH = "/flowproof-no-such-address"
MAX_PROBES = 5  # operations that are tried to find out whether a target serves anything
CANNOT_ASK = (MissingPrecondition, NotPermitted, TooManyWrongCredentials)


class NothingTested(Exception):
    """The test ended well and has tested nothing: the text says why. refusal: the exchange that shows nothing."""

    def __init__(self, message: str, refusal: Exchange | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass
class ResponseEvidence:
    """What one target was seen to do. A key is the label of an operation or call, an endpoint, or "" for neither.

    `served`: keys of requests that were accepted, in the whole run, with "" for any. `refusals`: the last one by key,
    and `is_answered`: whether there was any response, since `begin_test`.
    """

    api: Api
    served: set[str] = field(default_factory=set)
    refusals: dict[str, Exchange] = field(default_factory=dict)
    is_answered: bool = False
    _probed: dict[str, bool] = field(default_factory=dict)  # by key, whether a valid request could be sent

    def begin_test(self) -> None:
        """Forgets what belongs to the test before."""
        self.refusals.clear()
        self.is_answered = False

    def add(self, exchange: Exchange, label: str) -> None:
        """Notes an exchange with the operation or call of that label, "" for none."""
        if not exchange.response.status:
            return
        self.is_answered = True
        endpoint = self._endpoint(exchange.request)
        if exchange.response.error or is_refusal(self.api.contract, exchange.response):
            self.refusals[label or endpoint] = exchange
        else:
            self.served |= {"", label, endpoint}

    def add_connection(self, url: str) -> None:
        """Notes that a websocket was opened."""
        self.is_answered = True
        self.served |= {"", frame_endpoint(url, self.api.target.url)}

    def _endpoint(self, request: Request) -> str:
        """The documented endpoint that a frame went to, "" for another one and for a request over HTTP."""
        rpc = load_rpc_contract(self.api.target.api)
        name = frame_endpoint(request.url, self.api.target.url) if request.method == FRAME else ""
        return name if rpc and any(call.endpoint == name for call in rpc.calls.values()) else ""

    def require(self) -> None:
        """Raises NothingTested when the responses since `begin_test` show nothing about the target."""
        if not self.is_answered:
            raise NothingTested("the test received no response")
        if not self.refusals:
            return
        refusals = dict(self.refusals)
        shown, self.api.exchanges = self.api.exchanges, deque(maxlen=MAX_PROBES)  # the report shows the test's own
        try:
            is_tested = any(self._is_served(key, refusal) for key, refusal in refusals.items())
        finally:
            self.api.exchanges = shown
        if not is_tested:
            names = ", ".join(sorted(filter(None, refusals))) or self.api.target.url
            text = f"{names} refuses valid requests as well, so that a refusal shows nothing"
            raise NothingTested(text, next(iter(refusals.values())))

    def _is_served(self, key: str, refusal: Exchange) -> bool:
        """Whether the target serves what the key stands for, of which this is a refusal."""
        if key in self.served:
            return True
        if key not in self._probed:
            self._probed[key] = True
            try:
                self._probe(key, refusal)
            except CANNOT_ASK:
                self._probed[key] = False
        return key in self.served or (not self._probed[key] and self._differs_from_unknown(refusal))

    def _probe(self, key: str, refusal: Exchange) -> None:
        """Sends a valid request of that kind; `add` notes whether it is accepted."""
        if refusal.request.method == FRAME:
            self._probe_call(key, refusal.request)
        elif key:
            self._probe_operation(self.api.contract.operations[key])
        else:
            readable = [it for it in self.api.contract.documented if it.safe]
            for operation in readable[:MAX_PROBES]:
                if not self.served:
                    with suppress(MissingPrecondition):
                        self._probe_operation(operation)

    def _probe_operation(self, operation: Operation) -> None:
        for _ in range(2):
            exchange = self.api.send(operation, minimal_case(self.api.contract, operation))
            if not is_refusal(self.api.contract, exchange.response) or not self.api.drop_vanished_values():
                return

    def _probe_call(self, key: str, request: Request) -> None:
        """Sends a valid call, by the way that this frame went: that of the key, or one that reads at its endpoint."""
        rpc = load_rpc_contract(self.api.target.api)
        calls = dict(rpc.calls) if rpc else {}
        endpoint = self._endpoint(request)
        reading = [call for call in calls.values() if call.safe and call.endpoint == endpoint]
        call: Call | None = calls.get(key) or min(reading, key=lambda it: len(it.required_parts), default=None)
        if call is None:
            return
        message = load_messages(self.api.target.api, EFFORTS["quick"], 0).minimal(call)
        carrier = transport(self.api, formatting.frame_transport(request.url))
        try:
            carrier.call(call.endpoint, **fill_placeholders(message.parts, self.api.known_value))
        finally:
            carrier.close()

    def _differs_from_unknown(self, refusal: Exchange) -> bool:
        """Whether the target refuses a request to an address that does not exist in another way than that one."""
        sent = refusal.request
        if sent.method == FRAME:
            return False
        try:
            unknown = self.api.send_request(Request(sent.method, self.api.target.url + UNKNOWN_PATH, sent.headers))
        except CANNOT_ASK:
            return False
        return self._kind_of(unknown) != self._kind_of(refusal)

    def _kind_of(self, exchange: Exchange) -> tuple[int, str]:
        """Status and error codes of a refusal."""
        codes = []
        with suppress(ValueError, RecursionError):
            codes = json_pointer.find(exchange.response.json(), self.api.contract.error_format.get("code", "/code"))
        return exchange.response.status, repr(codes)
