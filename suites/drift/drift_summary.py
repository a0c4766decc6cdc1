"""Puts together what the behaviour tests of a run have observed: writes records and the results of comparisons."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import contracts
from contracts import loader
from contracts.behaviour.behaviour import SHARES, Address, Behaviour, Observation
from contracts.behaviour.evidence import completed
from reports.drift import drift_results
from reports.drift.changes import Change, changes, not_comparable
from reports.drift.drift_results import DriftResult, confirmed
from reports.drift.record import Record, RecordHeader
from reports.drift.record_files import write_record
from reports.drift.recording import merge
from reports.drift.share_evidence import significant
from suites.drift.observation_files import FIRST, SECOND, StoredObservation

MIN_COMPARABLE = 0.9  # share of the recorded behaviours of the operations that were tested


@dataclass(frozen=True)
class ApiObservations:
    """The observations of one API in a run, and the behaviours of its other tests (clauses and readings)."""

    api: str
    folder: Path  # of its record
    observations: Sequence[StoredObservation]
    run_facts: Mapping[Address, Behaviour] = field(default_factory=dict)

    @property
    def inconclusive(self) -> dict[str, str]:
        """By operation, why nothing can be said of it."""
        return {it.operation: it.unreliable for it in self.observations if it.unreliable}

    def of_turn(self, turn: str) -> dict[Address, Behaviour]:
        """What the reliable observations of that turn show together."""
        reliable = [it for it in self.observations if it.turn == turn and it.operation not in self.inconclusive]
        return {address: value for it in reliable for address, value in it.behaviours.items()}

    def header(self) -> RecordHeader:
        """The header of a record that is made of these observations."""
        last = self.observations[-1]
        return RecordHeader(
            api=self.api,
            target=last.target,
            plan=last.plan,
            contract=contract_digest(self.api),
            plan_size=last.plan_size,
            version=_version(),
            days=(datetime.now(UTC).date(),),
            not_asked={
                f"{it.operation}: {title}": why for it in self.observations for title, why in it.not_asked.items()
            },
        )


def record_observations(observed: ApiObservations, earlier: Record | None) -> tuple[Record, DriftResult]:
    """Writes the record of both turns, added to an earlier one, and returns it with the result of the run.

    An operation that only one turn could observe is not recorded; what the earlier record has of operations that were
    not observed stays.
    """
    turns = observed.of_turn(FIRST), observed.of_turn(SECOND)
    once = {it.operation for it in turns[0]} ^ {it.operation for it in turns[1]}
    passes = [{**it, **observed.run_facts} for it in completed(*(_without(turn, once) for turn in turns))]
    operations = {it.operation for it in passes[0]}
    fresh, kept = (earlier.part(operations), earlier.without(operations)) if earlier else (None, None)
    if fresh is not None:
        passes = [completed(it, fresh.steady)[0] for it in passes]
        fresh = Record(fresh.header, completed(fresh.steady, passes[0])[0], fresh.unsteady)
    record = with_steady_rates(merge(observed.header(), passes, fresh), passes)
    if kept is not None:
        record = Record(record.header, {**kept.steady, **record.steady}, {**kept.unsteady, **record.unsteady})
    write_record(record, observed.folder)
    inconclusive = {**observed.inconclusive, **dict.fromkeys(once, "observed only once")}
    return record, _result(observed, record, is_recorded=True, inconclusive=inconclusive)


def compare_observations(observed: ApiObservations, record: Record) -> DriftResult:
    """The changes that the observations show together, and what could not be compared."""
    after = {**observed.of_turn(FIRST), **_comparable_facts(observed.run_facts, record)}
    operations = {address.operation for address in after}
    tested = record.part(operations)
    missing = [address for address in not_comparable(tested, after) if address.operation]
    inconclusive = dict(observed.inconclusive)
    if tested.steady and len(missing) > (1 - MIN_COMPARABLE) * len(tested.steady):
        reason = "the plan changed: record again" if record.header.plan != observed.header().plan else "few answers"
        not_asked = {it.operation: next(iter(it.not_asked.values())) for it in observed.observations if it.not_asked}
        names = sorted({address.operation for address in missing} - set(inconclusive))
        inconclusive |= {name: not_asked.get(name, reason) for name in names}
    return _result(
        observed,
        tested,
        all_changes=[confirmed(change) for change in changes(tested, after)],
        not_comparable=len(missing),
        inconclusive=inconclusive,
    )


def unreachable_result(api: str, folder: Path, record: Record | None, message: str) -> DriftResult:
    """The result of a run whose target could not be reached."""
    day = datetime.now(UTC).date()
    header = record.header if record else RecordHeader(api, "", "", contract_digest(api), "small", _version(), (day,))
    return DriftResult(api, header.target, str(folder), header, day, unreachable=message)


def write_result(folder: Path, result: DriftResult) -> None:
    """Writes the result for the report."""
    drift_results.write(folder / f"{result.api}.json", result)


def contract_digest(api: str) -> str:
    """12 hex digits of the contract's files."""
    digest = hashlib.sha256()
    for path in sorted(loader.source_files(contracts.FOLDER / api)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _result(
    observed: ApiObservations,
    record: Record,
    *,
    is_recorded: bool = False,
    all_changes: Sequence[Change] = (),
    not_comparable: int = 0,
    inconclusive: Mapping[str, str],
) -> DriftResult:
    shown = {(it.operation, title): it for it in observed.observations for title in it.commands}
    by_change = {
        it.id: (it.question, shown[it.operation, it.question])
        for it in all_changes
        if (it.operation, it.question) in shown
    }
    now = observed.header()
    return DriftResult(
        api=observed.api,
        target=now.target,
        folder=str(observed.folder),
        header=record.header,
        day=now.days[0],
        plan=now.plan,
        contract=now.contract,
        is_recorded=is_recorded,
        changes=tuple(all_changes),
        watched=len(record.steady),
        unsteady=len(record.unsteady),
        not_comparable=not_comparable,
        inconclusive=inconclusive,
        became_unsteady=tuple(text for it in observed.observations for text in it.flipped),
        curls={change: it.commands[title] for change, (title, it) in by_change.items()},
        responses={change: it.responses[title] for change, (title, it) in by_change.items()},
    )


def with_steady_rates(record: Record, observations: Sequence[Observation]) -> Record:
    """The record, without rates that differ between its own observations by more than chance."""
    first, second = observations
    rates = [
        address
        for address, it in record.steady.items()
        if address.family in SHARES and it.value == "sometimes" and address in first and address in second
    ]
    counts = [(first[it].count, first[it].total, second[it].count, second[it].total) for it in rates]
    unsteady = {it for it, differs in zip(rates, significant(counts), strict=True) if differs}
    return Record(
        record.header,
        {address: it for address, it in record.steady.items() if address not in unsteady},
        {**record.unsteady, **{it: _rates(first[it], second[it]) for it in unsteady}},
    )


def _rates(*shares: Behaviour) -> tuple[str, ...]:
    return tuple(sorted({f"{100 * it.count / max(it.total, 1):.0f} %" for it in shares}))


def _without(observation: Observation, operations: Iterable[str]) -> dict[Address, Behaviour]:
    names = set(operations)
    return {address: it for address, it in observation.items() if address.operation not in names}


def _comparable_facts(facts: Mapping[Address, Behaviour], record: Record) -> dict[Address, Behaviour]:
    """The run's clauses and readings that the record knows too."""
    return {address: it for address, it in facts.items() if address in record.steady}


@cache
def _version() -> str:
    """flowproof's own: it is run from its checkout, and not installed."""
    project = tomllib.loads((contracts.FOLDER.parent / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])
