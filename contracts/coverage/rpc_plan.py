"""Everything that can be exercised in a call by frame, and the points that a frame and its reply reach.

As in `operation_plan`. A frame that the call's schema does not allow reaches no point of that schema, since it is
unknown which part of it is invalid; it only counts as an invalid frame.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contracts.asyncapi import Call, RpcContract
from contracts.coverage.operation_plan import INVALID_REQUESTS, REQUEST, RESPONSE, CoveragePoint
from contracts.coverage.schema_coverage import NodeBuilder, NodeLocation
from contracts.coverage.schema_nodes import SchemaNode
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal

MAX_FRAME_BYTES = 1_000_000  # of a frame that is read


@dataclass(slots=True)
class CallPlan:
    """The points of one call by their keys, and which parts of an exchange reach them, by their numbers."""

    points: dict[str, CoveragePoint] = field(default_factory=dict)
    frame: SchemaNode | None = None
    reply: SchemaNode | None = None
    invalid: int = 0
    outcomes: tuple[int, int] = (0, 0)  # of a refusal, of a success
    is_valid: Callable[[Any], bool] = bool

    def add(self, side: str, display_path: str, description: str, name: str = "") -> int:
        """The number of that point; points with the same key are the same point."""
        point = CoveragePoint(side, display_path, description, "", name)
        self.points.setdefault(point.key, point)
        return list(self.points).index(point.key)

    def hits(self, rpc: RpcContract, exchange: Exchange, frame: Any) -> set[int]:
        """The points that this frame, as a JSON value, and its reply exercise."""
        numbers: set[int] = set()
        if not self.is_valid(frame):
            numbers.add(self.invalid)
        elif self.frame:
            self.frame.walk(frame, numbers)
        reply = read_frame(exchange.response.body)
        if exchange.response.error is None and isinstance(reply, dict):
            numbers.add(self.outcomes[not is_refusal(rpc.contract, exchange.response)])
            if self.reply:
                self.reply.walk(reply, numbers)
        return numbers


def coverage_points(rpc: RpcContract, call: Call) -> list[CoveragePoint]:
    """Everything that can be exercised in a call, the frame first."""
    return list(plan_call(rpc, call).points.values())


def plan_call(rpc: RpcContract, call: Call) -> CallPlan:
    """The plan of a call."""
    plan = CallPlan(is_valid=rpc.contract.validator(call.message_schema).is_valid)
    frames = NodeBuilder(rpc.contract, partial(plan.add, REQUEST), _is_never_expected)
    plan.frame = frames.node([call.frame_schema], NodeLocation("frame"))
    plan.invalid = plan.add(REQUEST, INVALID_REQUESTS, "a frame that its schema does not allow")
    plan.outcomes = plan.add(RESPONSE, "outcome", "refusal"), plan.add(RESPONSE, "outcome", "success")
    replies = NodeBuilder(rpc.contract, partial(plan.add, RESPONSE))
    plan.reply = replies.node([call.reply_schema], NodeLocation("reply"))
    return plan


def read_frame(body: bytes) -> Any:
    """The JSON value of a frame, None when it is not JSON or too large to be read."""
    try:
        return json.loads(body) if len(body) <= MAX_FRAME_BYTES else None
    except (ValueError, RecursionError):
        return None


def _is_never_expected(*_: object) -> bool:
    """Never: a frame has no points for kinds of invalid values, only one for an invalid frame."""
    return False
