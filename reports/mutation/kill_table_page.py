"""Renders the kill table as one HTML page: what is not as expected, the faults by API, the variants, a comparison.

Rule: the page fetches nothing, escapes every text from outside, and is complete without its script, which only filters.
It says which mutation run it shows and how to make a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from reports.mutation import kill_table, kill_table_rows, mutation_score, tool_comparison
from reports.mutation.kill_table import EXPECTED_VERDICTS, VERDICTS, KillTable, MutationResult
from reports.mutation.loading import Loaded, load_comparison, load_kill_table
from reports.mutation.tool_comparison import ToolComparison

FOLDER = Path(__file__).parent
PAGE_NAME = "kill-table.html"
COMPARE = "tox -e prove -- --against schemathesis"
INTRODUCTION = (
    "Can the tests be trusted? Each fault breaks one promise of a vendor's document in one of flowproof's own reference"
    " servers: a test must complain and blame that promise. A variant keeps the document in another way: no test may"
    " complain. So this page is about the tests, not about the target of a run."
)
COMPARED = (
    "Both tools ran against the same faults and variants. The other tool kills a fault when it reports a failure that"
    " it does not report for the unchanged reference (by kind and operation), even if the fault broke something else;"
    " ours kills it when a test blames a clause that the fault breaks. Its requests and seconds are those of whole"
    " runs over sockets; ours end at the first such complaint, and the references run in the same process. The totals"
    " of requests and seconds leave out the unchanged references."
)
Section = tuple[str, str, str, str]  # anchor, name in the navigation, title, HTML


def write_page(runs: Path, folder: Path) -> str:
    """Write `folder`/kill-table.html from the files in `runs`, else from the published table; return the page."""
    html = render_page(load_kill_table(runs), load_comparison(runs))
    (folder / PAGE_NAME).write_text(html, "utf-8")
    return html


def render_page(table: Loaded[KillTable], comparison: Loaded[ToolComparison]) -> str:
    """Render the whole page."""
    style = "".join(path.read_text("utf-8") for path in (FOLDER.parent / "base.css", FOLDER / "kill.css"))
    script = (FOLDER / "kill.js").read_text("utf-8")
    sections = [*_table_sections(table.value), _comparison_section(comparison)]
    links = "".join(f'<a href="#{escape(anchor)}">{escape(name)}</a>' for anchor, name, _, _ in sections)
    bodies = "".join(
        f'<section id="{escape(anchor)}"><h2>{escape(title)}</h2>{html}</section>'
        for anchor, _, title, html in sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: kill table</title><style>{style}</style></head><body>"
        f"<header><h1>Kill table</h1><p>{INTRODUCTION}</p>{_source(table)}</header>"
        f"{mutation_score.render_score(table.value) if table.value else ''}"
        f'<nav aria-label="Sections">{links}<form role=search hidden><label>Filter <input type=search'
        ' placeholder="API, clause, fault, test" autocomplete=off></label> <output></output></form></nav>'
        f"<main>{bodies}</main><script>{script}</script></body></html>\n"
    )


def _problem(loaded: Loaded[KillTable] | Loaded[ToolComparison]) -> str:
    return f"<p class=missing>{escape(loaded.problem)}</p>" if loaded.problem else ""


def _source(loaded: Loaded[KillTable]) -> str:
    """Which run the page shows, and how to make a newer one."""
    command = "To make a new one: <code>tox -e prove</code>"
    if loaded.value is None:
        return f"{_problem(loaded)}<p class=missing>There is no kill table to show. {command}</p>"
    file = f"prove/{kill_table.FILE_NAME}"
    shown = f"the mutation run made here (<code>{file}</code>)"
    if loaded.is_published:
        shown = f"the published mutation run (<code>reports/{kill_table.MARKDOWN_NAME}</code>)"
    return f"{_problem(loaded)}<p>This is {shown}. {command}</p>"


def _table_sections(table: KillTable | None) -> list[Section]:
    if table is None:
        return []
    results = table.results
    bad = [
        result
        for verdict in VERDICTS
        if verdict not in EXPECTED_VERDICTS
        for result in results
        if result.verdict == verdict
    ]
    unexpected = [*map(kill_table_rows.honest_complaint, table.honest), *map(kill_table_rows.wrong_row, bad)]
    sections = [("wrong", "Not as expected", "Not as expected", "".join(unexpected))] if unexpected else []
    for api in _apis(result for result in results if result.verdict == "caught"):
        caught = [result for result in results if (result.api, result.verdict) == (api, "caught")]
        sections.append((api, api, f"{api}: faults caught", kill_table_rows.by_section(caught)))
    accepted = [result for result in results if result.verdict == "ok"]
    if accepted:
        sections.append(("variants", "Variants", "Variants without complaint", _accepted(accepted)))
    return sections


def _accepted(results: Sequence[MutationResult]) -> str:
    """The variants by API, then the runs of the unchanged references with other requests."""
    variants = [result for result in results if result.kind != "seed"]
    seeds = [result for result in results if result.kind == "seed"]
    tables = "".join(
        f"<h3>{escape(api)}</h3>{kill_table_rows.by_section([result for result in variants if result.api == api])}"
        for api in _apis(variants)
    )
    others = f"<h3>Other requests</h3>{kill_table_rows.listed(seeds)}" if seeds else ""
    return tables + others


def _comparison_section(loaded: Loaded[ToolComparison]) -> Section:
    published = Path(tool_comparison.COMPARISON_FILE).with_suffix(".md")
    comparison = loaded.value
    if comparison is None:
        html = (
            f"{_problem(loaded)}<p>No comparison was made here; the published one is"
            f" <code>reports/{published}</code>. To make one: <code>{COMPARE}</code></p>"
        )
        return ("comparison", "Comparison", "Compared with another tool", html)
    provenance = comparison.made
    html = (
        f"<p>{COMPARED}</p><p>{escape(comparison.tool)} on {escape(comparison.sample)}. Made {provenance.date_text} by"
        f" <code>{escape(provenance.command)}</code>.</p>{kill_table_rows.comparison_tables(comparison)}"
    )
    return ("comparison", "Comparison", f"Compared with {comparison.tool}", html)


def _apis(results: Iterable[MutationResult]) -> list[str]:
    return sorted({result.api for result in results})
