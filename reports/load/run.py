"""One load run, read back from its folder: what it set out to do, its lines of figures, and what they add up to.

Rule: with `result.json` the run came to its end and that file's sums hold; without it they are made again from the
lines of the master and of the workers, each line once. Where the master was killed and our own reference with it, what
workers alone saw was no target any more, and does not count. A line that cannot be read is told, except the half one
that a killed process was writing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from contracts.document import contract
from contracts.rpc import rpc
from reports.load.result import PLAN, RESULT, SECONDS, Result, together
from reports.load.tally import Tallies, Tally

Line = Mapping[str, Any]

KILLED = "the run has no end mark: it was killed, or is still going; its last second may be missing"


class NoRun(ValueError):
    """A folder that holds no load run; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a profile: seconds since the start, and whether objectives are judged in it."""

    name: str
    begin: float
    end: float
    judged: bool


@dataclass(frozen=True)
class LoadRun:
    """A run as its folder tells it. `lines` are those of all workers by time; `problems` what could not be read."""

    path: Path
    plan: Mapping[str, Any]
    result: Result
    complete: bool
    lines: tuple[Line, ...]
    problems: tuple[str, ...]

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs whose journeys were played; none when the locustfile knows no contract."""
        return tuple(self.plan.get("apis", ()))

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of the profile, from when the arrivals began; the last one goes on to the end of the run."""
        begun = next((line for line in self.lines if _has_begun(line)), None)  # longer than 1 s after a busy start
        offset = max(begun["from"], begun["to"] - 1) - self.result.started if begun else 0.0
        found = [Phase(**each) for each in self.plan.get("phases", ())]
        found = [replace(one, begin=one.begin + offset, end=one.end + offset) for one in found]
        return (*found[:-1], *(replace(one, end=max(one.end, self.result.seconds)) for one in found[-1:]))

    def gaps(self) -> list[str]:
        """What of the run did not happen, or cannot be read."""
        return [*([] if self.complete else [KILLED]), *self.problems, *self.result.gaps()]

    @cached_property
    def judged(self) -> list[Tally]:
        """The figures that objectives are about: of the judged phases, or of the whole run when it has none."""
        return self._judged("operations")

    @cached_property
    def judged_journeys(self) -> list[Tally]:
        """The same of whole journeys; each counts where it ended."""
        return self._judged("journeys")

    def _judged(self, of: str) -> list[Tally]:
        if all(phase.judged for phase in self.phases):
            found: list[Tally] = getattr(self.result, of)
            return found
        return summed((line for line in self.lines if self.is_judged(self.middle(line))), of)

    @cached_property
    def judged_seconds(self) -> float:
        """How long the judged phases lasted."""
        if all(phase.judged for phase in self.phases):
            return self.result.seconds
        lasted = self.result.seconds
        return sum(max(0.0, min(one.end, lasted) - one.begin) for one in self.phases if one.judged)

    def is_judged(self, at: float) -> bool:
        """Whether objectives are about that instant, in seconds since the start."""
        last = self.phases[-1]
        return (at >= last.end and last.judged) or any(one.judged and one.begin <= at < one.end for one in self.phases)

    def middle(self, line: Line) -> float:
        """The middle of a line's time, in seconds since the start."""
        return float((line["from"] + line["to"]) / 2 - self.result.started)

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {label: api for api in reversed(self.apis) for label in labels(api)}

    def api_of(self, operation: str) -> str:
        """The API whose contract has that operation, or its broken requests; "" when none of the run's has."""
        return self._owners.get(operation.removesuffix(" (refused)"), "")


def _has_begun(line: Line) -> bool:
    return any(counted["planned"] for counted in line["arrivals"].values())


def labels(api: str) -> list[str]:
    """The names under which the operations of an API's contract are counted; none for an API without a contract."""
    try:
        known = contract(api)
    except FileNotFoundError:
        return []
    calls = rpc(api)
    return [*(calls.calls if calls else ()), *known.operations]


def read(folder: Path) -> LoadRun:
    """The run in that folder. Raises NoRun when there is none, or when what describes it cannot be understood."""
    plan = _json(folder / PLAN)
    if plan is None:
        raise NoRun(
            f"{folder} holds no load run: expected a folder with {PLAN}, as load runs leave in reports/out/load"
        )
    problems: list[str] = []
    alone = bool(plan.get("embedded")) and not (folder / RESULT).exists()
    lines = _lines(folder, problems, [] if alone else sorted(folder.glob("seconds-*.jsonl")))
    try:
        result, complete = _result(folder, plan, lines)
    except (ValueError, KeyError, TypeError) as wrong:
        raise NoRun(f"{folder}: {RESULT} or a line of figures cannot be understood: {wrong!r}") from None
    return LoadRun(folder, plan, result, complete, tuple(lines), tuple(problems))


def runs(folder: Path) -> list[Path]:
    """The folders below that hold a run, oldest first."""
    found = [path.parent for path in folder.glob(f"*/{PLAN}")]
    return sorted(found, key=lambda path: (path / PLAN).stat().st_mtime_ns)


def summed(lines: Iterable[Line], of: str = "operations") -> list[Tally]:
    """What lines add up to, by operation and transport; `of` may be journeys, which older runs have none of."""
    tallies = Tallies()
    for known in chain.from_iterable(line.get(of, ()) for line in lines):
        tallies.add(Tally.from_json(known))
    return tallies.all()


def _result(folder: Path, plan: Line, lines: list[Line]) -> tuple[Result, bool]:
    known = _json(folder / RESULT)
    if known is not None:
        return Result.from_json(known), True
    result = Result(plan["name"], plan["started"], plan["planned"], plan["workers"])
    result.seconds = max((line["to"] for line in lines), default=result.started) - result.started
    result.operations, result.journeys = summed(lines), summed(lines, "journeys")
    last: dict[str, Line] = {line["worker"]: line for line in lines}
    result.health = {worker: line["health"] for worker, line in last.items() if line["health"]}
    for worker, line in last.items():
        for name, note in line.get("notes", {}).items():
            result.notes.setdefault(name, {})[worker] = note
    names = sorted({name for line in last.values() for name in line["arrivals"]})
    result.arrivals = {
        name: together([line["arrivals"][name] for line in last.values() if name in line["arrivals"]]) for name in names
    }
    return result, False


def _lines(folder: Path, problems: list[str], of_workers: list[Path]) -> list[Line]:
    """All lines of these processes, each once, without those before the statistics were last reset."""
    found: dict[tuple[Any, ...], Line] = {}
    reset = 0.0
    for path in (folder / SECONDS, *of_workers):
        for line in _read_lines(path, problems):
            if "reset" in line:
                reset = max(reset, line["reset"])
            else:
                found.setdefault((line["worker"], line["from"], line["to"]), line)
    return sorted((line for line in found.values() if line["to"] > reset), key=lambda line: line["to"])


def _read_lines(path: Path, problems: list[str]) -> Iterator[Line]:
    try:
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            known = json.loads(line)
            if "reset" in known or all(
                key in known for key in ("worker", "from", "to", "operations", "arrivals", "health")
            ):
                yield known
                continue
        except (ValueError, TypeError):
            pass
        problems.append(f"{path.name} line {number} is no line of figures")


def _json(path: Path) -> dict[str, Any] | None:
    """What a file of a run says; None without the file. Raises NoRun for a file that is none of a run's."""
    try:
        known = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as wrong:
        raise NoRun(f"{path} cannot be read: {wrong}") from None
    if not isinstance(known, dict):
        raise NoRun(f"{path} should hold a JSON object")
    return known
