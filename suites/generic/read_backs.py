"""Reads a record by every way that shows it, before and after it is written.

Rule: what was asked for before a write must not decide what is answered after it, whichever way and connection it came
by. Only the record that the test has written is looked at, since others may come and go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from contracts.openapi import Contract
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.record_kinds import RecordKind
from fixtures.resources import Resource
from fixtures.target_api import Api
from suites.generic.record_writes import is_same_call
from suites.generic.stateful import NotDemanded, Records

READS = ("read", "list")


@dataclass(frozen=True)
class Way:
    """One way to see a record: an operation that reads or lists (`action`), on this connection or on another one.

    `api` sends it in place of the one that has written; `parameters` are those of its query beside the needed ones.
    """

    action: str
    operation: Operation
    is_elsewhere: bool = False
    api: Api | None = None
    parameters: tuple[tuple[str, Any], ...] = ()
    is_by_frame: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether a list shows all of its pages."""
        return not self.is_elsewhere and not self.parameters

    def __str__(self) -> str:
        chosen = "".join(f" with {name}={value}" for name, value in self.parameters)
        by_frame = " by frame" if self.is_by_frame else ""
        return f"{self.operation.label}{chosen}{by_frame}{' on another connection' if self.is_elsewhere else ''}"


def ways(contract: Contract, kind: RecordKind) -> list[Way]:
    """Every way to read and to list records of the kind, at each server of the contract; the last one elsewhere.

    Each value of a parameter that is listed, such as a view, is a way of its own.
    """
    all_ways: list[Way] = []
    for action in (action for action in READS if action in kind.definition):
        own_id, servers = kind.definition[action], {operation.server for operation in contract.operations.values()}
        own = [contract.find(own_id, server) for server in sorted(servers)]
        alike = [it for it in contract.operations.values() if any(is_same_call(it, operation) for operation in own)]
        all_ways += [Way(action, operation) for operation in alike]
        main = kind.operation(action)
        all_ways += [Way(action, main, parameters=(chosen,)) for chosen in _choices(main)]
        all_ways.append(Way(action, main, is_elsewhere=True))
    return all_ways


def _choices(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Each listed value of each optional parameter of the query."""
    for parameter in operation.parameters:
        if parameter.location == "query" and not parameter.required:
            yield from ((parameter.name, value) for value in parameter.schema.get("enum", ()))


def seen_by(api: Api, corpus: Corpus, kind: RecordKind, way: Way, identifier: Any) -> tuple[Exchange, Any]:
    """(the last exchange, the record that this way shows with that id, None when it shows none)."""
    api = way.api or api
    resource = Resource(kind.api, kind.name, way.operation.server, kind.definition, way.operation.clauses)
    records = Records(api, corpus, resource, ways={way.action: way.operation})
    if way.action == "read":
        exchange = _sent(api, way, records, identifier)
        return exchange, next(_records_in(api, exchange, kind.definition["item"]), None)
    last: Exchange | None = None
    with suppress(NotDemanded):
        for page in [_sent(api, way, records, None)] if way.is_elsewhere else records.pages(_case(way, records)):
            last = page
            for item in _records_in(api, page, kind.definition["items"]):
                if item.get(kind.definition["id"]) == identifier:
                    return page, item
    return last or api.exchanges[-1], None


def _sent(api: Api, way: Way, records: Records, identifier: Any) -> Exchange:
    case = _case(way, records, identifier)
    if way.is_elsewhere:
        return api.send_concurrently([lambda client: client.send(way.operation, case)])[0]
    return api.send(way.operation, case)


def _case(way: Way, records: Records, identifier: Any = None) -> Case:
    """The request of that way, about one record or for a list, which has the largest pages if it is a certain one."""
    case = records.corpus.minimal(way.operation) if identifier is None else records.request_about("read", identifier)
    for parameter in way.operation.parameters if way.parameters and identifier is None else ():
        is_size = parameter.schema.get("minimum") == 1 and {"maximum", "default"} <= parameter.schema.keys()
        if is_size and parameter.location == "query" and not parameter.required:
            case = case.with_parameter("query", parameter.name, parameter.schema["maximum"])
    for name, value in way.parameters:
        case = case.with_parameter("query", name, value)
    return case


def _records_in(api: Api, exchange: Exchange, pointer: str) -> Iterator[Mapping[str, Any]]:
    if exchange.response.error or is_refusal(api.contract, exchange.response):
        return
    try:
        values = json_pointer.find(exchange.response.shared_json(), pointer)
    except (ValueError, RecursionError):
        return
    for value in values[0] if values and isinstance(values[0], list) else values:
        if isinstance(value, Mapping):
            yield value
