"""Writes the kill table as lines, Markdown, JSON and HTML: fault, clause, catching test, seconds and requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from reports.mutation import kill_table, kill_table_markdown, kill_table_page
from reports.mutation.kill_table import Complaint, KillTable, MutationResult
from suites.mutation import reported_causes

TRIALS = "trials.jsonl"  # every result as it came
VERDICT_ORDER = tuple(kill_table.VERDICTS)


def result_line(result: MutationResult) -> str:
    """One result for a terminal."""
    shown = result.shown_complaint
    about = f"  {_short(shown)}" if shown else ""
    text = (
        f"{result.verdict:8} {result.api}.{result.name}  {''.join(result.clauses[:1])}  {result.seconds:.1f} s{about}"
    )
    if shown and result.verdict in ("broken", "blamed", "foreign"):
        text += "\n" + "\n".join(f"    {part}" for part in shown.message.strip().splitlines()[-9:])
    return text


def set_aside_lines(result: MutationResult) -> list[str]:
    """For a terminal, the variants of a group that are tried again, and the complaints for which they are."""
    names = ", ".join(result.set_aside)
    return [f"again    {result.api}: {names}", *(f"         {_short(it)}" for it in result.complaints)] if names else []


def summary(proof: KillTable) -> str:
    """The counts, a line per API, then all in one."""
    results = proof.results
    lines = [f"honest reference: {complaint.test}\n    {complaint.message}" for complaint in proof.honest]
    apis = sorted({result.api for result in results if result.kind != "seed"})
    lines += [f"{api:9} {_counts([result for result in results if result.api == api])}" for api in apis]
    lines += [*reported_causes.table(results), *(f"    {problem}" for problem in reported_causes.problems(results))]
    return "\n".join([*lines, f"all       {_counts(results)} in {proof.seconds:.0f} s"])


def _counts(results: Sequence[MutationResult]) -> str:
    faults = [result for result in results if result.kind == "fault"]
    variants = [result for result in results if result.kind == "variant"]
    seeds = [result for result in results if result.kind == "seed"]
    counts = Counter(result.verdict for result in results if result.kind != "seed")
    bad = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("missed", "foreign", "broken") if counts[verdict])
    text = f"{counts['caught']} of {len(faults)} faults caught, {counts['blamed']} of {len(variants)} variants blamed"
    if seeds:
        blamed = sum(result.verdict != "ok" for result in seeds)
        text += f", {blamed} of {len(seeds)} runs with other requests blamed a reference"
    return f"{text}{f' ({bad})' if bad else ''}"


def begin(folder: Path) -> None:
    """Remove the table of an earlier run, which nobody shall take for that of a run that was cut short."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*folder.glob("kill-table.*"), folder / TRIALS):
        path.unlink(missing_ok=True)


def append_result(folder: Path, result: MutationResult) -> None:
    """Add a trial's result to the file that a run which is cut short leaves: a JSON object in a line."""
    with (folder / TRIALS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def write(folder: Path, proof: KillTable) -> None:
    """Writes kill-table.md, kill-table.json and kill-table.html."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / kill_table.MARKDOWN_NAME).write_text(kill_table_markdown.render(proof), "utf-8")
    (folder / kill_table.FILE_NAME).write_text(kill_table.to_json(proof), "utf-8")
    kill_table_page.write_page(folder, folder)


def publish(proof: KillTable) -> list[Path]:
    """Writes the Markdown that is committed; reports show it when there is no newer kill table."""
    path = kill_table.PUBLISHED / kill_table.MARKDOWN_NAME
    path.write_text(kill_table_markdown.render(proof), "utf-8")
    return [path]


def sort_results(results: Sequence[MutationResult]) -> tuple[MutationResult, ...]:
    """The worst first, then by API, kind and name."""
    return tuple(
        sorted(results, key=lambda result: (VERDICT_ORDER.index(result.verdict), result.api, result.kind, result.name))
    )


def _short(complaint: Complaint) -> str:
    return f"{','.join(complaint.clauses[:1])} by {_test(complaint)}"


def _test(complaint: Complaint) -> str:
    return complaint.test.removeprefix("suites/")
