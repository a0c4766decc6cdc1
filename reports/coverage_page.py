"""Clauses and coverage as one HTML page: each API's document with a verdict beside each promise, then its operations.

Rule: the page is complete in itself: no script, nothing fetched, and everything that came from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from contracts.clauses import ANY
from contracts.points import ANSWER, REQUEST, Point
from contracts.rpc import Call
from reports.clauses import STATES, Read, Told
from reports.coverage import Covered, Exercised, Share

HERE = Path(__file__).parent
TESTS = 6  # tests listed per clause
SIDES = ((REQUEST, "Requests: what was sent"), (ANSWER, "Answers: what came"))
INTRODUCTION = (
    "Every promise of a vendor's document in its order, what a document leaves open, and what was really exchanged with"
    " each operation. ✓ means exercised, with the number of exchanges behind it; ○ means not exercised."
)


def page(found: Sequence[Covered], verdict: str) -> str:
    """The whole page."""
    style = "".join((HERE / name).read_text("utf-8") for name in ("base.css", "coverage.css"))
    shown = "".join(
        f"body:has(#tab-{one.api}:checked) #{one.api},body:has(#tab-{one.api}:checked) [for=tab-{one.api}]"
        "{--shown:block;--chosen:var(--ink)}"
        for one in found
    )
    tabs = "".join(_tab(one, number == 0) for number, one in enumerate(found))
    gaps = '<label class="gaps"><input type="checkbox" id="gaps"> only gaps</label>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: clauses and coverage</title><style>{style}{shown}</style></head><body>"
        f"<header><h1>Clauses and coverage</h1><p>Verdict of the run: <b>{escape(verdict)}</b>. {INTRODUCTION}</p>"
        f"<nav>{tabs}{gaps}</nav></header>{''.join(map(_api, found)) or '<p>No API was part of this run.</p>'}"
        "</body></html>\n"
    )


def _tab(one: Covered, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    return (
        f'<input type="radio" name="api" id="tab-{one.api}"{checked}>'
        f'<label for="tab-{one.api}" class="tab">{escape(one.api)}</label>'
    )


def _api(one: Covered) -> str:
    lacks = f'<p class="lacks">Coverage is missing or not complete: {escape(one.lacks)}.</p>' if one.lacks else ""
    states = "".join(
        f'<span title="{STATES[state]}">{_badge(state)} {count}</span>'
        for state, count in one.states().items()
        if count
    )
    strangers = f", {one.strangers} of them with no operation or call of the contract" if one.strangers else ""
    numbers = (
        f"<span>{one.exchanges} exchanges{strangers}</span>"
        f"<span>requests {_bar(one.share(REQUEST))}</span><span>answers {_bar(one.share(ANSWER))}</span>"
        f"<span>together {_bar(one.share())}</span>"
    )
    return (
        f'<main id="{one.api}">{lacks}<div class="sums">{states}</div><div class="sums">{numbers}</div>'
        f"<h2>Clauses</h2>{''.join(_clauses(one.clauses))}"
        f"<h2>Readings</h2><p>Where the document leaves a choice.</p>{''.join(map(_reading, one.readings))}"
        f"{''.join(_operations(one))}</main>"
    )


def _operations(one: Covered) -> Iterator[str]:
    """Operations over HTTP, and the calls by frame under a heading of their own."""
    framed = [made for made in one.operations if isinstance(made.operation, Call)]
    over_http = [made for made in one.operations if not isinstance(made.operation, Call)]
    told = "How much of each was exercised. Open one to see what was and what was not."
    for title, ours in (("Operations", over_http), ("Calls by websocket", framed)):
        if ours:
            yield f"<h2>{title}</h2><p>{told}</p>{''.join(map(_operation, ours))}"


def _clauses(clauses: Iterable[Told]) -> Iterator[str]:
    sections: dict[str, list[Told]] = {}
    for one in clauses:
        sections.setdefault(one.clause.section, []).append(one)
    for section, ours in sections.items():
        yield f"<section><h3>{escape(section.replace('_', ' ').capitalize())}</h3>"
        yield from map(_clause, ours)
        yield "</section>"


def _clause(one: Told) -> str:
    why = f'<p class="why">{escape(one.why)}</p>' if one.why else ""
    where = escape(one.clause.where)
    return (
        f'<div class="row {_class(one.state)}"><div>{_badge(one.state)}</div>'
        f'<div><p><b class="id">{escape(one.clause.id)}</b> {escape(one.clause.says)}</p>{why}{_tests(one)}</div>'
        f'<div class="side">{where}</div><div class="side">{_count(one.exchanges, "exchange")}</div></div>'
    )


def _tests(one: Told) -> str:
    if not one.tests:
        return ""
    listed = "".join(
        f"<li>{escape(test.title)} <i>({test.outcome}, {_count(test.exchanges, 'exchange')})</i></li>"
        for test in one.tests[:TESTS]
    )
    more = f"<li>and {len(one.tests) - TESTS} more</li>" if len(one.tests) > TESTS else ""
    return f"<details><summary>{_count(len(one.tests), 'test')}</summary><ul>{listed}{more}</ul></details>"


def _reading(one: Read) -> str:
    reading = one.reading
    line = f"line {reading.line}" if reading.line else ""
    if not reading.meanings:
        told = f'<p class="why">Not on the wire: {escape(reading.untouched or "no reason given")}</p>'
        return _reading_row("not tested", one, told, line, "")
    by = "fixed by the environment" if one.is_fixed else "by default"
    meaning = "any meaning passes" if one.in_force == ANY else f"in force: {one.in_force}"
    seen = ", ".join(one.seen) or "not observed"
    meanings = "".join(
        f"<li{' class=seen' if name in one.seen else ''}><b>{escape(name)}</b>: {escape(text)}</li>"
        for name, text in reading.meanings.items()
    )
    told = f"<details><summary>{_count(len(reading.meanings), 'meaning')}</summary><ul>{meanings}</ul></details>"
    return _reading_row("seen" if one.seen else "not observed", one, told, line, f"{meaning} ({by})", seen)


def _reading_row(state: str, one: Read, told: str, line: str, meaning: str, seen: str = "") -> str:
    target = f'<p class="target">This target: <b>{escape(seen)}</b></p>' if seen else ""
    return (
        f'<div class="row {_class(state)}"><div>{_badge(state)}</div>'
        f'<div><p><b class="id">{escape(one.reading.id)}</b> {escape(one.reading.question)}</p>{target}{told}</div>'
        f'<div class="side">{escape(line)}</div><div class="side">{escape(meaning)}</div></div>'
    )


def _operation(one: Exercised) -> str:
    tables = "".join(_side(title, [pair for pair in one.points if pair[0].side == side]) for side, title in SIDES)
    full = " full" if one.share().hit == one.share().all else ""
    return (
        f'<details class="operation{full}"><summary><b class="id">{escape(one.operation.label)}</b>'
        f"<span>{_count(one.exchanges, 'exchange')}</span><span>requests {_bar(one.share(REQUEST))}</span>"
        f"<span>answers {_bar(one.share(ANSWER))}</span></summary>"
        f"<p>{escape(one.operation.summary)}</p>{tables}</details>"
    )


def _side(title: str, points: Sequence[tuple[Point, int]]) -> str:
    spots: dict[str, list[tuple[Point, int]]] = {}
    for point, count in points:
        spots.setdefault(point.where, []).append((point, count))
    rows = "".join(_spot(where, ours) for where, ours in spots.items())
    return f"<h4>{escape(title)}</h4>{rows}" if rows else ""


def _spot(where: str, points: Sequence[tuple[Point, int]]) -> str:
    told = "".join(
        f"<i class=y>{escape(point.what)} <b>{count}</b></i>" if count else f"<i>{escape(point.what)}</i>"
        for point, count in points
    )
    full = " full" if all(count for _, count in points) else ""
    return f'<div class="spot{full}"><code>{escape(where)}</code><div>{told}</div></div>'


def _badge(state: str) -> str:
    return f'<span class="badge {_class(state)}">{escape(state)}</span>'


def _class(state: str) -> str:
    return state.replace(" ", "-")


def _bar(share: Share) -> str:
    if not share.all:
        return "<em>none</em>"
    return (
        f'<meter min="0" max="{share.all}" value="{share.hit}"></meter> <b>{share}</b> <em>{share.hit}/{share.all}</em>'
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
