"""Counts what exchanges exercise of a contract: parameters, limits, listed values, statuses, members of answers.

Rule: only what travelled counts, read from the wire and never from what was planned; whatever the bytes are, nothing
raises. A request that is broken in one spot exercises that spot and nothing else of the request. A point is counted
once for each exchange that exercises it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from contracts.document import Contract
from contracts.exchange import Exchange, Sent
from contracts.operation import Operation
from contracts.points import FORM, Plan, plan
from contracts.refusals import Mutation
from contracts.route import Routes, best

Counts = dict[str, dict[str, int]]  # by operation's label, then by `Point.key`
EXCHANGES = "exchanges"  # a key beside those of the points
LARGEST = 1_000_000  # bytes of a body that is read
UNDECODABLE = (ValueError, RecursionError)


@dataclass
class Coverage:
    """What the exchanges with the target at `url` exercised of the contract. `strangers` fit no operation."""

    contract: Contract
    url: str
    strangers: int = 0
    _plans: dict[str, tuple[Plan, list[int]]] = field(default_factory=dict, init=False)
    _routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        self._routes = Routes(self.contract)

    def add(self, exchange: Exchange, operation: Operation | None = None, mutation: Mutation | None = None) -> None:
        """Counts one exchange; without an operation it is the one that the request fits best."""
        values = _values(exchange.sent)
        path = exchange.sent.url.removeprefix(self.url).partition("?")[0]
        if operation is None:
            operation = best(self._routes.candidates(exchange.sent.method, path), values)
            if operation is None:
                self.strangers += 1
                return
        known, counts = self._plan(operation)
        hits: set[int] = set()
        if mutation is None or mutation.place:
            _request(known, exchange.sent, path, values, hits)
        if mutation is not None:
            hits = {number for number in hits if _is_at(known, number, mutation)}
            if mutation.kind in known.kinds:
                hits.add(known.kinds[mutation.kind])
        _answer(known, exchange, hits)
        counts[-1] += 1
        for number in hits:
            counts[number] += 1

    def counts(self) -> Counts:
        """How many exchanges exercised each point, the rest left out."""
        return {
            label: {EXCHANGES: counts[-1]}
            | {point.key: count for point, count in zip(known.points, counts, strict=False) if count}
            for label, (known, counts) in self._plans.items()
        }

    def _plan(self, operation: Operation) -> tuple[Plan, list[int]]:
        kept = self._plans.get(operation.label)
        if kept is None:
            made = plan(self.contract, operation)
            kept = self._plans[operation.label] = (made, [0] * (len(made.points) + 1))
        return kept


def _is_at(known: Plan, number: int, mutation: Mutation) -> bool:
    point = known.points[number]
    if mutation.kind == "no_body":
        return point.where == "body" and point.what == "left out"
    return point.place == mutation.place and point.name == mutation.name and bool(mutation.name)


def _values(sent: Sent) -> dict[str, dict[str, str]]:
    headers = {name.lower(): value for name, value in sent.headers}
    _, mark, query = sent.url.partition("?")
    return {"header": headers, "query": dict(parse_qsl(query, keep_blank_values=True)) if mark else {}}


def _request(known: Plan, sent: Sent, path: str, values: Mapping[str, Mapping[str, str]], hits: set[int]) -> None:
    placed = _in_path(known, path)
    for one, present, absent, node in known.parameters:
        if one.place == "path":
            text = placed.get(one.name)
        else:
            text = values[one.place].get(one.name.lower() if one.place == "header" else one.name)
        if text is None:
            if absent is not None:
                hits.add(absent)
            continue
        hits.add(present)
        if node:
            value: Any = text
            if one.media_type:
                try:
                    value = json.loads(text)
                except UNDECODABLE:
                    continue
            node.walk(value, hits, text=not one.media_type)
    if known.body:
        _body(known, sent, values["header"].get("content-type", ""), hits)


def _in_path(known: Plan, path: str) -> dict[str, str]:
    found = known.path.fullmatch(path) if known.in_path else None
    return dict(zip(known.in_path, map(unquote, found.groups()), strict=True)) if found else {}


def _body(known: Plan, sent: Sent, media_type: str, hits: set[int]) -> None:
    assert known.body is not None
    present, absent = known.body
    if not sent.body:
        if absent is not None:
            hits.add(absent)
        return
    hits.add(present)
    kind = media_type.split(";")[0].strip().lower()
    if kind in known.body_types:
        hits.add(known.body_types[kind])
    if not known.body_node or len(sent.body) > LARGEST:
        return
    is_form = kind == FORM
    try:
        value = dict(parse_qsl(sent.body.decode(), keep_blank_values=True)) if is_form else json.loads(sent.body)
    except UNDECODABLE:
        return
    known.body_node.walk(value, hits, text=is_form)


def _answer(known: Plan, exchange: Exchange, hits: set[int]) -> None:
    answer = exchange.answer
    response = known.operation.response(answer.status)
    if answer.error or response is None:
        return
    family = f"{answer.status // 100}XX"
    for key in (str(answer.status), family, "default"):
        if key in known.statuses:
            hits.add(known.statuses[key])
    kind = answer.media_type()
    point = known.media.get((family, kind))
    if point is not None and answer.body:
        hits.add(point)
    media = response.content.get(kind)
    node = known.answers.get(id(media.get("schema"))) if media else None
    if node is None or not kind.endswith("json") or len(answer.body) > LARGEST:
        return
    try:
        value = json.loads(answer.body.decode())
    except UNDECODABLE:
        return
    node.walk(value, hits)
