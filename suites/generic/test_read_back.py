"""Tests that what was written is read back at once, by every way that has shown the record before.

Every operation that creates, updates or deletes a record is tested.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.judge.http_judge import is_refusal
from contracts.operation import Operation
from fixtures.cases import fill_placeholders
from fixtures.corpus import Corpus
from fixtures.corpus.builder import with_field
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.read_backs import Way, seen_by, ways
from suites.generic.record_writes import (
    CHANGES,
    Member,
    RecordWrite,
    is_completed,
    record_write,
    shown_rows,
    shown_value,
    written_members,
)
from suites.generic.sent_values import is_kept
from suites.generic.stateful import Records
from suites.preparations import preparation
from suites.reporting.failures import violation


def reason_against(operation: Operation) -> str:
    """Why nothing can be stale after the operation, "" if something can."""
    if operation.safe:
        return "it changes nothing"
    write = record_write(operation, CHANGES)
    if write is None or not {"item", "shown"} & set(write.kind.definition):
        return "no operation shows the record that it writes"
    return ""


@pytest.mark.bug_kind("stale", reason_against=reason_against)
def test_a_write_is_read_back_by_every_way(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A record is asked for by each way, then written, and asked for again: each way shows what was written."""
    write = record_write(operation, CHANGES)
    assert write is not None
    if "item" not in write.kind.definition:
        require_row_after_creation(api, corpus, write)
        return
    check_read_back(api, corpus, write, chosen_ways(api, corpus, write))


def chosen_ways(api: Api, corpus: Corpus, write: RecordWrite) -> list[Way]:
    """Every way, or with little effort a third of them."""
    return corpus.effort.some_of(ways(api.contract, write.kind), write.operation.label)


def check_read_back(api: Api, corpus: Corpus, write: RecordWrite, looked_at: list[Way]) -> None:
    """Asks by each way, writes, and asks again. Raises ContractViolation where the write does not show."""
    records = write.records(api, corpus)
    try:
        if write.action == "create":
            for way in (it for it in looked_at if it.action == "list" and not it.parameters):
                seen_by(api, corpus, write.kind, way, None)
            require_shown(api, corpus, write, looked_at, created(records, write))
            return
        with preparation(api, f"a record of the kind {write.kind.name}"):
            identifier = created(records, write)
        before = [seen_by(api, corpus, write.kind, way, identifier)[1] for way in looked_at]
        shown = [way for way, record in zip(looked_at, before, strict=True) if record is not None]
        if not shown:
            raise MissingPrecondition(f"no operation shows a new record of {write.kind.name}")
        if write.action == "update":
            update(api, corpus, write, records, shown, identifier)
        else:
            records.accepted("delete", records.request_about("delete", identifier))
            records.live.pop(identifier)
            require_gone(api, corpus, write, shown, identifier)
    finally:
        records.clear()


def require_row_after_creation(api: Api, corpus: Corpus, write: RecordWrite) -> None:
    """Asks each place for a record in vain, creates it, and asks again: raises ContractViolation where it is not."""
    case = corpus.minimal(write.operation)
    body = fill_placeholders(case.body, lambda source: api.known_value(source, write.kind.server))
    places = write.kind.definition["shown"]
    before = [shown_rows(api, corpus, place, body, write.kind.server)[1] for place in places]
    exchange = api.send(write.operation, replace(case, body=body))
    if is_refusal(api.contract, exchange.response) or not is_completed(api, corpus, write, exchange):
        raise MissingPrecondition(f"{write.operation} did not create a record")
    compared = 0
    for place, rows in zip(places, before, strict=True):
        value = body[place["by"]]
        if rows is None or any(is_row_of(row, place["by"], value) for row in rows):
            continue
        exchange, rows = shown_rows(api, corpus, place, body, write.kind.server)
        compared += rows is not None
        if rows is not None and not any(is_row_of(row, place["by"], value) for row in rows):
            expected = f"the record with the {place['by']} {value!r}, which was asked for in vain before"
            raise violation(api, place["clause"], expected, "no such row", exchange)
    if not compared:
        raise MissingPrecondition(f"no operation that shows the record of {write.operation} was served")


def is_row_of(row: Any, name: str, value: Any) -> bool:
    """Whether that row, an object or texts of CSV, is about the record with that value."""
    return value in row if isinstance(row, list) else bool(row.get(name) == value)


def created(records: Records, write: RecordWrite) -> Any:
    """The id of a new record."""
    exchange = records.accepted("create", records.corpus.minimal(records.operation("create")))
    identifier = records.item_in("create", exchange)[write.kind.definition["id"]]
    records.live[identifier] = {}
    return identifier


def require_shown(api: Api, corpus: Corpus, write: RecordWrite, looked_at: list[Way], identifier: Any) -> None:
    """Raises ContractViolation when a way that reads records does not show this one."""
    for way in (it for it in looked_at if it.is_complete or it.action == "read"):  # of others one page is read
        exchange, record = seen_by(api, corpus, write.kind, way, identifier)
        if record is None:
            expected = f"the new record {identifier} by {way}, which was asked for before"
            raise violation(api, write.clause, expected, "no such record", exchange)


def update(api: Api, corpus: Corpus, write: RecordWrite, records: Records, shown: list[Way], identifier: Any) -> None:
    """Updates a text of the record; raises ContractViolation when a way that has shown it shows another one."""
    case = corpus.minimal(write.operation)
    member: Member | None = None
    for candidate in written_members(api.contract, write):
        text = api.unique_text("new")
        if api.contract.validator(candidate.request_field.schema).is_valid(text):
            member, case = candidate, with_field(case, candidate.request_field, text)
            break
    if member is None:
        raise MissingPrecondition(f"{write.operation} takes no text that could be recognised")
    records.accepted("update", records.request_about("update", identifier, case))
    for way in shown:
        exchange, record = seen_by(api, corpus, write.kind, way, identifier)
        if record is None and way.parameters:  # what was written may have moved it to another page
            continue
        is_shown, value = shown_value(record, member.path)
        if record is None or (is_shown and not is_kept(member.request_field.schema, text, value)):
            received = "no such record" if record is None else repr(value)
            expected = f"{member.name} {text!r} by {way}, which has shown the record before"
            raise violation(api, write.clause, expected, received, exchange)


def require_gone(api: Api, corpus: Corpus, write: RecordWrite, shown: list[Way], identifier: Any) -> None:
    """Raises ContractViolation when a way that has shown the record before still shows it."""
    for way in shown:
        exchange, record = seen_by(api, corpus, write.kind, way, identifier)
        if record is not None:
            expected = f"the deleted record {identifier} by no way"
            raise violation(api, write.clause, expected, f"by {way} it is still there", exchange)
