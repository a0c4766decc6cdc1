"""JSON pointers (RFC 6901) with one addition: `*` stands for every item of an array.

A pointer that leads nowhere yields no value; it never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def reference_tokens(pointer: str) -> list[str]:
    """The pointer's reference tokens, unescaped; the pointer "" to the whole document has none."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def find(document: Any, pointer: str) -> list[Any]:
    """Every value that the pointer leads to, in order."""
    return list(_find(document, reference_tokens(pointer)))


def _find(value: Any, tokens: list[str]) -> Iterator[Any]:
    if not tokens:
        yield value
        return
    token, rest = tokens[0], tokens[1:]
    if isinstance(value, dict) and token in value:
        yield from _find(value[token], rest)
    elif isinstance(value, list) and token == "*":
        for item in value:
            yield from _find(item, rest)
    elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
        yield from _find(value[int(token)], rest)
