"""Tests that an id is the whole id of one record, on reads, writes and deletions, wherever a request has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contracts import json_pointer
from contracts.asyncapi import Call, load_rpc_contract
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.cases import Case, fill_placeholders
from fixtures.corpus import Corpus
from fixtures.corpus.builder import minimal_case, set_member
from fixtures.corpus.rpc_messages import Message, Messages
from fixtures.record_kinds import RecordKind
from fixtures.resources import id_field
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import FRAME_TRANSPORTS, Transport
from suites.generic.id_spellings import id_fields, kinds_of_other_ids, other_ids, takes_id
from suites.generic.identity_checks import demand, identity_findings, kind_and_action
from suites.generic.rpc_conformance import RpcChecker
from suites.reporting import broken_contracts
from suites.reporting.failures import raise_findings, violation

frame_transports = pytest.mark.parametrize("transport", FRAME_TRANSPORTS, indirect=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "call_with_id" in metafunc.fixturenames:
        calls = [entry for api in broken_contracts.working_apis(metafunc.config) for entry in calls_with_id(api)]
        metafunc.parametrize(("call_with_id", "id_part"), calls, ids=[str(call) for call, _ in calls])


def calls_with_id(api: str) -> Iterator[tuple[Call, str]]:
    """Each call by websocket that names a record, with the part that has its id, if another id has to be refused."""
    rpc = load_rpc_contract(api)
    if rpc is None:
        return
    for call in rpc.calls.values():
        for part in sorted(call.required_parts):
            schema = call.parts[part]
            kinds = kinds_of_other_ids(schema) if takes_id(load_contract(api), schema, part) else set()
            rules = [refusal_rule(rpc.contract, call, InvalidCase(kind, part)) for kind in kinds]
            if rules and all("clause" in rule for rule in rules):
                yield call, part


def no_id_to_change(operation: Operation) -> str:
    """Why no request of the operation has an id that could be another one, "" if it has."""
    contract = load_contract(operation.api)
    fields = id_fields(contract, operation)
    if not fields:
        return "its requests name no record by an id"
    is_demanded = any(
        demand(contract, operation, field, kind, os.environ)
        for field in fields
        for kind in kinds_of_other_ids(field.schema)
    )
    return "" if is_demanded else "the document leaves open what an id does that no record has"


def creates_nothing_to_read(operation: Operation) -> str:
    """Why the operation creates no record whose id could be chosen, "" if it does."""
    of_kind = kind_and_action(load_contract(operation.api), operation)
    if of_kind is None or of_kind[1] != "create":
        return "it creates no record"
    return "" if "read" in of_kind[0].definition else "no operation reads the record that it creates"


@pytest.mark.bug_kind("identity", reason_against=no_id_to_change)
def test_another_id_names_no_record(api: Api, corpus: Corpus, operation: Operation) -> None:
    """What only begins like an id, or wraps around to it, is refused; other ways to write it name no other record."""
    raise_findings(identity_findings(api, operation, corpus.minimal(operation)), api)


@pytest.mark.bug_kind("identity")
@frame_transports
def test_another_id_in_a_frame_names_no_record(
    api: Api, transport: Transport, messages: Messages, call_with_id: Call, id_part: str
) -> None:
    """A frame with what only begins like the id of a record is refused."""
    checker = RpcChecker(api, transport, messages, call_with_id)
    parts = fill_placeholders(messages.minimal(call_with_id).parts, api.known_value)
    schema = call_with_id.parts[id_part]
    others = [
        Message(
            call_with_id.label,
            f"{id_part}: the id {spelling.title}",
            {**parts, id_part: spelling.value},
            invalid_case=InvalidCase(spelling.kind, id_part, label=f"{id_part}: the id {spelling.title}"),
        )
        for spelling in other_ids(schema, parts[id_part], in_json=True, is_safe=call_with_id.safe)
    ]
    raise_findings(checker.findings(others, checker.check_refused), api)
    if not call_with_id.safe:  # what was made for the test is still there, and is used up
        raise_findings(
            checker.findings([replace(checker.messages.minimal(call_with_id), parts=parts)], checker.check_accepted),
            api,
        )


@pytest.mark.bug_kind("identity", reason_against=creates_nothing_to_read)
def test_an_id_in_the_data_of_a_creation_is_not_taken(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A creation whose data have the id of another record is refused, or makes a record with an id of its own."""
    of_kind = kind_and_action(api.contract, operation)
    assert of_kind is not None
    kind = of_kind[0]
    created = api.send(kind.operation("create"), corpus.minimal(kind.operation("create")))
    identifier = kind.record_id(created)
    if identifier is None or is_refusal(api.contract, created.response):
        raise MissingPrecondition(f"{kind.operation('create')} makes no record whose id could be sent")
    before = _read(api, kind, identifier)
    case = corpus.minimal(operation)
    path = (*_holder(kind, case), kind.definition["id"])
    title = f"body {'.'.join(path)}: the id of another record"
    invalid = InvalidCase("unknown", "body", path[-1], label=title)
    other = replace(case, body=set_member(case.body, path, identifier), title=title, invalid_case=invalid)
    exchange = api.send(operation, other)
    after = _read(api, kind, identifier)
    clause = kind.definition["unique"]["clause"] if "unique" in kind.definition else operation.clauses[0]
    own = kind.record_id(exchange)
    _delete(api, kind, identifier)
    if not is_refusal(api.contract, exchange.response) and own == identifier:
        raise violation(api, clause, f"a refusal, or another id than {identifier} ({title})", str(own), exchange)
    if before != after and before is not None:
        raise violation(api, clause, f"the record {identifier} as before ({title})", str(after)[:200], exchange)


def _holder(kind: RecordKind, case: Case) -> tuple[str, ...]:
    """The path to the object in the body that has the record's members: it is named as in a response, or the body."""
    name = str(kind.definition["item"]).rpartition("/")[2]
    return (name,) if isinstance(case.body, dict) and name in case.body else ()


def _read(api: Api, kind: RecordKind, identifier: Any) -> Any:
    """The record with that id, without anything that the server says of the response; None if it is refused."""
    exchange = api.send(kind.operation("read"), _about(api, kind, "read", identifier))
    return None if is_refusal(api.contract, exchange.response) else _item(kind, exchange)


def _item(kind: RecordKind, exchange: Exchange) -> Any:
    try:
        return json_pointer.find(exchange.response.json(), kind.definition["item"])
    except (ValueError, RecursionError):
        return None


def _delete(api: Api, kind: RecordKind, identifier: Any) -> None:
    if kind.can_be_deleted:
        api.send(kind.operation("delete"), _about(api, kind, "delete", identifier))


def _about(api: Api, kind: RecordKind, action: str, identifier: Any) -> Case:
    place = id_field(api.contract, kind, action)
    return minimal_case(api.contract, kind.operation(action)).with_parameter(place.location, place.name, identifier)
