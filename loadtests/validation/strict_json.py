"""Parses JSON as fast as orjson, and refuses what only a slower parser can decide: objects with a repeated name.

orjson takes the last of two members with the same name. Written again, its value lacks the other, and so a colon.
"""

from __future__ import annotations

from typing import Any

import orjson

from contracts.json_text import MAX_VALUES, require_judgeable

ESCAPED_COLON = b"\\u003"  # begins a colon in a string that is written as an escape


def parse_strictly(body: bytes) -> Any:
    """The value in `body`.

    Raises ValueError for what is no JSON or too large to be judged, and where a repeated name cannot be ruled out.
    """
    if len(body) > MAX_VALUES:
        require_judgeable(body)
    value = orjson.loads(body)
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError as error:  # it writes fewer levels than it reads
        raise ValueError(str(error)) from None
    if written != body and (written.count(b":") != body.count(b":") or (b"\\" in body and ESCAPED_COLON in body)):
        raise ValueError("a name may be repeated")
    return value
