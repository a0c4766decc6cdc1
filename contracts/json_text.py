"""Reads JSON that somebody else has written: strictly, and no more of it than what judges it can take."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import accumulate
from typing import Any

MAX_LEVELS = 200  # arrays and objects within each other; Python itself gives up at about 1,000
MAX_JSON = 4 << 20  # bytes of JSON that are judged, and MAX_VALUES in it: the judges cannot take much more in time
MAX_VALUES = 200_000
MAX_NAME = 80  # characters of a member's name in a message
SMALL_BYTES = 64 << 10  # of a text, at most, whose value is kept until others have been read
SHARED_BYTES = 1 << 20  # of a longer one whose value is kept until the next long one: a list that several readers see
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # each bracket as the signed byte of its step: 1 or -1
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))


def read_json(text: bytes) -> Any:
    """The JSON text as a value; raises ValueError for anything else (RFC 8259: UTF-8, no NaN, each member named once).

    A text of more than MAX_LEVELS levels, MAX_JSON bytes or MAX_VALUES values is refused too: RFC 8259 lets a reader
    limit them (section 9).
    """
    decoded = text.decode()
    if len(text) > MAX_VALUES:
        require_judgeable(text)
    if is_too_deep(text):
        raise ValueError(f"it is not JSON within {MAX_LEVELS} levels")
    return json.loads(decoded, parse_constant=_no_constant, object_pairs_hook=_unique_members)


def read_shared(text: bytes) -> Any:
    """The value of `read_json`, for a reader that changes nothing in it: the next one may get the same object."""
    if len(text) <= SMALL_BYTES:
        return _small(text)
    return _long(text) if len(text) <= SHARED_BYTES else read_json(text)


# judges and coverage read a response one after the other, those of a case at its end
_small = lru_cache(maxsize=32)(read_json)
_long = lru_cache(maxsize=1)(read_json)


def require_judgeable(text: bytes) -> None:
    """Raises ValueError for JSON that is too large to be judged."""
    if len(text) > MAX_JSON:
        raise ValueError(f"more than {MAX_JSON:,} bytes of JSON")
    if text.count(b",") > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES:,} values of JSON")


def is_too_deep(text: bytes) -> bool:
    """Whether a JSON text has more than MAX_LEVELS arrays and objects within each other."""
    if len(text) <= 2 * MAX_LEVELS or text.count(b"[") + text.count(b"{") <= MAX_LEVELS:
        return False  # each level takes two brackets
    brackets = _brackets_outside_of_strings(text)
    return not _collapses(brackets) and _levels(brackets) > MAX_LEVELS


def _brackets_outside_of_strings(text: bytes) -> bytes:
    unescaped = text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text
    brackets = unescaped.translate(None, _OTHERS).replace(b'""', b"")  # two quotes less: what is inside stays inside
    return b"".join(brackets.split(b'"')[::2])


def _collapses(brackets: bytes) -> bool:
    """Whether taking away the innermost pairs leaves nothing within MAX_LEVELS steps."""
    for _ in range(MAX_LEVELS):
        outer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not outer or len(outer) == len(brackets):
            return not outer
        brackets = outer
    return False


def _levels(brackets: bytes) -> int:
    return max(accumulate(memoryview(brackets.translate(_STEPS)).cast("b")), default=0)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members. Readers differ in which of two with the same name they take (RFC 8259, 4)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {repeated[:MAX_NAME]!r} is named twice in one object")
    return members
