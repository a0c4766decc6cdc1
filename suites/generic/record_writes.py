"""The operations that write records, and the records that a test has written by them.

Rule: a kind of record is known by the contract's `resources`; what is written by one way is read by the resource's own
operations, and by those that show it elsewhere.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from contracts import json_pointer
from contracts.exchange import FRAME, Exchange
from contracts.judge.http_judge import is_refusal
from contracts.openapi import Contract
from contracts.operation import Operation
from fixtures.corpus import Corpus
from fixtures.corpus.builder import with_field
from fixtures.corpus.request_fields import RequestField, request_fields
from fixtures.record_kinds import RecordKind, record_kinds
from fixtures.resources import Resource
from fixtures.target_api import Api
from fixtures.write_check import call_method
from suites.generic.stateful import Records

WRITES = ("create", "update")
CHANGES = (*WRITES, "delete")


@dataclass(frozen=True)
class RecordWrite:
    """An operation that creates or updates (`action`) records of a kind; `is_main`: it is the resource's own one."""

    kind: RecordKind
    action: str
    operation: Operation

    @property
    def is_main(self) -> bool:
        """Whether no other operation does the same at another server or with its parts elsewhere."""
        return self.operation is self.kind.operation(self.action) and self.operation.server == 0

    @property
    def clause(self) -> str:
        """The clause that a record is kept by as it was written."""
        return str(self.kind.definition["keeps"][self.action])

    def records(self, api: Api, corpus: Corpus) -> Records:
        """No records yet, to be written by this operation."""
        kind = self.kind
        resource = Resource(kind.api, kind.name, kind.server, kind.definition, self.operation.clauses)
        return Records(api, corpus, resource, ways={self.action: self.operation})


def record_write(operation: Operation, actions: Sequence[str] = WRITES) -> RecordWrite | None:
    """What the operation does to records; None if the contract does not say by which clause that is kept."""
    for kind in record_kinds(operation.api):
        for action in actions:
            is_kept = action in kind.definition and action in kind.definition.get("keeps", {})
            if is_kept and is_same_call(operation, kind.operation(action)):
                return RecordWrite(kind, action, operation)
    return None


def is_same_call(operation: Operation, own: Operation) -> bool:
    """Whether the operation is that one, or the same call at the same server with its parts elsewhere."""
    is_alike = call_method(operation) == call_method(own) != "" and operation.path == own.path
    return operation is own or (is_alike and operation.server == own.server and not operation.served_if)


@dataclass(frozen=True)
class Member:
    """A member of a record that a request may write and a response may show; `path` begins at the record."""

    request_field: RequestField
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its names on the way, such as `address.city`."""
        return ".".join(self.path)


def written_members(contract: Contract, write: RecordWrite) -> list[Member]:
    """The members that can be written and read back: neither objects, nor values of the target's own."""
    holder = tuple(json_pointer.reference_tokens(write.kind.definition.get("item", "")))
    members = []
    for it in request_fields(contract, write.operation):
        is_readable = it.location == "body" and not it.schema.get("writeOnly") and not it.schema.get("properties")
        if is_readable and not it.value_source:
            members.append(Member(it, it.path[len(holder) :] if it.path[: len(holder)] == holder else it.path))
    return [member for member in members if member.path]


def shown_value(item: Any, path: Sequence[str]) -> tuple[bool, Any]:
    """(whether the record has the member, its value)."""
    for name in path:
        if not isinstance(item, Mapping) or name not in item:
            return False, None
        item = item[name]
    return True, item


def sent_members(exchange: Exchange) -> Mapping[str, Any]:
    """The members at the root of the request's body, which is JSON or a form; {} when it is neither."""
    text = exchange.request.body.decode(errors="replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = dict(parse_qsl(text, keep_blank_values=True))
    return body if isinstance(body, Mapping) else {}


def sent_data(exchange: Exchange) -> Mapping[str, Any]:
    """The members that a request sends as its body; of a call by frame, those of its data."""
    members = sent_members(exchange)
    if exchange.request.method != FRAME:
        return members
    data = members.get("data")
    return data if isinstance(data, Mapping) else {}


def is_completed(api: Api, corpus: Corpus, write: RecordWrite, created: Exchange) -> bool:
    """Whether the record exists now: where the contract names an operation that completes it, that is carried out."""
    if "completed" not in write.kind.definition:
        return True
    operation = api.contract.find(write.kind.definition["completed"], write.kind.server)
    case = corpus.minimal(operation)
    for request_field in request_fields(api.contract, operation):
        if request_field.value_source and request_field.value_source.get("mail"):
            case = with_field(case, request_field, api.mailed_code(created))
    exchange = api.send(operation, case)
    return not exchange.response.error and not is_refusal(api.contract, exchange.response)


def shown_rows(
    api: Api, corpus: Corpus, place: Mapping[str, Any], members: Mapping[str, Any], server: int
) -> tuple[Exchange, list[Any] | None]:
    """What a place of the contract's `shown` has: objects, or lists of texts of CSV; None when it is refused."""
    operation = api.contract.find(place["operation"], server)
    case = corpus.minimal(operation)
    for name, member in place.get("parameters", {}).items():
        location = next(parameter.location for parameter in operation.parameters if parameter.name == name)
        case = case.with_parameter(location, name, members[member])
    exchange = api.send(operation, case)
    if exchange.response.error or is_refusal(api.contract, exchange.response):
        return exchange, None
    if "items" not in place:
        text = exchange.response.body.decode(errors="replace").removeprefix("\ufeff")
        return exchange, list(csv.reader(io.StringIO(text, newline="")))
    try:
        body = exchange.response.json()
    except (ValueError, RecursionError):
        return exchange, None
    at_pointer = json_pointer.find(body, place["items"]) or [body]  # an envelope may be a reading
    rows = at_pointer[0] if isinstance(at_pointer[0], list) else at_pointer
    is_record = isinstance(at_pointer[0], list) or (isinstance(at_pointer[0], Mapping) and place["by"] in at_pointer[0])
    return exchange, [row for row in rows if isinstance(row, Mapping)] if is_record else None


def rows_about(rows: Sequence[Any], by: str, value: Any) -> Iterator[Any]:
    """The rows about the record with that value; the only row of an object, or of CSV below its names, is about it."""
    exact = [row for row in rows if (value in row if isinstance(row, list) else row.get(by) == value)]
    is_table = bool(rows) and isinstance(rows[0], list)
    yield from exact or ([rows[-1]] if len(rows) == 1 + is_table else [])
