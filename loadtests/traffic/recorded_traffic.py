"""Recorded requests in the order in which they were sent, and which of them use values that earlier responses gave.

Rule: a value is taken for an id that a response gave if it is a member whose name says so, and if it is a whole segment
of a later path, a whole value of a later query, or a whole value in a later JSON body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

ID_NAME = re.compile(r"id|uuid|guid|key|.*(?:_id|Id|ID|_uuid|Uuid|_key)")
NUMBER = re.compile(r"[0-9]+")
OPAQUE = re.compile(r"(?=.*[0-9])[0-9A-Za-z_~.%-]{20,}")  # a UUID, a hash, a token

Pointer = tuple[str | int, ...]  # where a value is in a JSON body


class Source(NamedTuple):
    """The value at that place in the response to request number `request`."""

    request: int
    pointer: Pointer


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it was recorded. at: seconds since the first one. client: who sent it, "" if unknown.

    target: path and query. status: of its response, 0 if unknown; response: its body as JSON, None for another one.
    ids: values in the request that earlier responses gave, with their sources.
    """

    at: float
    client: str
    method: str
    target: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    response: Any = None
    ids: Mapping[str, Source] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Method and path, with a placeholder for each segment that is a number, opaque, or an id of a response."""
        path = self.target.partition("?")[0]
        segments = ("{id}" if self._is_id(segment) else segment for segment in path.split("/"))
        return f"{self.method} {'/'.join(segments)}"

    def _is_id(self, segment: str) -> bool:
        return bool(NUMBER.fullmatch(segment) or OPAQUE.fullmatch(segment) or unquote(segment) in self.ids)


def with_ids(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    """The requests in the order of their times, from second 0 on, each with the ids that it uses."""
    ordered = sorted(requests, key=lambda request: request.at)
    first = ordered[0].at if ordered else 0.0
    sources: dict[tuple[str, str], Source] = {}  # by client and value
    linked = []
    for number, request in enumerate(ordered):
        used = {
            value: sources[request.client, value] for value in _values(request) if (request.client, value) in sources
        }
        linked.append(replace(request, at=request.at - first, ids=used))
        for pointer, value in _ids_in(request.response, ()):
            sources.setdefault((request.client, value), Source(number, pointer))
    return linked


def value_at(content: Any, pointer: Pointer) -> str | None:
    """The id at that place of a JSON body, None if it has none there."""
    for step in pointer:
        try:
            content = content[step]
        except (LookupError, TypeError):
            return None
    return str(content) if _is_id_value(content) else None


def replaced(text: str, ids: Mapping[str, str]) -> str:
    """A path with query in which each segment and each value of the query that is one of these ids is another one."""
    path, question, query = text.partition("?")
    ids = {value: quote(new, safe="") for value, new in ids.items()}
    segments = [ids.get(unquote(segment), segment) for segment in path.split("/")]
    pairs = [pair.partition("=") for pair in query.split("&")]
    changed = [f"{name}{equals}{ids.get(unquote_plus(value), value)}" for name, equals, value in pairs]
    return "/".join(segments) + question + "&".join(changed)


def replaced_body(body: bytes, ids: Mapping[str, str]) -> bytes:
    """A JSON body in which each value that is one of these ids is another one; other bodies stay as they are."""
    if not ids:
        return body
    try:
        content = json.loads(body)
    except ValueError:
        return body
    return json.dumps(_replaced_in(content, ids), separators=(",", ":")).encode()


def _replaced_in(content: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(content, dict):
        return {name: _replaced_in(value, ids) for name, value in content.items()}
    if isinstance(content, list):
        return [_replaced_in(value, ids) for value in content]
    if not _is_id_value(content) or str(content) not in ids:
        return content
    new = ids[str(content)]
    return int(new) if isinstance(content, int) and NUMBER.fullmatch(new) else new


def _values(request: RecordedRequest) -> Iterator[str]:
    """Every value of a request that may be an id."""
    path, _, query = request.target.partition("?")
    yield from (unquote(segment) for segment in path.split("/") if segment)
    yield from (unquote_plus(pair.partition("=")[2]) for pair in query.split("&") if "=" in pair)
    try:
        yield from _scalars(json.loads(request.body))
    except ValueError:
        return


def _scalars(content: Any) -> Iterator[str]:
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from _scalars(value)
    elif _is_id_value(content):
        yield str(content)


def _ids_in(content: Any, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    """Where a body has values whose names say that they are ids."""
    if isinstance(content, dict):
        for name, value in content.items():
            if _is_id_value(value) and ID_NAME.fullmatch(name):
                yield (*pointer, name), str(value)
            else:
                yield from _ids_in(value, (*pointer, name))
    elif isinstance(content, list):
        for index, value in enumerate(content):
            yield from _ids_in(value, (*pointer, index))


def _is_id_value(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or (isinstance(value, int) and not isinstance(value, bool))
