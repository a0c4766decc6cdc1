"""The verdicts as text for a terminal, Markdown for a CI page and JSON for machines.

Rule: three forms of the same facts, in the same order; nothing is computed here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from reports import coverage
from reports.coverage import Covered
from reports.records import Record, Records
from reports.verdicts import EXIT_CODES, Verdict, overall

MARKS = {"pass": "✅", "fail": "❌", "broken": "💥", "inconclusive": "❔", "unreachable": "🔌"}
MEANS = {
    "pass": "every test that ran found the contract kept",
    "fail": "the API breaks its contract",
    "broken": "our suite failed, so nothing is sure",
    "inconclusive": "not enough evidence",
    "unreachable": "the target did not answer",
}
SHOWN = 20  # skip reasons listed per API; the rest is counted


def lines(verdicts: Sequence[Verdict], records: Records) -> list[str]:
    """A line per API, and below it reasons, findings with clause and test, and what was skipped."""
    width = max((len(one.api) for one in verdicts), default=0)
    told: list[str] = []
    for one in verdicts:
        told.append(f"{one.api:<{width}}   {one.verdict:<12} {counted(one)}")
        told += [f"    {reason}" for reason in one.reasons]
        for test in one.findings:
            told += [f"    {_blame(test)}", f"        {test.node}"]
        for test in one.troubles:
            told += [f"    {test.outcome}: {test.message}", f"        {test.node}"]
        told += [f"    skipped {number} x {reason}" for reason, number in reasons_to_skip(one.skipped)]
    told += [f"broken: {problem}" for problem in records.problems]
    return told


def counted(one: Verdict) -> str:
    """For example: 312 checks, 41 clauses, 0 findings, 3 skipped."""
    parts = [_plural(one.checks, "check"), _plural(len(one.clauses), "clause"), _plural(len(one.findings), "finding")]
    extra = Counter(test.outcome for test in (*one.troubles, *one.skipped))
    return ", ".join(parts + [f"{number} {outcome}" for outcome, number in extra.items()])


def markdown(verdicts: Sequence[Verdict], records: Records, covered: Sequence[Covered] = ()) -> str:
    """A page for CI: the table first, then what complains, then what did not run and on what it ran."""
    verdict = overall(verdicts, records)
    page = [f"# flowproof: {MARKS[verdict]} {verdict}", "", f"{MEANS[verdict].capitalize()}.", ""]
    page += ["| API | verdict | checks | clauses | findings | not judged | skipped |", "|---|---|--:|--:|--:|--:|--:|"]
    for one in verdicts:
        cells = (one.checks, len(one.clauses), len(one.findings), len(one.troubles), len(one.skipped))
        page.append(f"| {one.api} | {MARKS[one.verdict]} {one.verdict} | " + " | ".join(map(str, cells)) + " |")
    page += _section("Clauses and coverage", coverage.table(covered))
    page += [f"\nCoverage of {one.api} is missing or not complete: {_cell(one.lacks)}." for one in covered if one.lacks]
    page += _section("Problems of the suite itself", [f"- {_cell(problem)}" for problem in records.problems])
    for one in verdicts:
        page += _section(f"{one.api}: why it is {one.verdict}", [f"- {_cell(reason)}" for reason in one.reasons])
        page += _section(f"{one.api}: findings", _table("clause", [(_clause(test), test) for test in one.findings]))
        page += _section(f"{one.api}: not judged", _table("outcome", [(test.outcome, test) for test in one.troubles]))
        skipped = [f"- {number} x {_cell(reason)}" for reason, number in reasons_to_skip(one.skipped)]
        page += _section(f"{one.api}: skipped", skipped)
        page += _section(f"{one.api}: readings seen", [f"- {_cell(reading)}" for reading in one.readings])
    ran_on = records.run.environment if records.run else {}
    page += _section("What it ran on", [f"- {_cell(name)}: {_cell(value)}" for name, value in ran_on.items()])
    return "\n".join(page) + "\n"


def machine(verdicts: Sequence[Verdict], records: Records, covered: Sequence[Covered] = ()) -> str:
    """JSON: {verdict, exit_code, problems, environment, apis: {name: {verdict, checks, clauses, findings, …}}}."""
    verdict = overall(verdicts, records)
    value = {
        "verdict": verdict,
        "exit_code": EXIT_CODES[verdict],
        "problems": list(records.problems),
        "environment": records.run.environment if records.run else {},
        "apis": {one.api: _facts(one) for one in verdicts},
        "coverage": {one.api: coverage.facts(one) for one in covered},
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def environment(verdicts: Sequence[Verdict], records: Records) -> dict[str, str]:
    """What stands at the head of the HTML report: the verdicts, then what the run says it ran on."""
    told = {f"verdict of {one.api}": f"{one.verdict}: {counted(one)}" for one in verdicts}
    return told | (records.run.environment if records.run else {})


def errors(verdicts: Sequence[Verdict], records: Records) -> list[str]:
    """What no test of the HTML report can show: why an API is not judged in full, and problems outside the tests."""
    reasons = [f"{one.api} is {one.verdict}: {reason}" for one in verdicts for reason in one.reasons]
    return reasons + [f"broken: {problem}" for problem in records.problems]


def reasons_to_skip(skipped: Iterable[Record]) -> list[tuple[str, int]]:
    """The reasons with the number of tests each, the most frequent first, the rare ones as one sum."""
    found = Counter(test.message or "no reason given" for test in skipped).most_common()
    rest = sum(number for _, number in found[SHOWN:])
    return found[:SHOWN] + ([("other reasons", rest)] if rest else [])


def _facts(one: Verdict) -> dict[str, Any]:
    return {
        "verdict": one.verdict,
        "checks": one.checks,
        "counts": one.counts,
        "clauses": list(one.clauses),
        "findings": [_finding(test) for test in one.findings],
        "not_judged": [{**_finding(test), "outcome": test.outcome} for test in one.troubles],
        "skipped": dict(reasons_to_skip(one.skipped)),
        "reasons": list(one.reasons),
        "readings": list(one.readings),
    }


def _finding(test: Record) -> dict[str, Any]:
    clauses = list(test.blamed or test.clauses[:1])
    return {"clauses": clauses, "test": test.node, "title": test.title, "message": test.message}


def _clause(test: Record) -> str:
    return ", ".join(test.blamed or test.clauses[:1]) or "no clause"


def _blame(test: Record) -> str:
    """The message behind the clause, which is told once."""
    told = bool(test.blamed) and test.message.startswith(test.blamed[0])
    return test.message if told else f"{_clause(test)}: {test.message}"


def _table(first: str, rows: Iterable[tuple[str, Record]]) -> list[str]:
    told = [f"| {cell} | {_cell(test.title)} | {_cell(test.message)} | `{_cell(test.node)}` |" for cell, test in rows]
    return [f"| {first} | what was checked | what was found | test |", "|---|---|---|---|", *told] if told else []


def _section(title: str, body: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *body] if body else []


def _cell(text: str) -> str:
    """A text that neither ends a table's cell nor begins a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
