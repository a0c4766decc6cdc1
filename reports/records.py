"""One record per test, read from the Allure results that pytest wrote.

Rule: a file that cannot be understood is a problem of ours and is told; it is never skipped in silence. Files that
are not results (attachments, half-written `.tmp` files) are not looked at: the count of `run.json` misses their tests.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import run

OWN = "selftest"  # tests of this suite, never of a vendor
RAN = frozenset({"passed", "failed"})
BADNESS = {"passed": 0, "skipped": 1, "inconclusive": 2, "failed": 3, "unreachable": 4, "broken": 5}

# A message that begins so, or with an exception's name and so, is no trouble of ours.
MARKED = re.compile(r"(?:[\w.]+: )?(unreachable|inconclusive):")
# Exceptions whose name says no more than the outcome does.
EXCEPTION = re.compile(r"^(?:\w+\.)*(?:AssertionError|ContractBroken|Failed|Skipped|Unreachable|Inconclusive):\s*")
# How a finding tells what was due and what came, each on a line of its own (suites/blame.py).
TOLD = re.compile(r"^ +(expected|received) {2,}(.+)$", re.MULTILINE)
CLAUSE = re.compile(r"\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+-\d+[a-z]?\b")


@dataclass(frozen=True, slots=True)
class Record:
    """One test and how it ended: `outcome` is a key of BADNESS, `message` says why in a line, or is empty.

    `clauses` are the ids it spoke for, the main one first; `blamed` those that its complaint names. `node` is what
    pytest runs again. `readings` are texts such as "GETFLOW-AMB-15: clamped", as observed by this test.
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


@dataclass(frozen=True, slots=True)
class Records:
    """All that a run left: its tests, its own account, and what could not be read."""

    tests: tuple[Record, ...]
    run: run.Run | None
    problems: tuple[str, ...]


def read(results: Path) -> Records:
    """Everything under `results`; a folder that is missing has no tests and no account of the run."""
    tests: dict[tuple[str, str], Record] = {}
    problems: list[str] = []
    for path in sorted(results.glob("*-result.json")):
        try:
            record = parse(json.loads(path.read_bytes()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            problems.append(f"unreadable result {path.name}: {error}")
            continue
        seen = tests.get((record.api, record.node))
        if seen is None or BADNESS[record.outcome] > BADNESS[seen.outcome]:  # run twice: the worse one counts
            tests[record.api, record.node] = record
    try:
        account = run.read(results)
    except ValueError as error:
        account = None
        problems.append(f"unreadable {run.NAME}: {error}")
    if account:
        problems += account.problems
        complaints = [test for test in tests.values() if BADNESS[test.outcome] > BADNESS["inconclusive"]]
        if account.exit_status == 1 and not complaints:
            problems.append("pytest saw a test fail that left no result")
    return Records(tuple(tests.values()), account, tuple(problems))


def parse(result: dict[str, Any]) -> Record:
    """The record of one Allure result; raises ValueError when its status is none that pytest has."""
    labels = labels_of(result)
    api = (labels.get("epic") or [OWN])[0]
    told = (result.get("statusDetails") or {}).get("message") or ""
    message = in_short(told)
    outcome = _outcome(api, result.get("status"), message)
    ids = tuple(" ".join(labels.get("clauses", [])).split())
    return Record(
        api=api,
        node=(labels.get("node") or [_plain_node(result)])[0],
        title=(labels.get("title") or [result["name"]])[0],
        outcome=outcome,
        clauses=ids,
        blamed=_blamed(api, told) if outcome == "failed" else (),
        message=message,
        readings=tuple(sorted(labels.get("reading", []))),
        exchanges=sum(int(number) for number in labels.get("exchanges", [])),
    )


def labels_of(result: dict[str, Any]) -> dict[str, list[str]]:
    """The result's labels by name, each with its values in the order of the file."""
    found: dict[str, list[str]] = {}
    for label in result.get("labels") or []:
        found.setdefault(label["name"], []).append(str(label.get("value", "")))
    return found


def _plain_node(result: dict[str, Any]) -> str:
    """What tells a test apart that has no `node` label: its function and its parameters."""
    values = ", ".join(f"{one.get('name')}={one.get('value')}" for one in result.get("parameters") or [])
    return f"{result.get('fullName') or result['name']}({values})"


def in_short(message: str) -> str:
    """The first line that says something, without an exception's name that says nothing, at most 300 characters.

    Behind a clause's id, what was due and what came say more than the promise, where the message tells them.
    """
    said = next((text for line in message.splitlines() if (text := EXCEPTION.sub("", line.strip(), count=1))), "")
    due = [f"{name} {text.strip()}" for name, text in TOLD.findall(message)[:2]]
    clause = CLAUSE.match(said)
    if clause and len(due) == 2:
        said = f"{clause.group()}: {', '.join(due)}"
    return said if len(said) <= 300 else said[:299] + "…"


def _blamed(api: str, told: str) -> tuple[str, ...]:
    """The clauses of that API that a complaint names: in its first line anywhere, in any other as the first word."""
    first, *others = told.strip().splitlines() or [""]
    named = CLAUSE.findall(first) + [found.group() for line in others if (found := CLAUSE.match(line.strip("E> \t*-")))]
    return tuple(dict.fromkeys(clause for clause in named if clause.startswith(api.upper() + "-")))


def _outcome(api: str, status: object, message: str) -> str:
    """A key of BADNESS. A finding is never unreachable or inconclusive: a vendor's answer may quote those words."""
    if status not in ("passed", "failed", "broken", "skipped"):
        raise ValueError(f"status {status!r}")
    marked = MARKED.match(message)
    if marked and status in ("broken", "skipped"):
        return marked.group(1)
    if api == OWN and status == "failed":
        return "broken"
    return str(status)
