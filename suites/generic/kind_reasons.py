"""Why a kind of bug cannot occur at an operation, where that follows from its contract alone.

Rule: these are the kinds whose tests are written for each API. What a contract does not rule out can occur.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from contracts.openapi import Contract, load_contract
from contracts.operation import Operation, Parameter, Schema
from fixtures.corpus.boundary_values import json_types
from fixtures.corpus.request_fields import request_fields
from suites.generic.identity_checks import kind_and_action

MAX_DEPTH = 8  # schemas within schemas
TIMES = ("date", "date-time", "time")
INNER = ("items", "additionalProperties", "not")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")


def cannot_compare(operation: Operation) -> str:
    """Why it compares no values, "" if it may."""
    contract = load_contract(operation.api)
    has_unique = any(it.schema.get("x-unique") for it in request_fields(contract, operation))
    has_choice = _lists(contract, operation) and any(map(_selects, operation.parameters))
    return "" if has_unique or has_choice else "it neither filters nor sorts, and no value has to be unique"


def _selects(parameter: Parameter) -> bool:
    """Whether an optional parameter may select or order what is listed: not the size of a page, or what is added."""
    types, choices = set(json_types(parameter.schema)), parameter.schema.get("enum", ())
    is_number = types == {"integer"} and "x-known" not in parameter.schema
    return not (parameter.required or is_number or "array" in types or len(choices) == 1)


def has_no_pages(operation: Operation) -> str:
    """Why its response has no pages, "" if it may have some."""
    if not _lists(load_contract(operation.api), operation):
        return "it shows no list"
    optional = [it for it in operation.parameters if not it.required and "x-known" not in it.schema]
    sizes = [it for it in optional if {"integer", "object"} & set(json_types(it.schema)) and "enum" not in it.schema]
    return "" if sizes else "its list has no pages"


def has_no_links(operation: Operation) -> str:
    """Why nothing can be followed from its response, "" if something can."""
    contract = load_contract(operation.api)
    needs_mail = any((it.value_source or {}).get("mail") for it in request_fields(contract, operation))
    is_mailed = _is_named(contract, operation, "create", {"completed"})
    has_header = any(
        {"link", "location"} & {name.lower() for name in it.headers} for it in operation.responses.values()
    )
    has_link = any(map(_is_link, _response_schemas(contract, operation)))
    return (
        "" if needs_mail or is_mailed or has_header or has_link else "it has neither links, nor codes that are mailed"
    )


def has_no_time(operation: Operation) -> str:
    """Why the clock is of no matter to it, "" if it may be."""
    contract = load_contract(operation.api)
    sent = [it.schema for it in request_fields(contract, operation)]
    has_time = any(_is_time(schema) for schema in (*sent, *_response_schemas(contract, operation)))
    return "" if has_time else "neither its requests nor its responses have a time"


REASONS: dict[str, Callable[[Operation], str]] = {
    "comparison": cannot_compare,
    "edges of lists": has_no_pages,
    "links and mail": has_no_links,
    "clock": has_no_time,
}


def _lists(contract: Contract, operation: Operation) -> bool:
    of_kind = kind_and_action(contract, operation)
    return _is_named(contract, operation, "list") or (of_kind is not None and of_kind[1] == "list")


def _is_named(contract: Contract, operation: Operation, action: str, beside: Collection[str] = ()) -> bool:
    """Whether the operation is that action of a resource that has all of `beside`, too."""
    return any(
        action in definition
        and set(beside) <= definition.keys()
        and contract.find(definition[action], operation.server) is operation
        for definition in contract.resources.values()
    )


def _is_time(schema: Schema) -> bool:
    return schema.get("format") in TIMES


def _is_link(schema: Schema) -> bool:
    return str(schema.get("format", "")).startswith("uri") or str(schema.get("pattern", "")).startswith("^http")


def _response_schemas(contract: Contract, operation: Operation) -> Iterator[Schema]:
    """Every schema of the responses to accepted requests."""
    for status, response in operation.responses.items():
        for media in response.content.values() if status.startswith("2") else ():
            yield from _inner(contract, media.get("schema"), 0)


def _inner(contract: Contract, schema: Any, depth: int) -> Iterator[Schema]:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return
    resolved = contract.resolve(schema)
    yield resolved
    below = [*resolved.get("properties", {}).values(), *(resolved.get(name) for name in INNER)]
    below += [inner for name in SEVERAL for inner in resolved.get(name, ())]
    for inner in below:
        yield from _inner(contract, inner, depth + 1)
