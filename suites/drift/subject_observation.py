"""Observes an operation or call with everything that a run can open: transports of calls, and raw frames."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from contracts.asyncapi import Call
from contracts.operation import Operation
from fixtures.questions.observing import OperationObservation, Plan, observe_call, observe_operation
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import TRANSPORTS, Transport
from suites.drift.engine_probes import engine_behaviours
from suites.drift.frame_probes import frame_behaviours

OpenTransport = Callable[[str], Transport]  # returns the transport of that name; MissingPrecondition without one


def observe_subject(
    api: Api,
    plan: Plan,
    subject: Operation | Call,
    open_transport: OpenTransport,
    shift: int = 0,
    only: Collection[str] | None = None,
) -> OperationObservation:
    """What the questions about an operation or call show; with `only`, those of these titles, and nothing else."""
    if isinstance(subject, Operation):
        return observe_operation(api, plan, subject, shift, only)
    carriers: list[Transport] = []
    for name in TRANSPORTS:
        with suppress(MissingPrecondition):
            carriers.append(open_transport(name))
    observation = observe_call(api, plan, subject, carriers, shift, only)
    if only is not None:
        return observation
    of_engine = engine_behaviours(api, subject) if plan.size == "full" else {}
    shown = {**observation.behaviours, **frame_behaviours(api, subject), **of_engine}
    return OperationObservation(shown, observation.log)
