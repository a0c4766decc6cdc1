"""Judges an exchange by the contract: is the answer one that the document describes?

Rule: a judge finds, it never raises for what a server sent; every finding names the clause it breaks. The order
is from the outside in: whole answer, status, media type, headers, body.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import pointers
from contracts.document import Contract
from contracts.exchange import Answer, Exchange
from contracts.operation import Operation, Response, Schema

JSON = ("application/json", "+json")


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise that an exchange breaks: the clause's or reading's id, what was due and what came."""

    clause: str
    expected: str
    received: str
    exchange: Exchange


def judge(contract: Contract, operation: Operation, exchange: Exchange) -> list[Finding]:
    """Everything in the answer that the document does not describe, [] when all is as documented."""
    answer = exchange.answer
    fallback = operation.clauses[0]

    def finding(expected: str, received: str, clause: str | None = None) -> Finding:
        return Finding(clause or fallback, expected, received, exchange)

    if answer.error:
        return [finding("a complete answer", answer.error)]
    response = operation.response(answer.status)
    if response is None:
        known = ", ".join(operation.responses)
        return [finding(f"a documented status ({known})", f"{answer.status}{_snippet(answer)}")]
    if response.clause:
        fallback = response.clause
    found = [finding(*problem) for problem in _headers(contract, response, answer)]
    if exchange.sent.method == "HEAD" or not response.content:
        return found
    media = media_of(response, answer)
    if media is None:
        known = ", ".join(response.content)
        return [
            *found,
            finding(f"a documented media type ({known})", answer.header("content-type") or "no Content-Type"),
        ]
    return found + [finding(*problem) for problem in _body(contract, media, answer)]


def refused(contract: Contract, answer: Answer) -> bool:
    """Whether this answer refuses its request, in the API's own way of saying so."""
    if 400 <= answer.status < 600:
        return True
    rule = contract.error.get("refused", {})
    if "pointer" not in rule:
        return False
    try:
        told = pointers.find(answer.json(), rule["pointer"])
    except ValueError:
        return False
    return bool(told) and told[0] == rule["equals"]


def media_of(response: Response, answer: Answer) -> Mapping[str, Any] | None:
    """What the document says of this answer's media type, None when it does not know that type."""
    sent = answer.media_type()
    exact = response.content.get(sent)
    if exact is not None:
        return exact
    return response.content.get(f"{sent.partition('/')[0]}/*", response.content.get("*/*")) if sent else None


Problem = tuple[str, str, str | None]  # expected, received, clause


def _headers(contract: Contract, response: Response, answer: Answer) -> Iterator[Problem]:
    for name, header in response.headers.items():
        value = answer.header(name)
        clause = header.get("x-clause")
        if value is None:
            if header.get("required"):
                yield f"a header {name}", "none", clause
        elif "schema" in header:
            for problem in violations(contract, header["schema"], coerced(contract, header["schema"], value)):
                yield f"header {name}: {problem[0]}", problem[1], problem[2] or clause


def coerced(contract: Contract, schema: Schema, text: str) -> Any:
    """A text as the type that the schema asks for; the text itself when it does not read as that type."""
    kind = contract.resolve(schema).get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "integer" in kinds and text.lstrip("-").isdecimal() and text.isascii():
        return int(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


def _body(contract: Contract, media: Mapping[str, Any], answer: Answer) -> Iterator[Problem]:
    kind = answer.media_type()
    schema = media.get("schema", {})
    if kind.endswith(JSON):
        try:
            value = answer.json()
        except (ValueError, RecursionError) as error:
            yield "a body of JSON in UTF-8", f"{error}{_snippet(answer)}", contract.resolve(schema).get("x-clause")
            return
        yield from violations(contract, schema, value)
    elif kind == "text/csv":
        yield from _csv(answer, contract.resolve(schema).get("x-clause"))


def _csv(answer: Answer, clause: str | None) -> Iterator[Problem]:
    """RFC 4180: quoted where needed, and as many fields in every row as in the first."""
    try:
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        yield "CSV in UTF-8 (RFC 4180)", str(error), clause
        return
    widths = {len(row) for row in rows if row}
    if len(widths) != 1:
        yield "as many fields in each row", f"rows of {', '.join(map(str, sorted(widths))) or 'no'} fields", clause


def violations(contract: Contract, schema: Schema, value: Any) -> Iterator[Problem]:
    """What in the value breaks the schema: (expected, received, the nearest `x-clause` around it)."""
    validator = contract.validator(schema)
    try:
        errors = [] if validator.is_valid(value) else list(validator.iter_errors(value))
    except UnicodeEncodeError as half:  # an escape that is half of a surrogate pair (RFC 8259, 8.2)
        yield "text that has a UTF-8 form", str(half), contract.resolve(schema).get("x-clause")
        return
    for error in errors:
        where, path, message = _nearest(error)
        spot = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
        keyword = path[-1] if path else ""
        expected = f"{spot or 'body'}: {_promise(contract, schema, path)}"
        yield expected, _cut(message), _clause(contract, schema, path) if keyword != "" else None


def _nearest(error: Any) -> tuple[list[Any], list[Any], str]:
    """Where the value is wrong: within alternatives, the branch that got furthest into it."""
    context = getattr(error.kind, "context", None)
    inner = [nested for branch in context or [] for nested in branch]
    if not inner:
        return list(error.instance_path), list(error.evaluation_path), error.message
    deepest = max((_nearest(nested) for nested in inner), key=lambda found: len(found[0]))
    return deepest if deepest[0] else (list(error.instance_path), list(error.evaluation_path), error.message)


def _walk(contract: Contract, schema: Schema, path: Sequence[Any]) -> Iterator[Any]:
    """The schemas on the way along an evaluation path, from the outside in, and the keyword's value at its end."""
    spot: Any = schema
    yield spot
    for part in path:
        if part == "$ref" and isinstance(spot, Mapping):
            spot = pointers.find(contract.document, spot["$ref"].removeprefix("#"))[0]
        elif (isinstance(spot, Mapping) and part in spot) or (isinstance(spot, list) and isinstance(part, int)):
            spot = spot[part]
        else:
            return
        yield spot


def _clause(contract: Contract, schema: Schema, path: Sequence[Any]) -> str | None:
    on_way = [
        spot["x-clause"] for spot in _walk(contract, schema, path) if isinstance(spot, Mapping) and "x-clause" in spot
    ]
    return on_way[-1] if on_way else None


def _promise(contract: Contract, schema: Schema, path: Sequence[Any]) -> str:
    """The broken keyword with its value, as far as that is short."""
    last = list(_walk(contract, schema, path))[-1]
    keyword = next((part for part in reversed(path) if isinstance(part, str)), "schema")
    return f"{keyword} {_cut(last)}" if not isinstance(last, Mapping) else str(keyword)


def _cut(value: Any, most: int = 160) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"


def _snippet(answer: Answer) -> str:
    return f", body {_cut(answer.text(), 120)!r}" if answer.body else ""
