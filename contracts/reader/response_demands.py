"""Lists what a contract demands of responses: every keyword of schemas and headers, with the clauses around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.operation import DocumentedResponse, Operation
from contracts.reader.checked_contract import CheckedContract
from contracts.reader.document_lines import lines_of, listed_name, of_operation

ANNOTATIONS = ("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "$ref")
OF_MEMBERS = ("properties", "patternProperties")
OF_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
NESTED = ("items", "additionalProperties", "propertyNames", "contains", "if", "then", "else")  # `not` is one demand
DEMANDING = ("anyOf", "oneOf", "additionalProperties", "contains")  # these demand something themselves
BY_NAME = ("required",)  # each of what it lists is a demand of its own


@dataclass(frozen=True)
class Demand:
    """A keyword that a response has to keep: where it is, the lines that bear it, the clauses around, nearest first."""

    operation: Operation
    place: str
    keyword: str
    lines: str
    around: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a schema stands; `opened` are the names of the recursive schemas around it."""

    operation: Operation
    text: str
    around: tuple[str, ...]
    opened: tuple[str, ...] = ()

    def within(self, text: str, part: Any) -> _Place:
        """The place of a part of it."""
        own = part.get("x-clause") if isinstance(part, Mapping) else None
        return replace(self, text=f"{self.text}{text}", around=((own, *self.around) if own else self.around))

    def demand(self, keyword: str, lines: str) -> Demand:
        """A demand here."""
        return Demand(self.operation, f"{self.text} {keyword}", keyword, lines, self.around)


def response_demands(contract: CheckedContract) -> Iterator[Demand]:
    """Yield the demands of every operation's responses; a part that several operations share comes with each."""
    for operation in contract.operations.values():
        place = _Place(operation, operation.label, tuple(of_operation(contract, operation.clauses)))
        yield place.demand("responses", operation.lines.get("responses", ""))
        for response in operation.responses.values():
            yield from _of_response(contract, place, response)


def _of_response(contract: CheckedContract, place: _Place, response: DocumentedResponse) -> Iterator[Demand]:
    place = place.within(f" {response.status}", {"x-clause": response.clause})
    if response.content:
        yield place.demand("content", response.lines.get("content", ""))
    for name, header in response.headers.items():
        inner = place.within(f" header {name}", header)
        if header.get("required"):
            yield inner.demand("required", lines_of(header, "required"))
        yield from _of_schema(contract, header.get("schema", {}), inner)
    for media in {id(media): media for media in response.content.values()}.values():
        yield from _of_schema(contract, media.get("schema", {}), place.within(" body", {}))


def _of_schema(contract: CheckedContract, schema: Any, place: _Place) -> Iterator[Demand]:
    if not isinstance(schema, Mapping):
        return
    if "$ref" in schema:
        if schema["$ref"] in place.opened:
            return
        place = replace(place, opened=(*place.opened, schema["$ref"]))
        schema = contract.resolve(schema)
    place = place.within("", schema)
    for keyword, value in schema.items():
        if keyword in OF_MEMBERS:
            for name, member in value.items():
                yield from _of_schema(contract, member, place.within(f".{name}", {}))
        elif keyword in OF_LISTS or keyword in NESTED:
            if keyword in DEMANDING and value is not True:
                yield place.demand(keyword, lines_of(schema, keyword))
            for inner in value if isinstance(value, list) else [value]:
                yield from _of_schema(contract, inner, place.within("[]" if keyword == "items" else "", {}))
        elif keyword in BY_NAME:
            for name in value:
                yield place.demand(f"{keyword} {name}", lines_of(schema, keyword, listed_name(name)))
        elif keyword not in ANNOTATIONS and not keyword.startswith("x-"):
            yield place.demand(keyword, lines_of(schema, keyword))
