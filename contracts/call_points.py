"""Everything that there is to exercise in a call by frame, and how a frame and its answer find it.

Rule: as in `points`. A frame that its call's shape does not allow exercises nothing of that shape, for nobody says
here what was broken in it; only that a broken one was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contracts.exchange import Exchange
from contracts.judge import refused
from contracts.nodes import Node
from contracts.points import ANSWER, BROKEN, REQUEST, Point
from contracts.rpc import Call, Rpc
from contracts.shapes import Shapes, Spot

LARGEST = 1_000_000  # bytes of a frame that is read


@dataclass(slots=True)
class CallPlan:
    """The points of one call by their key, and where an exchange hits them by their numbers."""

    points: dict[str, Point] = field(default_factory=dict)
    frame: Node | None = None
    reply: Node | None = None
    broken: int = 0
    outcomes: tuple[int, int] = (0, 0)  # of a refusal, of a success
    allows: Callable[[Any], bool] = bool

    def add(self, side: str, where: str, what: str, name: str = "") -> int:
        """The number of that point; the same words are the same point."""
        point = Point(side, where, what, "", name)
        self.points.setdefault(point.key, point)
        return list(self.points).index(point.key)

    def hits(self, whole: Rpc, exchange: Exchange, frame: Any) -> set[int]:
        """The points that this frame, as a JSON value, and its answer exercise."""
        found: set[int] = set()
        if not self.allows(frame):
            found.add(self.broken)
        elif self.frame:
            self.frame.walk(frame, found)
        value = read(exchange.answer.body)
        if exchange.answer.error is None and isinstance(value, dict):
            found.add(self.outcomes[not refused(whole.contract, exchange.answer)])
            if self.reply:
                self.reply.walk(value, found)
        return found


def points(whole: Rpc, call: Call) -> list[Point]:
    """Everything there is to exercise in a call, the frame first."""
    return list(plan(whole, call).points.values())


def plan(whole: Rpc, call: Call) -> CallPlan:
    """The plan of a call."""
    made = CallPlan(allows=whole.contract.validator(call.message).is_valid)
    made.frame = Shapes(whole.contract, partial(made.add, REQUEST), _is_never_due).node([call.frame], Spot("frame"))
    made.broken = made.add(REQUEST, BROKEN, "one that its shape does not allow")
    made.outcomes = made.add(ANSWER, "outcome", "refusal"), made.add(ANSWER, "outcome", "success")
    made.reply = Shapes(whole.contract, partial(made.add, ANSWER)).node([call.reply], Spot("reply"))
    return made


def read(body: bytes) -> Any:
    """The JSON value of a frame, None when it is none or too large to be read."""
    try:
        return json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):
        return None


def _is_never_due(*_: object) -> bool:
    """What a frame must not hold is counted as broken, and not by its kind."""
    return False
