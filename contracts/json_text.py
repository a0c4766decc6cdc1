"""Reads JSON that somebody else has written: strictly, and never deeper than everything that judges it can go."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_LEVELS = 200  # arrays and objects within each other; Python itself gives up at about 1,000
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = b"[]{}"
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


def read_json(text: bytes) -> Any:
    """The JSON text as a value; raises ValueError for anything else (RFC 8259, so no NaN; UTF-8 only).

    A text of more than MAX_LEVELS levels is refused too: RFC 8259 lets a reader limit them (section 9).
    """
    decoded = text.decode()
    if is_too_deep(text):
        raise ValueError(f"it is not JSON within {MAX_LEVELS} levels")
    return json.loads(decoded, parse_constant=_no_constant)


def is_too_deep(text: bytes) -> bool:
    """Whether a JSON text has more than MAX_LEVELS arrays and objects within each other."""
    if text.count(b"[") + text.count(b"{") <= MAX_LEVELS:
        return False
    return not _collapses(text.translate(None, _OTHERS)) and _levels(text) > MAX_LEVELS


def _collapses(brackets: bytes) -> bool:
    """Whether taking away the innermost pairs leaves nothing within MAX_LEVELS steps."""
    for _ in range(MAX_LEVELS):
        outer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not outer or len(outer) == len(brackets):
            return not outer
        brackets = outer
    return False


def _levels(text: bytes) -> int:
    depth = deepest = 0
    for bracket in _STRING.sub(b"", text).translate(None, _OTHERS):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
