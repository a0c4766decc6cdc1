"""One observation of an API, by the code that a drift run uses: every operation and call of the full plan.

Rule: every other observation asks the operations in reverse order, with other records.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from fnmatch import fnmatchcase
from functools import cache

from contracts.asyncapi import Call, load_rpc_contract
from contracts.behaviour.behaviour import Address, Behaviour, Observation
from contracts.operation import Operation
from fixtures.questions.observing import OperationObservation, Plan, observe_call, observe_operation
from fixtures.target_api import Api
from fixtures.transports import Transport
from fixtures.transports import transport as open_transport
from reports.drift.record import RecordHeader

PLAN = Plan("full", writes=True)
DAY = date(2027, 3, 10)


def observed(apis: list[Api], number: int, labels: str = "*") -> Observation:
    """What the answers show of the operations and calls whose label matches the pattern; `number` of the observation.

    The operations are shared among the clients.
    """
    behaviours: dict[Address, Behaviour] = {}
    everything: list[Operation | Call] = [*apis[0].contract.operations.values(), *_calls(apis[0])]
    subjects = [subject for subject in everything if fnmatchcase(subject.label, labels)]
    with ExitStack() as stack:
        opened: dict[tuple[int, str], Transport] = {}
        for position, subject in list(enumerate(subjects))[:: -1 if number % 2 else 1]:
            worker = position % len(apis)

            def carrier(name: str, worker: int = worker) -> Transport:
                if (worker, name) not in opened:
                    opened[worker, name] = open_transport(apis[worker], name)
                    stack.callback(opened[worker, name].close)
                return opened[worker, name]

            observation = _observation(apis[worker], subject, carrier, number)
            if not observation.asked.troubles:  # trouble is no drift: the operation is asked again another time
                behaviours |= observation.behaviours
    return behaviours


def _observation(
    api: Api, subject: Operation | Call, carriers: Callable[[str], Transport], number: int
) -> OperationObservation:
    if isinstance(subject, Operation):
        return observe_operation(api, PLAN, subject, number)
    return observe_call(api, PLAN, subject, carriers, number)


def _calls(api: Api) -> list[Call]:
    rpc = load_rpc_contract(api.target.api)
    return list(rpc.calls.values()) if rpc else []


@cache
def record_header(api: str) -> RecordHeader:
    """The header of a record of that API's reference."""
    return RecordHeader(api, "http://127.0.0.1", PLAN.digest(api), "0" * 12, "full", "0", (DAY,), not_asked={})
