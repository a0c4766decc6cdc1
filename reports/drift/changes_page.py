"""Renders comparisons with records as one HTML page: what changed since when, the worst first, then what is not sure.

Rule: the page needs no script and fetches nothing, and every text from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from reports.drift.announced_ends import AnnouncedEnd
from reports.drift.changes import Change, sentence
from reports.drift.drift_history import DriftRun
from reports.drift.drift_text import citation, keep_command, summary_line
from reports.drift.drift_verdict import DriftVerdict
from reports.drift.severity_rules import clause_sentence

FOLDER = Path(__file__).parent
PAGE_NAME = "changes.html"
MOST_PLACES = 40  # addresses of a change that are listed
INTRODUCTION = (
    "How the target answers now, compared with the record that was reviewed. Each change was seen twice. It is"
    " breaking when a client written against the record may fail, risky when some may, additive or cosmetic otherwise."
)
NONE = (
    "<header><h1>Changes</h1><p>Nothing was compared with a record here. To make a record, and to compare with it"
    " later: <code>tox -e drift</code></p></header>"
)


def render_changes_page(
    judged: Sequence[DriftVerdict],
    verdict: str,
    runs: Mapping[str, Sequence[DriftRun]],
    ends: Mapping[str, Sequence[AnnouncedEnd]],
) -> str:
    """Render the whole page; `runs` and `ends` are the last runs and the announced ends of each API."""
    style = "".join(path.read_text("utf-8") for path in (FOLDER.parent / "base.css", FOLDER / "drift.css"))
    sections = "".join(_section(item, runs.get(item.result.api, ()), ends.get(item.result.api, ())) for item in judged)
    page = f"<header><h1>Changes {_badge(verdict)}</h1><p>{INTRODUCTION}</p></header><main>{sections}</main>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: changes</title><style>{style}</style></head>"
        f"<body>{page if judged else NONE}</body></html>\n"
    )


def _section(judged: DriftVerdict, runs: Sequence[DriftRun], ends: Sequence[AnnouncedEnd]) -> str:
    result = judged.result
    lines = "".join(f'<p class="reason">{escape(line)}</p>' for line in judged.reasons)
    lines += "".join(f'<p class="note">{escape(line)}</p>' for line in judged.notes)
    changes = "".join(_change(judged, change) for change in result.changes)
    return (
        f'<section id="{escape(result.api)}"><h2>{escape(result.api)} {_badge(judged.verdict)}</h2>'
        f"<p>{escape(summary_line(judged))}</p><p>Target: {escape(result.target)}</p>{lines}{_strip(runs)}{changes}"
        f"{_ends(ends)}{_listed('Became unsteady', result.became_unsteady)}{_not_sure(judged)}</section>"
    )


def _change(judged: DriftVerdict, change: Change) -> str:
    result = judged.result
    marks = "" if change.is_confirmed else _badge("not confirmed")
    marks += _badge("accepted") if change.id in judged.accepted else ""
    curl, response = result.curls.get(change.id, ""), result.responses.get(change.id, "")
    parts = [
        f'<div class="both"><div><b>before</b><code>{escape(change.before)}</code></div>'
        f"<div><b>now</b><code>{escape(change.after)}</code></div></div>",
        f"<p>{escape(_with_capital(' '.join(filter(None, (citation(change), clause_sentence(change.clause))))))}</p>",
        f"<p>Accepted {escape(accepted)}</p>" if (accepted := judged.accepted.get(change.id)) else "",
        _places(change),
        f"<pre>{escape(curl)}</pre>" if curl else "",
        f"<details><summary>The response</summary><pre>{escape(response)}</pre></details>" if response else "",
        f"<details><summary>This is the new normal</summary><pre>{escape(keep_command(change))}</pre></details>",
    ]
    return (
        f'<article class="{change.severity}" id="{change.id}"><h3>{_badge(change.severity)}{marks}'
        f"<span>{escape(_with_capital(sentence(change)))}</span></h3>{''.join(parts)}</article>"
    )


def _with_capital(text: str) -> str:
    """A sentence that begins with an article begins with a capital; names are as they are."""
    return f"The {text.removeprefix('the ')}" if text.startswith("the ") else text


def _places(change: Change) -> str:
    """All addresses of a change that has several."""
    texts = [" · ".join(filter(None, address)) for address in change.places]
    if len(texts) == 1:
        return f"<p><code>{escape(texts[0])}</code></p>"
    items = "".join(f"<li><code>{escape(text)}</code></li>" for text in texts[:MOST_PLACES])
    more = f"<li>and {len(texts) - MOST_PLACES} more</li>" if len(texts) > MOST_PLACES else ""
    return f"<details><summary>at {len(texts)} places</summary><ul>{items}{more}</ul></details>"


def _strip(runs: Sequence[DriftRun]) -> str:
    """The last runs as bars, the newest on the right."""
    if len(runs) < 2:
        return ""
    bars = "".join(f'<li class="{escape(run.verdict)}" title="{escape(_run_text(run))}"></li>' for run in runs)
    label = f"The last {len(runs)} runs: " + ", ".join(run.verdict for run in runs)
    caption = f'<p class="note">The last {len(runs)} runs, the newest on the right</p>'
    return f'<ol class="strip" role="img" aria-label="{escape(label)}">{bars}</ol>{caption}'


def _run_text(run: DriftRun) -> str:
    numbers = ", ".join(f"{number} {severity}" for severity, number in run.counts.items())
    return f"{run.day}: {run.verdict}" + (f", {numbers}" if numbers else "")


def _ends(ends: Sequence[AnnouncedEnd]) -> str:
    if not ends:
        return ""
    rows = "".join(
        f"<tr><td>{escape(end.operation)}</td><td>{escape(end.header)}</td><td>{escape(end.text)}</td></tr>"
        for end in ends
    )
    return f"<h3>Announced ends</h3><table><tr><th>operation</th><th>header</th><th>says</th></tr>{rows}</table>"


def _not_sure(judged: DriftVerdict) -> str:
    result = judged.result
    if result.is_recorded:
        return ""
    facts = (
        f"Facts that differed between the observations of the record, and are not watched: {result.unsteady}."
        f" Facts of the record that could not be compared, since nothing was observed there: {result.not_comparable}."
    )
    return f'<h3>Not watched, not compared</h3><p class="note">{escape(facts)}</p>'


def _listed(title: str, texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<h3>{escape(title)}</h3><ul>{items}</ul>" if items else ""


def _badge(text: str) -> str:
    return f'<span class="badge {escape(text)}">{escape(text)}</span>'
