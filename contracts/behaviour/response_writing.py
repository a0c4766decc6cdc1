"""How responses are written that say the same to every parser: names of headers, framing, layout and escapes of JSON.

Rule: letters count that a server escapes all or none of; what the bodies do not have says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from contracts.behaviour.header_facts import LEFT_OUT
from contracts.behaviour.response_outcome import is_json_type
from contracts.exchange import Response

LETTER = re.compile(rb"[\xc3-\xdf][\x80-\xbf]")  # U+00C0 to U+07FF in UTF-8
ESCAPED_LETTER = re.compile(rb"(?<!\\)(?:\\\\)*\\u0(?:0[c-f]|[1-7][0-9a-f])[0-9a-f]", re.IGNORECASE)  # the same ones
FRACTION = re.compile(rb"[:\[,]\s*-?\d+(?:\.\d+|[eE])")
EXPONENT = re.compile(rb"[:\[,]\s*-?\d+(?:\.\d+)?[eE][+-]?\d")
NUMBERS = "JSON numbers"
ESCAPED_SLASH = re.compile(rb"(?<!\\)(?:\\\\)*\\/")


def response_writing(responses: Sequence[Response]) -> Iterator[tuple[str, str]]:
    """Yield (place, value) for what these responses show."""
    bodies = [response.body.strip() for response in responses if is_json_type(response) and response.body]
    if bodies:
        yield "JSON layout", "several lines" if any(b"\n" in body for body in bodies) else "one line"
    if any(map(ESCAPED_LETTER.search, bodies)):
        yield "JSON letters", "escaped"
    elif any(map(LETTER.search, bodies)):
        yield "JSON letters", "as they are"
    if any(map(ESCAPED_SLASH.search, bodies)):
        yield "JSON slashes", "escaped"
    elif any(b"/" in body for body in bodies):
        yield "JSON slashes", "as they are"
    if any(map(EXPONENT.search, bodies)):
        yield NUMBERS, "with exponents"
    elif any(map(FRACTION.search, bodies)):
        yield NUMBERS, "without exponents"
    names = {name for response in responses for name, _ in response.headers if name.lower() not in LEFT_OUT}
    if names:
        yield "header names", " or ".join(sorted(set(map(_case, names))))
    if with_body := [response for response in responses if response.body]:
        chunked = any("chunked" in (response.header("transfer-encoding") or "").lower() for response in with_body)
        yield "framing", "chunked" if chunked else "not chunked"


def _case(name: str) -> str:
    return "lower case" if name.islower() else "upper case" if name.isupper() else "mixed case"
