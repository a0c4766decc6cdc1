"""The same request written otherwise: JSON (RFC 8259), a query or a form (RFC 3986, 2.3) that means the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from contracts.exchange import Request
from fixtures.cases import FORM

ENCODED = re.compile(r"%[0-9A-F]{2}")
UNRESERVED = re.compile(r"%[0-9A-Fa-f]{2}|[A-Za-z0-9]")  # what is encoded stays as it is


def _json(request: Request) -> Any:
    """The JSON object or array of a request, None if it has none."""
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _is_form(request: Request) -> bool:
    types = [value for name, value in request.headers if name.lower() == "content-type"]
    return bool(types) and types[0].partition(";")[0].strip().lower() == FORM


def members_reversed(request: Request) -> Request:
    """Members of JSON objects in the opposite order."""
    return _with_json(request, lambda value: json.dumps(_reversed(value)))


def spaced_out(request: Request) -> Request:
    """White space before, within and behind the JSON."""
    return _with_json(request, lambda value: f"\r\n\t {json.dumps(value, indent=3, separators=(' , ', ' : '))} \n")


def letters_escaped(request: Request) -> Request:
    """Every letter and digit of a JSON string as an escape, beyond the basic plane as a surrogate pair."""
    return _with_json(request, lambda value: _written(value, text=_escaped_text))


def numbers_with_exponents(request: Request) -> Request:
    """Every number with a fraction by an exponent; a whole one might be no integer any more."""
    return _with_json(request, lambda value: _written(value, fraction=lambda number: f"{Decimal(repr(number)):E}"))


def parameters_reversed(request: Request) -> Request:
    """The parameters of the query, and of a form, in the opposite order."""
    return _with_pairs(request, lambda pairs: pairs[::-1])


def letters_encoded(request: Request) -> Request:
    """Letters and digits in names and values of the query, and of a form, percent-encoded."""
    return _with_pairs(request, lambda pairs: [UNRESERVED.sub(_encoded, pair) for pair in pairs])


def hexadecimal_in_lower_case(request: Request) -> Request:
    """Percent-encoded characters of the query, and of a form, with digits in lower case (RFC 3986, 2.1)."""
    return _with_pairs(request, lambda pairs: [ENCODED.sub(lambda match: match[0].lower(), pair) for pair in pairs])


def spaces_percent_encoded(request: Request) -> Request:
    """Spaces of a form as %20 in place of a plus sign, or the other way round."""
    if not _is_form(request):
        return request
    swapped = {"+": "%20", "%20": "+"}
    text = re.sub(r"\+|%20", lambda match: swapped[match[0]], request.body.decode())
    return replace(request, body=text.encode())


SPELLINGS: dict[str, Callable[[Request], Request]] = {
    "members in the opposite order": members_reversed,
    "white space in its JSON": spaced_out,
    "letters of its JSON as escapes": letters_escaped,
    "exponents in the numbers of its JSON": numbers_with_exponents,
    "parameters in the opposite order": parameters_reversed,
    "letters of its parameters percent-encoded": letters_encoded,
    "hexadecimal digits of its parameters in lower case": hexadecimal_in_lower_case,
    "spaces of its form encoded otherwise": spaces_percent_encoded,
}


def _with_json(request: Request, write: Callable[[Any], str]) -> Request:
    value = _json(request)
    return request if value is None else replace(request, body=write(value).encode())


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _escaped_text(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)) + '"'


def _written(value: Any, text: Callable[[str], str] = json.dumps, fraction: Callable[[float], str] = repr) -> str:
    """The value as JSON with each text, and each number with a fraction, as these functions write it."""
    if isinstance(value, dict):
        members = (f"{text(name)}:{_written(item, text, fraction)}" for name, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item, text, fraction) for item in value) + "]"
    if isinstance(value, float):
        return fraction(value)
    return text(value) if isinstance(value, str) else json.dumps(value)


def _with_pairs(request: Request, change: Callable[[list[str]], list[str]]) -> Request:
    address, mark, query = request.url.partition("?")
    url = address + mark + "&".join(change(query.split("&"))) if query else request.url
    if not _is_form(request):
        return replace(request, url=url)
    return replace(request, url=url, body="&".join(change(request.body.decode().split("&"))).encode())


def _encoded(match: re.Match[str]) -> str:
    text = match[0]
    return text if text.startswith("%") else f"%{ord(text):02X}"
