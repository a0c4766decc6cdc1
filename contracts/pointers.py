"""JSON pointers (RFC 6901) with one addition: `*` stands for every item of an array.

Rule: a pointer that leads nowhere finds nothing; it never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def parts(pointer: str) -> list[str]:
    """The pointer's reference tokens, unescaped; "" is the whole document."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def find(document: Any, pointer: str) -> list[Any]:
    """Every value that the pointer leads to, in order."""
    return list(_find(document, parts(pointer)))


def _find(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    head, rest = path[0], path[1:]
    if isinstance(value, dict) and head in value:
        yield from _find(value[head], rest)
    elif isinstance(value, list) and head == "*":
        for item in value:
            yield from _find(item, rest)
    elif isinstance(value, list) and head.isdecimal() and int(head) < len(value):
        yield from _find(value[int(head)], rest)
