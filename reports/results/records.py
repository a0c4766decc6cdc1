"""Reads what a pytest run left: a record of each test, and the manifest of the run.

Rule: a line that cannot be read, or that another run wrote, makes the run broken; it is never skipped silently.
Allure's files are not read here: they are for the HTML page.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from reports.results import run_manifest
from reports.results.acceptances import AcceptanceList
from reports.results.accepted_causes import classify
from reports.results.blocked_tests import separate_blocked
from reports.results.result_log import SEVERITY, ResultRecord, read_log

# The lines of a finding that say what was expected and what was received (suites/reporting/failures.py).
EXPECTED_RECEIVED = re.compile(r"^ +(expected|received) {2,}(.+)$", re.MULTILINE)
CLAUSE_ID = re.compile(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+-\d+[a-z]?\b")
MAX_MESSAGE = 300  # characters
NEVER_BEGUN = "pytest never began the run that was announced: its own message says why; run the gate again"


@dataclass(frozen=True, slots=True)
class RunRecords:
    """Everything that a pytest run left: results, manifest, and one sentence for each problem outside the tests.

    misuse: one sentence for each error of the user that was known before any test.
    """

    tests: tuple[ResultRecord, ...]
    run: run_manifest.RunManifest | None
    problems: tuple[str, ...]
    misuse: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What the run says about its environment; empty without a manifest."""
        return self.run.environment if self.run else {}

    @property
    def broken_contracts(self) -> dict[str, str]:
        """For each API whose contract cannot be read, the reason in one line."""
        return self.run.broken if self.run else {}

    @property
    def acceptances(self) -> dict[str, AcceptanceList]:
        """By API, what was accepted of its target."""
        return self.run.accepted if self.run else {}

    @property
    def outside_lines(self) -> list[str]:
        """What went wrong outside the tests, a line each."""
        return [*(f"misuse: {error}" for error in self.misuse), *(f"broken: {problem}" for problem in self.problems)]

    @property
    def answering_apis(self) -> list[str]:
        """The APIs that were tested and did answer: those that a load run after this one may load."""
        collected = self.run.expected if self.run else {}
        silent = {test.api for test in self.tests if test.outcome in ("unreachable", "misuse")}
        return sorted({api for api, number in collected.items() if number} - silent - set(self.broken_contracts))


def read_records(results: Path) -> RunRecords:
    """Read the folder `results`; a folder that does not exist gives no tests and no manifest.

    When a test has several results, the worst one counts. A test all of whose findings were accepted is `known`, and
    one that another's finding kept from its subject is `blocked`.
    """
    try:
        manifest, problems = run_manifest.read(results), []
    except ValueError as error:
        manifest, problems = None, [f"unreadable {run_manifest.MANIFEST}: {error}"]
    log, unreadable = read_log(results)
    problems += unreadable
    tests: dict[tuple[str, str], ResultRecord] = {}
    others: Counter[str] = Counter()
    for run, record in log:
        if manifest and run != manifest.run:
            others[run] += 1
            continue
        known = tests.get((record.api, record.node))
        if known is None or SEVERITY[record.outcome] > SEVERITY[known.outcome]:
            tests[record.api, record.node] = record
    problems += [f"{number} results are of another run ({run}): run pytest again" for run, number in others.items()]
    if manifest:
        problems += manifest.problems
        if not manifest.begun:
            problems.append(NEVER_BEGUN)
        has_failure = any(SEVERITY[test.outcome] > SEVERITY["inconclusive"] for test in tests.values())
        if manifest.exit_status == 1 and not has_failure:
            problems.append("pytest reported a failed test, but no result shows it")
    classified = classify(list(tests.values()), manifest.accepted if manifest else {})
    return RunRecords(
        tuple(separate_blocked(classified)), manifest, tuple(problems), tuple(manifest.misuse) if manifest else ()
    )


def short_message(message: str) -> str:
    """Return the first line that has text, at most 300 characters.

    When the line begins with a clause id and the message states "expected" and "received", these two follow the id
    instead of the clause's text.
    """
    line = next((text for text in map(str.strip, message.splitlines()) if text), "")
    comparison = [f"{name} {text.strip()}" for name, text in EXPECTED_RECEIVED.findall(message)[:2]]
    clause = CLAUSE_ID.match(line)
    if clause and len(comparison) == 2:
        line = f"{clause.group()}: {', '.join(comparison)}"
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"
