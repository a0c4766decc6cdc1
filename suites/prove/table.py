"""The kill table: fault, clause, the test that caught it, seconds and requests; as lines, Markdown, JSON and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reports import kill_page, kills
from reports.kills import Complaint, Proof, Result

ORDER = tuple(kills.VERDICTS)


def line(result: Result) -> str:
    """One result for a terminal."""
    shown = result.shown
    about = f"  {_short(shown)}" if shown else ""
    text = (
        f"{result.verdict:8} {result.api}.{result.name}  {''.join(result.clauses[:1])}  {result.seconds:.1f} s{about}"
    )
    if shown and result.verdict in ("broken", "blamed", "foreign"):
        text += "\n" + "\n".join(f"    {part}" for part in shown.message.strip().splitlines()[-9:])
    return text


def summary(proof: Proof) -> str:
    """The counts, a line per API, then all in one."""
    results = proof.results
    lines = [f"honest reference: {one.test}\n    {one.message}" for one in proof.honest]
    apis = sorted({result.api for result in results if result.kind != "seed"})
    lines += [f"{api:9} {_counts([result for result in results if result.api == api])}" for api in apis]
    return "\n".join([*lines, f"all       {_counts(results)} in {proof.seconds:.0f} s"])


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


def write(folder: Path, proof: Proof) -> None:
    """Writes kill-table.md, kill-table.json and kill-table.html."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kill-table.md").write_text(markdown(proof), "utf-8")
    (folder / kills.NAME).write_text(kills.text(proof), "utf-8")
    kill_page.write(folder, folder)


def publish(proof: Proof) -> list[Path]:
    """Writes what is committed: the Markdown, and a compact JSON for reports that find no newer proof."""
    files = {"kill-table.md": markdown(proof), kills.NAME: kills.text(kills.compact(proof))}
    for name, text in files.items():
        (kills.PUBLISHED / name).write_text(text, "utf-8")
    return [kills.PUBLISHED / name for name in files]


def markdown(proof: Proof) -> str:
    """The table for people."""
    made = proof.made
    head = [
        "# Kill table",
        "",
        "Each fault breaks one promise of a vendor's document in one of our references; the test beside it complained",
        "and blamed a clause that the fault breaks. A variant keeps the document in another way: nothing may complain.",
        "",
        f"Made {made.when} by `{made.command}`: {proof.tests} tests, {made.jobs} processes on {made.cores} cores.",
        "",
        "```",
        summary(proof),
        "```",
        "",
        "| | fault or variant | clause | blamed | test | seconds | requests |",
        "|---|---|---|---|---|---:|---:|",
    ]
    return "\n".join([*head, *(_row(result) for result in proof.results)]) + "\n"


def ordered(results: Sequence[Result]) -> tuple[Result, ...]:
    """The worst first, then by API, kind and name."""
    return tuple(
        sorted(results, key=lambda result: (ORDER.index(result.verdict), result.api, result.kind, result.name))
    )


def _row(result: Result) -> str:
    shown = result.shown
    blamed = shown.clauses[0] if shown and shown.clauses else ""
    test = _test(shown).replace("|", "\\|") if shown else ""
    name = f"`{result.api}.{result.name}` {result.summary}".replace("|", "\\|")
    return (
        f"| {result.verdict} | {name} | {', '.join(result.clauses)} | {blamed} | {test} "
        f"| {result.seconds:.1f} | {result.requests} |"
    )


def _short(complaint: Complaint) -> str:
    return f"{','.join(complaint.clauses[:1])} by {_test(complaint)}"


def _test(complaint: Complaint) -> str:
    return complaint.test.removeprefix("suites/")
