"""Tests that records which are created at the same time get ids, tokens and links of their own.

Every operation and call that creates a record is tested, over every transport that carries it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from contracts import json_pointer
from contracts.asyncapi import Call, load_rpc_contract
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.cases import fill_placeholders, filled
from fixtures.corpus import Corpus
from fixtures.corpus.rpc_messages import Messages
from fixtures.record_kinds import RecordKind, record_kinds
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import FRAME_TRANSPORTS, transport
from fixtures.write_check import call_method
from suites.reporting import broken_contracts
from suites.reporting.failures import violation

NOT_CREATING = "a request creates no record with values of its own"
CREATIONS = 8  # at the same time


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    apis = broken_contracts.working_apis(metafunc.config)
    kinds = [kind for api in apis for kind in record_kinds(api) if "unique" in kind.definition]
    if "creating_operation" in metafunc.fixturenames:
        operations = [(operation, kind) for kind in kinds for operation in creating_operations(kind)]
        ids = [str(operation) for operation, _ in operations]
        metafunc.parametrize(("creating_operation", "kind"), operations, ids=ids)
    if "creating_call" in metafunc.fixturenames:
        calls = [(call, kind, name) for kind in kinds for call in creating_calls(kind) for name in FRAME_TRANSPORTS]
        ids = [f"{call}-{name}" for call, _, name in calls]
        metafunc.parametrize(("creating_call", "kind", "transport_name"), calls, ids=ids)


def creating_operations(kind: RecordKind) -> Iterator[Operation]:
    """The operations that create such a record: one, or each form of an HTTP request that carries the call."""
    create = kind.operation("create")
    for operation in load_contract(kind.api).operations.values():
        same_call = call_method(operation) == call_method(create) != "" and operation.path == create.path
        if operation is create or (same_call and operation.server == create.server):
            yield operation


def creating_calls(kind: RecordKind) -> Iterator[Call]:
    """The calls by websocket that create such a record."""
    rpc, create = load_rpc_contract(kind.api), kind.operation("create")
    for call in rpc.calls.values() if rpc else ():
        if call.method == call_method(create) and create.path.startswith(call.path):
            yield call


def reason_against(operation: Operation) -> str:
    """ "" for an operation that creates records with values that must differ."""
    kinds = [kind for kind in record_kinds(operation.api) if "unique" in kind.definition]
    return "" if any(operation in creating_operations(kind) for kind in kinds) else NOT_CREATING


@pytest.mark.bug_kind("together", reason_against=reason_against)
def test_concurrent_requests_get_records_of_their_own(
    api: Api, corpus: Corpus, creating_operation: Operation, kind: RecordKind
) -> None:
    """Valid requests that are sent at the same time get different ids, tokens and links."""
    case = corpus.minimal(creating_operation)

    def resolve(source: Mapping[str, Any]) -> Any:
        return api.known_value(source, creating_operation.server)

    cases = [filled(case, resolve) for _ in range(CREATIONS)]
    sends = [lambda client, case=case: client.send(creating_operation, case) for case in cases]
    require_own_values(api, kind, api.send_concurrently(sends))


@pytest.mark.bug_kind("together", reason_against=reason_against)
def test_concurrent_calls_get_records_of_their_own(
    api: Api, messages: Messages, creating_call: Call, kind: RecordKind, transport_name: str
) -> None:
    """Valid calls that are sent at the same time, each on a connection of its own, get different ids."""
    message = messages.minimal(creating_call)
    parts = [fill_placeholders(message.parts, api.known_value) for _ in range(CREATIONS)]
    sends = [partial(_call, name=transport_name, endpoint=creating_call.endpoint, parts=values) for values in parts]
    require_own_values(api, kind, api.send_concurrently(sends))


def _call(client: Api, name: str, endpoint: str, parts: Mapping[str, Any]) -> Exchange:
    carrier = transport(client, name)
    try:
        return carrier.call(endpoint, **parts)
    finally:
        carrier.close()


def require_own_values(api: Api, kind: RecordKind, exchanges: Sequence[Exchange]) -> None:
    """Raises ContractViolation when two of these creations were given the same value.

    Raises MissingPrecondition when fewer than two responses show a value, so that nothing can be compared.
    """
    accepted = [sent for sent in exchanges if not sent.response.error and not is_refusal(api.contract, sent.response)]
    unique, compared = kind.definition["unique"], 0
    for pointer in unique["pointers"]:
        owners: dict[str, Exchange] = {}
        for exchange in accepted:
            for value in _values(exchange, pointer):
                compared += 1
                if owners.setdefault(repr(value), exchange) is not exchange:
                    expected = f"{len(accepted)} different values at {pointer}, one for each concurrent creation"
                    raise violation(api, unique["clause"], expected, f"{value!r} twice", exchange)
    if compared < 2:
        raise MissingPrecondition(
            f"fewer than two concurrent creations were answered with {', '.join(unique['pointers'])}"
        )


def _values(exchange: Exchange, pointer: str) -> list[Any]:
    try:
        values = json_pointer.find(exchange.response.json(), pointer)
    except (ValueError, RecursionError):
        return []
    return [value for value in values if value is not None]
