"""Counts what exchanges exercise of a contract: parameters, limits, listed values, statuses, members of responses.

Only what was sent and received counts, never what was planned, and no bytes make the counter raise.
An invalid request exercises the invalid value and nothing else of the request. A point is counted once for each
exchange that exercises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from contracts.asyncapi import Call, RpcContract, load_rpc_contract
from contracts.coverage import rpc_plan
from contracts.coverage.operation_plan import FORM, CoveragePoint, OperationPlan, plan_operation
from contracts.coverage.rpc_plan import CallPlan
from contracts.exchange import FRAME, Exchange, Request
from contracts.judge.refusal_judge import InvalidCase
from contracts.openapi import Contract
from contracts.operation import Operation
from contracts.router import request_values, router_of, subject_of

Counts = dict[str, dict[str, int]]  # by the label of an operation or call, then by `CoveragePoint.key`
Values = Mapping[str, Mapping[str, str]]  # by location, then by name; header names in lower case
EXCHANGES = "exchanges"  # a key beside those of the points
MAX_BODY_BYTES = 1_000_000  # of a body that is read
UNDECODABLE = (ValueError, RecursionError)


@dataclass
class CoverageCounter:
    """What the exchanges with the target at `url` exercised. `unmatched`: exchanges of no operation and no call."""

    contract: Contract
    url: str
    unmatched: int = 0
    _plans: dict[str, tuple[OperationPlan, list[int]]] = field(default_factory=dict, init=False)
    _rpc: RpcContract | None = field(init=False)
    _call_plans: dict[str, tuple[CallPlan, list[int]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._rpc = load_rpc_contract(self.contract.api)

    def add(
        self, exchange: Exchange, operation: Operation | None = None, invalid_case: InvalidCase | None = None
    ) -> None:
        """Counts one exchange; without an operation for the one that the request fits best, or for the frame's call."""
        request = exchange.request
        if request.method == FRAME:
            self._add_frame(exchange)
            return
        values = request_values(request)
        path = request.url.removeprefix(self.url).partition("?")[0]
        operation = operation or router_of(self.contract).operation_of(request, self.url)
        if operation is None:
            self.unmatched += 1
            return
        plan, counts = self._plan(operation)
        hits: set[int] = set()
        if invalid_case is None or invalid_case.location:
            _hit_request(plan, request, path, values, hits)
        if invalid_case is not None:
            hits = {number for number in hits if _is_about(plan, number, invalid_case)}
            if invalid_case.kind in plan.kinds:
                hits.add(plan.kinds[invalid_case.kind])
        _hit_response(plan, exchange, hits)
        counts[-1] += 1
        for number in hits:
            counts[number] += 1

    def label_of(self, exchange: Exchange, operation: Operation | None = None) -> str:
        """The label of the operation or call that an exchange belongs to, "" when it belongs to none.

        Without an operation that is the one that the request fits best, or the frame's call.
        """
        subject = operation or subject_of(self.contract, self.url, exchange)
        return subject.label if subject else ""

    def counts(self) -> Counts:
        """How many exchanges exercised each point; points that none exercised are left out."""
        plans: list[tuple[str, Iterable[CoveragePoint], list[int]]] = [
            *((label, plan.points, counts) for label, (plan, counts) in self._plans.items()),
            *((label, plan.points.values(), counts) for label, (plan, counts) in self._call_plans.items()),
        ]
        return {
            label: {EXCHANGES: counts[-1]}
            | {point.key: count for point, count in zip(points, counts, strict=False) if count}
            for label, points, counts in plans
        }

    def _add_frame(self, exchange: Exchange) -> None:
        """Counts a frame: its URL names the endpoint, its content the method."""
        call = subject_of(self.contract, self.url, exchange)
        if self._rpc is None or not isinstance(call, Call):
            self.unmatched += 1
            return
        plan, counts = self._call_plan(self._rpc, call)
        counts[-1] += 1
        for number in plan.hits(self._rpc, exchange, rpc_plan.read_frame(exchange.request.body)):
            counts[number] += 1

    def _call_plan(self, rpc: RpcContract, call: Call) -> tuple[CallPlan, list[int]]:
        if call.label not in self._call_plans:
            plan = rpc_plan.plan_call(rpc, call)
            self._call_plans[call.label] = (plan, [0] * (len(plan.points) + 1))
        return self._call_plans[call.label]

    def _plan(self, operation: Operation) -> tuple[OperationPlan, list[int]]:
        if operation.label not in self._plans:
            plan = plan_operation(self.contract, operation)
            self._plans[operation.label] = (plan, [0] * (len(plan.points) + 1))
        return self._plans[operation.label]


def _is_about(plan: OperationPlan, number: int, invalid_case: InvalidCase) -> bool:
    """Whether that point is about the invalid value."""
    point = plan.points[number]
    if invalid_case.kind == "no_body":
        return point.display_path == "body" and point.description == "left out"
    is_there = point.location == invalid_case.location and point.name == invalid_case.name
    return is_there and bool(invalid_case.name)


def _hit_request(plan: OperationPlan, request: Request, path: str, values: Values, hits: set[int]) -> None:
    """Adds the points that the request exercises to `hits`."""
    path_values = _path_values(plan, path)
    for parameter, present, absent, node in plan.parameters:
        if parameter.location == "path":
            text = path_values.get(parameter.name)
        else:
            name = parameter.name.lower() if parameter.location == "header" else parameter.name
            text = values[parameter.location].get(name)
        if text is None:
            if absent is not None:
                hits.add(absent)
            continue
        hits.add(present)
        if node:
            value: Any = text
            if parameter.media_type:
                try:
                    value = json.loads(text)
                except UNDECODABLE:
                    continue
            node.walk(value, hits, text=not parameter.media_type)
    if plan.body:
        _hit_body(plan, request, values["header"].get("content-type", ""), hits)


def _path_values(plan: OperationPlan, path: str) -> dict[str, str]:
    match = plan.path.fullmatch(path) if plan.path_parameters else None
    return dict(zip(plan.path_parameters, map(unquote, match.groups()), strict=True)) if match else {}


def _hit_body(plan: OperationPlan, request: Request, content_type: str, hits: set[int]) -> None:
    assert plan.body is not None
    present, absent = plan.body
    if not request.body:
        if absent is not None:
            hits.add(absent)
        return
    hits.add(present)
    media_type = content_type.split(";")[0].strip().lower()
    if media_type in plan.body_types:
        hits.add(plan.body_types[media_type])
    if not plan.body_node or len(request.body) > MAX_BODY_BYTES:
        return
    is_form = media_type == FORM
    try:
        value = dict(parse_qsl(request.body.decode(), keep_blank_values=True)) if is_form else json.loads(request.body)
    except UNDECODABLE:
        return
    plan.body_node.walk(value, hits, text=is_form)


def _hit_response(plan: OperationPlan, exchange: Exchange, hits: set[int]) -> None:
    """Adds the points that the response exercises to `hits`."""
    response = exchange.response
    documented = plan.operation.response_for(response.status)
    if response.error or documented is None:
        return
    family = f"{response.status // 100}XX"
    for key in (str(response.status), family, "default"):
        if key in plan.statuses:
            hits.add(plan.statuses[key])
    media_type = response.media_type()
    point = plan.media.get((family, media_type))
    if point is not None and response.body:
        hits.add(point)
    media = documented.content.get(media_type)
    node = plan.responses.get(id(media.get("schema"))) if media else None
    if node is None or not media_type.endswith("json") or len(response.body) > MAX_BODY_BYTES:
        return
    try:
        value = response.shared_json()
    except UNDECODABLE:
        return
    node.walk(value, hits)
