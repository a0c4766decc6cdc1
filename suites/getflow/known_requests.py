"""Which requests a target is known to understand: those of the document, and those like others that it accepted.

Rule: a clause of the document is blamed for a refusal only if the target knows the words of the request: its path, its
parameters and attributes, and the numbers up to the largest it took. All others are known from public clients alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakKeyDictionary

from contracts import json_pointer
from contracts.clauses import clauses
from contracts.exchange import Exchange
from contracts.openapi import load_contract
from contracts.operation import Operation
from contracts.reader.document_lines import OF_THE_DOCUMENT, lines_of
from contracts.router import subject_of
from fixtures.target_api import Api

CONTRACT = load_contract("getflow")
LISTED = ("view", "include")  # parameters whose values are words of their own
NUMBERS = {"cursor": 60, "limit": 30}  # the largest that the document shows


@dataclass
class KnownWords:
    """The words of requests that a target accepted, and the largest number that it took of each parameter."""

    words: set[str] = field(default_factory=set)
    largest: dict[str, int] = field(default_factory=lambda: dict(NUMBERS))


_of_api: WeakKeyDictionary[Api, KnownWords] = WeakKeyDictionary()


def operation_of(api: Api, exchange: Exchange) -> Operation:
    """The operation of a request; the list of tasks for an unknown path, since it may be refused for any reason."""
    subject = subject_of(CONTRACT, api.target.url, exchange)
    return subject if isinstance(subject, Operation) else CONTRACT.find("listTasks", 1)


def note_accepted(api: Api, exchange: Exchange) -> None:
    """Remembers the words of a request that the target accepted."""
    known = _of_api.setdefault(api, KnownWords())
    known.words |= set(_words(api, exchange))
    for name, number in _numbers(exchange):
        known.largest[name] = max(known.largest[name], number)


def fair_clause(api: Api, exchange: Exchange, clause: str) -> str:
    """The clause to blame for a refusal: that of the document only if the target knows the words of the request."""
    known = clauses("getflow").get(clause)
    if known is None or known.grade not in OF_THE_DOCUMENT:
        return clause
    accepted = _of_api.setdefault(api, KnownWords())
    words = set(_words(api, exchange)) - accepted.words - _documented_words(operation_of(api, exchange))
    judged = _judged_attributes(exchange)
    if any(word.rpartition("/")[2] in judged for word in words):  # so the target has read the body as it is meant
        words = {word for word in words if "?" in word}
    is_small = all(number <= accepted.largest[name] for name, number in _numbers(exchange))
    return clause if not words and is_small else CONTRACT.silent["request"]


def _judged_attributes(exchange: Exchange) -> set[str]:
    """The attributes of the body whose values a refusal calls invalid, so that the target knows them."""
    problems = json_pointer.find(_json(exchange.response.body), "/errors/*")
    invalid = [it for it in problems if isinstance(it, dict) and it.get("code") == "invalid_attribute"]
    return {str(problem.get("attribute")) for problem in invalid}


def _json(content: bytes) -> Any:
    """The JSON value, {} when it is none."""
    try:
        return json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}


def _query(exchange: Exchange) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(exchange.request.url).query, keep_blank_values=True)


def _numbers(exchange: Exchange) -> Iterator[tuple[str, int]]:
    for name, text in _query(exchange):
        if name in NUMBERS and re.fullmatch("[0-9]{1,18}", text):
            yield name, int(text)


def _words(api: Api, exchange: Exchange) -> Iterator[str]:
    """The operation's id, and it with each of its parameters and attributes."""
    identifier = operation_of(api, exchange).id
    yield identifier
    for name, text in _query(exchange):
        values = text.split(",") if name in LISTED else [""]
        yield from (f"{identifier}?{name}={value}" for value in values)
    body = _json(exchange.request.body)
    for root, attributes in body.items() if isinstance(body, dict) else ():
        yield from (f"{identifier}/{root}/{name}" for name in (attributes if isinstance(attributes, dict) else ()))


def _documented_words(operation: Operation) -> set[str]:
    """The words of the operation that the document has."""
    words = {operation.id} if operation.path_lines else set()
    for parameter in operation.parameters:
        if not parameter.lines.get("name"):
            continue
        schema = parameter.schema.get("items", parameter.schema)
        values = [value for value in schema.get("enum", ()) if lines_of(schema, "enum", value)]
        words |= {f"{operation.id}?{parameter.name}={value}" for value in values or [""]}
    return words
