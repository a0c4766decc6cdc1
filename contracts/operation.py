"""The data model of an operation, after the document's references, servers and calls are resolved.

These are plain values; no code that needs an operation reads the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
TEMPLATE_EXPRESSION = re.compile(r"\{[^}]*\}")  # such as {id} in a path (OpenAPI 3.1, 4.8.8.2)


@dataclass(frozen=True)
class Parameter:
    """`location` is query, header or path; `media_type` is set when the value is a document of that type."""

    name: str
    location: str
    required: bool
    schema: Schema
    media_type: str | None = None
    example: Any = None
    refusals: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value_source(self) -> Mapping[str, Any] | None:
        """Where to get a value that exists at the target (`x-known`), None when any valid value will do."""
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
        return documented_examples(self.content[self.media_type])


@dataclass(frozen=True)
class DocumentedResponse:
    """What is documented for a status: media types with schemas, headers, and links to other operations."""

    status: str
    content: Mapping[str, Mapping[str, Any]]
    headers: Mapping[str, Mapping[str, Any]]
    links: Mapping[str, Mapping[str, Any]]
    clause: str | None = None
    lines: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServedIf:
    """The reading that leaves open whether a target serves what the document does not have (`x-served-if`).

    `meanings` are those of targets that serve it.
    """

    reading: str
    meanings: tuple[str, ...]


def served_if(entry: Mapping[str, Any] | None) -> ServedIf | None:
    """What `x-served-if` says, None for an operation without it."""
    return ServedIf(entry["reading"], tuple(entry["meanings"])) if entry else None


@dataclass(frozen=True, eq=False, repr=False)
class Operation:
    """One request that a client can make, at one server.

    `label` is unique within the API (`GET /v2/tasks`); `id` is the document's operationId, with the call's name
    behind it where one operation carries several calls; `base_headers` go with every request to its server. `lines`
    (`x-lines`) are those of the document that bear its keywords; `path` stands for method and path. `served_if` is None
    for what every target has to serve.
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
    responses: Mapping[str, DocumentedResponse]
    security: tuple[Mapping[str, Any], ...]
    base_headers: Mapping[str, str]
    refusals: Mapping[str, Any]
    lines: Mapping[str, Any] = field(default_factory=dict)
    served_if: ServedIf | None = None

    def __repr__(self) -> str:
        return f"{self.api} {self.label}"  # not its members: Allure writes what a test is about into each result

    def response_for(self, status: int) -> DocumentedResponse | None:
        """The documented response to that status: exact, then its class, then `default` (OpenAPI 3.1, 4.8.16)."""
        return next(
            (self.responses[key] for key in (str(status), f"{status // 100}XX", "default") if key in self.responses),
            None,
        )

    @property
    def path_lines(self) -> str:
        """The lines of the document that bear method and path, "" for none."""
        return str(self.lines.get("path", ""))

    @property
    def needs_credentials(self) -> bool:
        """Whether every alternative of its security requirements needs credentials."""
        return bool(self.security) and all(self.security)


def documented_examples(media: Mapping[str, Any]) -> list[Any]:
    """All documented examples of a media type object, parameter or header."""
    named = [entry["value"] for entry in media.get("examples", {}).values() if "value" in entry]
    return [media["example"], *named] if "example" in media else named
