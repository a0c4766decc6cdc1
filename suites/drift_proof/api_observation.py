"""Observes the operations and calls of an API by the code that a drift run uses.

Rule: as there, an operation of which fewer than half of the questions are answered says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from types import TracebackType

from contracts.asyncapi import Call, load_rpc_contract
from contracts.behaviour.behaviour import Observation
from contracts.operation import Operation
from fixtures.http_client import Unreachable
from fixtures.pace import NotTested
from fixtures.questions.observing import Plan
from fixtures.target_api import Api
from fixtures.transports import Transport
from fixtures.transports import transport as open_transport
from reports.drift.record import Record, RecordHeader
from suites.drift.behaviour_check import MIN_ANSWERED, missing_record
from suites.drift.subject_observation import observe_subject

PLAN = Plan("full", writes=True)
DAY = date(2027, 3, 10)


class ApiObserver:
    """Observes what several clients of one API see, among which the operations and calls are shared.

    labels: the pattern of those that are observed. It is a context, in which transports stay open.
    """

    def __init__(self, clients: Sequence[Api], labels: str = "*") -> None:
        self._clients = clients
        everything: list[Operation | Call] = [*clients[0].contract.operations.values(), *_calls(clients[0])]
        self._subjects = {it.label: it for it in everything if fnmatchcase(it.label, labels)}
        self._client_of = {label: clients[number % len(clients)] for number, label in enumerate(self._subjects)}
        self._open: dict[tuple[int, str], Transport] = {}
        self._stack = ExitStack()

    def __enter__(self) -> ApiObserver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def labels(self) -> list[str]:
        """The labels of what is observed."""
        return list(self._subjects)

    def observe(
        self, label: str, shift: int = 0, only: Collection[str] | None = None, own: Record | None = None
    ) -> Observation | None:
        """What the operation or call shows, None where too few questions were answered, the target was not reached, or
        has nothing of which `own`, the record of the operation, could tell anything.

        `shift` and `only` are those of `fixtures.questions.observing`.
        """
        subject, api = self._subjects[label], self._client_of[label]
        try:
            observation = observe_subject(api, PLAN, subject, lambda name: self._transport(api, name), shift, only)
        except (Unreachable, NotTested):
            return None
        is_unknown = own is not None and missing_record(own, observation.log)
        return observation.behaviours if observation.log.answered_share >= MIN_ANSWERED and not is_unknown else None

    def _transport(self, api: Api, name: str) -> Transport:
        key = (id(api), name)
        if key not in self._open:
            self._open[key] = open_transport(api, name)
            self._stack.callback(self._open[key].close)
        return self._open[key]


def _calls(api: Api) -> list[Call]:
    rpc = load_rpc_contract(api.target.api)
    return list(rpc.calls.values()) if rpc else []


@cache
def record_header(api: str) -> RecordHeader:
    """The header of a record of that API's reference."""
    return RecordHeader(api, "http://127.0.0.1", PLAN.digest(api), "0" * 12, "full", "0", (DAY,), not_asked={})
