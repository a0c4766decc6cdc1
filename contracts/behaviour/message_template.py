"""The wording of an error message, without what is about one request, record or person.

Rule: numbers, quoted parts, addresses, ids and whatever the request itself sent are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from contracts.exchange import Request

NAMES = ("message", "error_description", "description", "detail", "details", "title", "error", "reason", "msg")
MAX_MESSAGE = 200  # characters
MAX_SOUGHT = 4  # objects and arrays within each other in which a message is looked for
SHORTEST_SENT = 3  # characters of a sent value that is replaced
CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-\[\]]{0,63}|-?\d{1,6}")
REPLACED = re.compile(
    r"""[^\s"'<>]+@[^\s"'<>]+|[a-zA-Z]+://\S+|"[^"]*"|'[^']*'|`[^`]*`|“[^”]*”|«[^»]*»"""
    r"""|\b[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}\b|\b[0-9A-Fa-f]{16,}\b|\d+(?:[.,:]\d+)*"""
)
MARK = "…"


def is_code(value: Any) -> bool:
    """Whether a value is written like the code of an error or the name of a member."""
    return not isinstance(value, bool) and isinstance(value, str | int) and bool(CODE.fullmatch(str(value)))


def message_template(request: Request, body: Any) -> str:
    """The first message in the JSON of a refusal, with a mark for what is about the request; "" without any."""
    message = next(_messages(body, 0), "")
    for value in sorted(set(_sent_values(request)), key=len, reverse=True):
        message = message.replace(value, MARK)
    template = re.sub(rf"{MARK}(?:\s*{MARK})*", MARK, REPLACED.sub(MARK, message))
    return " ".join(template.split())[:MAX_MESSAGE]


def _messages(value: Any, depth: int) -> Iterator[str]:
    if depth > MAX_SOUGHT:
        return
    if isinstance(value, dict):
        for name in NAMES:
            text = value.get(name)
            if isinstance(text, str) and text and (" " in text or name == "message"):
                yield text
        for member in value.values():
            yield from _messages(member, depth + 1)
    elif isinstance(value, list):
        for item in value[:3]:
            yield from _messages(item, depth + 1)


def _sent_values(request: Request) -> Iterator[str]:
    """The texts that a request sends as values: of its query, its path, its body and its own headers."""
    parts = urlsplit(request.url)
    values = [value for _, value in parse_qsl(parts.query, keep_blank_values=True)]
    values += [unquote(segment) for segment in parts.path.split("/") if any(map(str.isdigit, segment))]
    values += [value for _, value in request.headers]
    values += _words(request.body[:10_000].decode(errors="replace"))
    return (value for value in values if len(value) >= SHORTEST_SENT)


def _words(body: str) -> Iterable[str]:
    """The values in a body, be it JSON or a form."""
    if body[:1] in ("{", "["):
        return (value for value in re.findall(r':\s*"((?:[^"\\]|\\.)+)"', body))
    return (value for _, value in parse_qsl(body))
