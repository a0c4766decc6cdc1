"""Writes nested data as YAML: the same bytes for the same data, one line for each innermost mapping or text.

PyYAML's own writer breaks long lines where a word more or less moves all that follows, and takes seconds for a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import yaml

PLAIN_IN_BLOCK = re.compile(r"[A-Za-z0-9_/.+](?:[^\s:#]|:(?=[^\s])| (?=[^\s#]))*")
PLAIN = re.compile(r"[A-Za-z0-9_/.+](?:[A-Za-z0-9_/.+*~=()%-]| (?=[A-Za-z0-9_/.+*~=()%]))*")
NO_TEXT = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|[-+.\d][\d._eE+:xo-]*|\.nan|\.inf)", re.IGNORECASE)
STATUS = re.compile(r"[1-9]\d*")  # written as it is, though YAML would call it a number


@lru_cache(maxsize=16384)
def scalar(text: str, in_flow: bool = False) -> str:
    """A text on one line, in quotes where YAML needs them: more often within brackets."""
    plain = PLAIN if in_flow else PLAIN_IN_BLOCK
    if plain.fullmatch(text) and text.isprintable() and (STATUS.fullmatch(text) or not NO_TEXT.fullmatch(text)):
        return text
    if text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return str(quoted).rstrip("\n")


def flow(value: Any) -> str:
    """Data on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name, True)}: {flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, True)


def block(value: Mapping[str, Any], inline: int, depth: int = 0) -> Iterator[str]:
    """Lines of a mapping; mappings and lists from the depth `inline` on are on one line, and so are mappings of
    lists with one text in all.
    """
    for name, inner in value.items():
        key = f"{'  ' * depth}{scalar(name)}:"
        if isinstance(inner, Mapping) and inner and depth + 1 < inline and not _is_short(inner):
            yield key
            yield from block(inner, inline, depth + 1)
        elif isinstance(inner, list) and inner and depth + 1 < inline:
            yield key
            yield from (f"{'  ' * depth}- {scalar(item)}" for item in inner)
        elif isinstance(inner, str):
            yield f"{key} {scalar(inner)}"
        else:
            yield f"{key} {flow(inner)}"


def _is_short(value: Mapping[str, Any]) -> bool:
    lists = [inner for inner in value.values() if isinstance(inner, list)]
    texts = [inner for inner in value.values() if isinstance(inner, str)]
    return len(lists) == 1 and len(lists[0]) == 1 and len(lists) + len(texts) == len(value) <= 2
