"""Makes the engine's requests out of a contract: `calls.call("listTasks", limit=25)`.

Rule: an operation with the same names given is made ready once; from then on a request is a dictionary's entry and a
few gaps filled. What a request is meant to be (operation, and what is wrong with it) decides who judges its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from contracts.document import Contract, contract
from contracts.operation import Operation
from contracts.refusals import Mutation, rule
from fixtures.cases import Case, may_be_refused
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.mutations import mutated
from fixtures.http1 import PRINTABLE
from fixtures.targets import Misuse, Target
from loadtests.engine.call import Address, Judge, Request
from loadtests.engine.recorder import Slot
from loadtests.judges import Judges
from loadtests.judging import Asked, Check
from loadtests.turns import Turns, in_turn
from loadtests.values import Found, Next, Source, Uniques, is_fresh, sources
from loadtests.wire import Wire, put, wire

HTTP = "http"
REFUSED = " (refused)"  # behind the label of an operation: its broken requests, whose times are counted apart
EFFORT = EFFORTS["default"]  # as the suites', so that both read the same corpus from the disk
FLOOD = "too_large"  # a kind of broken request that measures nothing but the network

Slots = Callable[[str, str], Slot]  # (operation, transport)
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """One shape of request, made ready: `gaps` are names that the caller fills, or what gives the next value.

    `always` is the request itself where there is no gap, so that nothing ever changes.
    """

    wire: Wire
    gaps: tuple[tuple[str, Next | None], ...]
    slot: Slot
    address: Address
    judge: Judge
    judges: Judges
    head: bool
    always: Request | None
    name: str = ""

    def request(self, values: Mapping[str, Any], check: Check | None) -> Request:
        """The request with these values, its answer judged and then checked."""
        if check is None:
            if self.always is not None:
                return self.always
            judge = self.judge
        else:
            judge = self.judges.checked(self.judge, self.slot.operation, check)
        payload = self.wire.fill([values[name] if more is None else more() for name, more in self.gaps])
        return Request(self.slot, payload, self.address, judge, head=self.head, name=self.name)


def plainly(operation: Operation) -> tuple[str, str]:
    """What an operation is counted as, unless it is something else too: its label, over HTTP."""
    return operation.label, HTTP


class Calls:
    """The requests of one API to one target."""

    def __init__(
        self,
        target: Target,
        slots: Slots,
        judges: Judges,
        uniques: Uniques,
        named: Callable[[Operation], tuple[str, str]] = plainly,
        seed: int = 0,
    ) -> None:
        """`slots` gives the engine's place for the times of what `named` says: (operation, transport).

        `seed` is that of the corpus.
        """
        parts = urlsplit(target.url)
        self.target = target
        self.contract: Contract = contract(target.api)
        self.servers = len(self.contract.document.get("servers") or [0])
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.address = Address.of(self.origin)
        self.found = Found(target)
        self.slots, self.judges, self._named = slots, judges, named
        self._uniques = uniques
        self._corpus = corpus(target.api, EFFORT, seed)
        self._ready: dict[Key, Ready] = {}
        self._turns: Turns[Ready] = Turns()
        self._links: dict[Key, bytes] = {}

    def prepare(self, identifiers: Iterable[str]) -> list[str]:
        """Makes ready what takes long: the corpus of these operations, and what the target knows for it.

        Gives a line for each kind of value that the target does not have; requests with such a value are not drawn.
        Raises Unreachable, and Misuse for a setting that lacks.
        """
        wanted = set(identifiers)
        operations = [one for one in self.contract.operations.values() if one.id in wanted]
        cases = [(one, case) for one in operations for case in (self._base(one), *self._valid(one), *self._broken(one))]
        for one in operations:
            for response in one.responses.values():
                for media in response.content.values():
                    self.contract.validator(media.get("schema", {}))  # is compiled here, not while the load runs
        return self.found.read(source for one, case in cases for source in sources(case, one.server))

    def call(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The plain valid request of that operation with these values (names as in `loadtests.wire.wire`).

        Raises KeyError for an unknown operation, LookupError for a name that it does not have.
        """
        ready = self._ready.get((identifier, server, *values))
        if ready is None:
            operation = self.contract.find(identifier, server)
            ready = self._made(operation, self._base(operation), tuple(values))
            self._ready[(identifier, server, *values)] = ready
        return ready.request(values, check)

    def drawn(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The next valid request of the corpus with these values put in: documented, at an edge, or generated."""
        return self._next(self._valid, identifier, server, tuple(values)).request(values, check)

    def broken(self, identifier: str, check: Check | None = None, server: int = 0, **values: Any) -> Request:
        """The next request that has one thing wrong, and whose refusal the contract describes.

        `values` are put in where that thing is not.
        """
        return self._next(self._broken, identifier, server, tuple(values)).request(values, check)

    def refused(
        self, identifier: str, kind: str, name: str, check: Check | None = None, server: int = 0, **values: Any
    ) -> Request:
        """The plain request with these values, to be refused for that kind of mistake at the parameter of that name.

        Such as one for a record that the journey has deleted.
        """
        key = (identifier, server, kind, name, *values)
        ready = self._ready.get(key)
        if ready is None:
            operation = self.contract.find(identifier, server)
            wrong = next(one for one in operation.parameters if one.name == name)
            case = replace(self._base(operation), mutation=Mutation(kind, wrong.place, name, wrong.refusals))
            ready = self._ready[key] = self._made(operation, case, tuple(values))
        return ready.request(values, check)

    def perhaps(self, identifier: str, check: Check, server: int = 0, **values: Any) -> Request:
        """A valid request that may also be refused as a broken one would be, since another may have been first.

        Its answer is judged by its shape; what it means is for `check` to say.
        """
        key = (identifier, server, "perhaps", *values)
        ready = self._ready.get(key)
        if ready is None:
            operation = self.contract.find(identifier, server)
            case = replace(self._base(operation), mutation=Mutation("perhaps", rules={"perhaps": {"unstated": ""}}))
            ready = self._ready[key] = self._made(operation, case, tuple(values), suffix="")
        return ready.request(values, check)

    def follow(self, url: str, identifier: str, check: Check | None = None, server: int = 0) -> Request:
        """A GET of a link that an answer gave, counted as that operation. Raises ValueError for another host's."""
        parts = urlsplit(url)
        if parts.netloc and f"{parts.scheme}://{parts.netloc}" != self.origin:
            raise ValueError(f"expected a link to {self.origin}, got one to {parts.scheme}://{parts.netloc}")
        ready = self._ready.get((identifier, server)) or self._plain(identifier, server)
        rest = self._links.get((identifier, server))
        if rest is None:
            payload = ready.wire.fill([None] * 0) if not ready.gaps else b""
            rest = self._links[identifier, server] = payload.partition(b"\r\n")[2]
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        line = f"GET {target if target.isascii() else quote(target, safe=PRINTABLE)} HTTP/1.1\r\n".encode()
        judge = self.judges.checked(ready.judge, ready.slot.operation, check) if check else ready.judge
        return Request(ready.slot, line + rest, self.address, judge)

    def _plain(self, identifier: str, server: int) -> Ready:
        self.call(identifier, server=server)
        return self._ready[identifier, server]

    def _next(
        self, cases: Callable[[Operation], list[Case]], identifier: str, server: int, given: tuple[str, ...]
    ) -> Ready:
        def begin() -> Iterator[Ready]:
            operation = self.contract.find(identifier, server)
            usable = (case for case in cases(operation) if self._can(operation, case, given))
            made = (self._made(operation, case, given) for case in usable)
            return in_turn(made, lambda: self._made(operation, self._base(operation), given))

        return self._turns.next((cases.__name__, identifier, server, *given), begin)

    def _can(self, operation: Operation, case: Case, given: tuple[str, ...]) -> bool:
        """Whether all values of the case can be had, and what is wrong with it is not one of the given ones."""
        if case.mutation and (case.mutation.name in given or (case.mutation.place == "body" and "body" in given)):
            return False
        for name in given:
            case = case if name in self.target.settings else put(self.contract, operation, case, name, "given")
        return all(not is_fresh(one) and self.found.has(one) for one in sources(case, operation.server))

    def _base(self, operation: Operation) -> Case:
        return self._corpus.base(operation)

    def _valid(self, operation: Operation) -> list[Case]:
        made = self._corpus
        return [*made.examples(operation), *made.boundaries(operation), *made.valid(operation)]

    def _broken(self, operation: Operation) -> list[Case]:
        def is_stated(case: Case) -> bool:
            assert case.mutation is not None
            due = rule(self.contract, operation, case.mutation)
            return "clause" in due and case.mutation.kind != FLOOD

        return [case for case in mutated(self._corpus, operation) if is_stated(case)]

    def _made(self, operation: Operation, case: Case, given: tuple[str, ...], suffix: str = REFUSED) -> Ready:
        target = self.target
        try:
            made = wire(self.contract, operation, case, target.url, target.settings, given)
        except KeyError as missing:
            raise Misuse(
                f"{target.api.upper()}_{missing.args[0]} is not set, and {target.url} cannot be loaded without it"
            ) from None
        lenient = may_be_refused(operation, case, self.judges.environ)
        asked = Asked(self.contract, operation, case.mutation, case.method or "", lenient)
        name, transport = self._named(operation)
        slot = self.slots(name + (suffix if case.mutation else ""), transport)
        judge = self.judges.of(asked)
        gaps = tuple((name, None) if isinstance(name, str) else ("", self.turn(name)) for name in made.names)
        always = None if gaps else Request(slot, made.fill(()), self.address, judge, head=asked.is_head)
        return Ready(made, gaps, slot, self.address, judge, self.judges, asked.is_head, always)

    def turn(self, source: Source) -> Next:
        """What gives the next value of that source. Raises LookupError for one that was not read before the run."""
        if "unique" in source:
            return lambda: self._uniques.like(source["unique"])
        return self.found.turn(source)
