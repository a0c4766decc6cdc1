"""Renders the rows of the kill table's page: results by section of the document, and the comparison with another tool.

Rule: every text from outside is escaped where it is inserted; the page's filter ignores what `details` elements hide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import groupby

import contracts
from contracts.clauses import Clause, Reading, clauses, readings, sentence_and_citation
from contracts.yaml_reader import UsageError
from reports.mutation import tool_comparison
from reports.mutation.kill_table import VERDICTS, Complaint, MutationResult
from reports.mutation.tool_comparison import ComparedChange, ToolComparison, ToolResult, ToolTotals

COLUMNS = ("", "what was changed", "clauses", "the test that complained", "seconds", "requests")
TITLE_OF_KIND = {"fault": "Faults", "variant": "Variants", "honest": "Unchanged references"}
UNKNOWN_PLACE = 9_999  # behind every clause of a document


def by_section(results: Sequence[MutationResult]) -> str:
    """A table of results of one API, by section and in the document's order."""
    places = {result.name: _place(result) for result in results}
    ordered = sorted(results, key=lambda result: places[result.name])
    groups = groupby(ordered, lambda result: places[result.name][1])
    return table(COLUMNS, "".join(_body(section, map(result_row, group)) for section, group in groups))


def listed(results: Sequence[MutationResult]) -> str:
    """A table of results in the given order."""
    return table(COLUMNS, _body("", map(result_row, results)))


def table(heads: Iterable[str], bodies: str, kind: str = "rows") -> str:
    """A table; `kind` is the CSS class that sets the widths of its columns."""
    cells = "".join(f"<th scope=col>{escape(head)}</th>" for head in heads)
    return f'<table class="{kind}"><thead><tr>{cells}</tr></thead>{bodies}</table>'


def result_row(result: MutationResult) -> str:
    """A result that is as expected; promise and message are folded away."""
    name = f"{result.api}.{result.name}"
    complaint = result.shown_complaint
    blamed = complaint.clauses if complaint else ()
    ids = "".join(f'<p class="id{" blamed" * (clause in blamed)}">{escape(clause)}</p>' for clause in result.clauses)
    details = _promises(result) + _message(complaint)
    label = "promise and finding" if complaint and complaint.message else "promise"
    folded = f"<details><summary>{label}</summary>{details}</details>" if details else ""
    cost = _number(f"{result.seconds:.1f}") + _number(f"{result.requests:,}")
    return (
        f'<tr class=row id="{escape(name)}"><td>{badge(result.verdict)}</td>'
        f"<td><p><b class=id>{escape(name)}</b></p><p>{escape(result.summary)}</p>{folded}</td>"
        f"<td>{ids}</td><td>{_test(complaint)}</td>{cost}</tr>"
    )


def wrong_row(result: MutationResult) -> str:
    """A result that is not as expected, with everything that is known about it."""
    name = f"{result.api}.{result.name}"
    complaint = result.shown_complaint
    blamed = f" It blames {escape(', '.join(complaint.clauses) or 'no clause')}." if complaint else ""
    others = f" {len(result.complaints) - 1} more complained." if len(result.complaints) > 1 else ""
    cost = f"{result.seconds:.1f} s, {_requests(result.requests)}"
    return (
        f'<div class="row bad" id="{escape(name)}"><p>{badge(result.verdict)} <b class=id>{escape(name)}</b>'
        f" {escape(result.summary)}</p><p class=soft>{result.kind}: {VERDICTS[result.verdict]}; {cost}</p>"
        f"{_promises(result)}<p>{_test(complaint)}{blamed}{others}</p>{_message(complaint)}</div>"
    )


def badge(verdict: str) -> str:
    """The verdict as a word in its colour."""
    return f'<span class="badge {escape(verdict)}">{escape(verdict)}</span>'


def honest_complaint(complaint: Complaint) -> str:
    """A complaint about an unchanged reference."""
    head = f"<p>{badge('blamed')} unchanged reference</p>"
    return f'<div class="row bad">{head}<p>{_test(complaint)}</p>{_message(complaint)}</div>'


