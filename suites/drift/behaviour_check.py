"""Observes an operation or call in one test: to record it, or to compare it with its record.

Rule: a difference is a change when it is there again after a pause. Trouble on the way and records that are mostly
unsteady make an operation inconclusive, never changed.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.asyncapi import Call
from contracts.behaviour.behaviour import Address, Behaviour
from contracts.behaviour.evidence import settled
from contracts.behaviour.observed_answers import PLAIN
from contracts.exchange import as_curl, body_text
from contracts.operation import Operation
from fixtures.pace import NotTested
from fixtures.questions.asking import QuestionLog
from fixtures.questions.observing import OperationObservation, Plan
from fixtures.target_api import Api
from reports.drift.changes import Change, changes
from reports.drift.record import Record
from suites.drift.changed_behaviour import changed_behaviour, exchange_of
from suites.drift.confirmation import confirm, titles_to_ask
from suites.drift.drift_options import target_name
from suites.drift.observation_files import (
    FIRST,
    SECOND,
    StoredObservation,
    observation_path,
    read_observation,
    write_observation,
)
from suites.drift.subject_observation import OpenTransport, observe_subject

SHIFT = 7  # of the known records that a second observation uses
MIN_ANSWERED = 0.5  # share of the questions of an operation
MAX_UNSTEADY = 0.2  # share of its recorded behaviours
BETWEEN_TURNS = 1.0  # seconds, and another second by the clock
NOTHING_TO_COMPARE = "recorded; there is nothing to compare with yet"


@dataclass(frozen=True)
class BehaviourCheck:
    """One test. folder: where observations of the run go. pause: seconds before what differs is asked for again."""

    api: Api
    subject: Operation | Call
    plan: Plan
    open_transport: OpenTransport
    folder: Path
    pause: float

    def record(self, turn: str) -> None:
        """Observes for a record. Raises NotTested in the end: nothing was compared."""
        if turn == SECOND:
            self._wait_for_another_second()
        observation = self._observe(SHIFT if turn == SECOND else 0)
        unreliable = _unreliable(observation.log)
        self._write(turn, observation.behaviours, observation.log, unreliable)
        raise NotTested(unreliable or NOTHING_TO_COMPARE)

    def compare(self, record: Record) -> None:
        """Compares with the record. Raises BehaviourChanged for what breaks clients, NotTested for what is too little
        to tell.
        """
        own = record.part({self.subject.label})
        observation = self._observe()
        unreliable = _unreliable(observation.log) or _too_unsteady(own) or missing_record(own, observation.log)
        if unreliable or not own.steady:
            reason = unreliable or "not in the record; --record adds it"
            self._write(FIRST, {}, observation.log, reason)
            raise NotTested(reason)
        behaviours: Mapping[Address, Behaviour] = settled(own.steady, observation.behaviours)
        different = changes(own, behaviours)
        flipped: tuple[str, ...] = ()
        if different:
            time.sleep(self.pause)
            titles = titles_to_ask(different)
            again = self._observe(only=titles)
            if reason := _unreliable(again.log):
                self._write(FIRST, {}, again.log, reason)
                raise NotTested(reason)
            confirmed = confirm(own, behaviours, settled(own.steady, again.behaviours), titles)
            behaviours, flipped = confirmed.behaviours, tuple(_flip_text(it) for it in confirmed.flipped)
            different = changes(own, behaviours)
        self._write(FIRST, behaviours, observation.log, "", flipped, different)
        breaking = [change for change in different if change.severity == "breaking"]
        if breaking:
            raise changed_behaviour(self.api, breaking, observation.log)

    def _observe(self, shift: int = 0, only: Collection[str] | None = None) -> OperationObservation:
        return observe_subject(self.api, self.plan, self.subject, self.open_transport, shift, only)

    def _wait_for_another_second(self) -> None:
        """Waits until the first observation is old enough, if this run has one."""
        path = observation_path(self.folder, self.api.target.api, self.subject.label, FIRST)
        if path.exists():
            ended = read_observation(path).ended
            time.sleep(max(0.0, max(ended + BETWEEN_TURNS, float(int(ended) + 1)) - time.time()))

    def _write(
        self,
        turn: str,
        behaviours: Mapping[Address, Behaviour],
        log: QuestionLog,
        unreliable: str,
        flipped: tuple[str, ...] = (),
        different: Collection[Change] = (),
    ) -> None:
        shown = {change.question: exchange for change in different if (exchange := exchange_of(log, change))}
        api = self.api
        write_observation(
            self.folder,
            StoredObservation(
                api=api.target.api,
                operation=self.subject.label,
                turn=turn,
                target=target_name(api.target),
                plan=self.plan.digest(api.target.api),
                plan_size=self.plan.size,
                ended=time.time(),
                behaviours=behaviours,
                not_asked=log.not_asked,
                unreliable=unreliable,
                flipped=flipped,
                commands={it: as_curl(shown[it], api.secrets, api.secret_variables) for it in shown},
                responses={it: body_text(shown[it].response.body, api.secrets) for it in shown},
            ),
        )


def _unreliable(log: QuestionLog) -> str:
    """Why the answers are too few to say anything, "" when they are enough."""
    if log.answered_share >= MIN_ANSWERED:
        return ""
    reason = next(iter(log.troubles.values()))
    return f"{len(log.troubles)} of {len(log.troubles) + len(log.answers)} questions met trouble: {reason}"


def missing_record(record: Record, log: QuestionLog) -> str:
    """Why the documented request, which the record has, could not be judged, "" when it could."""
    is_recorded = any(it.family == "outcome" and it.place == PLAIN for it in record.steady)
    return log.not_asked.get(PLAIN, "") if is_recorded else ""


def _too_unsteady(record: Record) -> str:
    total = len(record.steady) + len(record.unsteady)
    if not total or len(record.unsteady) <= MAX_UNSTEADY * total:
        return ""
    return f"{len(record.unsteady)} of {total} recorded behaviours are unsteady, more than {MAX_UNSTEADY:.0%}"


def _flip_text(address: Address) -> str:
    where = " ".join(filter(None, (address.operation, address.answer)))
    return f"{where}: {address.family} of {address.place} was the recorded one when it was asked for again"
