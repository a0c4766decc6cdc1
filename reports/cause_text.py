"""Formats causes for people: the sentence, how often and where it shows, the smallest example, and how to try it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from contracts.clauses import sentence_and_citation
from contracts.yaml_reader import UsageError
from reports.results.acceptances import Acceptance
from reports.results.accepted_causes import AcceptedCause
from reports.results.causes import Cause, cause_id
from reports.results.finding_record import OF_BEHAVIOUR, FindingRecord
from reports.results.result_log import ResultRecord

TRY_IT = "try it"  # the part that is a script
LISTS = (TRY_IT, "also")  # parts with an entry in each line
Since = Mapping[str, str]  # by id of a cause, since when it is seen
UNKNOWN: Since = MappingProxyType({})
MAX_LISTED = 6  # operations of a cause
MAX_OPEN = 5  # causes of an API that are not folded on a page
MAX_WHAT = 300  # characters of what an acceptance says that it accepts
MAX_SHOWN = 12  # causes of an API in full on a console


def heading(cause: Cause) -> str:
    """The clause and its sentence; for none, whether behaviour changed or a test has no clause."""
    sentence = sentence_of(cause.clause)[0]
    without = "changed behaviour" if cause.example.kind == OF_BEHAVIOUR else "a test without a clause"
    return f"{cause.clause}: {sentence}" if sentence else cause.clause or without


def cause_lines(cause: Cause, since: Since = UNKNOWN) -> list[str]:
    """The cause in lines for a console: the heading first, the others indented."""
    parts = {
        "document": sentence_of(cause.clause)[1],
        "cause": cause.id,
        "how often": how_often(cause),
        "since": since.get(cause.id, ""),
        "where": _listed(cause.operations),
        "also": _others(cause.clauses[1:]),
        "blocks": blocks(cause),
    }
    return [("warning: " if cause.is_warning else "") + heading(cause), *part_lines(parts | _example(cause.example))]


def finding_text(finding: FindingRecord) -> str:
    """One finding of a test: the clause, where it stands, what was expected and received, and how to try it."""
    sentence, citation = sentence_of(finding.clause)
    head = [f"{finding.clause}: {sentence}"] if sentence else [finding.clause] if finding.clause else []
    return "\n".join([*head, *part_lines({"document": citation} | _example(finding))])


def _example(finding: FindingRecord) -> dict[str, str]:
    return {
        "request": finding.request,
        "account": finding.account,
        "expected": finding.expected,
        "received": finding.received,
        TRY_IT: finding.command,
    }


def part_lines(parts: dict[str, str]) -> list[str]:
    """The parts that have a text, each behind its name; of several lines of a list only the first one is."""
    return [
        f"  {'' if number and name in LISTS else name:<10} {line}"
        for name, text in parts.items()
        for number, line in enumerate(text.split("\n"))
        if line
    ]


def console_lines(causes: Sequence[Cause], since: Since = UNKNOWN) -> list[str]:
    """The causes of an API, the worst first; of many, the last ones by their heading only."""
    lines: list[str] = []
    for number, cause in enumerate(causes, 1):
        first, *others = cause_lines(cause, since)
        lines += [f"{number}. {first}", *(others if number <= MAX_SHOWN else [f"  cause      {cause.id}"])]
    return lines


def by_test(causes: Sequence[Cause], tests: Iterable[ResultRecord]) -> dict[str, Cause]:
    """The first of these causes for each test that has a finding of it, or that it blocks, by node id.

    Of `tests`, a prerequisite that shows a cause has it, too.
    """
    known = {name: cause for cause in reversed(causes) for name in cause.ids}
    of_prerequisites = {
        test.node: known[name]
        for test in tests
        for finding in (test.findings if test.prerequisite else ())
        if (name := cause_id(test.api, finding)) in known
    }
    return of_prerequisites | {test: cause for cause in reversed(causes) for test in (*cause.blocked, *cause.tests)}


def blocks(cause: Cause) -> str:
    """How many tests the cause kept from their subjects, and the first of them; "" for none."""
    if not cause.blocked:
        return ""
    names = [node.rpartition("::")[2] for node in cause.blocked]
    return f"{_plural(len(names), 'test')}: {_listed(names)}"


def accepted_line(accepted: AcceptedCause) -> str:
    """An accepted cause in one line: until when and why, and what it is."""
    cause, acceptance = accepted.cause, accepted.acceptance
    return f"{heading(cause)} {how_often(cause)}, cause {cause.id}; accepted {acceptance}"


def what_of(cause: Cause) -> str:
    """What an acceptance says that it accepts: the clause's sentence, and what was expected and received at first."""
    example = cause.example
    text = f"{sentence_of(cause.clause)[0]} Expected {example.expected}; received {example.received}".strip()
    text = " ".join(text.split())
    return text if len(text) <= MAX_WHAT else f"{text[: MAX_WHAT - 1]}…"


