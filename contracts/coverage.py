"""Counts what exchanges exercise of a contract: parameters, limits, listed values, statuses, members of answers.

Rule: only what travelled counts, read from the wire and never from what was planned; whatever the bytes are, nothing
raises. A request that is broken in one spot exercises that spot and nothing else of the request. A point is counted
once for each exchange that exercises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from contracts import call_points
from contracts.call_points import CallPlan
from contracts.document import Contract
from contracts.exchange import FRAME, Exchange, Sent, endpoint
from contracts.operation import Operation
from contracts.points import FORM, Plan, Point, plan
from contracts.refusals import Mutation
from contracts.route import Routes, best
from contracts.rpc import Call, Rpc, rpc

Counts = dict[str, dict[str, int]]  # by operation's or call's label, then by `Point.key`
EXCHANGES = "exchanges"  # a key beside those of the points
LARGEST = 1_000_000  # bytes of a body that is read
UNDECODABLE = (ValueError, RecursionError)


@dataclass
class Coverage:
    """What the exchanges with the target at `url` exercised of it. `strangers` fit no operation and no call."""

    contract: Contract
    url: str
    strangers: int = 0
    _plans: dict[str, tuple[Plan, list[int]]] = field(default_factory=dict, init=False)
    _routes: Routes = field(init=False)
    _rpc: Rpc | None = field(init=False)
    _calls: dict[str, tuple[CallPlan, list[int]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._routes = Routes(self.contract)
        self._rpc = rpc(self.contract.api)

    def add(self, exchange: Exchange, operation: Operation | None = None, mutation: Mutation | None = None) -> None:
        """Counts one exchange; without an operation it is the one that the request fits best, or the frame's call."""
        if exchange.sent.method == FRAME:
            self._frame(exchange)
            return
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
        found: list[tuple[str, Iterable[Point], list[int]]] = [
            *((label, known.points, counts) for label, (known, counts) in self._plans.items()),
            *((label, known.points.values(), counts) for label, (known, counts) in self._calls.items()),
        ]
        return {
            label: {EXCHANGES: counts[-1]}
            | {point.key: count for point, count in zip(points, counts, strict=False) if count}
            for label, points, counts in found
        }

    def _frame(self, exchange: Exchange) -> None:
        """Counts a frame, whose endpoint is in its URL and whose method in itself."""
        value = call_points.read(exchange.sent.body)
        method = value.get("method") if isinstance(value, dict) else None
        label = f"{endpoint(exchange.sent.url, self.url)} {method}"
        if self._rpc is None or label not in self._rpc.calls:
            self.strangers += 1
            return
        known, counts = self._call(self._rpc, self._rpc.calls[label])
        counts[-1] += 1
        for number in known.hits(self._rpc, exchange, value):
            counts[number] += 1

    def _call(self, whole: Rpc, call: Call) -> tuple[CallPlan, list[int]]:
        if call.label not in self._calls:
            made = call_points.plan(whole, call)
            self._calls[call.label] = (made, [0] * (len(made.points) + 1))
        return self._calls[call.label]

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
