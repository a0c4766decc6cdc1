"""The rows of the kill table's page: results by section of the document, and the comparison with another tool.

Rule: every text from outside is escaped where it is put in; what the filter looks at is all but what `details` hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from itertools import groupby

import contracts
from contracts.clauses import Clause, Reading, clauses, readings, says
from reports import compared
from reports.compared import Comparison, Row, Side, Sum
from reports.kills import VERDICTS, Complaint, Result

COLUMNS = ("", "what was changed", "clauses", "the test that complained", "seconds", "requests")
KIND = {"fault": "faults", "variant": "variants", "honest": "honest references"}


def by_section(found: Sequence[Result]) -> str:
    """A table of these results of one API, by section and in the document's order."""
    places = {one.name: _place(one) for one in found}
    ordered = sorted(found, key=lambda one: places[one.name])
    bodies = (_body(section, map(row, ours)) for section, ours in groupby(ordered, lambda one: places[one.name][1]))
    return table(COLUMNS, "".join(bodies))


def listed(found: Sequence[Result]) -> str:
    """A table of results in the order in which they are given."""
    return table(COLUMNS, _body("", map(row, found)))


def table(heads: Iterable[str], bodies: str, kind: str = "rows") -> str:
    """A table of that kind, which says how wide its columns are."""
    cells = "".join(f"<th scope=col>{escape(head)}</th>" for head in heads)
    return f'<table class="{kind}"><thead><tr>{cells}</tr></thead>{bodies}</table>'


def row(one: Result) -> str:
    """A result that is as it should be; its promise and finding are folded away."""
    name = f"{one.api}.{one.name}"
    blamed = one.shown.clauses if one.shown else ()
    ids = "".join(f'<p class="id{" blamed" * (each in blamed)}">{escape(each)}</p>' for each in one.clauses)
    more = _promises(one) + _message(one.shown)
    word = "promise and finding" if one.shown and one.shown.message else "promise"
    folded = f"<details><summary>{word}</summary>{more}</details>" if more else ""
    return (
        f'<tr class=row id="{escape(name)}"><td>{badge(one.verdict)}</td>'
        f"<td><p><b class=id>{escape(name)}</b></p><p>{escape(one.summary)}</p>{folded}</td>"
        f"<td>{ids}</td><td>{_test(one.shown)}</td>{_number(f'{one.seconds:.1f}')}{_number(f'{one.requests:,}')}</tr>"
    )


def wrong(one: Result) -> str:
    """A result that is not as it should be, with all there is to say."""
    name = f"{one.api}.{one.name}"
    blamed = f" It blames {escape(', '.join(one.shown.clauses) or 'no clause')}." if one.shown else ""
    more = f" {len(one.complaints) - 1} more complained." if len(one.complaints) > 1 else ""
    cost = f"{one.seconds:.1f} s, {_requests(one.requests)}"
    return (
        f'<div class="row bad" id="{escape(name)}"><p>{badge(one.verdict)} <b class=id>{escape(name)}</b>'
        f" {escape(one.summary)}</p><p class=soft>{one.kind}: {VERDICTS[one.verdict]}; {cost}</p>"
        f"{_promises(one)}<p>{_test(one.shown)}{blamed}{more}</p>{_message(one.shown)}</div>"
    )


def badge(verdict: str) -> str:
    """The verdict as a word in its colour."""
    return f'<span class="badge {escape(verdict)}">{escape(verdict)}</span>'


def complaint(one: Complaint) -> str:
    """A complaint about an honest reference."""
    return f'<div class="row bad"><p>{badge("blamed")} honest reference</p><p>{_test(one)}</p>{_message(one)}</div>'


