"""Renders the causes of one API as a page for its vendor: no script, nothing fetched, no word about our tests.

Rule: it is below 1 MB, so that any mail server takes it; of many findings the exchanges are cut first, never a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from reports import cause_text
from reports.history.run_changes import RunChanges, moment
from reports.history.target_history import TARGET_KEY
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.verdicts import ApiVerdict

FOLDER = Path(__file__).parent
MAX_PAGE = 1_000_000  # bytes
EXCHANGE_LENGTHS = (20_000, 4_000, 1_000, 0)  # characters of each exchange, the first with which the page fits
LEAST = 200  # characters of what was expected and received that are always shown
OPEN = 5  # findings whose exchange is unfolded
ANSWER = "\n--> "  # begins the answer in the text of an exchange
CUT = "\n… cut here"
LEVELS = {False: ("breaks", "breaks the document"), True: ("unclear", "please clarify")}
INTRODUCTION = (
    "What this server does otherwise than its documentation says, the most serious first. Lines are counted in the"
    " document as we have it, and its promises are put in our words. What the document does not say, but suggests, is"
    " marked <i>please clarify</i>. Variables in commands, such as $TOKEN, stand for credentials: set them to yours."
)


def vendor_page(judged: ApiVerdict, records: RunRecords, changes: RunChanges) -> str:
    """The page of one API; it has the findings of the run in `records`, and since when each is seen from `changes`."""
    for length in EXCHANGE_LENGTHS:
        text = _page(judged, records, changes, length)
        if len(text.encode(errors="backslashreplace")) < MAX_PAGE:
            break
    return text


def _page(judged: ApiVerdict, records: RunRecords, changes: RunChanges, length: int) -> str:
    style = "".join(path.read_text("utf-8") for path in (FOLDER.parent / "base.css", FOLDER / "vendor.css"))
    title = f"{judged.api}: {_plural(len(judged.causes), 'finding')}"
    articles = (_article(number, cause, changes, records, length) for number, cause in enumerate(judged.causes, 1))
    contents = "".join(
        f'<li><a href="#{cause.id}">{escape(_sentence(cause))}</a> {_badge(cause)}</li>' for cause in judged.causes
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{_run(judged, records)}<p>{INTRODUCTION}</p></header>"
        f"<nav><ol>{contents}</ol></nav><main>{''.join(articles)}</main></body></html>\n"
    )


def _run(judged: ApiVerdict, records: RunRecords) -> str:
    """Where and when it was tested, and what keeps the run from being complete."""
    begun, ended = records.run.span if records.run else (0.0, 0.0)
    rows = {
        "Server": records.environment.get(TARGET_KEY.format(api=judged.api), "not known"),
        "Tested": f"{moment(begun)} to {moment(ended)}" if ended else "",
        "Extent": f"{judged.checks} checks of {len(judged.clauses)} promises",
        "Incomplete": "; ".join(judged.reasons),
    }
    return _list(rows)


def _article(number: int, cause: Cause, changes: RunChanges, records: RunRecords, length: int) -> str:
    example = cause.example
    since = changes.since.get(cause.id)
    is_new = since is not None and records.run is not None and since == records.run.span[1]
    rows = {
        "Document": cause_text.sentence_of(cause.clause)[1],
        "Request": _shortened(example.request, max(length, LEAST)),
        "Expected": _shortened(example.expected, max(length, LEAST)),
        "Received": _shortened(example.received, max(length, LEAST)),
        "Where": ", ".join(cause.operations),
        "How often": f"{_plural(cause.findings, 'time')} in {_plural(len(cause.tests), 'test')}",
        "Not tested": cause_text.blocks(cause),
        "Since": f"{moment(since)}{', the run of this page' if is_new else ''}" if since else "",
        "Account": example.account,
        "Reference": f"{cause.clause} {cause.id}".strip(),
    }
    command = f"<h3>Try it</h3><pre>{escape(example.command)}</pre>" if example.command else ""
    return (
        f'<article id="{cause.id}"><h2>{number}. {escape(_sentence(cause))} {_badge(cause)}</h2>'
        f"{_list(rows)}{command}{''.join(_exchange(example.exchange, number <= OPEN, length))}</article>"
    )


def _exchange(text: str, is_open: bool, length: int) -> Iterator[str]:
    """Request and answer of the shortest exchange that shows it."""
    if not text or not length:
        return
    shown = _shortened(text, length)
    request, arrow, answer = shown.partition(ANSWER)
    parts = [("Request", request), ("Answer", answer)] if arrow else [("Request and answer", shown)]
    for name, part in parts:
        yield (
            f"<details{' open' if is_open else ''}><summary>{name}</summary><pre>{escape(part.strip())}</pre></details>"
        )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + CUT


def _sentence(cause: Cause) -> str:
    """What the document promises; of a test that names no clause what was expected."""
    return cause_text.sentence_of(cause.clause)[0] or cause.clause or cause.example.expected or "A finding"


def _badge(cause: Cause) -> str:
    name, text = LEVELS[cause.is_warning]
    return f'<span class="badge {name}">{text}</span>'


def _list(rows: dict[str, str]) -> str:
    lines: Sequence[str] = [f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows.items() if text]
    return f"<dl>{''.join(lines)}</dl>"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
