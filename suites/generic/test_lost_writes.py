"""Tests that nothing written is lost, whatever the responses look like otherwise.

Rule: these tests stand on as little as possible: a text that nothing else has is written, and looked for anywhere in
what shows the record, so that a target with another envelope, or other names, is judged all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.cases import Case, fill_placeholders
from fixtures.corpus import Corpus
from fixtures.corpus.builder import minimal_case, with_field
from fixtures.resources import case_about, id_field
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.record_search import identifiers_in
from suites.generic.record_writes import Member, RecordWrite, is_completed, record_write, written_members
from suites.reporting.failures import raise_findings

MAX_IDENTIFIERS = 3  # of a response that are tried as the id of the new record
SAMPLE = "flowproofsample8"  # a text that texts of any kind may be


def created_texts(_: Corpus, operation: Operation) -> list[Member]:
    """The members of a new record that take any text, where the contract says how to see the record."""
    write = record_write(operation, ("create",))
    return _texts(write) if write and {"read", "shown"} & set(write.kind.definition) else []


def updated_texts(_: Corpus, operation: Operation) -> list[Member]:
    """The members that an operation which updates records takes, where the contract says how to read the record."""
    write = record_write(operation, ("update",))
    is_own = write is not None and operation is write.kind.operation("update")
    return _texts(write) if write and is_own and {"create", "read", "id"} <= set(write.kind.definition) else []


def _texts(write: RecordWrite) -> list[Member]:
    contract = load_contract(write.kind.api)
    members = written_members(contract, write)
    return [member for member in members if contract.validator(member.request_field.schema).is_valid(SAMPLE)]


@pytest.mark.offered(cases=created_texts)
def test_what_was_created_is_there(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Each text of a new record is somewhere in what shows the record."""
    write = record_write(operation, ("create",))
    assert write is not None
    texts, case = _filled(api, write, corpus.minimal(operation), created_texts(corpus, operation))
    created = _accepted(api, operation, case)
    if not is_completed(api, corpus, write, created):
        raise MissingPrecondition(f"what completes a record of {write.kind.name} is refused")
    shown = [*_reads(api, write, created), *_shown_elsewhere(api, corpus, write, case.body)]
    for text in texts:
        _require_text(api, write, text, shown, created)


@pytest.mark.offered(cases=updated_texts)
def test_what_was_updated_is_there_beside_the_rest(api: Api, corpus: Corpus, operation: Operation) -> None:
    """After an update the record has the new text, and the other texts that it had before."""
    write = record_write(operation, ("update",))
    assert write is not None
    members = updated_texts(corpus, operation)
    creation = RecordWrite(write.kind, "create", write.kind.operation("create"))
    kept, case = _filled(api, creation, corpus.minimal(creation.operation), _members_of(creation, members[1:]))
    created = _accepted(api, creation.operation, case)
    identifiers = identifiers_in(created, str(write.kind.definition["id"]))
    before = [exchange for exchange in _reads(api, write, created) if _is_served(api, exchange)]
    if not before:
        raise MissingPrecondition(f"no new record of {write.kind.name} is shown")
    kept = [text for text in kept if any(_has(exchange, text) for exchange in before)]
    texts, change = _filled(api, write, corpus.minimal(operation), members[:1])
    about = id_field(api.contract, write.kind, "update")
    updated = _accepted(api, operation, with_field(change, about, _typed(about.schema, identifiers[0])))
    after = list(_reads(api, write, created))
    for text in (*texts, *kept):
        _require_text(api, write, text, after, updated)


def _members_of(write: RecordWrite, members: list[Member]) -> list[Member]:
    """The members of these names that this operation takes."""
    names = {member.name for member in members}
    return [member for member in _texts(write) if member.name in names]


def _filled(api: Api, write: RecordWrite, case: Case, members: list[Member]) -> tuple[list[str], Case]:
    """A new text for each of these members, and the case with them and without placeholders."""
    texts = [api.unique_text("kept") for _ in members]
    for member, text in zip(members, texts, strict=True):
        case = with_field(case, member.request_field, text)
    body = fill_placeholders(case.body, lambda source: api.known_value(source, write.kind.server))
    return texts, replace(case, body=body)


def _accepted(api: Api, operation: Operation, case: Case) -> Exchange:
    exchange = api.send(operation, case)
    if exchange.response.error or not _is_served(api, exchange):
        raise MissingPrecondition(f"{operation} was refused", refusal=exchange)
    return exchange


def _is_served(api: Api, exchange: Exchange) -> bool:
    return 200 <= exchange.response.status < 300 and not is_refusal(api.contract, exchange.response)


def _reads(api: Api, write: RecordWrite, created: Exchange) -> Iterator[Exchange]:
    """What the operation that reads records shows for the ids in the response to the creation.

    That one of them is refused says something only if the operation shows another record.
    """
    if "read" not in write.kind.definition or "id" not in write.kind.definition:
        return
    schema = id_field(api.contract, write.kind, "read").schema
    for identifier in identifiers_in(created, str(write.kind.definition["id"]))[:MAX_IDENTIFIERS]:
        case = case_about(api.contract, write.kind, "read", _typed(schema, identifier))
        exchange = api.send(write.kind.operation("read"), case)
        if _is_served(api, exchange) or _shows_others(api, write.kind.operation("read")):
            yield exchange


def _shows_others(api: Api, operation: Operation) -> bool:
    with suppress(MissingPrecondition):
        return _is_served(api, api.send(operation, minimal_case(api.contract, operation)))
    return False


def _typed(schema: Mapping[str, Any], identifier: str) -> Any:
    return int(identifier) if schema.get("type") == "integer" and identifier.isdecimal() else identifier


def _shown_elsewhere(api: Api, corpus: Corpus, write: RecordWrite, body: Any) -> Iterator[Exchange]:
    """What other operations show that find the record by a value which was sent."""
    for place in write.kind.definition.get("shown", ()):
        operation = api.contract.find(place["operation"], write.kind.server)
        names = place.get("parameters", {})
        if isinstance(body, Mapping) and set(names.values()) <= set(body):
            case = corpus.minimal(operation)
            for parameter in operation.parameters:
                if parameter.name in names:
                    case = case.with_parameter(parameter.location, parameter.name, body[names[parameter.name]])
            exchange = api.send(operation, case)
            if _is_served(api, exchange):
                yield exchange


def _require_text(api: Api, write: RecordWrite, text: str, shown: list[Exchange], written: Exchange) -> None:
    """Raises ContractViolation if nothing that was shown has the text, MissingPrecondition if nothing was shown."""
    if not shown:
        raise MissingPrecondition(f"nothing shows a record of {write.kind.name}", refusal=written)
    if not any(_has(exchange, text) for exchange in shown):
        finding = Finding(write.clause, f"the text {text} that was written", "it is nowhere", shown[0])
        raise_findings([(finding, None)], api, [written])


def _has(exchange: Exchange, text: str) -> bool:
    return text.casefold() in exchange.response.text().casefold()
