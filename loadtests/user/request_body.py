"""Encodes bodies of requests: JSON, forms and multipart forms with files."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]
File = bytes | tuple[str, bytes] | tuple[str, bytes, str]  # content, with its name and media type before and after it
ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # in names within a multipart form (RFC 7578)
UNNAMED, ANY_TYPE = "file", "application/octet-stream"


def encode_body(body: bytes, json: Any, form: Fields | None, files: Mapping[str, File] | None) -> tuple[bytes, str]:
    """The body and its media type, "" for plain bytes; form and files together are a multipart form.

    Raises ValueError for more than one kind of body, TypeError for a value that its kind cannot carry.
    """
    kinds = [kind for kind, given in (("body", body or None), ("json", json), ("form", form)) if given is not None]
    if len(kinds) > 1 or (files is not None and kinds not in ([], ["form"])):
        got = " and ".join([*kinds, *(["files"] if files is not None else [])])
        raise ValueError(f"expected one of body, json and form, or form with files, got {got}")
    if json is not None:
        return orjson.dumps(json), "application/json"
    pairs = list(form.items() if isinstance(form, Mapping) else form or ())
    if files is not None:
        return _multipart(pairs, files)
    if form is not None:
        return urlencode(pairs, doseq=True).encode(), "application/x-www-form-urlencoded"
    if not isinstance(body, bytes):
        raise TypeError(f"expected bytes as body, got {type(body).__name__}; use json= or form= for other values")
    return body, ""


def _multipart(pairs: Iterable[tuple[str, Any]], files: Mapping[str, File]) -> tuple[bytes, str]:
    """A multipart form (RFC 7578)."""
    boundary = secrets.token_hex(16)
    parts = [
        _part(boundary, f'name="{_escaped(name)}"', str(item).encode(), "")
        for name, value in pairs
        for item in (value if isinstance(value, list | tuple) else (value,))
    ]
    for name, file in files.items():
        file_name, content, media_type = _file(name, file)
        parts.append(_part(boundary, f'name="{_escaped(name)}"; filename="{_escaped(file_name)}"', content, media_type))
    return b"".join((*parts, f"--{boundary}--\r\n".encode())), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, content: bytes, media_type: str) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {disposition}"]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"


def _file(name: str, file: File) -> tuple[str, bytes, str]:
    """Name, content and media type of a file. Raises TypeError for another form."""
    parts = (UNNAMED, file) if isinstance(file, bytes) else file
    if not isinstance(parts, tuple) or not 2 <= len(parts) <= 3 or not isinstance(parts[1], bytes):
        raise TypeError(f"files: expected bytes, or (file name, bytes, media type), for {name!r}, got {file!r:.80}")
    media_type = parts[2] if len(parts) == 3 else ANY_TYPE
    return parts[0], parts[1], media_type.translate({13: None, 10: None})


def _escaped(name: str) -> str:
    return name.translate(ESCAPES)
