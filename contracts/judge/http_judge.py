"""Judges an exchange by the contract: is the response one that the document describes?

A judge returns findings and never raises for what a server sent; every finding names the clause that is broken. It
goes from the outside in: the whole response, status, headers, media type, body.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange, Response
from contracts.json_text import read_shared
from contracts.judge.schema_judge import ABSENT, Location, Violation, clauses_around, schema_violations, shorten
from contracts.openapi import Contract
from contracts.operation import DocumentedResponse, Operation, Schema
from contracts.reader.document_lines import HasClauses, blamed_clause, lines_of, of_operation, reported_clause

JSON_SUFFIXES = ("application/json", "+json")
MAX_DIGITS = 4_000  # of a whole number in a header; Python reads no more than 4,300
# fields that a response has at most one of (RFC 9110 section 5.3): what two of them mean depends on the reader
SINGLETON_FIELDS = ("Content-Type", "Location", "ETag", "Last-Modified", "Retry-After")
csv.field_size_limit(sys.maxsize)  # a body is limited by the client, and no field is longer than its body
WAS_REFUSED = "refused"  # the kind of a finding: what must be accepted is refused
WAS_ACCEPTED = "accepted"  # what must be refused is accepted
REFUSED_OTHERWISE = "refused otherwise"  # with another status, code or attribute than documented
MAX_BODY_SHOWN = 120  # characters of a body in a finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise that an exchange breaks: the clause's or reading's id, what was expected and what was received.

    `location`, `slot`, `kind` and `received_kind` are those of a Violation; without a slot it is about the exchange as
    a whole.
    """

    clause: str
    expected: str
    received: str
    exchange: Exchange
    location: Location | None = None
    slot: str = ""
    kind: str = ""
    received_kind: str = ""


def judge_response(contract: Contract, operation: Operation, exchange: Exchange) -> list[Finding]:
    """A finding for each part of the response that the document does not describe, [] when there is none."""
    return reported(contract, operation, _response_findings(contract, operation, exchange))


def reported(contract: Contract, subject: HasClauses, findings: Sequence[Finding]) -> list[Finding]:
    """The findings about that operation or call, each under the clause that it is reported under."""
    if subject.served_if is None:
        return list(findings)
    return [replace(it, clause=reported_clause(contract, subject, it.clause)) for it in findings]


def _response_findings(contract: Contract, operation: Operation, exchange: Exchange) -> list[Finding]:
    response = exchange.response
    if response.error:
        return [Finding(operation.clauses[0], "a complete response", response.error, exchange, kind="incomplete")]
    documented = operation.response_for(response.status)
    if documented is None:
        known = ", ".join(operation.responses)
        received = f"{response.status}{_snippet(response)}"
        expected, clause = f"a documented status ({known})", status_clause(contract, operation)
        return [Finding(clause, expected, received, exchange, None, "status", "undocumented", str(response.status))]
    around = [*([documented.clause] if documented.clause else []), *of_operation(contract, operation.clauses)]
    violations = _response_violations(contract, documented, response, around, exchange.request.method == "HEAD")
    return [finding_of(violation, exchange) for violation in violations]


def finding_of(violation: Violation, exchange: Exchange) -> Finding:
    """The violation as a finding about that exchange."""
    expected, received, clause, location, slot, kind, received_kind = violation
    return Finding(clause, expected, received, exchange, location, slot, kind, received_kind)


def status_clause(contract: Contract, operation: Operation) -> str:
    """The clause that an undocumented status is reported under."""
    around = of_operation(contract, operation.clauses)
    return blamed_clause(contract, around, operation.lines.get("responses", ""), "status")


