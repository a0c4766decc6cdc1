"""The values that a contract leaves to the run: texts that nobody else sends, and ids that the target knows.

Rule: nothing is fetched while the load runs: what the target knows is read once, before, and then handed out in turn.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count, cycle
from typing import Any

from fixtures.api import Api, Lacking
from fixtures.cases import Case
from fixtures.targets import Target

DIGITS = string.digits + string.ascii_lowercase
SIZE = 8  # characters that make a text unique
SPACE = len(DIGITS) ** SIZE

Source = Mapping[str, Any]  # an `x-known` of the contract
Next = Callable[[], Any]


class Uniques:
    """Texts of eight letters and digits, each given out once.

    Processes and runs draw where to begin among 36 ** 8 numbers, and count from there: for two of them to meet within a
    million texts each has a chance of less than one in a million.
    """

    def __init__(self, start: int | None = None) -> None:
        self._numbers = count(secrets.randbelow(SPACE) if start is None else start)

    def text(self) -> str:
        """The next one."""
        number, made = next(self._numbers) % SPACE, ""
        for _ in range(SIZE):
            number, digit = divmod(number, len(DIGITS))
            made = DIGITS[digit] + made
        return made

    def like(self, value: str) -> str:
        """The value with its end replaced by the next one; of an address its local part's end."""
        local, at, domain = value.partition("@")
        return f"{local[: max(0, len(local) - SIZE)]}{self.text()}{at}{domain}"


class Found:
    """What the target knows, by the contract's `x-known`, read with one request for each source."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._values: dict[tuple[Any, ...], list[Any]] = {}

    def read(self, sources: Iterable[Source]) -> list[str]:
        """Reads these, if they can be read at all, and gives the reasons of those that cannot.

        Raises fixtures.client.Unreachable when nothing answers, Misuse when a setting lacks.
        """
        api = Api(self._target)
        lacking: dict[tuple[Any, ...], str] = {}
        for source in sources:
            key = _key(source)
            if is_fresh(source) or key in self._values or key in lacking:
                continue
            try:
                self._values[key] = api.values(source, source.get("server", 0))
            except Lacking as problem:
                lacking[key] = str(problem)
        return list(lacking.values())

    def has(self, source: Source) -> bool:
        """Whether there are values of it."""
        return _key(source) in self._values

    def values(self, source: Source) -> list[Any]:
        """All of them. Raises Lacking when the target has none, LookupError for what only a journey can give."""
        if is_fresh(source):
            raise LookupError(f"a journey has to give what {source.get('operation')} makes: no two requests share one")
        if not self.has(source):
            where = f"{source.get('operation')} at {source.get('pointer')}"
            raise Lacking(f"the target has no {where}, or it was not read before the run")
        return self._values[_key(source)]

    def turn(self, source: Source) -> Next:
        """Gives one after the other, and begins anew behind the last."""
        return cycle(self.values(source)).__next__


def is_fresh(source: Source) -> bool:
    """Whether each request needs a value of its own from the target, which then only a journey can give."""
    return bool(source.get("fresh") or source.get("mail")) or "operation" not in source


def _key(source: Source) -> tuple[Any, ...]:
    return source.get("server", 0), source.get("operation"), source.get("pointer")


def sources(case: Case, server: int) -> Iterator[Source]:
    """The sources of all values in the case that the target knows, each with the server that is asked for it."""
    for value in chain(*(values.values() for values in case.parameters.values()), [case.body]):
        for source in inside(value):
            if "operation" in source:
                yield {**source, "server": server}


def inside(value: Any) -> Iterator[Source]:
    """The sources of all placeholders in a value."""
    if isinstance(value, Mapping):
        if "$known" in value:
            yield value["$known"]
        else:
            yield from chain.from_iterable(map(inside, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(inside, value))
