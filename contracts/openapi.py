"""Reads `openapi.yaml` into a `Contract`: every operation at every server, and every call that an operation carries.

Two additions to OpenAPI 3.1 turn one operation into several: a server's `x-headers`, and an operation's `x-calls`,
each of which overrides it (parameters are merged by place and name, schemas and examples are replaced, everything else
is merged member by member).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property
from typing import Any

import jsonschema_rs

import contracts
from contracts.errors import ContractError, Location, raise_first
from contracts.operation import Body, DocumentedResponse, Operation, Parameter, Schema, served_if
from contracts.reader import consistency
from contracts.reader.document_reader import read_document
from contracts.reader.references import Resolver, open_reference, recursive_schemas, references

HTTP_METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


@dataclass(frozen=True, eq=False)
class Contract:
    """One API's document: operations by label, schemas by name, how it refuses, and its resources.

    `document` is the source with its references; everything else is resolved (`contracts.reader.references`).
    """

    api: str
    document: Mapping[str, Any]
    operations: Mapping[str, Operation]
    schemas: Mapping[str, Schema]
    security_schemes: Mapping[str, Mapping[str, Any]]
    error_format: Mapping[str, Any]
    refusals: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    silent: Mapping[str, str] = field(default_factory=dict)  # clauses for what the document does not say, by part
    schema_names: Mapping[int, str] = field(default_factory=dict, repr=False)  # by the schema's identity
    locations: Mapping[str, Location] = field(default_factory=dict, repr=False)  # in the document, by operation's label
    # by a schema's identity, with the schema itself so that the identity stays its own
    _validators: dict[int, tuple[Schema, jsonschema_rs.Validator]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def documented(self) -> list[Operation]:
        """The operations that every target has to serve (no `x-served-if`), in the document's order."""
        return [operation for operation in self.operations.values() if operation.served_if is None]

    def find(self, identifier: str, server: int = 0) -> Operation:
        """The operation with that id at that server. Raises ContractError, which names the ids that are close."""
        for operation in self.operations.values():
            if operation.id == identifier and operation.server == server:
                return operation
        known = [operation.id for operation in self.operations.values() if operation.server == server]
        names = ", ".join(get_close_matches(identifier, known) or known)
        where = f" at server {server + 1}" if server else ""
        raise ContractError(f"{self.api} has no operation {identifier!r}{where}: expected one of {names}")

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, or what it refers to when that is a schema which contains itself."""
        return open_reference(self.schemas, schema) if "$ref" in schema else schema

    def name_of(self, schema: Schema) -> str | None:
        """The name of a component schema, None for any other schema."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        return self.schema_names.get(id(schema))

    def validator(self, schema: Schema) -> jsonschema_rs.Validator:
        """A validator of that schema, formats included, compiled once."""
        known = self._validators.get(id(schema))
        if known is None:
            components = {"components": {"schemas": self._recursive}} if any(references(schema)) else {}
            closed: Any = {**components, **schema} if components else schema
            known = (schema, jsonschema_rs.Draft202012Validator(closed, validate_formats=True))
            self._validators[id(schema)] = known
        return known[1]

    @cached_property
    def _recursive(self) -> dict[str, Schema]:
        """The schemas that contain themselves, to which references remain."""
        names = (reference.rpartition("/")[2] for reference in recursive_schemas(self.document))
        return {name: self.schemas[name] for name in names}


@cache
def load_contract(api: str) -> Contract:
    """The contract of that API, read once. Raises ContractError for whatever breaks the format."""
    document = read_document(contracts.FOLDER / api / "openapi.yaml")
    try:
        contract = from_document(api, document.data)
    except ContractError as error:
        raise document.error(error.location, str(error)) from None
    raise_first(consistency.openapi_errors(contract, document))
    return contract


def from_document(api: str, document: Mapping[str, Any]) -> Contract:
    """The contract that an OpenAPI 3.1 document makes, all references local. Raises ContractError with a location."""
    resolver = Resolver(document)
    resolved = resolver.document
    extension = resolved.get("x-flowproof", {})
    components = resolved.get("components", {})
    schemas = components.get("schemas", {})
    operations: dict[str, Operation] = {}
    locations: dict[str, Location] = {}
    for location, operation in _operations(api, resolved):
        if operation.label in operations:
            raise ContractError(f"two operations are {operation.label}: expected one", location)
        operations[operation.label] = operation
        locations[operation.label] = location
    return Contract(
        api=api,
        document=document,
        operations=operations,
        schemas=schemas,
        security_schemes=components.get("securitySchemes", {}),
        error_format=extension.get("error", {}),
        refusals=extension.get("refusals", {}),
        resources=extension.get("resources", {}),
        silent=extension.get("silent", {}),
        schema_names=resolver.names,
        locations=locations,
    )


