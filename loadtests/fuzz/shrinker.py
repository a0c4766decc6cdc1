"""Shrinks a failing input: leaves out halves, quarters and so on down to single bytes."""

from __future__ import annotations

from collections.abc import Callable


def shrink(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """A part of `data` that still fails and from which no single byte can be removed."""
    size = max(1, len(data) // 2)
    while True:
        at, removed = 0, False
        while at < len(data):
            less = data[:at] + data[at + size :]
            if fails(less):
                data, removed = less, True
            else:
                at += size
        if not removed and size == 1:
            return data
        size = size if removed else max(1, size // 2)
