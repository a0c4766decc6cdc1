"""Judges a value by a schema: each violation with the clause that it is reported under.

Rule: the clause is one whose lines bear the broken keyword, the nearest first (`contracts.reader.document_lines`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.openapi import Contract
from contracts.operation import Schema
from contracts.reader.document_lines import blamed_clause, lines_of

MAX_SHOWN = 160  # characters of a value in a finding
Location = tuple[str | int, ...]  # of a value in a body: names and indexes from the outside in
ABSENT = "absent"  # the kind of what was received where something is missing
JSON_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


class Violation(NamedTuple):
    """A part of a response that is not as described: what was expected and received, and the clause to blame.

    location: the place in a JSON body, None for anything else. slot: the part without what differs between responses,
    such as "/data/*/id", "status" or "header Link". kind: how it differs, for a body the broken keyword of its schema.
    received_kind: the kind of what was received, such as "string" or ABSENT.
    """

    expected: str
    received: str
    clause: str
    location: Location | None = None
    slot: str = ""
    kind: str = ""
    received_kind: str = ""


def schema_violations(contract: Contract, schema: Schema, value: Any, around: Sequence[str]) -> Iterator[Violation]:
    """Each violation of the schema by the value, with the clause to blame: one in the schema, or one `around` it."""
    validator = contract.validator(schema)
    try:
        errors = [] if validator.is_valid(value) else list(validator.iter_errors(value))
    except UnicodeEncodeError as unpaired:  # an escape that is half of a surrogate pair (RFC 8259, 8.2)
        nearer = [*clauses_around(contract, schema, ()), *around]
        clause = blamed_clause(contract, nearer, "", "response")
        yield Violation("text that has a UTF-8 form", str(unpaired), clause, (), "body", "encoding")
        return
    for error in errors:
        yield _violation(contract, schema, _deepest(error), around)


def _violation(contract: Contract, schema: Schema, error: Any, around: Sequence[str]) -> Violation:
    path, location = list(error.evaluation_path), tuple(error.instance_path)
    name = getattr(error.kind, "property", None)  # of the member that is missing
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    nearer = [*clauses_around(contract, schema, path), *around]
    clause = blamed_clause(contract, nearer, _keyword_lines(contract, schema, path, name), "response")
    keyword = [step for step in path if isinstance(step, str)][-1]
    if name is None:
        expected, received = _promise(contract, schema, path), shorten(error.message)
        slot, kind = slot_of(location), json_kind(error.instance)
        return Violation(f"{place or 'body'}: {expected}", received, clause, location, slot, keyword, kind)
    expected, slot = f"{place or 'body'}: the member {name}", slot_of((*location, name))
    received = shorten(f"the members {', '.join(error.instance)}" if error.instance else "no members")
    return Violation(expected, received, clause, location, slot, keyword, ABSENT)


def slot_of(location: Location) -> str:
    """The location as a JSON pointer in which `*` stands for the number of any item."""
    tokens = ("*" if isinstance(part, int) else part.replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{token}" for token in tokens) or "body"


def json_kind(value: Any) -> str:
    """The type of a JSON value, in the words of JSON Schema."""
    return JSON_KINDS.get(type(value), "null")


def _deepest(error: Any) -> Any:
    """The error itself; of one about alternatives, that of the alternative that fits furthest."""
    context = getattr(error.kind, "context", None)
    inner = [nested for branch in context or [] for nested in branch]
    if not inner:
        return error
    deepest = max(map(_deepest, inner), key=lambda nested: len(nested.instance_path))
    return deepest if deepest.instance_path else error


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