def _response_violations(
    contract: Contract, documented: DocumentedResponse, response: Response, around: Sequence[str], is_head: bool
) -> Iterator[Violation]:
    """Violations by headers, media type and body of a response; `around` are the clauses of the response itself."""
    for name, values in _repeated_fields(response):
        clause = blamed_clause(contract, around, "", "response")
        yield Violation(f"one {name}", ", ".join(values), clause, None, f"header {name}", "repeated")
    yield from _header_violations(contract, documented, response, around)
    if is_head or not documented.content:
        return
    content_lines = documented.lines.get("content", "")
    media = media_type_object(documented, response)
    if media is None:
        known = ", ".join(documented.content)
        received = response.header("content-type") or "no Content-Type"
        clause = blamed_clause(contract, around, content_lines, "response")
        expected, kind = f"a documented media type ({known})", response.media_type()
        yield Violation(expected, received, clause, None, "media type", "undocumented", kind)
    else:
        yield from _body_violations(contract, media, response, around, content_lines)


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
    return "pointer" in rule and _holds(response.body, rule["pointer"], rule["equals"])


@lru_cache(maxsize=8)  # several ask it of the same response, one after the other
def _holds(body: bytes, pointer: str, expected: Any) -> bool:
    """Whether the first value at the pointer in that JSON is the expected one."""
    try:
        values = json_pointer.find(read_shared(body), pointer)
    except (ValueError, RecursionError):
        return False
    return bool(values) and bool(values[0] == expected)


def media_type_object(documented: DocumentedResponse, response: Response) -> Mapping[str, Any] | None:
    """The media type object that documents this response's type, None when the type is not documented."""
    media_type = response.media_type()
    exact = documented.content.get(media_type)
    if exact is not None:
        return exact
    if not media_type:
        return None
    return documented.content.get(f"{media_type.partition('/')[0]}/*", documented.content.get("*/*"))


def _header_violations(
    contract: Contract, documented: DocumentedResponse, response: Response, around: Sequence[str]
) -> Iterator[Violation]:
    for name, header in documented.headers.items():
        value = response.header(name)
        nearer = [*([header["x-clause"]] if "x-clause" in header else []), *around]
        if value is None:
            if header.get("required"):
                clause = blamed_clause(contract, nearer, lines_of(header, "required"), "response")
                yield Violation(f"a header {name}", "none", clause, None, f"header {name}", "required", ABSENT)
        elif "schema" in header:
            schema = header["schema"]
            for violation in schema_violations(contract, schema, coerce(contract, schema, value), nearer):
                expected = f"header {name}: {violation.expected}"
                yield violation._replace(expected=expected, location=None, slot=f"header {name}")


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


def _body_violations(
    contract: Contract, media: Mapping[str, Any], response: Response, around: Sequence[str], lines: str
) -> Iterator[Violation]:
    """`lines` bear that the body is of its media type."""
    media_type = response.media_type()
    schema = media.get("schema", {})
    clause = blamed_clause(contract, [*clauses_around(contract, schema, ()), *around], lines, "response")
    if media_type.endswith(JSON_SUFFIXES):
        try:
            value = response.shared_json()
        except (ValueError, RecursionError) as error:
            received = f"{error}{_snippet(response)}"
            yield Violation("a body of JSON in UTF-8", received, clause, None, "body", "syntax")
            return
        yield from schema_violations(contract, schema, value, around)
    elif media_type == "text/csv":
        yield from _csv_violations(response, clause)


def _csv_violations(response: Response, clause: str) -> Iterator[Violation]:
    """RFC 4180: quoted where needed, and as many fields in every row as in the first."""
    try:
        rows = list(csv.reader(io.StringIO(response.body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        yield Violation("CSV in UTF-8 (RFC 4180)", str(error), clause, None, "body", "syntax")
        return
    widths = {len(row) for row in rows if row}
    if len(widths) != 1:
        received = f"rows of {', '.join(map(str, sorted(widths))) or 'no'} fields"
        yield Violation("as many fields in each row", received, clause, None, "body", "width of rows")


def _snippet(response: Response) -> str:
    return f", body {shorten(response.text(), MAX_BODY_SHOWN)!r}" if response.body else ""