def overdue_line(acceptance: Acceptance) -> str:
    """That the acceptance is over, and what to do."""
    return f"{_name_of(acceptance)} was accepted {acceptance}; accept it anew, or remove the entry"


def vanished_line(acceptance: Acceptance) -> str:
    """That nothing needs the acceptance any more, and what to do."""
    return f"{_name_of(acceptance)} is accepted {acceptance}, and was not found; remove the entry"


def _name_of(acceptance: Acceptance) -> str:
    return " ".join(text for text in (acceptance.id, acceptance.clause, acceptance.what) if text)


def markdown(causes: Sequence[Cause], since: Since = UNKNOWN) -> list[str]:
    """The causes as a numbered list, each with its smallest example; of many, the last ones folded."""
    folded = _numbered(causes[MAX_OPEN:], MAX_OPEN + 1, since)
    opened = ["<details>", f"<summary>{_plural(len(causes) - MAX_OPEN, 'more cause')}</summary>", ""]
    return [*_numbered(causes[:MAX_OPEN], 1, since), *([*opened, *folded, "</details>", ""] if folded else [])]


def _numbered(causes: Sequence[Cause], first_number: int, since: Since) -> list[str]:
    lines: list[str] = []
    for number, cause in enumerate(causes, first_number):
        first, *others = cause_lines(cause, since)
        lines += [
            f"{number}. **{_plain(first)}**",
            "",
            "   ```text",
            *(f"   {line[2:]}" for line in others),
            "   ```",
            "",
        ]
    return lines


def facts(cause: Cause) -> dict[str, Any]:
    """The cause for machines."""
    sentence, citation = sentence_of(cause.clause)
    return {**asdict(cause), "sentence": sentence, "citation": citation}


def accepted_facts(accepted: AcceptedCause) -> dict[str, Any]:
    """The accepted cause and its acceptance for machines."""
    return {**facts(accepted.cause), "acceptance": acceptance_facts(accepted.acceptance)}


def acceptance_facts(acceptance: Acceptance) -> dict[str, Any]:
    """The acceptance for machines."""
    return {**asdict(acceptance), "until": str(acceptance.until)}


def how_often(cause: Cause) -> str:
    """For example: 46 findings in 12 tests."""
    return f"{_plural(cause.findings, 'finding')} in {_plural(len(cause.tests), 'test')}"


def sentence_of(clause: str) -> tuple[str, str]:
    """What the clause says and where it stands; ("", "") where no readable contract has it."""
    try:
        return sentence_and_citation(clause)
    except (KeyError, FileNotFoundError, UsageError):
        return "", ""


def _others(clauses: Sequence[str]) -> str:
    """The other clauses that the cause breaks, with their sentences, a line each."""
    lines = [": ".join(part for part in (clause, sentence_of(clause)[0]) if part) for clause in clauses[:MAX_LISTED]]
    rest = len(clauses) - MAX_LISTED
    return "\n".join([*lines, *([f"and {rest} more"] if rest > 0 else [])])


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - MAX_LISTED
    return ", ".join(names[:MAX_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
