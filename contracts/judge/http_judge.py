"""Judges an exchange by the contract: is the response one that the document describes?

A judge returns findings and never raises for what a server sent; every finding names the clause that is broken. It
goes from the outside in: the whole response, status, headers, media type, body.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange, Response
from contracts.openapi import Contract
from contracts.operation import DocumentedResponse, Operation, Schema

JSON_SUFFIXES = ("application/json", "+json")
MAX_DIGITS = 4_000  # of a whole number in a header; Python reads no more than 4,300
# fields that a response has at most one of (RFC 9110 section 5.3): what two of them mean depends on the reader
SINGLETON_FIELDS = ("Content-Type", "Location", "ETag", "Last-Modified", "Retry-After")
csv.field_size_limit(sys.maxsize)  # a body is limited by the client, and no field is longer than its body
MAX_SHOWN = 160  # characters of a value in a finding
MAX_BODY_SHOWN = 120  # characters of a body in a finding
Location = tuple[str | int, ...]  # of a value in a body: names and indexes from the outside in
Violation = tuple[str, str, str | None, Location | None]  # expected, received, clause, location in the body


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise that an exchange breaks: the clause's or reading's id, what was expected and what was received.

    `location` is the place in the response's JSON body, None for a finding about anything else.
    """

    clause: str
    expected: str
    received: str
    exchange: Exchange
    location: Location | None = None


def judge_response(contract: Contract, operation: Operation, exchange: Exchange) -> list[Finding]:
    """A finding for each part of the response that the document does not describe, [] when there is none."""
    response = exchange.response
    fallback = operation.clauses[0]

    def finding(expected: str, received: str, clause: str | None = None, location: Location | None = None) -> Finding:
        return Finding(clause or fallback, expected, received, exchange, location)

    if response.error:
        return [finding("a complete response", response.error)]
    documented = operation.response_for(response.status)
    if documented is None:
        known = ", ".join(operation.responses)
        return [finding(f"a documented status ({known})", f"{response.status}{_snippet(response)}")]
    if documented.clause:
        fallback = documented.clause
    findings = [finding(f"one {name}", ", ".join(values)) for name, values in _repeated_fields(response)]
    findings += [finding(*violation) for violation in _header_violations(contract, documented, response)]
    if exchange.request.method == "HEAD" or not documented.content:
        return findings
    media = media_type_object(documented, response)
    if media is None:
        known = ", ".join(documented.content)
        received = response.header("content-type") or "no Content-Type"
        return [*findings, finding(f"a documented media type ({known})", received)]
    return findings + [finding(*violation) for violation in _body_violations(contract, media, response)]


def _repeated_fields(response: Response) -> Iterator[tuple[str, list[str]]]:
    """Each of SINGLETON_FIELDS that the response has more than once, with its values."""
    for name in SINGLETON_FIELDS:
        values = [value for key, value in response.headers if key.lower() == name.lower()]
        if len(values) > 1:
            yield name, values


def is_refusal(contract: Contract, response: Response) -> bool:
    """Whether this response refuses its request, in the API's own way of saying so."""
    if 400 <= response.status < 600:
        return True
    rule = contract.error_format.get("refused", {})
    if "pointer" not in rule:
        return False
    try:
        values = json_pointer.find(response.json(), rule["pointer"])
    except (ValueError, RecursionError):
        return False
    return bool(values) and values[0] == rule["equals"]


def media_type_object(documented: DocumentedResponse, response: Response) -> Mapping[str, Any] | None:
    """The media type object that documents this response's type, None when the type is not documented."""
    media_type = response.media_type()
    exact = documented.content.get(media_type)
    if exact is not None:
        return exact
    if not media_type:
        return None
    return documented.content.get(f"{media_type.partition('/')[0]}/*", documented.content.get("*/*"))


def _header_violations(contract: Contract, documented: DocumentedResponse, response: Response) -> Iterator[Violation]:
    for name, header in documented.headers.items():
        value = response.header(name)
        clause = header.get("x-clause")
        if value is None:
            if header.get("required"):
                yield f"a header {name}", "none", clause, None
        elif "schema" in header:
            schema = header["schema"]
            for expected, received, nearer, _ in schema_violations(contract, schema, coerce(contract, schema, value)):
                yield f"header {name}: {expected}", received, nearer or clause, None


