"""The JSON body of a response as tests read it: what is not there is missing in the response, and no error of ours.

Objects and arrays within it are made readable in this way when a test reaches them: most of a long list is never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, SupportsIndex, overload

from contracts.exchange import Exchange

PLAIN_CONTAINERS = (dict, list)


class MissingMember(AssertionError):
    """A response lacks a member or an item that a test reads. `path`: names and numbers from the body's root."""

    def __init__(self, exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__(f"expected /{'/'.join(path)} in the response, got none")
        self.exchange = exchange
        self.path = path


class BodyObject(dict[str, Any]):
    """An object of a body; its members are read as those of any dictionary, and a missing one is a MissingMember."""

    def __init__(self, members: dict[str, Any], exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__(members)
        self._exchange, self._path = exchange, path

    def __missing__(self, name: str) -> Any:
        raise MissingMember(self._exchange, (*self._path, str(name)))

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) not in PLAIN_CONTAINERS:
            return value
        self[name] = readable = _readable(value, self._exchange, (*self._path, name))
        return readable

    def get(self, name: str, default: Any = None) -> Any:
        """The member, or `default` where there is none."""
        return self[name] if name in self.keys() else default

    def values(self) -> Any:
        """The members."""
        self._make_readable()
        return super().values()

    def items(self) -> Any:
        """The members with their names."""
        self._make_readable()
        return super().items()

    def _make_readable(self) -> None:
        for name in self:
            self[name]


class BodyArray(list[Any]):
    """An array of a body; its items are read as those of any list, and a missing one is a MissingMember."""

    def __init__(self, items: list[Any], exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__(items)
        self._exchange, self._path = exchange, path

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        """The item. Raises MissingMember for a number that the array does not have."""
        if isinstance(index, slice):
            self._make_readable()
            return super().__getitem__(index)
        try:
            return self._readable_item(range(len(self))[index])
        except IndexError:
            raise MissingMember(self._exchange, (*self._path, str(index))) from None

    def __iter__(self) -> Iterator[Any]:
        self._make_readable()
        return super().__iter__()

    def __reversed__(self) -> Iterator[Any]:
        self._make_readable()
        return super().__reversed__()

    def _make_readable(self) -> None:
        for number in range(len(self)):
            self._readable_item(number)

    def _readable_item(self, number: int) -> Any:
        value = super().__getitem__(number)
        if type(value) not in PLAIN_CONTAINERS:
            return value
        self[number] = readable = _readable(value, self._exchange, (*self._path, str(number)))
        return readable


def read_body(exchange: Exchange) -> Any:
    """The body as JSON. Raises ValueError for anything else, as `Response.json` does."""
    return _readable(exchange.response.json(), exchange, ())


def _readable(value: Any, exchange: Exchange, path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return BodyObject(value, exchange, path)
    return BodyArray(value, exchange, path) if isinstance(value, list) else value
