"""Finds records and ids in a response wherever they stand: nothing is read of its envelope.

Rule: what is not found is no evidence, and never a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.exchange import Exchange

Record = Mapping[str, Any]
MAX_DEPTH = 12  # of the values that are looked through
NOT_LETTERS = re.compile(r"[^a-z0-9]")


def records_in(exchange: Exchange) -> list[Record]:
    """The records of the longest list of objects in the response, [] without one."""
    lists = [value for value in _values(exchange) if isinstance(value, list)]
    of_objects = [value for value in lists if value and all(isinstance(item, dict) for item in value)]
    return max(of_objects, key=len, default=[])


def identifiers_in(exchange: Exchange, name: str) -> list[str]:
    """The ids in the response as texts, in its order: of the members called so, in any way to spell it."""
    wanted = _spelling(name)
    members = [pair for value in _values(exchange) if isinstance(value, dict) for pair in value.items()]
    plain = [(key, value) for key, value in members if isinstance(value, str | int) and not isinstance(value, bool)]
    return list(dict.fromkeys(str(value) for key, value in plain if _spelling(key) == wanted))


def texts_in(exchange: Exchange) -> set[str]:
    """Every text and number in the response, as texts."""
    return {str(value) for value in _values(exchange) if isinstance(value, str | int | float)}


def _spelling(name: str) -> str:
    return NOT_LETTERS.sub("", name.lower())


def _values(exchange: Exchange) -> Iterator[Any]:
    try:
        value = exchange.response.json()
    except (ValueError, RecursionError):
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        yield from level
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