def _operations(api: str, document: Mapping[str, Any]) -> Iterator[tuple[Location, Operation]]:
    """Every operation with the location of what it is read from, in a document without references."""
    for number, server in enumerate(document.get("servers") or [{"url": "/"}]):
        for path, item in document["paths"].items():
            for method in HTTP_METHODS:
                if method not in item:
                    continue
                entry = _overlay({"parameters": item.get("parameters", [])}, item[method])
                for call, narrowed in _calls(entry):
                    location = ("paths", path, method, *(("x-calls", call) if call else ()))
                    where = (method.upper(), server["url"].rstrip("/") + path, number)
                    yield location, _operation(api, document, where, server.get("x-headers", {}), call, narrowed)


def _calls(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name, operation) of each call that an operation carries; itself under "" when it carries none."""
    plain = {key: value for key, value in entry.items() if key != "x-calls"}
    calls = entry.get("x-calls", {})
    if not calls:
        yield "", plain
    for name, overlay in calls.items():
        yield name, _overlay(plain, overlay)


def _overlay(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """An operation laid over another: parameters by place and name, the rest member by member."""
    removed = set(over.get("x-without", []))
    parameters: dict[str, Any] = {}
    for parameter in [*under.get("parameters", []), *over.get("parameters", [])]:
        key = f"{parameter['in']}.{parameter['name']}"
        parameters[key] = {**parameters.get(key, {}), **parameter}
    merged = _merge(under, {key: value for key, value in over.items() if key not in ("parameters", "x-without")})
    return {**merged, "parameters": [parameter for key, parameter in parameters.items() if key not in removed]}


REPLACED = ("schema", "example")  # half of one schema, or of one example, and half of another describe nothing


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and key not in REPLACED:
            value = _merge(old, value)
        merged[key] = value
    return merged


def _operation(
    api: str,
    document: Mapping[str, Any],
    where: tuple[str, str, int],
    headers: Mapping[str, str],
    call: str,
    entry: Mapping[str, Any],
) -> Operation:
    """The operation at `where`, with its method in capitals, path with the server's own, number of the server."""
    method, path, server = where
    suffix = f" {call}" if call else ""
    return Operation(
        api=api,
        id=entry["operationId"] + suffix,
        label=f"{method} {path}{suffix}",
        method=method,
        path=path,
        server=server,
        summary=entry.get("summary", ""),
        section=entry.get("tags", ["general"])[0],
        clauses=tuple(entry.get("x-clauses", ())),
        safe=entry.get("x-safe", method in ("GET", "HEAD", "OPTIONS")),
        parameters=tuple(_parameter(document, parameter) for parameter in entry["parameters"]),
        body=_body(entry.get("requestBody")),
        responses={status: _response(status, response) for status, response in entry.get("responses", {}).items()},
        security=tuple(entry.get("security", document.get("security", []))),
        base_headers=headers,
        refusals=entry.get("x-refusals", {}),
        lines=entry.get("x-lines", {}),
        served_if=served_if(entry.get("x-served-if")),
    )


def _parameter(document: Mapping[str, Any], entry: Mapping[str, Any]) -> Parameter:
    media_type, media = next(iter(entry.get("content", {}).items()), (None, entry))
    schema = open_reference(document.get("components", {}).get("schemas", {}), media.get("schema", {}))
    extensions = {key: entry[key] for key in ("x-known",) if key in entry}
    examples = {**entry.get("examples", {}), **media.get("examples", {})}
    values = [example["value"] for example in examples.values() if "value" in example]
    example = entry.get("example", media.get("example", values[0] if values else schema.get("example")))
    return Parameter(
        name=entry["name"],
        location=entry["in"],
        required=entry.get("required", False),
        schema={**schema, **extensions},
        media_type=media_type,
        example=example,
        refusals={**schema.get("x-refusals", {}), **entry.get("x-refusals", {})},
        lines={**media.get("x-lines", {}), **entry.get("x-lines", {})},
    )


def _body(entry: Mapping[str, Any] | None) -> Body | None:
    return Body(entry.get("required", False), entry["content"]) if entry else None


def _response(status: str, entry: Mapping[str, Any]) -> DocumentedResponse:
    return DocumentedResponse(
        status=status,
        content={media_type.lower(): media for media_type, media in entry.get("content", {}).items()},
        headers=entry.get("headers", {}),
        links=entry.get("links", {}),
        clause=entry.get("x-clause"),
        lines=entry.get("x-lines", {}),
    )
