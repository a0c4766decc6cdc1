"""The kill table as data: how a proof of the suites is kept, and which one a report tells.

Rule: the newest proof of this machine is told, and the published one only where there is none; a file that cannot be
read is never taken for a proof, and the report says so. A verdict is worked out from the complaints; the stored one is
for other readers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

PUBLISHED = Path(__file__).parent
NAME = "kill-table.json"
KINDS = ("fault", "variant", "seed")
VERDICTS = {  # the worst first
    "broken": "a test ended in an error of its own, so nothing is sure",
    "missed": "no test complained about the fault",
    "foreign": "tests complained, but blamed only clauses that the fault does not break",
    "blamed": "a test complained about a variant, which keeps the document",
    "caught": "a test complained and blamed a clause that the fault breaks",
    "ok": "nothing complained about the variant",
}
GOOD = ("caught", "ok")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Made:
    """How it came about: `date` in ISO 8601 and UTC, `command` as it can be typed, `jobs` processes on `cores`."""

    date: str
    command: str
    jobs: int
    cores: int
    python: str

    @property
    def when(self) -> str:
        """The date for people."""
        return datetime.fromisoformat(self.date).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One test that did not pass: the clauses it blames, and its message. `broken` when it is no assertion."""

    test: str
    clauses: tuple[str, ...]
    message: str
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change. `requests` and `seconds` are until the first rightful complaint, or in all.

    `kind` is fault, variant, or seed: a run of the honest references with other generated requests.
    """

    api: str
    name: str
    kind: str
    clauses: tuple[str, ...]
    summary: str
    complaints: tuple[Complaint, ...] = ()
    requests: int = 0
    seconds: float = 0.0
    skipped: int = 0

    @property
    def rightful(self) -> Complaint | None:
        """The first complaint about a clause that the fault breaks."""
        return next((one for one in self.complaints if not one.broken and set(one.clauses) & set(self.clauses)), None)

    @property
    def shown(self) -> Complaint | None:
        """The complaint that a reader is shown: what broke, else the rightful one, else the first."""
        broken = next((one for one in self.complaints if one.broken), None)
        return broken or self.rightful or next(iter(self.complaints), None)

    @property
    def verdict(self) -> str:
        """One of VERDICTS."""
        if any(one.broken for one in self.complaints):
            return "broken"
        if self.kind != "fault":
            return "blamed" if self.complaints else "ok"
        return "caught" if self.rightful else "foreign" if self.complaints else "missed"


@dataclass(frozen=True, slots=True)
class Proof:
    """A kill table. `honest`: complaints about the honest references. `changes`: all there are, by API and kind."""

    made: Made
    seconds: float
    tests: int
    changes: Mapping[str, Mapping[str, int]]
    honest: tuple[Complaint, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Found(Generic[Read]):
    """What is told: None when there is nothing. `problem` is why the newest file could not be read."""

    what: Read | None
    is_published: bool = False
    problem: str = ""


def newest(folder: Path, name: str, read: Callable[[str], Read]) -> Found[Read]:
    """The file of that name in `folder`, else the published one; nothing is raised for a file that cannot be read."""
    problem = ""
    for place in (folder, PUBLISHED):
        try:
            return Found(read((place / name).read_text("utf-8")), place is PUBLISHED, problem)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            problem = problem or f"{name} cannot be read: {error}"
    return Found(None, problem=problem)


def proof(text: str) -> Proof:
    """The proof that `text` made; raises ValueError for any other text."""
    return parsed(text, _proof)


def parsed(text: str, build: Callable[[Any], Read]) -> Read:
    """What `build` makes of that JSON; raises ValueError when a part is missing or of another type."""
    try:
        return build(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is of another version of flowproof ({type(error).__name__}: {error})") from error


def result(found: Mapping[str, Any]) -> Result:
    """One result from its JSON; raises ValueError, KeyError or TypeError for anything else."""
    if found["kind"] not in KINDS:
        raise ValueError(f"kind {found['kind']!r} is none of {', '.join(KINDS)}")
    return Result(
        api=str(found["api"]),
        name=str(found["name"]),
        kind=str(found["kind"]),
        clauses=tuple(map(str, found["clauses"])),
        summary=str(found["summary"]),
        complaints=tuple(map(_complaint, found["complaints"])),
        requests=int(found["requests"]),
        seconds=float(found["seconds"]),
        skipped=int(found["skipped"]),
    )


def text(proof: Proof) -> str:
    """The proof as JSON, with a line for each result."""
    head = {**asdict(proof), "honest": [asdict(one) for one in proof.honest]}
    del head["results"]
    lines = ",\n".join(json.dumps(_record(one), ensure_ascii=False) for one in proof.results)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "results": [\n{lines}\n]}}\n'


def compact(proof: Proof) -> Proof:
    """The proof as it is published: of what was caught, only the complaint that is shown, without its message."""
    return replace(proof, results=tuple(map(_compact, proof.results)))


def _compact(result: Result) -> Result:
    if result.verdict != "caught" or result.shown is None:
        return result
    return replace(result, complaints=(replace(result.shown, message=""),))


def _record(result: Result) -> dict[str, Any]:
    return {**asdict(result), "seconds": round(result.seconds, 3), "verdict": result.verdict}


def _proof(found: Mapping[str, Any]) -> Proof:
    return Proof(
        made(found["made"]),
        float(found["seconds"]),
        int(found["tests"]),
        {str(api): {str(kind): int(count) for kind, count in of.items()} for api, of in found["changes"].items()},
        tuple(map(_complaint, found["honest"])),
        tuple(map(result, found["results"])),
    )


def made(found: Mapping[str, Any]) -> Made:
    """How something came about, from its JSON; raises KeyError, TypeError or ValueError for anything else."""
    date, command, python = (str(found[name]) for name in ("date", "command", "python"))
    datetime.fromisoformat(date)
    return Made(date, command, int(found["jobs"]), int(found["cores"]), python)


def _complaint(found: Mapping[str, Any]) -> Complaint:
    return Complaint(
        str(found["test"]), tuple(map(str, found["clauses"])), str(found["message"]), bool(found["broken"])
    )
