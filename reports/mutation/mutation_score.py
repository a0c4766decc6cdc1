"""Renders the top of the kill table's page: the mutation score, how the table was made, and the totals by API.

Rule: every number is counted from the results; a run of only some changes says so before anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from statistics import median

from reports.mutation import kill_table, kill_table_rows
from reports.mutation.kill_table import EXPECTED_VERDICTS, KillTable, MutationResult

TILES = {
    "fault": "faults caught",
    "variant": "variants without complaint",
    "seed": "runs with other requests without complaint",
}


def render_score(table: KillTable) -> str:
    """Render all of it."""
    return f"{_part(table)}{_tiles(table)}{_provenance(table)}{_by_api(table.results)}{_meanings()}"


def _part(table: KillTable) -> str:
    ran = Counter(result.api for result in table.results if result.kind != "seed")
    existing = {api: sum(counts.values()) for api, counts in table.changes.items()}
    if all(ran[api] >= count for api, count in existing.items()):
        return ""
    parts = ", ".join(f"{ran[api]} of {count} in {escape(api)}" for api, count in existing.items())
    return f"<p class=missing>Only a part was run. Faults and variants that were run: {parts}.</p>"


def _tiles(table: KillTable) -> str:
    shares = ((name, *_expected_share(table.results, kind)) for kind, name in TILES.items())
    tiles = [(name, f"{expected} of {total}", expected < total) for name, expected, total in shares if total]
    tiles.append(("complaints, unchanged references", str(len(table.honest)), bool(table.honest)))
    tiles.append(("seconds in all", f"{table.seconds:,.0f}", False))
    items = "".join(
        f"<div{' class=bad' if is_bad else ''}><dt>{name}</dt><dd>{value}</dd></div>" for name, value, is_bad in tiles
    )
    return f"<dl class=facts>{items}</dl>"


def _provenance(table: KillTable) -> str:
    provenance = table.made
    observations = f" and {table.observations:,} observations, which kill nothing" if table.observations else ""
    text = (
        f"Made {provenance.date_text} by <code>{escape(provenance.command)}</code>: {table.tests:,}"
        f" checks{observations};"
        f" {provenance.jobs} processes on {provenance.cores} cores, Python {escape(provenance.python)}."
    )
    caught = [result for result in table.results if result.verdict == "caught"]
    if not caught:
        return f"<p>{text}</p>"
    seconds, requests = [result.seconds for result in caught], [result.requests for result in caught]
    return (
        f"<p>{text} Half of the caught faults were caught within {median(seconds):.1f} s and"
        f" {median(requests):,.0f} requests, all within {max(seconds):.1f} s and {max(requests):,} requests.</p>"
    )


def _by_api(results: Sequence[MutationResult]) -> str:
    heads = ("API", "faults caught", "variants without complaint", "seconds", "requests")
    apis = sorted({result.api for result in results if result.kind != "seed"})
    rows = "".join(_api_row(api, [result for result in results if result.api == api]) for api in apis)
    return kill_table_rows.table(heads, f"<tbody>{rows}</tbody>", "sums")


def _api_row(api: str, results: Sequence[MutationResult]) -> str:
    faults, variants = ("{} of {}".format(*_expected_share(results, kind)) for kind in ("fault", "variant"))
    seconds, requests = sum(result.seconds for result in results), sum(result.requests for result in results)
    cells = "".join(f"<td class=n>{cell}</td>" for cell in (faults, variants, f"{seconds:,.0f}", f"{requests:,}"))
    return f'<tr><th scope=row><a href="#{escape(api)}">{escape(api)}</a></th>{cells}</tr>'


def _meanings() -> str:
    items = "".join(
        f"<dt>{kill_table_rows.badge(verdict)}</dt><dd>{meaning}</dd>"
        for verdict, meaning in kill_table.VERDICTS.items()
    )
    return f"<details><summary>What the verdicts mean</summary><dl class=words>{items}</dl></details>"


def _expected_share(results: Iterable[MutationResult], kind: str) -> tuple[int, int]:
    """How many results of that kind are as expected, and how many there are."""
    verdicts = [result.verdict for result in results if result.kind == kind]
    return sum(verdict in EXPECTED_VERDICTS for verdict in verdicts), len(verdicts)
