"""The outcome of each test as a line of JSON, written when the test ends by the process that ran it.

Rule: a line is flushed as it is written, so a run that is killed keeps its lines. An outcome is data: the process that
caught the exception has decided it (suites/reporting/outcomes.py), and nobody guesses it from a message.

    {"run": "5b6c…", "api": "getflow", "node": "suites/getflow/test_errors.py::test_x", "title": "X",
     "outcome": "failed", "clauses": ["GETFLOW-ERR-10"], "blamed": ["GETFLOW-ERR-10"], "message": "…", "readings": [],
     "exchanges": 3, "cases": 0, "observed": [], "is_observation": false, "changes": [],
     "bug_kind": "", "operations": [], "findings": [{"clause": "GETFLOW-ERR-10", "expected": "…", …}], "departure": "",
     "prerequisite": "", "blocked_by": [], "seconds": 0.12}
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from reports.results.finding_record import FindingRecord, parse_finding
from reports.results.run_manifest import RECORDS_PREFIX

BLOCKED = "blocked"  # the outcome of a test that could not reach its subject, since what it stands on is refused
SEVERITY = {
    "passed": 0,
    "known": 1,
    "skipped": 2,
    "warning": 3,
    "inconclusive": 4,
    BLOCKED: 5,
    "failed": 6,
    "unreachable": 7,
    "misuse": 8,
    "broken": 9,
}  # outcomes, the worst last
BLAMING_OUTCOMES = frozenset({"failed", "warning"})  # a warning: only clauses that the document does not have
JUDGED_OUTCOMES = BLAMING_OUTCOMES | {"passed"}
NOT_JUDGED_OUTCOMES = frozenset({"inconclusive", BLOCKED, "unreachable", "misuse", "broken"})


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """The result of one test.

    node: pytest's node id. outcome: a key of SEVERITY. clauses: ids of the clauses that the test checks, the main one
    first. blamed: ids of the clauses that its failure or warning names. message: one line that explains the outcome,
    or "". readings: meanings seen, such as "GETFLOW-AMB-15: clamped". observed: ids of the readings that the test
    recorded with every meaning allowed. is_observation: whether recording them is all that the test does, so it
    cannot fail. cases: how many of its generated cases could have failed. changes: what a reading means now and meant
    in an earlier run, a sentence each. bug_kind: the kind of bug that the test looks for, or ""; then operations are
    the operations and calls that it tried. findings: what its failure or warning found. departure: of a known
    departure of the target, which is the result of no test, what the target file says. prerequisite: the name of what
    tests stand on, such as "key", of a record that says whether the target has it. blocked_by: ids of the causes that
    kept the test from its subject. seconds: that the test took, with set-up and tear-down.
    """

    api: str
    node: str
    title: str
    outcome: str
    clauses: tuple[str, ...] = ()
    blamed: tuple[str, ...] = ()
    message: str = ""
    readings: tuple[str, ...] = ()
    exchanges: int = 0
    cases: int = 0
    observed: tuple[str, ...] = ()
    is_observation: bool = False
    changes: tuple[str, ...] = ()
    bug_kind: str = ""
    operations: tuple[str, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
    departure: str = ""
    prerequisite: str = ""
    blocked_by: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_judged(self) -> bool:
        """Whether the test ran to its end."""
        return self.outcome in JUDGED_OUTCOMES or (self.outcome == "known" and not self.departure)

    @property
    def checked_clauses(self) -> tuple[str, ...]:
        """The clauses that the test says something about; an observation checks none, but its failure may blame one."""
        return tuple(dict.fromkeys((*(() if self.is_observation else self.clauses), *self.blamed)))

    @property
    def observations(self) -> int:
        """How many observations the test made; at least one when it ran and does nothing else."""
        return max(len(self.observed), int(self.is_observation)) if self.is_judged else 0


class ResultLog:
    """The records of one process, each appended to its file at once."""

    def __init__(self, results: Path, run: str, process: str) -> None:
        """run: id of the run; process: name of this process among those of the run."""
        self._path = results / f"{RECORDS_PREFIX}{process}.jsonl"
        self._run = run

    def append(self, record: ResultRecord) -> None:
        """Write a record; once this returns, it survives the end of this process."""
        members = {member.name: getattr(record, member.name) for member in fields(record)}
        members["findings"] = [asdict(finding) for finding in record.findings]  # a deep copy of the rest costs much
        line = json.dumps({"run": self._run, **members}, ensure_ascii=False)
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line + "\n")


def read_log(results: Path) -> tuple[list[tuple[str, ResultRecord]], list[str]]:
    """All records in the folder, each with the id of its run, and a sentence for each line that cannot be read.

    The incomplete last line of a process that was killed is no record and no problem.
    """
    records: list[tuple[str, ResultRecord]] = []
    problems: list[str] = []
    for path in sorted(results.glob(f"{RECORDS_PREFIX}*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8", errors="replace").split("\n")[:-1], 1):
            try:
                content = json.loads(line)
                records.append((str(content.pop("run")), parse_record(content)))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                problems.append(f"unreadable result {path.name}, line {number}: {error}")
    return records, problems


def parse_record(content: dict[str, Any]) -> ResultRecord:
    """The record of these members; raises ValueError, TypeError or KeyError for others."""
    if content["outcome"] not in SEVERITY:
        raise ValueError(f"outcome {content['outcome']!r}")
    texts = {"clauses", "blamed", "readings", "observed", "changes", "operations", "blocked_by"}
    lists = {name: tuple(map(str, content[name])) for name in texts & set(content)}
    findings = tuple(map(parse_finding, content.get("findings", ())))
    values: dict[str, Any] = {**content, **lists, "findings": findings, "seconds": float(content.get("seconds", 0.0))}
    if unknown := set(values) - {member.name for member in fields(ResultRecord)}:
        raise ValueError(f"unknown member {min(unknown)!r}")
    return ResultRecord(**values)