def comparison(found: Comparison) -> str:
    """Both sides in sum by API, then change by change."""
    heads = ("API", "", "faults killed", "variants blamed", "alarms, honest", "requests", "seconds")
    sides = ("what was changed", "ours", found.tool, "what it says")
    apis = [*sorted({one.api for one in found.rows}), "all"]
    both = ((api, compared.sums([one for one in found.rows if api in (one.api, "all")])) for api in apis)
    lines = "".join(_sum(api, "ours", ours) + _sum(api, found.tool, theirs) for api, (ours, theirs) in both)
    kinds = groupby(sorted(found.rows, key=lambda one: list(KIND).index(one.kind)), lambda one: one.kind)
    bodies = "".join(_body(KIND[kind].capitalize(), map(_compared, rows), len(sides)) for kind, rows in kinds)
    return f"{table(heads, f'<tbody>{lines}</tbody>', 'sums both')}{table(sides, bodies, 'sides')}"


def _compared(one: Row) -> str:
    told = f"<details><summary>{one.theirs.alarms} told</summary>{escape(one.theirs.says)}</details>"
    return (
        f"<tr class=row><td><b class=id>{escape(one.api)}.{escape(one.name)}</b></td><td>{_side(one.ours)}</td>"
        f"<td>{_side(one.theirs)}</td><td>{told if one.theirs.alarms else ''}</td></tr>"
    )


def _side(one: Side) -> str:
    cost = f"{_requests(one.requests)}, {one.seconds:,.1f} s" if one.requests else ""
    return f"{badge(one.verdict)} <span class=soft>{cost}</span>"


def _sum(api: str, side: str, one: Sum) -> str:
    numbers = (
        f"{one.killed} of {one.faults}",
        f"{one.blamed} of {one.variants}",
        str(one.alarms),
        f"{one.requests:,}",
        f"{one.seconds:,.0f}",
    )
    return f"<tr><th scope=row>{escape(api)}</th><td>{escape(side)}</td>{''.join(map(_number, numbers))}</tr>"


def _body(title: str, rows: Iterable[str], columns: int = len(COLUMNS)) -> str:
    head = f"<tr class=group><th colspan={columns} scope=rowgroup>{escape(title)}</th></tr>" if title else ""
    return f"<tbody>{head}{''.join(rows)}</tbody>"


def _requests(number: int) -> str:
    return f"{number:,} request{'s' * (number != 1)}"


def _number(text: str) -> str:
    return f"<td class=n>{escape(text)}</td>"


def _promises(one: Result) -> str:
    return "".join(
        f"<p><b class=id>{escape(each)}</b> {escape(promise)}</p>" for each in one.clauses for promise in _promise(each)
    )


def _message(shown: Complaint | None) -> str:
    return f"<pre>{escape(shown.message)}</pre>" if shown and shown.message else ""


def _test(shown: Complaint | None) -> str:
    """The test's id, with places to break it: it is one long word."""
    if shown is None:
        return ""
    told = escape(shown.test.removeprefix("suites/"))
    return f"<code>{told.replace('::', '::<wbr>').replace('_', '_<wbr>')}</code>"


def _promise(identifier: str) -> Iterator[str]:
    """What the clause or reading says, when this checkout still has it."""
    if _known(identifier):
        told, where = says(identifier)
        yield f"{told} ({where})"


def _place(one: Result) -> tuple[int, str, int, str]:
    """Where in the document: the section's first clause, its name, the clause, the change's name."""
    first = next(filter(_known, one.clauses), "")
    if not first:
        return (9_999, "", 0, one.name)
    api = _api(first)
    order: list[Clause | Reading] = [*clauses(api).values(), *readings(api).values()]
    number = next(number for number, each in enumerate(order) if each.id == first)
    section = order[number].section or "readings"
    start = next(number for number, each in enumerate(order) if (each.section or "readings") == section)
    return (start, section.replace("_", " ").capitalize(), number, one.name)


@cache
def _known(identifier: str) -> bool:
    api = _api(identifier)
    return api in contracts.apis() and (identifier in clauses(api) or identifier in readings(api))


def _api(identifier: str) -> str:
    return identifier.split("-")[0].lower()
