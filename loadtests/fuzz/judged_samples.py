"""Exchanges with our references, and what their requests were meant to be: samples of responses that are judged.

Each operation of each API over HTTP, documented and invalid in each way, and each RPC call over HTTP and by frame. A
frame is the same by websocket and through an engine, so its exchange is a sample with an address of each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import contracts
from contracts.asyncapi import RpcContract, load_rpc_contract
from contracts.exchange import Exchange
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from fixtures.cases import fill_placeholders
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.rpc_messages import load_messages
from fixtures.http1 import request_writer
from fixtures.http_client import Unreachable
from fixtures.in_memory_mailbox import InMemoryMailbox
from fixtures.in_process_client import InProcessClient
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from loadtests.engine.exchange_types import Address, Request
from loadtests.engine.recorder import OperationSamples
from loadtests.request_factory.http_factory import TOO_LARGE
from loadtests.validation.http_validator import RequestIntent
from loadtests.validation.rpc_validator import CallIntent

QUICK = EFFORTS["quick"]
TODAY = datetime(2026, 5, 4, 10, tzinfo=UTC)  # of the references, so that a seed gives the same inputs on any day
FRAME_ADDRESSES = ("ws://127.0.0.1:1/x", "deepstream://127.0.0.1:1/x", "deepstream-text://127.0.0.1:1/x")
SAMPLES = OperationSamples("operation", "transport")


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A request, what it was meant to be, and the response that the reference gave.

    headers: with names in lower case, as the engine has them.
    """

    api: str
    intent: RequestIntent | CallIntent
    request: Request
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@cache
def judged_samples() -> tuple[JudgedSample, ...]:
    """All samples."""
    return tuple(sample for name in contracts.apis() for sample in _samples_of(name))


def _samples_of(name: str) -> Iterator[JudgedSample]:
    mailbox = InMemoryMailbox()
    client = InProcessClient(name, deliver_mail=mailbox.mails.append, now=lambda: TODAY)
    api = Api(client.target, client, mailbox, run="1")
    contract, rpc = load_contract(name), load_rpc_contract(name)
    for operation in contract.operations.values():
        yield from _of_operation(api, contract, operation, rpc)
    if rpc is not None:
        yield from _of_frames(api, contract, rpc)


def _of_operation(
    api: Api, contract: Contract, operation: Operation, rpc: RpcContract | None
) -> Iterator[JudgedSample]:
    """Its plain request, and one for each kind of mistake."""
    cases = corpus(contract.api, QUICK, 0)
    one_of_each_kind = {
        case.invalid_case.kind: case for case in invalid_requests(cases, operation) if case.invalid_case is not None
    }
    one_of_each_kind.pop(TOO_LARGE, None)
    for case in (cases.minimal(operation), *one_of_each_kind.values()):
        try:
            exchanged = api.send(operation, case)
        except (MissingPrecondition, Unreachable):
            continue
        intent = RequestIntent(contract, operation, case.invalid_case, case.method or "")
        yield from _sample(contract.api, intent, exchanged)
        call = _call_of(rpc, operation)
        if rpc is not None and call is not None and case.invalid_case is None:
            clause = rpc.calls[call].clauses[0]
            yield from _sample(
                contract.api, CallIntent(rpc, rpc.calls[call], contract, operation, None, clause), exchanged
            )


def _call_of(rpc: RpcContract | None, operation: Operation) -> str | None:
    """The label of the call that the operation carries over HTTP."""
    method = operation.id.partition(" ")[2].partition(" by ")[0]
    calls = rpc.calls.items() if rpc else ()
    fitting = (label for label, call in calls if call.method == method and operation.path.startswith(call.path))
    return next(fitting, None)


def _of_frames(api: Api, contract: Contract, rpc: RpcContract) -> Iterator[JudgedSample]:
    """Each call as one frame, valid, and for each kind of mistake."""
    messages, websocket = load_messages(rpc.api, QUICK, 0), transport(api, "websocket")
    for call in rpc.calls.values():
        one_of_each_kind = {
            message.invalid_case and message.invalid_case.kind: message for message in messages.invalid(call)
        }
        for message in (messages.minimal(call), *one_of_each_kind.values()):
            try:
                parts = fill_placeholders(message.parts, api.known_value)
                exchanged = websocket.call(call.endpoint, **parts, credentials=message.credentials)
            except MissingPrecondition:
                continue
            intent = CallIntent(rpc, call, contract, None, message.invalid_case, call.clauses[0])
            for address in FRAME_ADDRESSES:
                yield from _sample(rpc.api, intent, exchanged, address)


def _sample(
    api: str, intent: RequestIntent | CallIntent, exchanged: Exchange, frame_address: str = ""
) -> Iterator[JudgedSample]:
    """The exchange as a sample; none for an incomplete one, which no validator sees."""
    sent, response = exchanged.request, exchanged.response
    if response.error:
        return
    if frame_address:
        request = Request(SAMPLES, sent.body, Address.from_url(frame_address), rpc_name="x")
        yield JudgedSample(api, intent, request, 0, (), response.body)
        return
    address = Address.from_url("/".join(sent.url.split("/", 3)[:3]))
    request = Request(SAMPLES, request_writer.encode_request(sent), address, is_head=sent.method == "HEAD")
    headers = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers)
    yield JudgedSample(api, intent, request, response.status, headers, response.body)
