"""Templates of requests: the bytes of a case, with placeholders where each request has a value of its own.

Rule: the bytes are those of `fixtures.cases.render_request` and `fixtures.http1.request_writer.encode_request`, split
once at texts that stood for values. Requests are created by filling these placeholders, so there is no second renderer
that could differ from the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from contracts.errors import UsageError
from contracts.openapi import Contract
from contracts.operation import Operation
from fixtures.cases import FORM, Case, parameter_text, render_request
from fixtures.corpus.builder import with_field
from fixtures.corpus.request_fields import RequestField, request_fields
from fixtures.http1 import request_writer

BODY_NAME = "body"  # the name of a value that replaces the whole body
# letters and digits survive all escaping; JSON puts quotes around them
PLACEHOLDER = re.compile(rb'(%22|"|)zq7mark(\d+)kram7qz\1')
CONTENT_TYPE = re.compile(rb"\r\nContent-Type: ([^\r;]*)", re.IGNORECASE)
CONTENT_LENGTH = re.compile(rb"(\r\nContent-Length: )\d+")

Encoder = Callable[[Any], bytes]
Source = Mapping[str, Any]  # an `x-known`: the source of a value that only the target, or this run, knows


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A request with placeholders.

    head, body: formats of bytes; a body without placeholders is part of `head`, and `body` is None then.
    placeholders: the name of a value, or the source of one that the target knows, in the order of the bytes.
    encoders: for each placeholder, the function that turns a value into bytes.
    head_count: how many placeholders are in `head`; length_index: position of Content-Length among them.
    """

    head: bytes
    body: bytes | None
    placeholders: tuple[str | Source, ...]
    encoders: tuple[Encoder, ...]
    head_count: int
    length_index: int

    def fill(self, values: Sequence[Any]) -> bytes:
        """The request with these values, in the order of `placeholders`."""
        encoded: list[Any] = [encode(value) for encode, value in zip(self.encoders, values, strict=True)]
        if self.body is None:
            return self.head % tuple(encoded)
        body = self.body % tuple(encoded[self.head_count :])
        del encoded[self.head_count :]
        encoded.insert(self.length_index, len(body))
        return self.head % tuple(encoded) + body


class Placeholders(list[str | Source]):
    """The names and sources that the placeholders of one template stand for, in the order in which they were added."""

    def __init__(self, settings: Mapping[str, str], server: int = 0) -> None:
        super().__init__()
        self._settings, self._server = settings, server

    def add(self, source: str | Source) -> str:
        """A text that stands for that value until the template is split there."""
        self.append(source)
        return f"zq7mark{len(self) - 1}kram7qz"

    def resolve(self, source: Source) -> Any:
        """What to render for an `x-known`: a setting, or a placeholder. Raises KeyError for a missing setting."""
        if "setting" not in source:
            return self.add({**source, "server": self._server})
        value = self._settings[source["setting"].upper()]
        return int(value) if source.get("type") == "integer" else value


def request_template(
    contract: Contract,
    operation: Operation,
    case: Case,
    url: str,
    settings: Mapping[str, str],
    names: Sequence[str] = (),
    deploy: Callable[[bytes], bytes] | None = None,
) -> RequestTemplate:
    """The case for the target at `url`, with a placeholder for each of `names`, and for each value the target knows.

    A name is that of a setting (in capitals, such as TOKEN for another account's), of a parameter (`-` may be `_`), of
    the outermost member of the body that has it, or "body" for the whole body. Raises UsageError for a name that the
    operation does not know, KeyError for a missing setting, ValueError for what HTTP cannot carry. `deploy` translates
    the bytes for a target that departs from its document.
    """
    placeholders = Placeholders(settings, operation.server)
    for name in names:
        if name in settings:
            settings = {**settings, name: placeholders.add(name)}
        else:
            case = with_named_value(contract, operation, case, name, placeholders.add(name))
    data = request_writer.encode_request(render_request(contract, operation, case, url, settings, placeholders.resolve))
    deployed = deploy(data) if deploy else data
    head, blank, body = deployed.partition(b"\r\n\r\n")
    is_form = operation.body is not None and operation.body.media_type == FORM  # whatever media type the case declares
    if (content_type := _content_type(deployed)) != _content_type(data):
        is_form = content_type == FORM.encode()
    return split_request(head + blank, body, placeholders, is_form)


def _content_type(data: bytes) -> bytes:
    match = CONTENT_TYPE.search(data.partition(b"\r\n\r\n")[0])
    return match[1].lower() if match else b""


def value_names(contract: Contract, operation: Operation) -> list[str]:
    """The names under which a value can be put into a request of that operation, apart from settings."""
    names = [parameter.name for parameter in operation.parameters]
    names += [field.name for field in _body_fields(contract, operation)]
    return list(dict.fromkeys([*names, *([BODY_NAME] if operation.body else [])]))


def _body_fields(contract: Contract, operation: Operation) -> list[RequestField]:
    return [field for field in request_fields(contract, operation) if field.location == "body"]


