"""What stands on top of the kill table's page: the counts, how the proof was made, and the sums by API.

Rule: every number is counted from the results; a proof of some changes only says so before anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from statistics import median

from reports import kill_rows, kills
from reports.kills import GOOD, Proof, Result


def facts(proof: Proof) -> str:
    """All of it."""
    return f"{_part(proof)}{_tiles(proof)}{_how(proof)}{_by_api(proof.results)}{_words()}"


def _part(proof: Proof) -> str:
    run = Counter(one.api for one in proof.results if one.kind != "seed")
    there_are = {api: sum(of.values()) for api, of in proof.changes.items()}
    if all(run[api] >= count for api, count in there_are.items()):
        return ""
    told = ", ".join(f"{run[api]} of {count} in {escape(api)}" for api, count in there_are.items())
    return f"<p class=lacks>Only a part was proven. Faults and variants that were run: {told}.</p>"


def _tiles(proof: Proof) -> str:
    names = {"fault": "faults caught", "variant": "variants not blamed", "seed": "runs with other requests not blamed"}
    shares = ((name, *_share(proof.results, kind)) for kind, name in names.items())
    tiles = [(name, f"{good} of {there}", good < there) for name, good, there in shares if there]
    tiles.append(("complaints, honest references", str(len(proof.honest)), bool(proof.honest)))
    tiles.append(("seconds in all", f"{proof.seconds:,.0f}", False))
    told = "".join(
        f"<div{' class=bad' if is_bad else ''}><dt>{name}</dt><dd>{value}</dd></div>" for name, value, is_bad in tiles
    )
    return f"<dl class=facts>{told}</dl>"


def _how(proof: Proof) -> str:
    made = proof.made
    told = (
        f"Made {made.when} by <code>{escape(made.command)}</code>: {proof.tests:,} tests, {made.jobs}"
        f" processes on {made.cores} cores, Python {escape(made.python)}."
    )
    caught = [one for one in proof.results if one.verdict == "caught"]
    if not caught:
        return f"<p>{told}</p>"
    seconds, requests = [one.seconds for one in caught], [one.requests for one in caught]
    return (
        f"<p>{told} Of the faults that were caught, half were within {median(seconds):.1f} s and"
        f" {median(requests):,.0f} requests, and all within {max(seconds):.1f} s and {max(requests):,} requests.</p>"
    )


def _by_api(results: Sequence[Result]) -> str:
    heads = ("API", "faults caught", "variants not blamed", "seconds", "requests")
    apis = sorted({one.api for one in results if one.kind != "seed"})
    rows = "".join(_api(api, [one for one in results if one.api == api]) for api in apis)
    return kill_rows.table(heads, f"<tbody>{rows}</tbody>", "sums")


def _api(api: str, results: Sequence[Result]) -> str:
    faults, variants = ("{} of {}".format(*_share(results, kind)) for kind in ("fault", "variant"))
    seconds, requests = sum(one.seconds for one in results), sum(one.requests for one in results)
    cells = (faults, variants, f"{seconds:,.0f}", f"{requests:,}")
    return f'<tr><th scope=row><a href="#{escape(api)}">{escape(api)}</a></th>{_numbers(cells)}</tr>'


def _numbers(cells: Iterable[str]) -> str:
    return "".join(f"<td class=n>{cell}</td>" for cell in cells)


def _words() -> str:
    words = "".join(f"<dt>{kill_rows.badge(word)}</dt><dd>{meaning}</dd>" for word, meaning in kills.VERDICTS.items())
    return f"<details><summary>What the words mean</summary><dl class=words>{words}</dl></details>"


def _share(results: Iterable[Result], kind: str) -> tuple[int, int]:
    """How many of that kind went as they should, of how many."""
    verdicts = [one.verdict for one in results if one.kind == kind]
    return sum(one in GOOD for one in verdicts), len(verdicts)
