"""The JSON body of a response as tests read it: what is not there is missing in the response, and no error of ours."""

from __future__ import annotations

from typing import Any, SupportsIndex, overload

from contracts.exchange import Exchange


class MissingMember(AssertionError):
    """A response lacks a member or an item that a test reads. `path`: names and numbers from the body's root."""

    def __init__(self, exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__(f"expected /{'/'.join(path)} in the response, got none")
        self.exchange = exchange
        self.path = path


class BodyObject(dict[str, Any]):
    """An object of a body; its members are read as those of any dictionary, and a missing one is a MissingMember."""

    def __init__(self, members: dict[str, Any], exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__({name: _readable(value, exchange, (*path, name)) for name, value in members.items()})
        self._exchange, self._path = exchange, path

    def __missing__(self, name: str) -> Any:
        raise MissingMember(self._exchange, (*self._path, str(name)))


class BodyArray(list[Any]):
    """An array of a body; its items are read as those of any list, and a missing one is a MissingMember."""

    def __init__(self, items: list[Any], exchange: Exchange, path: tuple[str, ...]) -> None:
        super().__init__(_readable(value, exchange, (*path, str(number))) for number, value in enumerate(items))
        self._exchange, self._path = exchange, path

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        """The item. Raises MissingMember for a number that the array does not have."""
        try:
            return super().__getitem__(index)
        except IndexError:
            raise MissingMember(self._exchange, (*self._path, str(index))) from None


def read_body(exchange: Exchange) -> Any:
    """The body as JSON. Raises ValueError for anything else, as `Response.json` does."""
    return _readable(exchange.response.json(), exchange, ())


def _readable(value: Any, exchange: Exchange, path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return BodyObject(value, exchange, path)
    return BodyArray(value, exchange, path) if isinstance(value, list) else value
