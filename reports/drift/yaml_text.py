"""Writes nested data as YAML: the same bytes for the same data, one line for each innermost mapping or text.

PyYAML's own writer wraps long lines, so that one more word moves all that follows; and it takes seconds for a record.
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
WIDTH = 118  # characters of a line with a list
NO_TEXT = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|[-+.\d][\d._eE+:xo-]*|\.nan|\.inf)", re.IGNORECASE)
STATUS = re.compile(r"[1-9]\d*")  # written as it is, though YAML would call it a number


@lru_cache(maxsize=16384)
def scalar(text: str, in_flow: bool = False) -> str:
    """A text on one line, in quotes where YAML needs them: more often within brackets."""
    plain = PLAIN if in_flow else PLAIN_IN_BLOCK
    if plain.fullmatch(text) and text.isprintable() and (STATUS.fullmatch(text) or not NO_TEXT.fullmatch(text)):
        return text
    if text.isprintable() and '"' in text and "'" not in text:
        return f"'{text}'"
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
    """Lines of a mapping; mappings from the depth `inline` on are on one line, and so is all with lists that fits."""
    for name, inner in value.items():
        key = f"{'  ' * depth}{scalar(name)}:"
        if isinstance(inner, str):
            yield f"{key} {scalar(inner)}"
        elif not inner or depth + 1 >= inline or _fits(key, inner):
            yield f"{key} {flow(inner)}"
        elif isinstance(inner, Mapping):
            yield key
            yield from block(inner, inline, depth + 1)
        else:
            yield key
            yield from (f"{'  ' * depth}- {scalar(item) if isinstance(item, str) else flow(item)}" for item in inner)


def _fits(key: str, value: Any) -> bool:
    """Whether a list, or a mapping of lists, has room beside its key."""
    values = list(value.values()) if isinstance(value, Mapping) else [value]
    has_only_texts = all(isinstance(inner, str | list) for inner in values) and any(
        isinstance(inner, list) for inner in values
    )
    return has_only_texts and len(key) + 1 + len(flow(value)) <= WIDTH
