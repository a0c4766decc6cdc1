"""Requests in turn, for ever: each is made when its turn first comes, so that nothing waits for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import cycle
from typing import Generic, TypeVar

from fixtures.api import Lacking

T = TypeVar("T")


class Turns(Generic[T]):
    """Whose turn it is, by key. A key that once had nothing to give has nothing for good."""

    def __init__(self) -> None:
        self._going: dict[Hashable, Iterator[T]] = {}
        self._lacking: dict[Hashable, Exception] = {}

    def next(self, key: Hashable, begin: Callable[[], Iterator[T]]) -> T:
        """The next of that key; `begin` makes its turns. Raises what they raise: Lacking or LookupError."""
        if key in self._lacking:
            raise self._lacking[key]
        try:
            if key not in self._going:
                self._going[key] = begin()
            return next(self._going[key])
        except (Lacking, LookupError) as problem:  # a generator that raised is over, and would end silently next time
            self._lacking[key] = problem
            raise


def in_turn(every: Iterable[T], plain: Callable[[], T]) -> Iterator[T]:
    """All of these once as they are made, and then again and again; `plain` for ever when there is none."""
    made = []
    for one in every:
        made.append(one)
        yield one
    yield from cycle(made or [plain()])
