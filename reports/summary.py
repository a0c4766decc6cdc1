"""Formats the verdicts: lines for a terminal, and Markdown for a CI page.

Rule: all show the same facts in the same order; no verdict is computed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from reports import cause_text
from reports.coverage import coverage_report
from reports.coverage.coverage_report import ApiCoverage
from reports.history import change_text
from reports.history.run_changes import Changes, RunChanges
from reports.icons import ICONS
from reports.results.records import RunRecords
from reports.results.result_log import BLOCKED, ResultRecord
from reports.results.verdicts import EXIT_CODES, ApiVerdict

MEANINGS = {
    "pass": "every check that ran found the contract kept",
    "fail": "the API breaks its contract",
    "broken": "our own part failed, so nothing is sure",
    "misuse": "a command or a setting has to be changed",
    "inconclusive": "not enough evidence",
    "unreachable": "the target did not respond",
}
MAX_CHANGES = 20  # of readings, listed per API on the console
MAX_SKIP_REASONS = 20  # listed per API; the rest is counted
Loads = Mapping[str, str]  # the verdict of each load run that counts, by its name
NO_LOADS: Loads = MappingProxyType({})
NO_CHANGES: Changes = MappingProxyType({})
NO_LINES: Mapping[str, Sequence[str]] = MappingProxyType({})
COLUMNS = ("API", "verdict", "checks", "observations", "clauses", "findings", "warnings", "not judged", "skipped")


def console_lines(
    verdicts: Sequence[ApiVerdict], records: RunRecords, verdict: str, changes: Changes = NO_CHANGES
) -> list[str]:
    """One line per API; below it the reasons, the causes of findings and warnings, and what was skipped.

    The last line has the verdict of everything together, `verdict`, and its exit code.
    """
    width = max((len(verdict.api) for verdict in verdicts), default=0)
    lines: list[str] = []
    for judged in verdicts:
        lines.append(f"{judged.api:<{width}}   {judged.verdict:<12} {counts_text(judged)}")
        lines += [f"    {reason}" for reason in judged.reasons]
        since = changes.get(judged.api, RunChanges())
        lines += [f"    {line}" for line in change_text.console_lines(since)]
        lines += [f"    {line}" for line in cause_text.console_lines(judged.causes, change_text.since_texts(since))]
        for test in (*judged.findings, *judged.warnings):
            lines += [] if test.findings else [f"    {message_with_clause(test)}", f"        {test.node}"]
        lines += [f"    known: {message_with_clause(test)}" for test in judged.departures]
        lines += [f"    {line}" for line in acceptance_lines(judged)]
        for test, number in _by_message(stopped(judged)):
            lines += [f"    {test.outcome}: {test.message}", f"        {_node_and_others(test, number)}"]
        lines += [f"    changed: {change}" for change in judged.changes[:MAX_CHANGES]]
        lines += _more(len(judged.changes) - MAX_CHANGES)
        lines += [f"    skipped {number} x {reason}" for reason, number in skip_reasons(judged.skipped)]
    lines += records.outside_lines
    meaning = _meaning(verdict, verdicts)
    return [*lines, f"flowproof: {verdict} (exit code {EXIT_CODES[verdict]}): {meaning}"]


def acceptance_lines(judged: ApiVerdict) -> list[str]:
    """What is accepted, what was until its last day, and what was accepted and not found, a line each."""
    return [
        *(f"accepted: {cause_text.accepted_line(accepted)}" for accepted in judged.accepted),
        *(f"overdue: {cause_text.overdue_line(entry)}" for entry in judged.overdue),
        *(f"vanished: {cause_text.vanished_line(entry)}" for entry in judged.vanished),
    ]


def _meaning(verdict: str, verdicts: Sequence[ApiVerdict]) -> str:
    """What the verdict means; a pass with warnings or accepted causes says so."""
    counts = {
        "warning": sum(len(judged.warnings) for judged in verdicts),
        "accepted cause": sum(len(judged.accepted) for judged in verdicts),
    }
    exceptions = " and ".join(_plural(number, noun) for noun, number in counts.items() if number)
    return MEANINGS[verdict] + (f", apart from {exceptions}" if verdict == "pass" and exceptions else "")


def _more(number: int) -> list[str]:
    return [f"    … and {_plural(number, 'more change')}, all in summary.json"] if number > 0 else []


def counts_text(verdict: ApiVerdict) -> str:
    """For example: 312 checks, 4 observations, 41 clauses, 2 findings, 1 cause, 3 skipped."""
    parts = [_plural(verdict.checks, "check")]
    if verdict.observations:
        parts.append(_plural(verdict.observations, "observation"))
    parts += [_plural(len(verdict.clauses), "clause"), _plural(len(verdict.findings), "finding")]
    if verdict.causes:
        parts.append(_plural(len(verdict.causes), "cause"))
    if verdict.warnings:
        parts.append(_plural(len(verdict.warnings), "warning"))
    others = Counter(test.outcome for test in (*verdict.known, *verdict.not_judged, *verdict.skipped))
    return ", ".join(parts + [f"{number} {outcome}" for outcome, number in others.items()])


def markdown(
    verdicts: Sequence[ApiVerdict],
    records: RunRecords,
    verdict: str,
    coverages: Sequence[ApiCoverage] = (),
    loads: Loads = NO_LOADS,
    changes: Changes = NO_CHANGES,
    of_loads: Mapping[str, Sequence[str]] = NO_LINES,
) -> str:
    """A page for CI: the table of verdicts, coverage, findings, what did not run, and the environment.

    of_loads: by the name of a load run, the Markdown below its item.
    """
    page = [f"# flowproof: {ICONS[verdict]} {verdict}", "", f"{_meaning(verdict, verdicts).capitalize()}.", ""]
    page += [f"| {' | '.join(COLUMNS)} |", "|---|---|" + "--:|" * (len(COLUMNS) - 2)]
    page += map(_verdict_row, verdicts)
    items = [
        (f"- {_cell(name)}: {ICONS[verdict]} {verdict}", of_loads.get(name, ())) for name, verdict in loads.items()
    ]
    page += _section("Load", [line for item, below in items for line in (item, *below)])
    page += _section("Clauses and coverage", coverage_report.markdown_table(coverages))
    page += [
        f"\nCoverage of {coverage.api} is missing or incomplete: {_cell(coverage.missing)}."
        for coverage in coverages
        if coverage.missing
    ]
    page += _section("Outside the tests", [f"- {_cell(line)}" for line in records.outside_lines])
    for judged in verdicts:
        page += _api_sections(judged, changes.get(judged.api, RunChanges()))
    page += _section("Environment", [f"- {_cell(name)}: {_cell(text)}" for name, text in records.environment.items()])
    return "\n".join(page) + "\n"


def _verdict_row(verdict: ApiVerdict) -> str:
    counts = (
        verdict.checks,
        verdict.observations,
        len(verdict.clauses),
        len(verdict.findings),
        len(verdict.warnings),
        len(verdict.not_judged),
        len(verdict.skipped),
    )
    return f"| {verdict.api} | {ICONS[verdict.verdict]} {verdict.verdict} | {' | '.join(map(str, counts))} |"


def _api_sections(verdict: ApiVerdict, changes: RunChanges) -> list[str]:
    api = verdict.api
    findings = _test_table("clause", [(_clause(test), test) for test in verdict.findings])
    warnings = _test_table("clause", [(_clause(test), test) for test in verdict.warnings])
    not_judged = _test_table(
        "outcome", [(f"{number} x {test.outcome}", test) for test, number in _by_message(stopped(verdict))]
    )
    skipped = [f"- {number} x {_cell(reason)}" for reason, number in skip_reasons(verdict.skipped)]
    return [
        *_section(f"{api}: why it is {verdict.verdict}", [f"- {_cell(reason)}" for reason in verdict.reasons]),
        *_section(f"{api}: since the last run", change_text.markdown(changes, verdict)),
        *_section(f"{api}: causes", cause_text.markdown(verdict.causes, change_text.since_texts(changes))),
        *_section(f"{api}: findings", findings),
        *_section(f"{api}: warnings", warnings),
        *_section(f"{api}: known departures", [f"- {_cell(message_with_clause(test))}" for test in verdict.departures]),
        *_section(f"{api}: acceptances", [f"- {_cell(line)}" for line in acceptance_lines(verdict)]),
        *_section(f"{api}: not judged", not_judged),
        *_section(f"{api}: skipped", skipped),
        *_section(f"{api}: readings that have changed", [f"- {_cell(change)}" for change in verdict.changes]),
        *_section(f"{api}: readings seen", [f"- {_cell(reading)}" for reading in verdict.readings]),
    ]


def report_environment(verdicts: Sequence[ApiVerdict], records: RunRecords) -> dict[str, str]:
    """What the HTML report shows below the verdicts: what is known, and the environment without the targets."""
    texts: dict[str, str] = {}
    for verdict in verdicts:
        known = [*map(message_with_clause, verdict.departures), *acceptance_lines(verdict)]
        if known:
            texts[f"known of {verdict.api}"] = "; ".join(known)
    return texts | {name: text for name, text in records.environment.items() if not name.startswith("target of ")}


def report_errors(verdicts: Sequence[ApiVerdict], records: RunRecords) -> list[str]:
    """What no single test of the HTML report can show: why an API lacks a plain verdict, and problems of the suite."""
    reasons = [f"{verdict.api} is {verdict.verdict}: {reason}" for verdict in verdicts for reason in verdict.reasons]
    return reasons + records.outside_lines


def stopped(judged: ApiVerdict) -> list[ResultRecord]:
    """The tests that were not judged for a reason of their own: what blocks the others is said of its cause."""
    return [test for test in judged.not_judged if test.outcome != BLOCKED]


def skip_reasons(skipped: Iterable[ResultRecord]) -> list[tuple[str, int]]:
    """The reasons with their number of tests, the most frequent first; rare ones are summed up as "other reasons"."""
    counts = Counter(test.message or "no reason given" for test in skipped).most_common()
    rest = sum(number for _, number in counts[MAX_SKIP_REASONS:])
    return counts[:MAX_SKIP_REASONS] + ([("other reasons", rest)] if rest else [])


def _by_message(tests: Iterable[ResultRecord]) -> list[tuple[ResultRecord, int]]:
    """The first test of each outcome and message, with the number of tests that ended so."""
    first: dict[tuple[str, str], ResultRecord] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for test in tests:
        first.setdefault((test.outcome, test.message), test)
        counts[test.outcome, test.message] += 1
    return [(test, counts[key]) for key, test in first.items()]


def _node_and_others(test: ResultRecord, number: int) -> str:
    return test.node if number == 1 else f"{test.node} and {_plural(number - 1, 'other test')}"


def _clause(test: ResultRecord) -> str:
    return ", ".join(test.blamed or test.clauses[:1]) or "no clause"


def message_with_clause(test: ResultRecord) -> str:
    """The message behind the clause's id, which some messages begin with already."""
    has_clause = bool(test.blamed) and test.message.startswith(test.blamed[0])
    return test.message if has_clause else f"{_clause(test)}: {test.message}"


def _test_table(first: str, rows: Sequence[tuple[str, ResultRecord]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {cell} | {_cell(test.title)} | {_cell(test.message)} | `{_cell(test.node)}` |" for cell, test in rows]
    return [f"| {first} | what was checked | what was found | test |", "|---|---|---|---|", *lines]


def _section(title: str, body: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *body] if body else []


def _cell(text: str) -> str:
    """A text that neither ends a table's cell nor begins an HTML tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
