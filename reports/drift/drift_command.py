"""`python -m reports drift`: reports drift runs, compares two records, and makes changes the new normal.

    python -m reports drift                 the last run of tox -e drift: verdicts, changes.html, drift.md, drift.sarif
    python -m reports drift A B             two records, such as those of staging and production
    python -m reports drift --keep ID …     these changes are the new normal: edits the record

Rule: the exit code is the worst verdict, as of `python -m reports`; a change below `--fail-on` fails nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from contracts.yaml_reader import UsageError
from reports.drift.announced_ends import AnnouncedEnd, announced_ends
from reports.drift.change_kinds import Severity
from reports.drift.changes import changes, not_comparable
from reports.drift.changes_page import PAGE_NAME, render_changes_page
from reports.drift.drift_history import add_runs, read_runs
from reports.drift.drift_results import DriftResult, confirmed, results_in
from reports.drift.drift_sarif import drift_sarif
from reports.drift.drift_text import console_lines, markdown, short_sentence
from reports.drift.drift_verdict import FAIL_ON, DriftVerdict, judge_drift
from reports.drift.kept_changes import keep_changes
from reports.drift.record import Record
from reports.drift.record_files import has_record, read_record
from reports.pipelines.github import append_page
from reports.results.acceptances import acceptances_of
from reports.results.verdicts import EXIT_CODES, worst

OUT = Path(__file__).resolve().parents[1] / "out"
MARKDOWN, SARIF = "drift.md", "drift.sarif"


def main(arguments: Sequence[str], today: date | None = None) -> int:
    """Run the command and return its exit code."""
    options = _options(arguments)
    day = today or date.today()
    results_folder: Path = options.results or options.out / "drift"
    try:
        if options.keep:
            for result, change in keep_changes(results_in(results_folder), options.keep):
                print(f"{change.id} is the new normal in {os.path.relpath(result.folder)}: {short_sentence(change)}")
            return EXIT_CODES["pass"]
        if options.records:
            judged = [judge_drift(_compared(*options.records), day, options.fail_on)]
            return _report(options, judged, {}, {})
        results = results_in(results_folder)
        if not results:
            print(f"no results in {os.path.relpath(results_folder)}: run tox -e drift first")
            return EXIT_CODES["inconclusive"]
        judged = [_judged(it, day, options.fail_on) for it in results]
        add_runs(results_folder, judged)
        ends = {item.result.api: _ends(item.result) for item in judged}
        return _report(options, judged, ends, os.environ)
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["misuse"]


def _judged(result: DriftResult, today: date, fail_on: Severity) -> DriftVerdict:
    """The verdict, with the acceptances that apply today. Raises UsageError."""
    acceptances = acceptances_of(result.api, os.environ, today)
    entries = {change.id: acceptances.find([change.id]) for change in result.changes}
    accepted = {identifier: str(entry) for identifier, entry in entries.items() if entry}
    overdue = {identifier for entry in acceptances.overdue_of(result.api) for identifier in entry.ids}
    return judge_drift(result, today, fail_on, accepted, overdue - accepted.keys())


def _report(
    options: argparse.Namespace,
    judged: Sequence[DriftVerdict],
    ends: Mapping[str, Sequence[AnnouncedEnd]],
    environ: Mapping[str, str],
) -> int:
    """Write the files, print the lines, and return the exit code."""
    verdict = worst([item.verdict for item in judged])
    text = markdown(judged)
    runs = read_runs(options.results or options.out / "drift") if not options.records else {}
    files = {
        PAGE_NAME: render_changes_page(judged, verdict, runs, ends),
        MARKDOWN: text,
        SARIF: drift_sarif(judged, verdict),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (options.out / name).write_text(content, "utf-8", errors="backslashreplace")
    append_page(text, environ)
    for item in judged:
        print(*console_lines(item), sep="\n")
    print(os.path.relpath(options.out / PAGE_NAME))
    return EXIT_CODES[verdict]


def _compared(first: Path, second: Path) -> DriftResult:
    """Two records, the first as what was before. Raises UsageError."""
    before, after = read_record(first), read_record(second)
    if before.header.api != after.header.api:
        raise UsageError(
            f"expected two records of one API, got {before.header.api} in {first} and {after.header.api} in {second}"
        )
    steady = {address: it for address, it in before.steady.items() if address not in after.unsteady}
    watched = Record(before.header, steady, {**after.unsteady, **before.unsteady})
    missing = not_comparable(watched, after.steady)
    return DriftResult(
        api=before.header.api,
        target=f"{after.header.target}, compared with {before.header.target}",
        folder=str(first),
        header=before.header,
        day=max(after.header.days),
        plan=after.header.plan,
        contract=after.header.contract,
        changes=tuple(confirmed(change) for change in changes(watched, after.steady)),
        watched=len(watched.steady),
        unsteady=len(watched.unsteady),
        not_comparable=len(missing),
    )


def _ends(result: DriftResult) -> list[AnnouncedEnd]:
    folder = Path(result.folder)
    recorded = read_record(folder).steady if has_record(folder) else {}
    return announced_ends(recorded, result.changes)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reports drift", description="What changed since the record.")
    parser.add_argument("records", nargs="*", type=Path, help="two folders with records, to compare the second")
    parser.add_argument("--keep", nargs="+", metavar="ID", help="changes that are the new normal: edits the record")
    parser.add_argument("--fail-on", choices=FAIL_ON, default="breaking", help="severity from which a change fails")
    parser.add_argument("--results", type=Path, help="folder of the results of a run; OUT/drift unless named")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the report")
    options = parser.parse_args(arguments)
    if len(options.records) not in (0, 2):
        parser.error(f"expected two records or none, got {len(options.records)}")
    if options.records and options.keep:
        parser.error("--keep edits the record of the last run: expected no records beside it")
    return options
