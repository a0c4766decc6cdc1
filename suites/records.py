"""The life of a record as a state machine: made, read, changed, listed, deleted, in any order.

Rule: the model knows only what was sent. What was sent is there until it is changed or deleted, in every place
where the record can be seen; after that it is nowhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from contracts import pointers
from contracts.document import contract
from contracts.exchange import Exchange, Sent
from contracts.judge import Finding, judge, refused
from contracts.operation import Operation
from contracts.refusals import Mutation, judge_refusal
from fixtures.api import Api
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.slots import Slot, slots
from suites.blame import blame

MOST_PAGES = 100


@dataclass(frozen=True)
class Resource:
    """A kind of record; `parts` is its entry in the contract's `x-flowproof.resources`."""

    api: str
    name: str
    server: int
    parts: Mapping[str, Any]
    clauses: tuple[str, ...]
    safe: bool = False

    @property
    def label(self) -> str:
        """How people are told of it."""
        return self.name + (f" (server {self.server + 1})" if self.server else "")

    def __str__(self) -> str:
        return f"{self.api} {self.label}"


def resources(api: str) -> list[Resource]:
    """Every resource of that API whose records can be made, on every server."""
    whole = contract(api)
    servers = range(len(whole.document.get("servers") or [0]))
    return [
        Resource(api, name, server, parts, whole.find(parts["create"], server).clauses)
        for name, parts in whole.resources.items()
        if "create" in parts
        for server in servers
    ]


