"""What a run exercised of each contract: the counters laid over everything there is to exercise.

Rule: what there is comes from the contract alone and what was exercised from the exchanges alone, so what nobody
counted is not exercised. Counters that are missing are told and never taken for zero effort.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contracts
from contracts import call_points
from contracts.coverage import EXCHANGES
from contracts.document import contract
from contracts.operation import Operation
from contracts.points import ANSWER, REQUEST, Point, points
from contracts.rpc import Call, rpc
from reports import clauses, counters
from reports.clauses import Read, Told
from reports.counters import Counted, Counters
from reports.records import Records


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many points."""

    hit: int
    all: int

    def __str__(self) -> str:
        return f"{self.percent} %" if self.all else "nothing to exercise"

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 is all of them."""
        return 100 * self.hit // self.all if self.all else 100


@dataclass(frozen=True, slots=True)
class Exercised:
    """One operation, or call by frame: every point with the number of exchanges that exercised it."""

    operation: Operation | Call
    exchanges: int
    points: tuple[tuple[Point, int], ...]

    def share(self, side: str | None = None) -> Share:
        """How much of one side, or of both."""
        counts = [count for point, count in self.points if side in (None, point.side)]
        return Share(sum(count > 0 for count in counts), len(counts))


@dataclass(frozen=True, slots=True)
class Covered:
    """One API: clauses, readings, operations and calls; `lacks` says what of the counters is missing, if anything."""

    api: str
    clauses: tuple[Told, ...]
    readings: tuple[Read, ...]
    operations: tuple[Exercised, ...]
    exchanges: int
    strangers: int
    lacks: str

    def states(self) -> dict[str, int]:
        """How many clauses are in each state, in the order of STATES."""
        return {state: sum(one.state == state for one in self.clauses) for state in clauses.STATES}

    def share(self, side: str | None = None) -> Share:
        """How much of all operations and calls."""
        return whole(one.share(side) for one in self.operations)


def whole(shares: Iterable[Share]) -> Share:
    """Their sum."""
    found = list(shares)
    return Share(sum(one.hit for one in found), sum(one.all for one in found))


def covered(results: Path, apis: Iterable[str], records: Records) -> list[Covered]:
    """The coverage of those APIs that have a contract, in that order."""
    counted = counters.read(results)
    known = contracts.apis()
    return [_covered(api, counted, records) for api in apis if api in known]


def _covered(api: str, counted: Counters, records: Records) -> Covered:
    ours = counted.apis.get(api, Counted())
    whole = rpc(api)
    operations = [*contract(api).operations.values(), *(whole.calls.values() if whole else ())]
    return Covered(
        api=api,
        clauses=tuple(clauses.told(api, records)),
        readings=tuple(clauses.read(api, records)),
        operations=tuple(_exercised(one, ours.operations.get(one.label, {})) for one in operations),
        exchanges=ours.exchanges,
        strangers=ours.strangers,
        lacks=_lacks(api, ours, counted, records),
    )


def _exercised(operation: Operation | Call, counts: dict[str, int]) -> Exercised:
    if isinstance(operation, Call):
        whole = rpc(operation.api)
        assert whole is not None, f"{operation} is of an AsyncAPI document"
        there_is = call_points.points(whole, operation)
    else:
        there_is = points(contract(operation.api), operation)
    return Exercised(operation, counts.get(EXCHANGES, 0), tuple((one, counts.get(one.key, 0)) for one in there_is))


def _lacks(api: str, ours: Counted, counted: Counters, records: Records) -> str:
    """Why these numbers are not all: told by the tests' own counts, which survive a killed run."""
    made = sum(test.exchanges for test in records.tests if test.api == api)
    if counted.problems:
        return "; ".join(counted.problems)
    if not counted.files:
        return "the run left no counters: it was killed before its end, or is still going"
    if ours.exchanges < made:
        return f"the counters of {made - ours.exchanges} of {made} exchanges are missing: a worker was lost"
    return ""


def facts(one: Covered) -> dict[str, Any]:
    """What `summary.json` says of it."""
    return {
        "counters_lack": one.lacks,
        "exchanges": one.exchanges,
        "exchanges_of_no_operation": one.strangers,
        "clause_states": one.states(),
        "clauses": [
            {"id": told.clause.id, "state": told.state, "why": told.why, "exchanges": told.exchanges}
            for told in one.clauses
        ],
        "readings": {
            read.reading.id: {"in_force": read.in_force, "fixed": read.is_fixed, "seen": list(read.seen)}
            for read in one.readings
            if read.reading.meanings
        },
        "requests": _pair(one.share(REQUEST)),
        "answers": _pair(one.share(ANSWER)),
        "operations": {made.operation.label: _of_operation(made) for made in one.operations},
    }


def _of_operation(made: Exercised) -> dict[str, Any]:
    missed = [f"{point.side} {point.where}: {point.what}" for point, count in made.points if not count]
    shares = {"requests": _pair(made.share(REQUEST)), "answers": _pair(made.share(ANSWER))}
    return {"exchanges": made.exchanges, **shares, "not_exercised": missed}


def _pair(share: Share) -> dict[str, int]:
    return {"exercised": share.hit, "of": share.all}


def table(found: Sequence[Covered]) -> list[str]:
    """A Markdown table: an API a row, its clauses by state, and how much was exercised."""
    states = [state for state in clauses.STATES if any(one.states()[state] for one in found)]
    heads = ["API", *states, "exchanges", "requests exercised", "answers seen"]
    rows = [f"| {' | '.join(heads)} |", "|---|" + "--:|" * (len(heads) - 1)]
    for one in found:
        shares = ["missing"] * 3 if one.lacks else [str(one.exchanges), str(one.share(REQUEST)), str(one.share(ANSWER))]
        rows.append(f"| {' | '.join([one.api, *(str(one.states()[state]) for state in states), *shares])} |")
    return rows if found else []
