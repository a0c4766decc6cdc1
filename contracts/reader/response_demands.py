"""Lists what a contract demands of responses: every keyword of schemas and headers, with the clauses around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts.operation import DocumentedResponse, Operation
from contracts.reader.checked_contract import CheckedContract
from contracts.reader.document_lines import lines_of, listed_name, of_operation

ANNOTATIONS = ("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "$ref")
OF_MEMBERS = ("properties", "patternProperties")
OF_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
NESTED = ("items", "additionalProperties", "propertyNames", "contains", "if", "then", "else")  # `not` is one demand
DEMANDING = ("anyOf", "oneOf", "additionalProperties", "contains")  # these demand something themselves
BY_NAME = ("required",)  # each of what it lists is a demand of its own


class Demand(NamedTuple):
    """A keyword that a response has to keep: where it is, the lines that bear it, the clauses around, nearest first."""

    operation: Operation
    place: str
    keyword: str
    lines: str
    around: tuple[str, ...]


class _Keyword(NamedTuple):
    """A keyword of a schema: `place` and `around` begin at the schema, whatever it is part of."""

    place: str
    keyword: str
    lines: str
    around: tuple[str, ...] = ()

    def within(self, place: str, around: tuple[str, ...]) -> _Keyword:
        """The same keyword, as part of what stands there."""
        return _Keyword(f"{place}{self.place}", self.keyword, self.lines, self.around + around)


def response_demands(contract: CheckedContract) -> Iterator[Demand]:
    """Yield the demands of every operation's responses; a part that several operations share comes with each."""
    schemas = _SchemaKeywords(contract)
    for operation in contract.operations.values():
        around = tuple(of_operation(contract, operation.clauses))
        yield Demand(
            operation, f"{operation.label} responses", "responses", operation.lines.get("responses", ""), around
        )
        for response in operation.responses.values():
            for keyword in _of_response(schemas, response):
                place, name, lines, inner = keyword
                yield Demand(operation, f"{operation.label}{place} {name}", name, lines, inner + around)


def _of_response(schemas: _SchemaKeywords, response: DocumentedResponse) -> Iterator[_Keyword]:
    place, around = f" {response.status}", (response.clause,) if response.clause else ()
    if response.content:
        yield _Keyword(place, "content", response.lines.get("content", ""), around)
    for name, header in response.headers.items():
        inner = f"{place} header {name}", _with_own(header, around)
        if header.get("required"):
            yield _Keyword("", "required", lines_of(header, "required")).within(*inner)
        yield from (keyword.within(*inner) for keyword in schemas.of(header.get("schema", {})))
    for media in {id(media): media for media in response.content.values()}.values():
        yield from (keyword.within(f"{place} body", around) for keyword in schemas.of(media.get("schema", {})))


def _with_own(part: Mapping[str, Any], around: tuple[str, ...]) -> tuple[str, ...]:
    own = part.get("x-clause")
    return (own, *around) if own else around


class _SchemaKeywords:
    """The keywords of a contract's schemas; a schema that several responses share is walked through once."""

    def __init__(self, contract: CheckedContract) -> None:
        self._contract = contract
        self._known: dict[tuple[int, tuple[str, ...]], list[_Keyword]] = {}

    def of(self, schema: Any, opened: tuple[str, ...] = ()) -> list[_Keyword]:
        """All keywords in a schema; `opened` are the names of the recursive schemas around it."""
        key = (id(schema), opened)
        if key not in self._known:
            self._known[key] = list(self._read(schema, opened)) if isinstance(schema, Mapping) else []
        return self._known[key]

    def _read(self, schema: Mapping[str, Any], opened: tuple[str, ...]) -> Iterator[_Keyword]:
        if "$ref" in schema:
            if schema["$ref"] in opened:
                return
            opened = (*opened, schema["$ref"])
            schema = self._contract.resolve(schema)
        around = _with_own(schema, ())
        for keyword, value in schema.items():
            for name, listed in _demanded(keyword, value):
                yield _Keyword("", name, lines_of(schema, keyword, listed), around)
            for place, part in _parts(keyword, value):
                yield from (inner.within(place, around) for inner in self.of(part, opened))


def _parts(keyword: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(place, schema) of each schema in a keyword of another one."""
    if keyword in OF_MEMBERS:
        yield from ((f".{name}", member) for name, member in value.items())
    elif keyword in OF_LISTS or keyword in NESTED:
        place = "[]" if keyword == "items" else ""
        yield from ((place, part) for part in (value if isinstance(value, list) else [value]))


def _demanded(keyword: str, value: Any) -> Iterator[tuple[str, str | None]]:
    """(name, listed name or None) of each demand that a keyword makes itself."""
    if keyword in BY_NAME:
        yield from ((f"{keyword} {name}", listed_name(name)) for name in value)
    elif keyword in OF_MEMBERS or keyword in OF_LISTS or keyword in NESTED:
        if keyword in DEMANDING and value is not True:
            yield keyword, None
    elif keyword not in ANNOTATIONS and not keyword.startswith("x-"):
        yield keyword, None