def with_named_value(contract: Contract, operation: Operation, case: Case, name: str, value: Any) -> Case:
    """The case with that value under that name, as `request_template` understands names. Raises UsageError."""
    for parameter in operation.parameters:
        if name in (parameter.name, parameter.name.replace("-", "_")):
            return case.with_parameter(parameter.location, parameter.name, value)
    fields = [field for field in _body_fields(contract, operation) if field.name == name]
    if fields:
        return with_field(case, min(fields, key=lambda field: len(field.path)), value)
    if name == BODY_NAME and operation.body:
        return replace(case, body=value, has_body=True)
    known = ", ".join(value_names(contract, operation))
    raise UsageError(f"{operation} has no {name!r}; expected one of {known or 'no names'}")


def split_request(head: bytes, body: bytes, placeholders: Sequence[str | Source], is_form: bool) -> RequestTemplate:
    """The request split at its placeholder texts; `placeholders` says which name or source each stands for."""
    occurrences: list[tuple[str | Source, Encoder]] = []

    def replacement(match: re.Match[bytes], encoders: Mapping[bytes, Encoder]) -> bytes:
        occurrences.append((placeholders[int(match[2])], encoders[match[1]]))
        return b"%b"

    line, *rest = head.replace(b"%", b"%%").split(b"\r\n", 1)
    line = PLACEHOLDER_IN_URL.sub(lambda match: replacement(match, IN_URL), line)
    in_line = len(occurrences)
    fields = PLACEHOLDER.sub(lambda match: replacement(match, IN_HEADER), rest[0])
    in_head = len(occurrences)
    in_body = IN_FORM if is_form else IN_JSON
    content = PLACEHOLDER.sub(lambda match: replacement(match, in_body), body.replace(b"%", b"%%"))
    names, encoders = tuple(name for name, _ in occurrences), tuple(encoder for _, encoder in occurrences)
    if len(occurrences) == in_head:
        return RequestTemplate(line + b"\r\n" + fields + content, None, names, encoders, in_head, 0)
    fields = b"\r\n" + fields  # Content-Length comes right after Host, before every header of the case
    head_format = line + CONTENT_LENGTH.sub(rb"\1%d", fields, count=1)
    return RequestTemplate(head_format, content, names, encoders, in_head, in_line)


def message_template(message: bytes, placeholders: Sequence[str | Source]) -> RequestTemplate:
    """A JSON message split at its placeholder texts."""
    occurrences: list[tuple[str | Source, Encoder]] = []

    def replacement(match: re.Match[bytes]) -> bytes:
        occurrences.append((placeholders[int(match[2])], IN_JSON[match[1]]))
        return b"%b"

    head = PLACEHOLDER.sub(replacement, message.replace(b"%", b"%%"))
    return RequestTemplate(
        head,
        None,
        tuple(name for name, _ in occurrences),
        tuple(encoder for _, encoder in occurrences),
        len(occurrences),
        0,
    )


PLACEHOLDER_IN_URL = re.compile(PLACEHOLDER.pattern.replace(b"%22", b"%%22"))  # where `%` is doubled
_compact = json.JSONEncoder(separators=(",", ":")).encode
_encode = json.JSONEncoder(ensure_ascii=False).encode  # as `fixtures.cases.encode`
_encode_text = json.encoder.encode_basestring  # what that is for a str


def _encode_url(value: Any) -> bytes:
    if type(value) is int:
        return b"%d" % value
    text = value if type(value) is str else parameter_text(None, value)
    return (text if text.isalnum() and text.isascii() else quote(text, safe="")).encode()


def _encode_url_json(value: Any) -> bytes:
    return quote(_compact(value), safe="").encode()


def _encode_header(value: Any) -> bytes:
    """Percent-encodes a value that no header can carry, which only a faulty server gives out."""
    text = parameter_text(None, value)
    return text.encode("latin-1") if request_writer.FIELD_VALUE.fullmatch(text) else quote(text).encode()


def _encode_header_json(value: Any) -> bytes:
    return _compact(value).encode()


def _encode_json(value: Any) -> bytes:
    if type(value) is str:
        return _encode_text(value).encode()
    return b"%d" % value if type(value) is int else _encode(value).encode()


def _encode_form(value: Any) -> bytes:
    return quote_plus(parameter_text(None, value)).encode()


def _encode_form_body(value: Mapping[str, Any]) -> bytes:
    return urlencode({name: parameter_text(None, item) for name, item in value.items()}).encode()


IN_URL: Mapping[bytes, Encoder] = {b"": _encode_url, b"%%22": _encode_url_json}
IN_HEADER: Mapping[bytes, Encoder] = {b"": _encode_header, b'"': _encode_header_json}
IN_JSON: Mapping[bytes, Encoder] = {b'"': _encode_json}
IN_FORM: Mapping[bytes, Encoder] = {b"": _encode_form, b'"': _encode_form_body}
