"""What an operation is, once the document's references, servers and calls are resolved.

Rule: plain values; whoever needs an operation reads these and never the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """`place` is query, header or path; `media_type` is set when the value travels as a document of that type."""

    name: str
    place: str
    required: bool
    schema: Schema
    media_type: str | None = None
    example: Any = None
    refusals: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> Mapping[str, Any] | None:
        """Where a value comes from that exists at the target, or None when any valid value does."""
        return self.schema.get("x-known")


@dataclass(frozen=True)
class Body:
    """A request body: the schema and example of each media type, the first one preferred."""

    required: bool
    content: Mapping[str, Mapping[str, Any]]

    @property
    def media_type(self) -> str:
        """The preferred media type."""
        return next(iter(self.content))

    @property
    def schema(self) -> Schema:
        """The schema of the preferred media type."""
        schema: Schema = self.content[self.media_type].get("schema", {})
        return schema

    def examples(self) -> list[Any]:
        """The documented examples of the preferred media type."""
        return examples(self.content[self.media_type])


@dataclass(frozen=True)
class Response:
    """What is documented for a status: media types with schemas, headers, and links to other operations."""

    status: str
    content: Mapping[str, Mapping[str, Any]]
    headers: Mapping[str, Mapping[str, Any]]
    links: Mapping[str, Mapping[str, Any]]
    clause: str | None = None


@dataclass(frozen=True, eq=False)
class Operation:
    """One thing that a client can ask for.

    `label` is unique within the API (`GET /v2/tasks`); `id` is the document's operationId, with the call's name
    behind it where one operation carries several calls; `base_headers` go with every request to its server.
    """

    api: str
    id: str
    label: str
    method: str
    path: str
    server: int
    summary: str
    section: str
    clauses: tuple[str, ...]
    safe: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[str, Response]
    security: tuple[Mapping[str, Any], ...]
    base_headers: Mapping[str, str]
    refusals: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.api} {self.label}"

    def response(self, status: int) -> Response | None:
        """The documented response to that status: exact, then its class, then `default` (OpenAPI 3.1, 4.8.16)."""
        return next(
            (self.responses[key] for key in (str(status), f"{status // 100}XX", "default") if key in self.responses),
            None,
        )

    @property
    def needs_credentials(self) -> bool:
        """Whether no alternative of its security lets anybody in."""
        return bool(self.security) and all(self.security)


def examples(media: Mapping[str, Any]) -> list[Any]:
    """All documented examples of a media type object, parameter or header."""
    found = [entry["value"] for entry in media.get("examples", {}).values() if "value" in entry]
    return [media["example"], *found] if "example" in media else found
