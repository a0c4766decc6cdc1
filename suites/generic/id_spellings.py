"""Texts and numbers that look like a record's id and are not it, and other ways to write the same id.

Rule: nothing here is a request. A field that takes an id is one whose value exists at the target (`x-known`) and is an
integer, stands in the path, or is the `id` of one of the contract's resources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.openapi import Contract
from contracts.operation import Operation, Schema
from fixtures.corpus.boundary_values import json_types
from fixtures.corpus.request_fields import RequestField, request_fields

LETTERS = "abc"
WRAPS = {"2^31": 1 << 31, "2^32": 1 << 32, "2^64": 1 << 64}
SMALL = 1 << 31  # ids below it are counted, so that no record can have one that is larger by a power of 2
MIN_TEXT = 6  # characters of a token of which a beginning is sent: no other token is so short


@dataclass(frozen=True)
class Spelling:
    """A value to send in place of an id: `kind` is the kind of invalid request that it makes, "" for none."""

    title: str
    value: Any
    kind: str = ""


def id_fields(contract: Contract, operation: Operation) -> list[RequestField]:
    """The fields of the operation's requests that take the id of a record."""
    return [field for field in request_fields(contract, operation) if takes_id(contract, field.schema, field.location)]


def takes_id(contract: Contract, schema: Schema, location: str) -> bool:
    """Whether a field with that schema, in that location, takes the id of a record."""
    source = schema.get("x-known")
    if source is None or source.get("mail"):
        return False
    names = {definition.get("id") for definition in contract.resources.values()}
    is_named = str(source.get("pointer", "")).rpartition("/")[2] in names
    return location == "path" or is_named or "integer" in json_types(schema)


def other_ids(schema: Schema, identifier: Any, in_json: bool, is_safe: bool = True) -> Iterator[Spelling]:
    """Yield what is not this id, whoever reads it.

    `in_json`: it is sent as a JSON value, not as text. Where the request is not `is_safe`, nothing is among them that
    another record could have as its id.
    """
    if "integer" in json_types(schema):
        number = int(identifier)
        yield Spelling("0", 0, "unknown_record")
        yield Spelling(f"{LETTERS} behind it", f"{number}{LETTERS}", "wrong_type")
        yield Spelling("a fraction behind it", number + 0.5 if in_json else f"{number}.5", "wrong_type")
        if in_json:
            yield Spelling("a list of it", [number], "wrong_type")
        if number < SMALL:
            yield Spelling("with a minus", -number, "unknown_record")
            yield from (Spelling(f"plus {name}", number + wrap, "unknown_record") for name, wrap in WRAPS.items())
        return
    kind = "bad_format" if "format" in schema else "unknown_record"
    text = str(identifier)
    yield Spelling(f"{LETTERS} behind it", f"{text}{LETTERS}", kind)
    yield Spelling(f"{LETTERS} before it", f"{LETTERS}{text}", kind)
    if len(text) > MIN_TEXT and ("format" in schema or is_safe):
        yield Spelling("only its beginning", text[:-2], kind)
        yield Spelling("with a wildcard", f"{text[:-2]}%", kind)
    if "format" not in schema and text.swapcase() != text:
        yield Spelling("in the other case", text.swapcase(), kind)


def kinds_of_other_ids(schema: Schema) -> set[str]:
    """The kinds of invalid requests that other ids make in a field with that schema."""
    sample = 1 if "integer" in json_types(schema) else "x" * (MIN_TEXT + 1)
    return {spelling.kind for spelling in other_ids(schema, sample, in_json=False)}


def same_ids(schema: Schema, identifier: Any, location: str) -> Iterator[Spelling]:
    """Yield texts that a server may read as this id, or refuse; none of them is another record's id."""
    if "integer" in json_types(schema):
        yield Spelling("with a leading zero", f"0{identifier}")
        yield Spelling("with a plus", f"+{identifier}")
        yield Spelling("with .0 behind it", f"{identifier}.0")
    elif schema.get("format") == "uuid":
        yield Spelling("in upper case", str(identifier).upper())
        yield Spelling("without hyphens", str(identifier).replace("-", ""))
    if location != "header":
        yield Spelling("with a space behind it", f"{identifier} ")


def best_of(identifiers: list[Any]) -> Any:
    """The id of which a server is most likely to take another spelling for another id: one that is octal as well."""
    octal = [identifier for identifier in identifiers if re.fullmatch("[1-7][0-7]+", str(identifier))]
    return (octal or identifiers)[0]
