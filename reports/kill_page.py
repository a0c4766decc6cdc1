"""The kill table as one HTML page: what is wrong first, then the faults by API, then the variants, then a comparison.

Rule: the page is complete in itself, fetches nothing, escapes everything, and can be read without its script, which
only filters. It says which proof it tells and how to make a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from reports import compared, kill_facts, kill_rows, kills
from reports.compared import Comparison
from reports.kills import GOOD, VERDICTS, Found, Proof, Result

HERE = Path(__file__).parent
NAME = "kill-table.html"
INTRODUCTION = (
    "Can the tests be believed? Each fault breaks one promise of a vendor's document in one of flowproof's own"
    " references: some test must complain, and blame that promise. A variant keeps the document in another way: nothing"
    " may complain. So this page is about the tests, not about the target of a run."
)
COMPARED = (
    "The same faults and variants before both. The other tool kills a fault when it tells of a kind of failure at an"
    " operation that it does not tell of the honest reference, whether or not the fault broke just that; ours kills it"
    " when a clause is blamed that the fault breaks. Its requests and seconds are of whole runs over sockets; ours end"
    " at the first rightful complaint and go to references in the same process. Both sums leave out the honest ones."
)
Section = tuple[str, str, str, str]  # its anchor, its name in the navigation, its title, its HTML


def write(proofs: Path, folder: Path) -> str:
    """Writes `folder`/kill-table.html from the newest files in `proofs`, and returns the page."""
    table = kills.newest(proofs, kills.NAME, kills.proof)
    html = page(table, kills.newest(proofs, compared.NAME, compared.comparison))
    (folder / NAME).write_text(html, "utf-8")
    return html


def page(table: Found[Proof], beside: Found[Comparison]) -> str:
    """The whole page."""
    style = "".join((HERE / name).read_text("utf-8") for name in ("base.css", "kill.css"))
    script = (HERE / "kill.js").read_text("utf-8")
    found = [*_proof(table.what), *_beside(beside)]
    links = "".join(f'<a href="#{escape(anchor)}">{escape(name)}</a>' for anchor, name, _, _ in found)
    sections = "".join(
        f'<section id="{escape(anchor)}"><h2>{escape(title)}</h2>{html}</section>' for anchor, _, title, html in found
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>flowproof: kill table</title><style>{style}</style></head><body>"
        f"<header><h1>Kill table</h1><p>{INTRODUCTION}</p>{_source(table, kills.NAME, 'tox -e prove')}</header>"
        f"{kill_facts.facts(table.what) if table.what else ''}"
        f'<nav aria-label="Sections">{links}<form role=search hidden><label>Filter <input type=search'
        ' placeholder="API, clause, fault, test" autocomplete=off></label> <output></output></form></nav>'
        f"<main>{sections}</main><script>{script}</script></body></html>\n"
    )


def _source(found: Found[Proof] | Found[Comparison], name: str, command: str) -> str:
    """Which file is told, and how to make a newer one."""
    problem = f"<p class=lacks>{escape(found.problem)}</p>" if found.problem else ""
    again = f"To make a new one: <code>{command}</code>"
    if found.what is None:
        return f"{problem}<p class=lacks>There is none to show. {again}</p>"
    whose, folder = ("the published one", "reports") if found.is_published else ("the newest one made here", "prove")
    return f"{problem}<p>Shown is {whose} (<code>{folder}/{name}</code>). {again}</p>"


def _proof(proof: Proof | None) -> list[Section]:
    if proof is None:
        return []
    results = proof.results
    bad = [one for word in VERDICTS if word not in GOOD for one in results if one.verdict == word]
    quiet = [one for one in results if one.verdict == "ok"]
    wrong = [*map(kill_rows.complaint, proof.honest), *map(kill_rows.wrong, bad)]
    found = [("wrong", "What is wrong", "What is wrong", "".join(wrong))] if wrong else []
    for api in _apis(one for one in results if one.verdict == "caught"):
        caught = [one for one in results if (one.api, one.verdict) == (api, "caught")]
        found.append((api, api, f"{api}: faults caught", kill_rows.by_section(caught)))
    if quiet:
        found.append(("variants", "Variants", "Variants that nothing complained about", _quiet(quiet)))
    return found


def _quiet(results: Sequence[Result]) -> str:
    """Variants by API, then runs of the honest references with other requests."""
    variants, seeds = ([one for one in results if (one.kind == "seed") == is_seed] for is_seed in (False, True))
    tables = "".join(
        f"<h3>{escape(api)}</h3>{kill_rows.by_section([one for one in variants if one.api == api])}"
        for api in _apis(variants)
    )
    more = f"<h3>Honest references, other requests</h3>{kill_rows.listed(seeds)}" if seeds else ""
    return tables + more


def _beside(found: Found[Comparison]) -> list[Section]:
    if found.what is None and not found.problem:
        return []
    title = "Beside another tool"
    told = f"<p>{COMPARED}</p>{_source(found, compared.NAME, 'tox -e prove -- --against schemathesis')}"
    if found.what:
        made, title = found.what.made, f"Beside {found.what.tool}"
        told += (
            f"<p>{escape(found.what.tool)} on {escape(found.what.sample)}. Made {made.when} by"
            f" <code>{escape(made.command)}</code>.</p>{kill_rows.comparison(found.what)}"
        )
    return [("beside", "Comparison", title, told)]


def _apis(results: Iterable[Result]) -> list[str]:
    return sorted({one.api for one in results})
