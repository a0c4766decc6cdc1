"""Reads `asyncapi.yaml` into an `RpcContract`: every method that may be called at every endpoint, and its reply.

The document is plain AsyncAPI 3.0: an operation that the vendor receives is a call, and its reply is the envelope. An
operation overrides its traits, and the parts of a frame are collected from all schemas that apply to it (`allOf`), the
nearest one last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import contracts
from contracts.errors import ContractError, raise_first
from contracts.openapi import Contract, load_contract
from contracts.operation import Schema, ServedIf, served_if
from contracts.reader import consistency
from contracts.reader.document_lines import lines_of
from contracts.reader.document_reader import read_document
from contracts.reader.references import Resolver

COMMON_PARTS = ("method", "token")  # every call has them
EMPTY = (("string", 0, None), ("object", None, 0))  # type, maxLength and maxProperties of a part that stays empty


@dataclass(frozen=True, eq=False, repr=False)
class Call:
    """One method at one endpoint; `label` is unique within the API (`inventory/device LIST`).

    `path` is the endpoint's over HTTP. `parts` are the schemas of a frame's members by name; `required_parts` are
    those that a frame needs beside method and token, `forbidden_parts` those whose place stays empty.
    `message_schema` is the schema of a whole frame, `reply_schema` that of the envelope, whose clause is
    `reply_clause`; `examples` are frames. `lines`, `reply_lines` and `example_lines` are those of the document that
    bear the call (`address` stands for endpoint and method), its reply and its examples. `served_if` is None for what
    every target has to serve; `form` tells a call from another one of the same method and endpoint.
    """

    api: str
    endpoint: str
    path: str
    method: str
    summary: str
    section: str
    clauses: tuple[str, ...]
    safe: bool
    parts: Mapping[str, Schema]
    required_parts: frozenset[str]
    forbidden_parts: frozenset[str]
    message_schema: Schema
    reply_schema: Schema
    reply_clause: str
    examples: tuple[Mapping[str, Any], ...]
    refusals: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, Any] = field(default_factory=dict)
    reply_lines: Mapping[str, Any] = field(default_factory=dict)
    example_lines: str = ""
    served_if: ServedIf | None = None
    form: str = ""

    @property
    def label(self) -> str:
        """The call's name: endpoint and method, and its form if it has one."""
        return f"{self.endpoint} {self.method}{self.form and f' {self.form}'}"

    @property
    def endpoint_lines(self) -> str:
        """The lines that bear endpoint and method, "" for none."""
        return str(self.lines.get("address", ""))

    @property
    def documented_parts(self) -> dict[str, Schema]:
        """The parts whose members the document shows."""
        return {name: schema for name, schema in self.parts.items() if "properties" in schema}

    @property
    def frame_schema(self) -> Schema:
        """The parts as one object, without the token: it identifies the caller and is no part of the call."""
        parts = {name: schema for name, schema in self.parts.items() if name != "token"}
        return {"type": "object", "properties": parts, "required": ["method", *sorted(self.required_parts)]}

    @property
    def data_schema(self) -> Schema | None:
        """The schema of its data, None when the document gives none."""
        return self.documented_parts.get("data")

    @property
    def parameters_schema(self) -> Schema | None:
        """The schema of its parameters, None when the document gives none."""
        return self.documented_parts.get("parameters")

    def __str__(self) -> str:
        return f"{self.api} {self.label}"

    def __repr__(self) -> str:
        return f"<{self}>"


@dataclass(frozen=True, eq=False)
class RpcContract:
    """One API's document: calls by label, HTTP paths of endpoints by name, and its schemas as a `Contract`.

    `after_refusal_clause` is the clause that a connection stays usable, None when the document does not promise it.
    """

    api: str
    calls: Mapping[str, Call]
    endpoint_paths: Mapping[str, str]
    contract: Contract
    after_refusal_clause: str | None = None


@cache
def load_rpc_contract(api: str) -> RpcContract | None:
    """The calls of that API, read once; None when it has no `asyncapi.yaml`. Raises ContractError."""
    path = contracts.FOLDER / api / "asyncapi.yaml"
    if not path.is_file():
        return None
    document = read_document(path)
    try:
        rpc = from_document(api, document.data)
    except ContractError as error:
        raise document.error(error.location, str(error)) from None
    replies = [call.reply_schema for call in rpc.calls.values()]
    raise_first(consistency.asyncapi_errors(rpc.contract, replies, document, load_contract(api)))
    return rpc