def comparison_tables(comparison: ToolComparison) -> str:
    """The totals of both tools by API, then change by change."""
    heads = ("API", "", "faults killed", "variants blamed", "alarms, unchanged", "requests", "seconds")
    columns = ("what was changed", "ours", comparison.tool, "what it reports")
    apis = [*sorted({change.api for change in comparison.rows}), "all"]
    totals = "".join(_totals_rows(api, comparison) for api in apis)
    kinds = list(TITLE_OF_KIND)
    ordered = sorted(comparison.rows, key=lambda change: kinds.index(change.kind))
    bodies = "".join(
        _body(TITLE_OF_KIND[kind], map(_compared_row, changes), len(columns))
        for kind, changes in groupby(ordered, lambda change: change.kind)
    )
    return f"{table(heads, f'<tbody>{totals}</tbody>', 'sums both')}{table(columns, bodies, 'sides')}"


def _totals_rows(api: str, comparison: ToolComparison) -> str:
    ours, theirs = tool_comparison.totals([change for change in comparison.rows if api in (change.api, "all")])
    return _totals_row(api, "ours", ours) + _totals_row(api, comparison.tool, theirs)


def _totals_row(api: str, side: str, totals: ToolTotals) -> str:
    numbers = (
        f"{totals.killed} of {totals.faults}",
        f"{totals.blamed} of {totals.variants}",
        str(totals.alarms),
        f"{totals.requests:,}",
        f"{totals.seconds:,.0f}",
    )
    return f"<tr><th scope=row>{escape(api)}</th><td>{escape(side)}</td>{''.join(map(_number, numbers))}</tr>"


def _compared_row(change: ComparedChange) -> str:
    theirs = change.theirs
    reported = f"<details><summary>{theirs.alarms} reported</summary>{escape(theirs.says)}</details>"
    return (
        f"<tr class=row><td><b class=id>{escape(change.api)}.{escape(change.name)}</b></td>"
        f"<td>{_tool_result(change.ours)}</td><td>{_tool_result(theirs)}</td>"
        f"<td>{reported if theirs.alarms else ''}</td></tr>"
    )


def _tool_result(result: ToolResult) -> str:
    cost = f"{_requests(result.requests)}, {result.seconds:,.1f} s" if result.requests else ""
    return f"{badge(result.verdict)} <span class=soft>{cost}</span>"


def _body(title: str, rows: Iterable[str], columns: int = len(COLUMNS)) -> str:
    head = f"<tr class=group><th colspan={columns} scope=rowgroup>{escape(title)}</th></tr>" if title else ""
    return f"<tbody>{head}{''.join(rows)}</tbody>"


def _requests(number: int) -> str:
    return f"{number:,} request{'s' * (number != 1)}"


def _number(text: str) -> str:
    return f"<td class=n>{escape(text)}</td>"


def _promises(result: MutationResult) -> str:
    return "".join(
        f"<p><b class=id>{escape(clause)}</b> {escape(promise)}</p>"
        for clause in result.clauses
        for promise in _promise(clause)
    )


def _message(complaint: Complaint | None) -> str:
    return f"<pre>{escape(complaint.message)}</pre>" if complaint and complaint.message else ""


def _test(complaint: Complaint | None) -> str:
    """The test's id, with places where a line may break: it is one long word."""
    if complaint is None:
        return ""
    test = escape(complaint.test.removeprefix("suites/"))
    return f"<code>{test.replace('::', '::<wbr>').replace('_', '_<wbr>')}</code>"


def _promise(identifier: str) -> Iterator[str]:
    """What the clause or reading says, if this checkout has it."""
    if _is_known(identifier):
        sentence, citation = sentence_and_citation(identifier)
        yield f"{sentence} ({citation})"


def _place(result: MutationResult) -> tuple[int, str, int, str]:
    """The place in the document: the section's first clause, its name, the clause, the change's name."""
    identifier = next(filter(_is_known, result.clauses), "")
    if not identifier:
        return (UNKNOWN_PLACE, "", 0, result.name)
    api = _api(identifier)
    order: list[Clause | Reading] = [*clauses(api).values(), *readings(api).values()]
    number = next(number for number, entry in enumerate(order) if entry.id == identifier)
    section = order[number].section or "readings"
    start = next(number for number, entry in enumerate(order) if (entry.section or "readings") == section)
    return (start, section.replace("_", " ").capitalize(), number, result.name)


@cache
def _is_known(identifier: str) -> bool:
    """Whether a readable contract of this checkout has that clause or reading."""
    api = _api(identifier)
    try:
        return api in contracts.apis() and (identifier in clauses(api) or identifier in readings(api))
    except (UsageError, FileNotFoundError):
        return False


def _api(identifier: str) -> str:
    return identifier.split("-")[0].lower()
