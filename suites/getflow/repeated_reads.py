"""Reads a target repeatedly, so that concurrent changes by other users are not blamed on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fixtures.target_api import Api, MissingPrecondition

T = TypeVar("T")


def stable_pair(api: Api, read_first: Callable[[], T], read_second: Callable[[], T]) -> tuple[T, T]:
    """Two values that should be equal, read again when the target's records changed in between.

    Our own reference has no other users, so a value that never repeats there is returned as it is. Raises
    MissingPrecondition for a target whose records change all the time.
    """
    for _ in range(3):
        first, second = read_first(), read_second()
        if first == second or read_first() == first:
            return first, second
    if api.target.embedded:
        return first, second
    raise MissingPrecondition("the target's records change all the time, so two responses cannot be compared")


def persistent(find: Callable[[], set[T]]) -> set[T]:
    """The elements that are found each of three times, so that passing changes by other users do not count."""
    elements = find()
    for _ in range(2):
        elements = elements & find() if elements else elements
    return elements
