"""Reads `asyncapi.yaml` into an `Rpc`: every method that may be called at every endpoint, and what answers it.

Rule: AsyncAPI 3.0 as it stands; an operation that is received is a call, its reply the envelope. Traits lie under
their operation, and a frame's parts are gathered from all schemas that hold for it (`allOf`), the nearest one last.
What a document may not lack for that is told by the name of the operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from contracts import HERE, files
from contracts.document import Contract
from contracts.operation import Schema

BESIDE = ("method", "token")  # the parts that every call has
EMPTY = (("string", 0, None), ("object", None, 0))  # type, maxLength and maxProperties of a place that stays empty


@dataclass(frozen=True, eq=False, repr=False)
class Call:
    """One method at one endpoint; `label` is unique within the API (`inventory/device LIST`).

    `path` is the endpoint's over HTTP. `parts` are the schemas of a frame's members by name, without a reference on
    top; `needs` are those that must be there beside method and token, `forbids` those whose place stays empty.
    `message` is the schema of a whole frame, `reply` that of the envelope, whose clause is `reply_clause`; `examples`
    are frames.
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
    needs: frozenset[str]
    forbids: frozenset[str]
    message: Schema
    reply: Schema
    reply_clause: str
    examples: tuple[Mapping[str, Any], ...]
    refusals: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the call is known by."""
        return f"{self.endpoint} {self.method}"

    @property
    def shapes(self) -> dict[str, Schema]:
        """The parts whose members the document shows."""
        return {name: schema for name, schema in self.parts.items() if "properties" in schema}

    @property
    def frame(self) -> Schema:
        """The parts as one object. The token is none of them: who calls is not the call's."""
        parts = {name: schema for name, schema in self.parts.items() if name != "token"}
        return {"type": "object", "properties": parts, "required": ["method", *sorted(self.needs)]}

    @property
    def data(self) -> Schema | None:
        """The shape of its data, None when the document gives it none."""
        return self.shapes.get("data")

    @property
    def parameters(self) -> Schema | None:
        """The shape of its parameters, None when the document gives it none."""
        return self.shapes.get("parameters")

    def __str__(self) -> str:
        return f"{self.api} {self.label}"

    def __repr__(self) -> str:
        return f"<{self}>"


@dataclass(frozen=True, eq=False)
class Rpc:
    """One API's document: calls by label, HTTP paths of endpoints by name, and its shapes as a contract has them.

    `after_refusal` is the clause that a connection stays usable, None when nobody promises it.
    """

    api: str
    calls: Mapping[str, Call]
    endpoints: Mapping[str, str]
    contract: Contract
    after_refusal: str | None = None


@cache
def rpc(api: str) -> Rpc | None:
    """What that API lets one call, read once; None when it has no `asyncapi.yaml`."""
    path = HERE / api / "asyncapi.yaml"
    return from_document(api, files.read(path)) if path.is_file() else None


def from_document(api: str, document: Mapping[str, Any]) -> Rpc:
    """What an AsyncAPI 3.0 document lets one call.

    Raises KeyError for a reference that leads nowhere, ValueError for an operation that is no call with one reply.
    """
    lost = files.dangling(document)
    if lost:
        raise KeyError(f"{api}: {lost[0]} leads nowhere")
    ours = document.get("x-flowproof", {})
    shapes = Contract(api, document, {}, {}, ours.get("error", {}), ours.get("refusals", {}), {})
    found = [_call(shapes, name, entry) for name, entry in document.get("operations", {}).items()]
    calls = {one.label: one for one in found}
    if len(calls) != len(found):
        raise ValueError(f"{api}: two operations call the same method at the same endpoint")
    endpoints = {one.endpoint: one.path for one in found}
    return Rpc(api, calls, endpoints, shapes, ours.get("after_refusal", {}).get("clause"))


def _call(shapes: Contract, name: str, plain: Mapping[str, Any]) -> Call:
    entry = _with_traits(shapes, plain)

    def wrong(why: str) -> ValueError:
        return ValueError(f"{shapes.api}: asyncapi.yaml, operation {name}: {why}")

    if entry.get("action") != "receive":
        raise wrong(f"expected the action receive, got {entry.get('action')!r}")
    if "reply" not in entry:
        raise wrong("it has no reply")
    channel = shapes.resolve(entry["channel"])
    if not {"address", "x-http"} <= set(channel):
        raise wrong("its channel has no address or no x-http")
    try:
        sent, answered = _message(shapes, entry), _message(shapes, shapes.resolve(entry["reply"]))
    except ValueError as error:
        raise wrong(str(error)) from None
    parts = {part: shapes.resolve(schema) for part, schema in _parts(shapes, sent["payload"])}
    methods = parts.get("method", {}).get("enum", [])
    if len(methods) != 1:
        raise wrong(f"its message should allow one method, not {len(methods)}")
    if not sent.get("examples"):
        raise wrong("its message has no example")
    if not entry.get("x-clauses"):
        raise wrong("it names no clause (x-clauses)")
    return Call(
        api=shapes.api,
        endpoint=channel["address"],
        path=channel["x-http"],
        method=methods[0],
        summary=entry.get("summary", ""),
        section=next((tag["name"] for tag in entry.get("tags", ())), "general"),
        clauses=tuple(entry["x-clauses"]),
        safe=entry.get("x-safe", False),
        parts=parts,
        needs=frozenset(_required(shapes, sent["payload"])) - set(BESIDE),
        forbids=frozenset(part for part, schema in parts.items() if _stays_empty(schema)),
        message=sent["payload"],
        reply=answered["payload"],
        reply_clause=answered.get("x-clause", entry["x-clauses"][0]),
        examples=tuple(example["payload"] for example in sent["examples"]),
        refusals=entry.get("x-refusals", {}),
    )


def _with_traits(shapes: Contract, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The operation laid over its traits, member by member (AsyncAPI 3.0, Traits Merge Mechanism)."""
    merged: dict[str, Any] = {}
    for layer in [*(shapes.resolve(trait) for trait in entry.get("traits", ())), entry]:
        merged = _patched(merged, layer)
    return merged


def _patched(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7386) of mappings."""
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _patched(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _message(shapes: Contract, holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """The only message of an operation or a reply, which has to be one of its channel's."""
    references: Sequence[Mapping[str, Any]] = holder.get("messages", ())
    if len(references) != 1:
        raise ValueError(f"expected one message each way, got {len(references)}")
    where, channel = references[0].get("$ref", ""), holder.get("channel", {}).get("$ref", "")
    if not channel or not where.startswith(f"{channel}/messages/"):
        raise ValueError(f"{where} is no message of the channel {channel}")
    found = shapes.resolve(references[0])
    if "payload" not in found:
        raise ValueError(f"{where} has no payload")
    return found


def _parts(shapes: Contract, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The members of a frame with their schemas; the nearest schema of a member comes last."""
    whole = shapes.resolve(schema)
    for one in whole.get("allOf", ()):
        yield from _parts(shapes, one)
    yield from whole.get("properties", {}).items()


def _required(shapes: Contract, schema: Schema) -> Iterator[str]:
    whole = shapes.resolve(schema)
    for one in whole.get("allOf", ()):
        yield from _required(shapes, one)
    yield from whole.get("required", ())


def _stays_empty(schema: Schema) -> bool:
    """Whether a member may be no more than the placeholder of what is not needed."""
    return (schema.get("type"), schema.get("maxLength"), schema.get("maxProperties")) in EMPTY