def coerce(contract: Contract, schema: Schema, text: str) -> Any:
    """A text as the type that the schema asks for; the text itself when it does not read as that type."""
    declared = contract.resolve(schema).get("type")
    types = declared if isinstance(declared, list) else [declared]
    digits = text.removeprefix("-")
    if "integer" in types and digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS:
        return int(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    return text


def _body_violations(contract: Contract, media: Mapping[str, Any], response: Response) -> Iterator[Violation]:
    media_type = response.media_type()
    schema = media.get("schema", {})
    if media_type.endswith(JSON_SUFFIXES):
        try:
            value = response.json()
        except (ValueError, RecursionError) as error:
            clause = contract.resolve(schema).get("x-clause")
            yield "a body of JSON in UTF-8", f"{error}{_snippet(response)}", clause, None
            return
        yield from schema_violations(contract, schema, value)
    elif media_type == "text/csv":
        yield from _csv_violations(response, contract.resolve(schema).get("x-clause"))


def _csv_violations(response: Response, clause: str | None) -> Iterator[Violation]:
    """RFC 4180: quoted where needed, and as many fields in every row as in the first."""
    try:
        rows = list(csv.reader(io.StringIO(response.body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        yield "CSV in UTF-8 (RFC 4180)", str(error), clause, None
        return
    widths = {len(row) for row in rows if row}
    if len(widths) != 1:
        received = f"rows of {', '.join(map(str, sorted(widths))) or 'no'} fields"
        yield "as many fields in each row", received, clause, None


def schema_violations(contract: Contract, schema: Schema, value: Any) -> Iterator[Violation]:
    """Each violation of the schema by the value: (expected, received, the nearest `x-clause` around it, location)."""
    validator = contract.validator(schema)
    try:
        errors = [] if validator.is_valid(value) else list(validator.iter_errors(value))
    except UnicodeEncodeError as unpaired:  # an escape that is half of a surrogate pair (RFC 8259, 8.2)
        yield "text that has a UTF-8 form", str(unpaired), contract.resolve(schema).get("x-clause"), ()
        return
    for error in errors:
        location, path, message = _deepest(error)
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
        expected = f"{place or 'body'}: {_promise(contract, schema, path)}"
        yield expected, _shorten(message), _nearest_clause(contract, schema, path), tuple(location)


def _deepest(error: Any) -> tuple[list[Any], list[Any], str]:
    """(location in the value, evaluation path, message) of an error; of alternatives, of the one that fits furthest."""
    context = getattr(error.kind, "context", None)
    inner = [nested for branch in context or [] for nested in branch]
    own = (list(error.instance_path), list(error.evaluation_path), error.message)
    if not inner:
        return own
    deepest = max((_deepest(nested) for nested in inner), key=lambda result: len(result[0]))
    return deepest if deepest[0] else own


def _walk(contract: Contract, schema: Schema, path: Sequence[Any]) -> Iterator[Any]:
    """The schemas on the way along an evaluation path, from the outside in, and the keyword's value at its end."""
    part: Any = schema
    yield part
    for step in path:
        try:
            part = contract.resolve({"$ref": part["$ref"]}) if step == "$ref" else part[step]
        except (LookupError, TypeError):
            return
        yield part


def _nearest_clause(contract: Contract, schema: Schema, path: Sequence[Any]) -> str | None:
    on_the_way = [part for part in _walk(contract, schema, path) if isinstance(part, Mapping)]
    return next((part["x-clause"] for part in reversed(on_the_way) if "x-clause" in part), None)


def _promise(contract: Contract, schema: Schema, path: Sequence[Any]) -> str:
    """The broken keyword, with its value when that is no schema."""
    *_, last = _walk(contract, schema, path)
    keyword = [step for step in path if isinstance(step, str)][-1]
    return f"{keyword} {_shorten(last)}" if not isinstance(last, Mapping) else keyword


def _shorten(value: Any, most: int = MAX_SHOWN) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _snippet(response: Response) -> str:
    return f", body {_shorten(response.text(), MAX_BODY_SHOWN)!r}" if response.body else ""
