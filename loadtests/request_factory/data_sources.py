"""Supplies values that a contract leaves to the run: texts that no other request has, and ids that the target knows.

Rule: nothing is fetched while the load runs. What the target knows is read once, before, and then used round robin.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count, cycle
from typing import Any

from fixtures.cases import Case
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import Target
from fixtures.unique_texts import UNIQUE_COUNT, UNIQUE_LENGTH, numbered_text

Source = Mapping[str, Any]  # an `x-known` of the contract
NextValue = Callable[[], Any]


class UniqueTexts:
    """Texts of eight letters and digits, none of which comes twice.

    Each process and run begins at a random one of 36 ** 8 numbers, `start`, and counts from there. The probability that
    two of them meet within a million texts each is less than one in a million.
    """

    def __init__(self, start: int | None = None) -> None:
        self.start = secrets.randbelow(UNIQUE_COUNT) if start is None else start
        self._numbers = count(self.start)

    def next_text(self) -> str:
        """The next text."""
        return numbered_text(next(self._numbers))

    def like(self, value: str) -> str:
        """The value with its end replaced by the next text; in an email address, the end of the local part."""
        local, at, domain = value.partition("@")
        return f"{local[: max(0, len(local) - UNIQUE_LENGTH)]}{self.next_text()}{at}{domain}"


class KnownValues:
    """What the target knows, by the contract's `x-known`, read with one request for each source."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._values: dict[tuple[Any, ...], list[Any]] = {}
        self._missing: dict[tuple[Any, ...], str] = {}  # why the target has no values of a source

    def read(self, sources: Iterable[Source]) -> list[str]:
        """Reads the values of these sources, and returns the reasons for those that the target does not have.

        Raises fixtures.http_client.Unreachable when nothing responds, UsageError when a setting is missing.
        """
        api = Api(self._target)
        missing: dict[tuple[Any, ...], str] = {}
        for source in sources:
            key = _key(source)
            if is_per_request(source) or key in self._values or key in missing:
                continue
            try:
                self._values[key] = api.known_values(source, source.get("server", 0))
            except MissingPrecondition as error:
                missing[key] = str(error)
        self._missing |= missing
        return list(missing.values())

    def has(self, source: Source) -> bool:
        """Whether the target has values of that source."""
        return _key(source) in self._values

    def values(self, source: Source) -> list[Any]:
        """All values of that source. Raises MissingPrecondition if the target has none, LookupError if not read before.

        Values that a journey has to create itself are never read, nor are sources that no prepared request has.
        """
        if is_per_request(source):
            raise LookupError(
                f"a journey has to give what {source.get('operation')} creates: no two requests share one"
            )
        key = _key(source)
        if key in self._values:
            return self._values[key]
        if key in self._missing:
            raise MissingPrecondition(self._missing[key])
        known = ", ".join(sorted(f"{operation} {pointer}" for _, operation, pointer in self._values | self._missing))
        raise LookupError(
            f"{self._target.api}: no values of {source.get('operation')} {source.get('pointer')} were read before the"
            f" run; expected one of: {known or 'none'}"
        )

    def round_robin(self, source: Source) -> NextValue:
        """Returns a function that returns one value after the other, and starts again after the last one."""
        return cycle(self.values(source)).__next__


def is_per_request(source: Source) -> bool:
    """Whether each request needs a value of its own from the target, which only a journey can obtain."""
    return bool(source.get("fresh") or source.get("mail") or "parameter" in source) or "operation" not in source


def _key(source: Source) -> tuple[Any, ...]:
    return source.get("server", 0), source.get("operation"), source.get("pointer")


def known_sources(case: Case, server: int) -> Iterator[Source]:
    """The sources of all values of the case that the target knows, each with the server to read it from."""
    for value in chain(*(values.values() for values in case.parameters.values()), [case.body]):
        for source in placeholder_sources(value):
            if "operation" in source:
                yield {**source, "server": server}


def placeholder_sources(value: Any) -> Iterator[Source]:
    """The sources of all placeholders in a value."""
    if isinstance(value, Mapping):
        if "$known" in value:
            yield value["$known"]
        else:
            yield from chain.from_iterable(map(placeholder_sources, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(placeholder_sources, value))
