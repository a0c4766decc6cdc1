"""The form of a text: what it is written like, without what it says.

Rule: free text absorbs every other form, since a name may look like a number by chance; a form is kept only where no
text at its address is free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

FREE = "text"
ESCAPED = "escaped text"
FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("empty", re.compile(r"")),
    ("true or false", re.compile(r"true|false", re.IGNORECASE)),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("time", re.compile(r"\d{2}:\d{2}(?::\d{2})?")),
    ("uuid lower case", re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("uuid upper case", re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")),
    ("uuid", re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")),
    ("digits", re.compile(r"-?\d+")),
    ("number", re.compile(r"-?\d+[.,]\d+")),
    ("hexadecimal", re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{16,}")),
    ("mail address", re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")),
    ("HTTP date", re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")),
    ("markup", re.compile(r"<[!?a-zA-Z].*>", re.DOTALL)),
)
DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}(?P<separator>[T ])\d{2}:\d{2}(?::\d{2}(?:[.,](?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s]+")
RELATIVE_URL = re.compile(r"/[^\s/][^\s]*|\?[^\s=]+=[^\s]*")
ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);")


def form_of(text: str, host: str = "") -> str:
    """The form of a text; `host`, with its port, is that of the target, whose URLs differ from those of others."""
    if ENTITY.search(text):
        return ESCAPED
    for form, pattern in FORMS:
        if pattern.fullmatch(text):
            return form
    if moment := DATE_TIME.fullmatch(text):
        return _date_time(moment)
    if URL.fullmatch(text):
        return _absolute_url(text, host)
    return "relative URL" if RELATIVE_URL.fullmatch(text) else FREE


def joined_forms(forms: Iterable[str]) -> str:
    """The forms seen at an address in one text, sorted; where a text is free, only whether others are escaped."""
    distinct = set(forms)
    if FREE in distinct:
        distinct &= {FREE, ESCAPED}
    return " or ".join(sorted(distinct))


def _date_time(moment: re.Match[str]) -> str:
    zone = "Z" if moment["zone"] == "Z" else "offset" if moment["zone"] else "without zone"
    fraction = f" {len(moment['fraction'])} digits" if moment["fraction"] else ""
    return f"date-time{' with blank' if moment['separator'] == ' ' else ''} {zone}{fraction}"


def _absolute_url(text: str, host: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return FREE
    elsewhere = " of another host" if host and parts.netloc.lower() != host.lower() else ""
    return f"absolute {parts.scheme.lower()} URL{elsewhere}"
