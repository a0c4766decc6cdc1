"""Reads one record per test from the Allure results that pytest wrote.

Rule: a result file that cannot be read makes the run broken; it is never skipped silently. Files that are not results
(attachments, half-written `.tmp` files) are ignored, because `run.json` says how many tests must have a result.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.results import run_manifest

SELFTEST = "selftest"  # stands for an API in results of tests that test flowproof itself
JUDGED_OUTCOMES = frozenset({"passed", "failed"})
SEVERITY = {"passed": 0, "skipped": 1, "inconclusive": 2, "failed": 3, "unreachable": 4, "broken": 5}
OBSERVATION = "observation"  # value of the label `kind` on a test that only records what the target does

# A message with this prefix, alone or behind an exception's name, names the outcome.
OUTCOME_PREFIX = re.compile(r"(?:[\w.]+: )?(unreachable|inconclusive):")
# Exceptions whose name adds nothing to the outcome.
EXCEPTION_NAME = re.compile(
    r"^(?:\w+\.)*(?:AssertionError|ContractBroken|ContractViolation|Failed|Skipped|Unreachable|Inconclusive):\s*"
)
# The lines of a finding that say what was expected and what was received (suites/reporting/failures.py).
EXPECTED_RECEIVED = re.compile(r"^ +(expected|received) {2,}(.+)$", re.MULTILINE)
CLAUSE_ID = re.compile(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+-\d+[a-z]?\b")
MAX_MESSAGE = 300  # characters


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """The result of one test.

    node: pytest's node id. outcome: a key of SEVERITY. clauses: ids of the clauses that the test checks, the main one
    first. blamed: ids of the clauses that its failure names. message: one line that explains the outcome, or "".
    readings: meanings seen, such as "GETFLOW-AMB-15: clamped". observed: ids of the readings that the test recorded
    with every meaning allowed. is_observation: whether recording them is all that the test does, so it cannot fail.
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
    observed: tuple[str, ...] = ()
    is_observation: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether the test ran to its end."""
        return self.outcome in JUDGED_OUTCOMES

    @property
    def checked_clauses(self) -> tuple[str, ...]:
        """The clauses that the test says something about; an observation checks none, but its failure may blame one."""
        return tuple(dict.fromkeys((*(() if self.is_observation else self.clauses), *self.blamed)))

    @property
    def observations(self) -> int:
        """How many observations the test made; at least one when it ran and does nothing else."""
        return max(len(self.observed), int(self.is_observation)) if self.is_judged else 0


@dataclass(frozen=True, slots=True)
class RunRecords:
    """Everything that a pytest run left: results, manifest, and one sentence for each file that cannot be read."""

    tests: tuple[ResultRecord, ...]
    run: run_manifest.RunManifest | None
    problems: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """What the run says about its environment; empty without a manifest."""
        return self.run.environment if self.run else {}

    @property
    def broken_contracts(self) -> dict[str, str]:
        """For each API whose contract cannot be read, the reason in one line."""
        return self.run.broken if self.run else {}


def read_records(results: Path) -> RunRecords:
    """Read the folder `results`; a folder that does not exist gives no tests and no manifest.

    When a test has several results, the worst one counts.
    """
    tests: dict[tuple[str, str], ResultRecord] = {}
    problems: list[str] = []
    for path in sorted(results.glob("*-result.json")):
        try:
            record = parse_result(json.loads(path.read_bytes()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            problems.append(f"unreadable result {path.name}: {error}")
            continue
        other = tests.get((record.api, record.node))
        if other is None or SEVERITY[record.outcome] > SEVERITY[other.outcome]:
            tests[record.api, record.node] = record
    try:
        manifest = run_manifest.read(results)
    except ValueError as error:
        manifest = None
        problems.append(f"unreadable {run_manifest.MANIFEST}: {error}")
    if manifest:
        problems += manifest.problems
        has_failure = any(SEVERITY[test.outcome] > SEVERITY["inconclusive"] for test in tests.values())
        if manifest.exit_status == 1 and not has_failure:
            problems.append("pytest reported a failed test, but no result shows it")
    return RunRecords(tuple(tests.values()), manifest, tuple(problems))


def parse_result(result: dict[str, Any]) -> ResultRecord:
    """Convert one Allure result; raises ValueError for a status that pytest does not have."""
    labels = labels_of(result)
    api = (labels.get("epic") or [SELFTEST])[0]
    full_message = (result.get("statusDetails") or {}).get("message") or ""
    message = short_message(full_message)
    outcome = _outcome(api, result.get("status"), message)
    return ResultRecord(
        api=api,
        node=(labels.get("node") or [_fallback_node(result)])[0],
        title=(labels.get("title") or [result["name"]])[0],
        outcome=outcome,
        clauses=tuple(" ".join(labels.get("clauses", [])).split()),
        blamed=_blamed_clauses(api, full_message) if outcome == "failed" else (),
        message=message,
        readings=tuple(sorted(labels.get("reading", []))),
        exchanges=sum(int(number) for number in labels.get("exchanges", [])),
        observed=tuple(sorted(labels.get("observation", []))),
        is_observation=OBSERVATION in labels.get("kind", []),
    )


def labels_of(result: dict[str, Any]) -> dict[str, list[str]]:
    """Group the labels of an Allure result by name; the values keep the order of the file."""
    labels: dict[str, list[str]] = {}
    for label in result.get("labels") or []:
        labels.setdefault(label["name"], []).append(str(label.get("value", "")))
    return labels


def _fallback_node(result: dict[str, Any]) -> str:
    """Identify a test that has no `node` label by its function and parameters."""
    parameters = result.get("parameters") or []
    values = ", ".join(f"{parameter.get('name')}={parameter.get('value')}" for parameter in parameters)
    return f"{result.get('fullName') or result['name']}({values})"


def short_message(message: str) -> str:
    """Return the first line that has text, without an exception's name that adds nothing, at most 300 characters.

    When the line begins with a clause id and the message states "expected" and "received", these two follow the id
    instead of the clause's text.
    """
    lines = (EXCEPTION_NAME.sub("", line.strip(), count=1) for line in message.splitlines())
    line = next((text for text in lines if text), "")
    comparison = [f"{name} {text.strip()}" for name, text in EXPECTED_RECEIVED.findall(message)[:2]]
    clause = CLAUSE_ID.match(line)
    if clause and len(comparison) == 2:
        line = f"{clause.group()}: {', '.join(comparison)}"
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _blamed_clauses(api: str, message: str) -> tuple[str, ...]:
    """The clauses of that API that a failure names: anywhere in its first line, or as the first word of another."""
    first, *others = message.strip().splitlines() or [""]
    matches = (CLAUSE_ID.match(line.strip("E> \t*-")) for line in others)
    clauses = [*CLAUSE_ID.findall(first), *(match.group() for match in matches if match)]
    return tuple(dict.fromkeys(clause for clause in clauses if clause.startswith(api.upper() + "-")))


def _outcome(api: str, status: object, message: str) -> str:
    """A key of SEVERITY. A failed assertion stays failed, even if it quotes a response that says "unreachable:"."""
    if status not in ("passed", "failed", "broken", "skipped"):
        raise ValueError(f"status {status!r}")
    prefix = OUTCOME_PREFIX.match(message)
    if prefix and status in ("broken", "skipped"):
        return prefix.group(1)
    if api == SELFTEST and status == "failed":
        return "broken"
    return str(status)
