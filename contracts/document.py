"""Reads `openapi.yaml` into a `Contract`: every operation over every server, and over every call it carries.

Rule: references into components/schemas stay (recursive shapes are allowed), all others are resolved here. Two
additions to OpenAPI 3.1 widen one operation into several: a server's `x-headers`, and an operation's `x-calls`,
overlays of it by name (parameters merged by place and name, the rest deep-merged).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema_rs

from contracts import HERE, files, pointers
from contracts.operation import Body, Operation, Parameter, Response, Schema

VERBS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
SCHEMAS = "#/components/schemas/"


@dataclass(frozen=True, eq=False)
class Contract:
    """One API's document: operations by label, its shapes, how it refuses, and what records it keeps."""

    api: str
    document: Mapping[str, Any]
    operations: Mapping[str, Operation]
    schemes: Mapping[str, Mapping[str, Any]]
    error: Mapping[str, Any]
    refusals: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    # by a schema's identity, with the schema itself so that the identity stays its own
    _validators: dict[int, tuple[Schema, jsonschema_rs.Validator]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def find(self, identifier: str, server: int = 0) -> Operation:
        """The operation with that id on that server; raises KeyError when there is none."""
        for operation in self.operations.values():
            if operation.id == identifier and operation.server == server:
                return operation
        raise KeyError(f"{self.api} has no operation {identifier!r} on server {server}")

    def resolve(self, schema: Schema) -> Schema:
        """The schema behind a reference, with what stands beside the reference laid over it."""
        seen = schema
        while "$ref" in seen:
            target = pointers.find(self.document, seen["$ref"].removeprefix("#"))
            if len(target) != 1:
                raise KeyError(f"{self.api}: {seen['$ref']} leads nowhere")
            seen = {**target[0], **{key: value for key, value in seen.items() if key != "$ref"}}
        return seen

    def validator(self, schema: Schema) -> jsonschema_rs.Validator:
        """A validator of that schema, formats included, compiled once."""
        kept = self._validators.get(id(schema))
        if kept is None:
            whole = {"components": {"schemas": self.schemas}, **schema}
            kept = (schema, jsonschema_rs.Draft202012Validator(whole, validate_formats=True))
            self._validators[id(schema)] = kept
        return kept[1]

    @property
    def schemas(self) -> Mapping[str, Any]:
        """The document's shapes by name."""
        shapes: Mapping[str, Any] = self.document.get("components", {}).get("schemas", {})
        return shapes


@cache
def contract(api: str) -> Contract:
    """The contract of that API, read once."""
    return from_document(api, files.read(HERE / api / "openapi.yaml"))


def from_document(api: str, document: Mapping[str, Any]) -> Contract:
    """The contract that an OpenAPI 3.1 document makes. Raises KeyError for a reference that leads nowhere."""
    ours = document.get("x-flowproof", {})
    operations = {operation.label: operation for operation in _operations(api, document)}
    return Contract(
        api=api,
        document=document,
        operations=operations,
        schemes=document.get("components", {}).get("securitySchemes", {}),
        error=ours.get("error", {}),
        refusals=ours.get("refusals", {}),
        resources=ours.get("resources", {}),
    )


def _operations(api: str, document: Mapping[str, Any]) -> Iterator[Operation]:
    servers = document.get("servers") or [{"url": "/"}]
    for number, server in enumerate(servers):
        for path, item in document["paths"].items():
            whole = _deref(document, item)
            for verb in VERBS:
                if verb not in whole:
                    continue
                entry = _deref(document, whole[verb])
                shared = [_deref(document, parameter) for parameter in whole.get("parameters", [])]
                entry = _overlay({"parameters": shared}, entry, document)
                for call, narrowed in _calls(entry, document):
                    place = (server["url"].rstrip("/") + path, number, server.get("x-headers", {}))
                    yield _operation(api, document, verb.upper(), place, call, narrowed)


def _calls(entry: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    calls = _deref(document, entry.get("x-calls", {}))
    plain = {key: value for key, value in entry.items() if key != "x-calls"}
    if not calls:
        yield "", plain
    for name, overlay in calls.items():
        yield name, _overlay(plain, _deref(document, overlay), document)


def _overlay(under: Mapping[str, Any], over: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    without = set(over.get("x-without", []))
    parameters: dict[str, Any] = {}
    for parameter in [*under.get("parameters", []), *over.get("parameters", [])]:
        whole = _deref(document, parameter)
        key = f"{whole['in']}.{whole['name']}"
        parameters[key] = {**parameters.get(key, {}), **whole}
    merged = _merge(under, {key: value for key, value in over.items() if key not in ("parameters", "x-without")})
    merged["parameters"] = [value for key, value in parameters.items() if key not in without]
    return merged


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping) and key != "schema"
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]  # `both` says that they are mappings
    return merged


def _deref(document: Mapping[str, Any], value: Any) -> Any:
    """The value, with a reference on top followed; references into components/schemas stay."""
    while isinstance(value, Mapping) and "$ref" in value and not str(value["$ref"]).startswith(SCHEMAS):
        found = pointers.find(document, value["$ref"].removeprefix("#"))
        if len(found) != 1:
            raise KeyError(f"{value['$ref']} leads nowhere")
        value = found[0]
    return value


def _operation(
    api: str,
    document: Mapping[str, Any],
    method: str,
    place: tuple[str, int, Mapping[str, str]],
    call: str,
    entry: Mapping[str, Any],
) -> Operation:
    path, server, headers = place
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
        body=_body(document, entry.get("requestBody")),
        responses={str(key): _response(document, str(key), value) for key, value in entry.get("responses", {}).items()},
        security=tuple(entry.get("security", document.get("security", []))),
        base_headers=headers,
        refusals=entry.get("x-refusals", {}),
    )


def _parameter(document: Mapping[str, Any], entry: Mapping[str, Any]) -> Parameter:
    media_type, media = next(iter(entry.get("content", {}).items()), (None, entry))
    schema = media.get("schema", {})
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**pointers.find(document, schema["$ref"].removeprefix("#"))[0], **beside}
    extensions = {key: entry[key] for key in ("x-known",) if key in entry}
    shown = [
        value["value"]
        for value in {**entry.get("examples", {}), **media.get("examples", {})}.values()
        if "value" in value
    ]
    example = entry.get("example", media.get("example", shown[0] if shown else schema.get("example")))
    return Parameter(
        name=entry["name"],
        place=entry["in"],
        required=entry.get("required", False),
        schema={**schema, **extensions},
        media_type=media_type,
        example=example,
        refusals={**schema.get("x-refusals", {}), **entry.get("x-refusals", {})},
    )


def _body(document: Mapping[str, Any], entry: Any) -> Body | None:
    if not entry:
        return None
    whole = _deref(document, entry)
    return Body(whole.get("required", False), {key: _deref(document, media) for key, media in whole["content"].items()})


def _response(document: Mapping[str, Any], status: str, entry: Any) -> Response:
    whole = _deref(document, entry)
    return Response(
        status=status,
        content={key.lower(): _deref(document, media) for key, media in whole.get("content", {}).items()},
        headers={name: _deref(document, header) for name, header in whole.get("headers", {}).items()},
        links={name: _deref(document, link) for name, link in whole.get("links", {}).items()},
        clause=whole.get("x-clause"),
    )
