"""Renders clauses and coverage as one HTML page: each vendor's document with a state beside each promise.

Rule: the page needs no script and fetches nothing, and every text from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from contracts.asyncapi import Call
from contracts.clauses import ANY
from contracts.coverage.operation_plan import REQUEST, RESPONSE, CoveragePoint
from reports.coverage.clause_results import STATES, ClauseResult, ReadingResult
from reports.coverage.coverage_report import ApiCoverage, OperationCoverage, Share
from reports.coverage.kind_coverage import KindCoverage
from reports.results.result_log import ResultRecord

FOLDER = Path(__file__).parent
MAX_TESTS = 6  # listed per clause
SIDES = ((REQUEST, "Requests sent"), (RESPONSE, "Responses received"))
NOT_COUNTED = "Only public clients call these; each target may serve them or not, and the sums above leave them out. "
INTRODUCTION = (
    "Every promise of a vendor's document in its order, what the document leaves open, and how much of each operation"
    " was exercised. ✓ was exercised, with its number of exchanges; ○ was not. An observation records what the"
    " target does where the document allows everything: it cannot fail, and no check counts it."
)


def page(coverages: Sequence[ApiCoverage], verdict: str) -> str:
    """Render the whole page."""
    style = "".join(path.read_text("utf-8") for path in (FOLDER.parent / "base.css", FOLDER / "coverage.css"))
    tab_style = "".join(
        f"body:has(#tab-{coverage.api}:checked) #{coverage.api},"
        f"body:has(#tab-{coverage.api}:checked) [for=tab-{coverage.api}]"
        "{--shown:block;--chosen:var(--ink)}"
        for coverage in coverages
    )
    tabs = "".join(_tab(coverage, number == 0) for number, coverage in enumerate(coverages))
    gaps = '<label class="gaps"><input type="checkbox" id="gaps"> only gaps</label>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: clauses and coverage</title><style>{style}{tab_style}</style></head><body>"
        f"<header><h1>Clauses and coverage</h1><p>Verdict of the run: <b>{escape(verdict)}</b>. {INTRODUCTION}</p>"
        f"<nav>{tabs}{gaps}</nav></header>"
        f"{''.join(map(_api, coverages)) or '<p>This run tested no API with a contract.</p>'}"
        "</body></html>\n"
    )


def _tab(coverage: ApiCoverage, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    return (
        f'<input type="radio" name="api" id="tab-{coverage.api}"{checked}>'
        f'<label for="tab-{coverage.api}" class="tab">{escape(coverage.api)}</label>'
    )


def _api(coverage: ApiCoverage) -> str:
    missing = (
        f'<p class="missing">Coverage is missing or incomplete: {escape(coverage.missing)}.</p>'
        if coverage.missing
        else ""
    )
    if not coverage.clauses and coverage.missing:
        return f'<main id="{coverage.api}">{missing}</main>'
    return (
        f'<main id="{coverage.api}">{missing}{_totals(coverage)}'
        f"<h2>Clauses</h2>{''.join(_clauses(coverage.clauses))}"
        f"<h2>Readings</h2><p>What the document leaves open, and which meaning this target has.</p>"
        f"{''.join(map(_reading, coverage.readings))}"
        f"{_kinds(coverage.kinds)}{''.join(_operations(coverage))}</main>"
    )


def _totals(coverage: ApiCoverage) -> str:
    states = "".join(
        f'<span title="{STATES[state]}">{_badge(state)} {count}</span>'
        for state, count in coverage.states().items()
        if count
    )
    observations = f"<span>{_count(coverage.observations, 'observation')}</span>" if coverage.observations else ""
    unmatched = f", {coverage.unmatched} of them match no operation of the contract" if coverage.unmatched else ""
    numbers = (
        f"<span>{_count(coverage.exchanges, 'exchange')}{unmatched}</span>"
        f"<span>requests {_bar(coverage.share(REQUEST))}</span><span>responses {_bar(coverage.share(RESPONSE))}</span>"
        f"<span>together {_bar(coverage.share())}</span>"
    )
    return f'<div class="sums">{states}{observations}</div><div class="sums">{numbers}</div>'


def _kinds(kinds: Sequence[KindCoverage]) -> str:
    if not kinds:
        return ""
    rows = "".join(map(_kind, kinds))
    return f"<h2>Kinds of bugs</h2><p>What was tried at which operation, whatever its section says.</p>{rows}"


def _kind(kind: KindCoverage) -> str:
    """A kind with the operations at which it was tried, and the reason why not at the others, each reason once."""
    tried = "".join(
        f"<i class=y>{escape(label)} <b>{count}</b></i>" if count else f"<i>{escape(label)}</i>"
        for label, count in kind.tried.items()
    )
    by_reason: dict[str, list[str]] = {}
    for label, reason in kind.reasons.items():
        by_reason.setdefault(reason, []).append(label)
    others = "".join(f"<li>{escape(reason)}: {escape(', '.join(labels))}</li>" for reason, labels in by_reason.items())
    share = Share(sum(count > 0 for count in kind.tried.values()), len(kind.tried))
    full = " full" if share.exercised == share.total else ""
    rule, cells = (
        f"{escape(kind.rule.capitalize())}.",
        f'<div class="point{full}"><span>tried at</span><div>{tried}</div></div>',
    )
    return (
        f'<details class="operation{full}"><summary><b class="id">{escape(kind.name)}</b>'
        f"<span>{_count(len(kind.tried), 'operation')}</span><span>{_bar(share)}</span></summary>"
        f"<p>{rule}</p>{cells}{f'<p>Not tried here:</p><ul>{others}</ul>' if others else ''}</details>"
    )


def _operations(coverage: ApiCoverage) -> Iterator[str]:
    """REST operations, RPC calls over websocket, then what the document does not have, each under a heading."""
    optional = [it for it in coverage.operations if it.operation.served_if]
    documented = [it for it in coverage.operations if not it.operation.served_if]
    calls = [it for it in documented if isinstance(it.operation, Call)]
    operations = [it for it in documented if not isinstance(it.operation, Call)]
    for title, part, note in (
        ("Operations", operations, ""),
        ("Calls over websocket", calls, ""),
        ("Beyond the document", optional, NOT_COUNTED),
    ):
        if part:
            yield f"<h2>{title}</h2><p>{note}How much of each was exercised. Open one for the details.</p>"
            yield from map(_operation, part)


def _clauses(results: Iterable[ClauseResult]) -> Iterator[str]:
    sections: dict[str, list[ClauseResult]] = {}
    for result in results:
        sections.setdefault(result.clause.section, []).append(result)
    for section, part in sections.items():
        yield f"<section><h3>{escape(section.replace('_', ' ').capitalize())}</h3>"
        yield from map(_clause, part)
        yield "</section>"


def _clause(result: ClauseResult) -> str:
    why = f'<p class="why">{escape(result.why)}</p>' if result.why else ""
    where = escape(result.clause.citation)
    return (
        f'<div class="row {_class(result.state)}"><div>{_badge(result.state)}</div><div>'
        f'<p><b class="id">{escape(result.clause.id)}</b> {escape(result.clause.says)}</p>{why}{_tests(result)}</div>'
        f'<div class="side">{where}</div><div class="side">{_count(result.exchanges, "exchange")}</div></div>'
    )


def _tests(result: ClauseResult) -> str:
    if not result.tests:
        return ""
    items = "".join(
        f"<li>{escape(test.title)} <i>({test.outcome}, {_effort(test)})</i></li>" for test in result.tests[:MAX_TESTS]
    )
    rest = f"<li>and {len(result.tests) - MAX_TESTS} more</li>" if len(result.tests) > MAX_TESTS else ""
    return f"<details><summary>{_count(len(result.tests), 'test')}</summary><ul>{items}{rest}</ul></details>"


def _effort(test: ResultRecord) -> str:
    """How much a test has tried."""
    cases = f", {_count(test.cases, 'case')} that could fail" if test.cases else ""
    return f"{_count(test.exchanges, 'exchange')}{cases}"


def _reading(result: ReadingResult) -> str:
    reading = result.reading
    line = f"line {reading.line}" if reading.line else ""
    if not reading.meanings:
        reason = reading.untouched or "no reason given"
        details = f'<p class="why">No exchange can show it: {escape(reason)}</p>'
        return _reading_row("not tested", result, details, line, "")
    fixed_by = "fixed by this run" if result.is_fixed else "by default"
    meaning = "any meaning passes" if result.in_force == ANY else f"in force: {result.in_force}"
    items = "".join(
        f"<li{' class=seen' if name in result.seen else ''}><b>{escape(name)}</b>: {escape(text)}</li>"
        for name, text in reading.meanings.items()
    )
    details = f"<details><summary>{_count(len(reading.meanings), 'meaning')}</summary><ul>{items}</ul></details>"
    state = "observed" if result.is_observed else "seen" if result.seen else "not observed"
    seen = ", ".join(result.seen) or "not observed"
    return _reading_row(state, result, details, line, f"{meaning} ({fixed_by})", seen)


def _reading_row(state: str, result: ReadingResult, details: str, line: str, meaning: str, seen: str = "") -> str:
    note = " (observed only: no test would fail on another meaning)" if result.is_observed else ""
    target = f'<p class="target">This target: <b>{escape(seen)}</b>{note}</p>' if seen else ""
    reading = result.reading
    return (
        f'<div class="row {_class(state)}"><div>{_badge(state)}</div>'
        f'<div><p><b class="id">{escape(reading.id)}</b> {escape(reading.question)}</p>{target}{details}</div>'
        f'<div class="side">{escape(line)}</div><div class="side">{escape(meaning)}</div></div>'
    )


def _operation(coverage: OperationCoverage) -> str:
    tables = "".join(
        _side(title, [(point, count) for point, count in coverage.points if point.side == side])
        for side, title in SIDES
    )
    share = coverage.share()
    full = " full" if share.exercised == share.total else ""
    return (
        f'<details class="operation{full}"><summary><b class="id">{escape(coverage.operation.label)}</b>'
        f"<span>{_count(coverage.exchanges, 'exchange')}</span><span>requests {_bar(coverage.share(REQUEST))}</span>"
        f"<span>responses {_bar(coverage.share(RESPONSE))}</span></summary>"
        f"<p>{escape(coverage.operation.summary)}</p>{tables}</details>"
    )


def _side(title: str, points: Sequence[tuple[CoveragePoint, int]]) -> str:
    by_path: dict[str, list[tuple[CoveragePoint, int]]] = {}
    for point, count in points:
        by_path.setdefault(point.display_path, []).append((point, count))
    rows = "".join(_path_row(path, part) for path, part in by_path.items())
    return f"<h4>{escape(title)}</h4>{rows}" if rows else ""


def _path_row(path: str, points: Sequence[tuple[CoveragePoint, int]]) -> str:
    items = "".join(
        f"<i class=y>{escape(point.description)} <b>{count}</b></i>" if count else f"<i>{escape(point.description)}</i>"
        for point, count in points
    )
    full = " full" if all(count for _, count in points) else ""
    return f'<div class="point{full}"><code>{escape(path)}</code><div>{items}</div></div>'


def _badge(state: str) -> str:
    return f'<span class="badge {_class(state)}">{escape(state)}</span>'


def _class(state: str) -> str:
    return state.replace(" ", "-")


def _bar(share: Share) -> str:
    if not share.total:
        return "<em>none</em>"
    counts = f"{share.exercised}/{share.total}"
    return f'<meter min="0" max="{share.total}" value="{share.exercised}"></meter> <b>{share}</b> <em>{counts}</em>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
