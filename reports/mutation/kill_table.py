"""The data model of the kill table, and its JSON: the result of each fault and variant of our references.

Rule: a verdict is always computed from the complaints; the verdict in the JSON is for other readers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

PUBLISHED = Path(__file__).parents[1]
FILE_NAME = "kill-table.json"
MARKDOWN_NAME = "kill-table.md"
KINDS = ("fault", "variant", "seed")
VERDICTS = {  # the worst first
    "broken": "a test ended in an error of its own, so nothing is sure",
    "missed": "no test complained about the fault",
    "foreign": "tests complained, but blamed only clauses that the fault does not break",
    "blamed": "a test complained about a variant, which keeps the document",
    "caught": "a test complained and blamed a clause that the fault breaks",
    "ok": "no test complained about the variant",
}
EXPECTED_VERDICTS = ("caught", "ok")
Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a table was made. date: ISO 8601 in UTC; command: as it can be typed; jobs: processes on that many cores."""

    date: str
    command: str
    jobs: int
    cores: int
    python: str

    @property
    def date_text(self) -> str:
        """The date as it is shown."""
        return datetime.fromisoformat(self.date).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A test that did not pass: the clauses it blames and its message. broken: it ended in an error of its own."""

    test: str
    clauses: tuple[str, ...]
    message: str
    broken: bool = False

    @property
    def function(self) -> str:
        """The name of the test function alone."""
        return self.test.split("[")[0].rpartition("::")[2]


@dataclass(frozen=True)
class MutationResult:
    """The result of a mutation run for one change of a reference.

    kind: fault, variant, or seed (unchanged references, or a minimal variant, with other generated requests). requests
    and seconds: until the killing complaint, or of the whole run. causes: of a fault that every test ran against, for
    each cause that is reported, the worst first, the clauses that it blames; None where the trial ended sooner.
    set_aside: of several variants that were tried at once, those that are to be tried again.
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
    causes: tuple[tuple[str, ...], ...] | None = None
    set_aside: tuple[str, ...] = ()

    @cached_property
    def killing_complaint(self) -> Complaint | None:
        """The first complaint that blames a clause which the fault breaks."""
        own = set(self.clauses)
        return next(
            (complaint for complaint in self.complaints if not complaint.broken and own & {*complaint.clauses}), None
        )

    @property
    def shown_complaint(self) -> Complaint | None:
        """The complaint for the reader: an error of a test, else the killing complaint, else the first."""
        broken = next((complaint for complaint in self.complaints if complaint.broken), None)
        return broken or self.killing_complaint or next(iter(self.complaints), None)

    @property
    def is_first_cause_right(self) -> bool:
        """Whether the worst cause names a clause that the fault breaks."""
        return any({*self.clauses} & {*clauses} for clauses in (self.causes or ())[:1])

    @cached_property
    def verdict(self) -> str:
        """One of VERDICTS."""
        if any(complaint.broken for complaint in self.complaints):
            return "broken"
        if self.kind != "fault":
            return "blamed" if self.complaints else "ok"
        return "caught" if self.killing_complaint else "foreign" if self.complaints else "missed"


@dataclass(frozen=True, slots=True)
class KillTable:
    """The results of a mutation run.

    tests: checks that every change had to pass; observations: tests that only record and so kill nothing. changes: the
    number of all faults and variants there are, by API and kind. honest: complaints about the unchanged references.
    """

    made: Provenance
    seconds: float
    tests: int
    changes: Mapping[str, Mapping[str, int]]
    honest: tuple[Complaint, ...]
    results: tuple[MutationResult, ...]
    observations: int = 0


def parse_kill_table(text: str) -> KillTable:
    """Read what `to_json` wrote; raises ValueError for any other text."""
    return parse_json(text, _kill_table)


def parse_json(text: str, build: Callable[[Any], Parsed]) -> Parsed:
    """Build an object from JSON; raises ValueError when a part is missing or has another type."""
    try:
        return build(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is of another version of flowproof ({type(error).__name__}: {error})") from error


def catching_tests(table: KillTable) -> dict[tuple[str, str], str]:
    """By API and fault, the name of the test function that caught it."""
    return {
        (result.api, result.name): complaint.function
        for result in table.results
        if result.kind == "fault" and (complaint := result.killing_complaint)
    }


def parse_mutation_result(content: Mapping[str, Any]) -> MutationResult:
    """Build one result; raises ValueError, KeyError or TypeError for other content."""
    if content["kind"] not in KINDS:
        raise ValueError(f"kind {content['kind']!r} is none of {', '.join(KINDS)}")
    return MutationResult(
        api=str(content["api"]),
        name=str(content["name"]),
        kind=str(content["kind"]),
        clauses=tuple(map(str, content["clauses"])),
        summary=str(content["summary"]),
        complaints=tuple(map(parse_complaint, content["complaints"])),
        requests=int(content["requests"]),
        seconds=float(content["seconds"]),
        skipped=int(content["skipped"]),
        causes=_causes(content.get("causes")),
        set_aside=tuple(map(str, content.get("set_aside", ()))),
    )


def _causes(content: Any) -> tuple[tuple[str, ...], ...] | None:
    return None if content is None else tuple(tuple(map(str, clauses)) for clauses in content)


def parse_provenance(content: Mapping[str, Any]) -> Provenance:
    """Build a provenance; raises KeyError, TypeError or ValueError for other content."""
    date, command, python = (str(content[name]) for name in ("date", "command", "python"))
    datetime.fromisoformat(date)
    return Provenance(date, command, int(content["jobs"]), int(content["cores"]), python)


def to_json(table: KillTable) -> str:
    """The table as JSON, with a line for each result."""
    head = {**asdict(table), "honest": [asdict(complaint) for complaint in table.honest]}
    del head["results"]
    lines = ",\n".join(json.dumps(_result_record(result), ensure_ascii=False) for result in table.results)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "results": [\n{lines}\n]}}\n'


def _result_record(result: MutationResult) -> dict[str, Any]:
    record = {**asdict(result), "seconds": round(result.seconds, 3), "verdict": result.verdict}
    if result.causes is None:
        return record
    return record | {"number_of_causes": len(result.causes), "is_first_cause_right": result.is_first_cause_right}


def _kill_table(content: Mapping[str, Any]) -> KillTable:
    return KillTable(
        parse_provenance(content["made"]),
        float(content["seconds"]),
        int(content["tests"]),
        {str(api): {str(kind): int(count) for kind, count in of.items()} for api, of in content["changes"].items()},
        tuple(map(parse_complaint, content["honest"])),
        tuple(map(parse_mutation_result, content["results"])),
        int(content["observations"]),
    )


def parse_complaint(content: Mapping[str, Any]) -> Complaint:
    """Build one complaint; raises KeyError or TypeError for other content."""
    clauses = tuple(map(str, content["clauses"]))
    return Complaint(str(content["test"]), clauses, str(content["message"]), bool(content["broken"]))
