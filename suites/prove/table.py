"""The kill table: fault, clause, the test that caught it, seconds and requests; as lines, Markdown and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from suites.prove.trial import Complaint, Result

ORDER = ("broken", "missed", "foreign", "blamed", "caught", "ok")


def line(result: Result) -> str:
    """One result for a terminal."""
    shown = result.rightful or next(iter(result.complaints), None)
    about = f"  {_short(shown)}" if shown else ""
    text = (
        f"{result.verdict:8} {result.api}.{result.name}  {''.join(result.clauses[:1])}  {result.seconds:.1f} s{about}"
    )
    if shown and result.verdict in ("broken", "blamed", "foreign"):
        text += "\n" + "\n".join(f"    {part}" for part in shown.message.strip().splitlines()[-9:])
    return text


def summary(results: Sequence[Result], honest: Sequence[Complaint], seconds: float) -> str:
    """The counts, a line per API, then all in one."""
    lines = [f"honest reference: {one.test}\n    {one.message}" for one in honest]
    apis = sorted({result.api for result in results if result.kind != "seed"})
    lines += [f"{api:9} {_counts([result for result in results if result.api == api])}" for api in apis]
    return "\n".join([*lines, f"all       {_counts(results)} in {seconds:.0f} s"])


def _counts(results: Sequence[Result]) -> str:
    faults = [result for result in results if result.kind == "fault"]
    variants = [result for result in results if result.kind == "variant"]
    seeds = [result for result in results if result.kind == "seed"]
    counts = Counter(result.verdict for result in results if result.kind != "seed")
    bad = ", ".join(f"{counts[word]} {word}" for word in ("missed", "foreign", "broken") if counts[word])
    text = f"{counts['caught']} of {len(faults)} faults caught, {counts['blamed']} of {len(variants)} variants blamed"
    if seeds:
        text += (
            f", {sum(result.verdict != 'ok' for result in seeds)} of {len(seeds)} seeds blamed the honest references"
        )
    return f"{text}{f' ({bad})' if bad else ''}"


def write(folder: Path, results: Sequence[Result], honest: Sequence[Complaint], seconds: float) -> None:
    """Writes kill-table.md and kill-table.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kill-table.md").write_text(markdown(results, honest, seconds))
    records = [{**asdict(result), "verdict": result.verdict} for result in _sorted(results)]
    whole = {"seconds": round(seconds, 1), "honest": [asdict(one) for one in honest], "results": records}
    (folder / "kill-table.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False))


def markdown(results: Sequence[Result], honest: Sequence[Complaint], seconds: float) -> str:
    """The table for people."""
    head = [
        "# Kill table",
        "",
        "Each fault breaks one promise of a vendor's document in one of our references; the test beside it complained",
        "and blamed a clause that the fault breaks. A variant keeps the document in another way: nothing may complain.",
        "",
        "```",
        summary(results, honest, seconds),
        "```",
        "",
        "| | fault or variant | clause | blamed | test | seconds | requests |",
        "|---|---|---|---|---|---:|---:|",
    ]
    return "\n".join([*head, *(_row(result) for result in _sorted(results))]) + "\n"


def _row(result: Result) -> str:
    shown = result.rightful or next(iter(result.complaints), None)
    blamed = shown.clauses[0] if shown and shown.clauses else ""
    test = _test(shown).replace("|", "\\|") if shown else ""
    name = f"`{result.api}.{result.name}` {result.summary}".replace("|", "\\|")
    return (
        f"| {result.verdict} | {name} | {', '.join(result.clauses)} | {blamed} | {test} "
        f"| {result.seconds:.1f} | {result.requests} |"
    )


def _sorted(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda result: (ORDER.index(result.verdict), result.api, result.kind, result.name))


def _short(complaint: Complaint) -> str:
    return f"{','.join(complaint.clauses[:1])} by {_test(complaint)}"


def _test(complaint: Complaint) -> str:
    return complaint.test.removeprefix("suites/")
