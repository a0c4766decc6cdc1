"""Endless round robin over requests, each of which is prepared only when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import cycle
from typing import Generic, TypeVar

from fixtures.target_api import MissingPrecondition

T = TypeVar("T")


class RoundRobin(Generic[T]):
    """An endless iterator for each key. A key whose iterator has failed once raises the same error from then on."""

    def __init__(self) -> None:
        self._iterators: dict[Hashable, Iterator[T]] = {}
        self._errors: dict[Hashable, Exception] = {}

    def next(self, key: Hashable, begin: Callable[[], Iterator[T]]) -> T:
        """The next item of that key, whose iterator `begin` creates. Raises what it raises."""
        if key in self._errors:
            raise self._errors[key]
        try:
            if key not in self._iterators:
                self._iterators[key] = begin()
            return next(self._iterators[key])
        except (
            MissingPrecondition,
            LookupError,
            ValueError,
        ) as error:  # a generator that has raised would only stop at the next call
            self._errors[key] = error
            raise


def repeat_forever(items: Iterable[T], default: Callable[[], T]) -> Iterator[T]:
    """All items as they come, then all of them again and again; `default()` for ever when there are none."""
    collected = []
    for item in items:
        collected.append(item)
        yield item
    yield from cycle(collected or [default()])
