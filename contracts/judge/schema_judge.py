"""Judges a value by a schema: each violation with the clause that it is reported under.

Rule: the clause is one whose lines bear the broken keyword, the nearest first (`contracts.reader.document_lines`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.openapi import Contract
from contracts.operation import Schema
from contracts.reader.document_lines import blamed_clause, lines_of

MAX_SHOWN = 160  # characters of a value in a finding
Location = tuple[str | int, ...]  # of a value in a body: names and indexes from the outside in
Violation = tuple[str, str, str, Location | None]  # expected, received, clause, location in the body


def schema_violations(contract: Contract, schema: Schema, value: Any, around: Sequence[str]) -> Iterator[Violation]:
    """Each violation of the schema by the value, with the clause to blame: one in the schema, or one `around` it."""
    validator = contract.validator(schema)
    try:
        errors = [] if validator.is_valid(value) else list(validator.iter_errors(value))
    except UnicodeEncodeError as unpaired:  # an escape that is half of a surrogate pair (RFC 8259, 8.2)
        nearer = [*clauses_around(contract, schema, ()), *around]
        yield "text that has a UTF-8 form", str(unpaired), blamed_clause(contract, nearer, "", "response"), ()
        return
    for error in errors:
        location, path, message, name = _deepest(error)
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
        expected = f"{place or 'body'}: {_promise(contract, schema, path)}"
        nearer = [*clauses_around(contract, schema, path), *around]
        lines = _keyword_lines(contract, schema, path, name)
        yield expected, shorten(message), blamed_clause(contract, nearer, lines, "response"), tuple(location)


def _deepest(error: Any) -> tuple[list[Any], list[Any], str, str | None]:
    """(location in the value, evaluation path, message, missing member) of an error.

    Of alternatives, that of the one that fits furthest.
    """
    context = getattr(error.kind, "context", None)
    inner = [nested for branch in context or [] for nested in branch]
    missing = getattr(error.kind, "property", None)
    own = (list(error.instance_path), list(error.evaluation_path), error.message, missing)
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


def clauses_around(contract: Contract, schema: Schema, path: Sequence[Any]) -> list[str]:
    """The `x-clause` of each schema on the way along an evaluation path, the nearest first."""
    root = schema if path else contract.resolve(schema)
    on_the_way = [part for part in _walk(contract, root, path) if isinstance(part, Mapping)]
    return [part["x-clause"] for part in reversed(on_the_way) if isinstance(part.get("x-clause"), str)]


def _keyword_lines(contract: Contract, schema: Schema, path: Sequence[Any], name: str | None) -> str:
    """The lines that bear the broken keyword, or the requirement of the member `name`."""
    on_the_way = list(_walk(contract, schema, path))
    last = max(number for number, step in enumerate(path) if isinstance(step, str))
    if last >= len(on_the_way):
        return ""
    if last and path[last - 1] == "properties":  # the schema false: the member itself is what must not be
        return lines_of(on_the_way[last - 1], "properties", path[last])
    return lines_of(on_the_way[last], path[last], name)


def _promise(contract: Contract, schema: Schema, path: Sequence[Any]) -> str:
    """The broken keyword, with its value when that is no schema."""
    *_, last = _walk(contract, schema, path)
    keyword = [step for step in path if isinstance(step, str)][-1]
    return f"{keyword} {shorten(last)}" if not isinstance(last, Mapping) else keyword


def shorten(value: Any, most: int = MAX_SHOWN) -> str:
    """The value as text of at most so many characters."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"
