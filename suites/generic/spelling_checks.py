"""Compares the response to a request in another spelling with that to the same request in its usual one.

Rule: a read shows the same, unless its response differs each time; a write keeps what it was sent, if it does so in its
usual spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from contracts import json_pointer
from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.operation import Operation
from fixtures.target_api import Api
from suites.generic.http_conformance import MAX_SHOWN_TEXT
from suites.generic.identity_checks import kind_and_action
from suites.generic.lasting_effects import Answer, Path
from suites.generic.record_writes import RecordWrite, sent_data, shown_value, written_members
from suites.generic.sent_values import is_kept

ABSENT = "no such value"
LINK = re.compile(r"(?:https?://|/)\S*\?\S*")
ACCEPTED = "accepted as in its usual spelling"
SendUsual = Callable[[], Exchange]


def value_count(value: Any) -> int:
    """How many values are in a JSON value; numbers with a fraction, which can be written in other ways, count twice."""
    if isinstance(value, Mapping):
        return sum(map(value_count, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(map(value_count, value))
    return 2 if isinstance(value, float) else 1


def refused_spelling(api: Api, title: str, exchange: Exchange, send_usual: SendUsual) -> list[Finding]:
    """The finding that a request with that in its spelling is refused, where its usual one is still accepted."""
    response = exchange.response
    if not response.error and not is_refusal(api.contract, response):
        return []
    if is_refusal(api.contract, send_usual().response):  # the record that it names has vanished meanwhile
        return []
    received = f"{response.status}: {response.error or response.text()[:MAX_SHOWN_TEXT]}"
    return [Finding(api.contract.silent["spelling"], f"{ACCEPTED}, with {title}", received, exchange)]


def other_content(api: Api, title: str, usual: Exchange, exchange: Exchange, send_usual: SendUsual) -> list[Finding]:
    """The finding that a read with that in its spelling shows something else, where its usual one shows the same.

    Values that differ from one response to the next, such as a request's id, are not compared. A link may repeat the
    parameters as they were spelled, since it leads to the same.
    """
    expected, received = _shown(api, usual), _shown(api, exchange)
    paths = {path for path in expected.keys() | received.keys() if expected.get(path) != received.get(path)}
    if paths:
        again = _shown(api, send_usual())
        paths -= {path for path in again.keys() | expected.keys() if again.get(path) != expected.get(path)}
    clause = api.contract.silent["spelling"]
    return [
        Finding(
            clause,
            f"{'/'.join(map(str, path))} {expected.get(path, ABSENT)!r}, with {title}",
            repr(received.get(path, ABSENT)),
            exchange,
        )
        for path in sorted(paths, key=str)[:1]
    ]


def _shown(api: Api, exchange: Exchange) -> dict[Path, Any]:
    """The values of a response, of a link with a query its address and its parameters in alphabetical order."""
    return {path: _unspelled(value) for path, value in Answer.of(api, exchange).values.items()}


def _unspelled(value: Any) -> Any:
    if not isinstance(value, str) or not LINK.fullmatch(value):
        return value
    address, _, query = value.partition("?")
    return f"{address}?{urlencode(sorted(parse_qsl(query, keep_blank_values=True)))}"


def other_records(
    api: Api, operation: Operation, title: str, usual: Exchange, exchange: Exchange, send_usual: SendUsual
) -> list[Finding]:
    """The finding that a list with that in its spelling has other records, where its usual one has the same."""
    expected, listed = listed_ids(api, operation, usual), listed_ids(api, operation, exchange)
    if expected is None or listed == expected or listed_ids(api, operation, send_usual()) != expected:
        return []
    clause = api.contract.silent["spelling"]
    return [Finding(clause, f"the same records, with {title}: {expected}", str(listed), exchange)]


def listed_ids(api: Api, operation: Operation, exchange: Exchange) -> list[Any] | None:
    """The ids that a list shows, in their order; None for another operation, or for what is no list."""
    of_kind = kind_and_action(api.contract, operation)
    if of_kind is None or of_kind[1] != "list":
        return None
    definition = of_kind[0].definition
    try:
        items = json_pointer.find(exchange.response.json(), definition["items"])
    except (ValueError, RecursionError):
        return None
    rows = items[0] if items and isinstance(items[0], list) else []
    return [row.get(definition["id"]) for row in rows if isinstance(row, dict)]


def lost_values(api: Api, write: RecordWrite, title: str, usual: Exchange, exchange: Exchange) -> Iterator[Finding]:
    """A finding for each value that is kept of the usual spelling, and not of the one with that in it."""
    changed_before = {name for name, _, _ in _changed(api, write, usual)}
    for name, sent, received in _changed(api, write, exchange):
        if name not in changed_before:
            expected = f"{name} {sent!r} as sent, with {title}"
            yield Finding(api.contract.silent["spelling"], expected, repr(received), exchange)


def _changed(api: Api, write: RecordWrite, exchange: Exchange) -> Iterator[tuple[str, Any, Any]]:
    """(name, sent, received) of each member that the response shows with another value than the request has."""
    if "item" not in write.kind.definition:
        return
    try:
        items = json_pointer.find(exchange.response.json(), write.kind.definition["item"])
    except (ValueError, RecursionError):
        return
    for member in written_members(api.contract, write) if items else ():
        is_sent, sent = shown_value(sent_data(exchange), member.request_field.path)
        is_shown, received = shown_value(items[0], member.path)
        if is_sent and is_shown and not is_kept(member.request_field.schema, sent, received):
            yield member.name, sent, received