@dataclass
class Records:
    """The records of one resource that a test has made."""

    api: Api
    corpus: Corpus
    resource: Resource
    live: dict[Any, dict[str, Any]] = field(default_factory=dict)
    gone: list[Any] = field(default_factory=list)
    updated: set[Any] = field(default_factory=set)

    def can(self, what: str) -> bool:
        """Whether the API offers create, read, update, delete or list for it."""
        return what in self.resource.parts

    def operation(self, what: str) -> Operation:
        """The operation behind that word."""
        return self.api.contract.find(self.resource.parts[what], self.resource.server)

    def cases(self, what: str) -> list[Case]:
        """Valid requests to create or update, the plain one first."""
        operation = self.operation(what)
        return [self.corpus.base(operation), *self.corpus.boundaries(operation), *self.corpus.valid(operation)]

    def create(self, case: Case) -> None:
        """Makes a record; what was sent comes back."""
        exchange = self._accepted("create", case)
        item = self._item("create", exchange)
        sent = self._kept("create", exchange)
        self._same("create", exchange, _shown(sent, item), item)
        self.live[item[self.resource.parts["id"]]] = sent

    def read(self, identifier: Any) -> None:
        """Reads a record; all that was sent is there."""
        exchange = self._accepted("read", self._about("read", identifier))
        item = self._item("read", exchange)
        if item.get(self.resource.parts["id"]) != identifier:
            self._blame("read", exchange, f"the record {identifier}", f"{item.get(self.resource.parts['id'])}")
        self._same(self._writer(identifier), exchange, self.live[identifier], item)

    def update(self, identifier: Any, case: Case) -> None:
        """Changes a record; what was sent is new and what was not sent is as before."""
        exchange = self._accepted("update", self._about("update", identifier, case))
        self.live[identifier] |= self._kept("update", exchange)
        self.updated.add(identifier)
        item = self._item("update", exchange)
        self._same("update", exchange, _shown(self.live[identifier], item), item)

    def delete(self, identifier: Any) -> None:
        """Deletes a record."""
        self._accepted("delete", self._about("delete", identifier))
        del self.live[identifier]
        self.gone.append(identifier)

    def is_gone(self, what: str, identifier: Any) -> None:
        """A deleted record is refused as one that does not exist."""
        operation = self.operation(what)
        slot = self._slot(what)
        exchange = self.api.send(operation, self._about(what, identifier))
        mutation = Mutation(
            "unknown_record", slot.place, slot.name, slot.parameter.refusals if slot.parameter else None
        )
        found = judge_refusal(self.api.contract, operation, exchange, mutation, os.environ)
        if not refused(self.api.contract, exchange.answer):
            found = [
                Finding(
                    self.operation("delete").clauses[0], "the deleted record is gone", "it is still there", exchange
                )
            ]
        blame([(finding, None) for finding in found], self.api.secrets)

    def list(self) -> None:
        """All live records are listed with what was sent, and no deleted one."""
        seen: dict[Any, Any] = {}
        exchange = None
        for exchange in self._pages():
            items = pointers.find(exchange.answer.json(), self.resource.parts["items"])
            for item in items[0] if items and isinstance(items[0], list) else []:
                seen[item.get(self.resource.parts["id"])] = item
        assert exchange is not None
        for identifier, sent in self.live.items():
            if identifier not in seen:
                self._blame("list", exchange, f"the record {identifier} in the list", f"{len(seen)} others")
            listed = seen[identifier]
            self._same(self._writer(identifier), exchange, _shown(sent, listed), listed)
        for identifier in self.gone:
            if identifier in seen:
                self._blame(
                    "delete" if self.can("delete") else "list",
                    exchange,
                    "no deleted record in the list",
                    str(identifier),
                )

    def clear(self) -> None:
        """Deletes what was made, as far as the API lets it be deleted."""
        if self.can("delete"):
            for identifier in self.live:
                self.api.send(self.operation("delete"), self._about("delete", identifier))

    def _writer(self, identifier: Any) -> str:
        """What wrote the record last, and is to blame when it is not as sent."""
        return "update" if identifier in self.updated else "create"

    def _pages(self) -> Iterator[Exchange]:
        """The list's pages by `Link: <…>; rel="next"` (RFC 8288); one page when there is no such header."""
        exchange = self._accepted("list", self.corpus.base(self.operation("list")))
        yield exchange
        for _ in range(MOST_PAGES):
            link = re.search(r'<([^>]*)>\s*;[^,]*\brel="?next"?', exchange.answer.header("link") or "")
            if not link:
                return
            url = urljoin(exchange.sent.url, link[1])
            exchange = self.api.exchange(Sent("GET", url, exchange.sent.headers))
            yield exchange

    def _slot(self, what: str) -> Slot:
        """Where that operation takes the record's id."""
        ours = {self.resource.parts.get(word) for word in ("create", "list")}
        for slot in slots(self.api.contract, self.operation(what)):
            if slot.known and slot.known.get("operation") in ours:
                return slot
        raise LookupError(f"{self.operation(what)}: no parameter has an x-known of {ours}")

    def _about(self, what: str, identifier: Any, case: Case | None = None) -> Case:
        case = case or self.corpus.base(self.operation(what))
        slot = self._slot(what)
        return case.put(slot.place, slot.name, identifier)

    def _accepted(self, what: str, case: Case) -> Exchange:
        operation = self.operation(what)
        exchange = self.api.send(operation, case)
        found = judge(self.api.contract, operation, exchange)
        if refused(self.api.contract, exchange.answer):
            text = f"{exchange.answer.status}: {exchange.answer.text()[:200]}"
            found.append(Finding(operation.clauses[0], "a valid request is accepted", text, exchange))
        blame([(finding, case) for finding in found], self.api.secrets)
        return exchange

    def _item(self, what: str, exchange: Exchange) -> dict[str, Any]:
        items = pointers.find(exchange.answer.json(), self.resource.parts["item"])
        if not items or not isinstance(items[0], dict) or self.resource.parts["id"] not in items[0]:
            self._blame(
                what,
                exchange,
                f"a record with its {self.resource.parts['id']} at {self.resource.parts['item']}",
                exchange.answer.text()[:200],
            )
        item: dict[str, Any] = items[0]
        return item

    def _kept(self, what: str, exchange: Exchange) -> dict[str, Any]:
        """What was sent and can be read back."""
        body = json.loads(exchange.sent.body)
        inner = pointers.find(body, self.resource.parts["item"])
        sent = inner[0] if inner else body
        hidden = {slot.name for slot in slots(self.api.contract, self.operation(what)) if slot.schema.get("writeOnly")}
        return {name: value for name, value in sent.items() if name not in hidden}

    def _same(self, what: str, exchange: Exchange, sent: Mapping[str, Any], item: Mapping[str, Any]) -> None:
        for name, value in sent.items():
            if name not in item:
                self._blame(what, exchange, f"{name} as sent: {value!r}", "no such member")
            elif not alike(value, item[name]):
                self._blame(what, exchange, f"{name} as sent: {value!r}", repr(item[name]))

    def _blame(self, what: str, exchange: Exchange, expected: str, received: str) -> None:
        blame([(Finding(self.operation(what).clauses[0], expected, received, exchange), None)], self.api.secrets)


def _shown(sent: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """What of it the item shows: an answer to a write, and a list, may show less than a read does."""
    return {name: value for name, value in sent.items() if name in item}


def alike(sent: Any, got: Any) -> bool:
    """Whether what came back says the same: members added are fine, and an instant may be written otherwise."""
    if isinstance(sent, dict) and isinstance(got, dict):
        return all(name in got and alike(value, got[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(got, list):
        return len(sent) == len(got) and all(map(alike, sent, got))
    return bool(sent == got) or (
        isinstance(sent, str) and isinstance(got, str) and _instant(sent) == _instant(got) is not None
    )


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