def from_document(api: str, document: Mapping[str, Any]) -> RpcContract:
    """The calls that an AsyncAPI 3.0 document describes, all references local.

    Raises ContractError for a reference that leads nowhere, and for an operation that is no call with one reply.
    """
    resolver = Resolver(document)
    resolved = resolver.document
    extension = resolved.get("x-flowproof", {})
    contract = Contract(
        api=api,
        document=document,
        operations={},
        schemas=resolved.get("components", {}).get("schemas", {}),
        security_schemes={},
        error_format=extension.get("error", {}),
        refusals=extension.get("refusals", {}),
        resources={},
        silent=extension.get("silent", {}),
        schema_names=resolver.names,
    )
    calls: dict[str, Call] = {}
    for name, operation in resolved.get("operations", {}).items():
        try:
            call = _call(contract, _with_traits(operation))
        except ContractError as error:
            raise ContractError(f"operation {name}: {error}", ("operations", name)) from None
        if call.label in calls:
            reason = f"operation {name}: two operations call the same method at the same endpoint: expected one"
            raise ContractError(reason, ("operations", name))
        calls[call.label] = call
    endpoint_paths = {call.endpoint: call.path for call in calls.values()}
    return RpcContract(api, calls, endpoint_paths, contract, extension.get("after_refusal", {}).get("clause"))


def _call(contract: Contract, operation: Mapping[str, Any]) -> Call:
    """The call that an operation describes. Raises ContractError, without a location."""
    if operation.get("action") != "receive":
        raise ContractError(f"expected the action receive, got {operation.get('action')!r}")
    if "reply" not in operation:
        raise ContractError("it has no reply")
    channel = operation.get("channel", {})
    if not {"address", "x-http"} <= set(channel):
        raise ContractError("its channel has no address or no x-http")
    message, reply = _message(operation), _message(operation["reply"])
    parts = {part: contract.resolve(schema) for part, schema in _parts(contract, message["payload"])}
    methods = parts.get("method", {}).get("enum", [])
    if len(methods) != 1:
        raise ContractError(f"its message should allow one method, not {len(methods)}")
    if not isinstance(methods[0], str):
        raise ContractError(f"its message should allow one method, not {methods[0]!r}")
    if not message.get("examples"):
        raise ContractError("its message has no example")
    if not operation.get("x-clauses"):
        raise ContractError("it names no clause (x-clauses)")
    return Call(
        api=contract.api,
        endpoint=channel["address"],
        path=channel["x-http"],
        method=methods[0],
        summary=operation.get("summary", ""),
        section=next((tag["name"] for tag in operation.get("tags", ())), "general"),
        clauses=tuple(operation["x-clauses"]),
        safe=operation.get("x-safe", False),
        parts=parts,
        required_parts=frozenset(_required(contract, message["payload"])) - set(COMMON_PARTS),
        forbidden_parts=frozenset(part for part, schema in parts.items() if _stays_empty(schema)),
        message_schema=message["payload"],
        reply_schema=reply["payload"],
        reply_clause=reply.get("x-clause", operation["x-clauses"][0]),
        examples=tuple(example["payload"] for example in message["examples"]),
        refusals=operation.get("x-refusals", {}),
        lines=operation.get("x-lines", {}),
        reply_lines=reply.get("x-lines", {}),
        example_lines=lines_of(message, "examples"),
        served_if=served_if(operation.get("x-served-if")),
        form=operation.get("title", ""),
    )


def _with_traits(operation: Mapping[str, Any]) -> dict[str, Any]:
    """The operation merged with its traits, which it overrides (AsyncAPI 3.0, Traits Merge Mechanism)."""
    merged: dict[str, Any] = {}
    for layer in [*operation.get("traits", ()), operation]:
        merged = _patched(merged, layer)
    return merged


def _patched(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7386) of mappings."""
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _patched(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _message(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only message of an operation or a reply, which has to be one of its channel's."""
    messages: Sequence[Mapping[str, Any]] = holder.get("messages", ())
    if len(messages) != 1:
        raise ContractError(f"expected one message each way, got {len(messages)}")
    channel: Mapping[str, Any] = holder.get("channel", {})
    if not any(messages[0] is message for message in channel.get("messages", {}).values()):
        raise ContractError(f"its message is no message of the channel {channel.get('address')}")
    if "payload" not in messages[0]:
        raise ContractError("its message has no payload")
    return messages[0]


def _parts(contract: Contract, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The members of a frame with their schemas; the nearest schema of a member comes last."""
    schema = contract.resolve(schema)
    for inner in schema.get("allOf", ()):
        yield from _parts(contract, inner)
    yield from schema.get("properties", {}).items()


def _required(contract: Contract, schema: Schema) -> Iterator[str]:
    """The names of the members that a frame must have."""
    schema = contract.resolve(schema)
    for inner in schema.get("allOf", ()):
        yield from _required(contract, inner)
    yield from schema.get("required", ())


def _stays_empty(schema: Schema) -> bool:
    """Whether the only valid value of a member is the empty placeholder."""
    return (schema.get("type"), schema.get("maxLength"), schema.get("maxProperties")) in EMPTY
