"""Prints the verdicts of a pytest run and of load runs, and writes the report.

    python -m reports                   the APIs that the run collected
    python -m reports --expect all      every API in contracts/ must have results, unless the run was asked for others
    python -m reports --load DIR        also the load run in that folder; its verdict counts
    python -m reports compare A B       compares two load runs: what got better, worse or cannot be told apart

Without --load, the newest load run in reports/out/load is shown but does not count.

Rule: the exit code is the worst verdict: pass 0, fail 1, broken (or wrong usage) 2, inconclusive 3, unreachable 4.
The worst is broken, then unreachable, fail, inconclusive, pass. A report that cannot be written is broken.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import contracts
from contracts.yaml_reader import UsageError
from reports import summary
from reports.allure import report_page
from reports.coverage import coverage_page, coverage_report
from reports.load import load_run, report_files, run_comparison, verdict_text
from reports.load.load_page import render_load_page
from reports.load.load_run import NoLoadRun
from reports.load.load_verdict import LoadVerdict
from reports.mutation import kill_table_page
from reports.results import verdicts
from reports.results.records import RunRecords, read_records

OUT = Path(__file__).resolve().parent / "out"
ALL = ["all"]  # what `--expect all` means is known when the run is read


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdicts, write the HTML pages, summary.md and summary.json; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["compare"]:
        return run_comparison.main(words[1:])
    options = _options(words)
    try:
        loads = [report_files.write_reports(folder, options.slo) for folder in options.load]
    except (NoLoadRun, UsageError) as error:
        print(error, file=sys.stderr)
        return verdicts.EXIT_CODES["broken"]
    for load in loads:
        print(*verdict_text.console_lines(load), report_files.page_path(load.run.path), sep="\n")
    load_verdicts = [load.verdict for load in loads]
    if loads and not options.expect and not any(options.results.glob("*-result.json")):
        return verdicts.EXIT_CODES[verdicts.worst(load_verdicts)]
    return verdicts.EXIT_CODES[_report(options, loads)]


def _report(options: argparse.Namespace, loads: Sequence[LoadVerdict]) -> str:
    """Judge the pytest run, write its files beside those of the load runs, and return the worst verdict."""
    records = read_records(options.results)
    api_verdicts = verdicts.judge(records, _expected_of(options.expect, records))
    verdict = verdicts.worst([verdicts.overall(api_verdicts, records), *(load.verdict for load in loads)])
    coverages = coverage_report.coverage_of(options.results, [judged.api for judged in api_verdicts], records)
    coverage_html = coverage_page.page(coverages, verdict)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "summary.md").write_text(summary.markdown(api_verdicts, records, coverages), "utf-8")
    (options.out / "summary.json").write_text(summary.to_json(api_verdicts, records, coverages), "utf-8")
    (options.out / "coverage.html").write_text(coverage_html, "utf-8")
    shown_loads = loads or _newest_load(options.out / "load")
    pages = {
        "Clauses and coverage": coverage_html,
        "Kill table": kill_table_page.write_page(options.out / "prove", options.out),
    }
    for load in shown_loads:
        pages["Load" if len(shown_loads) == 1 else f"Load {load.run.result.name}"] = render_load_page(load)
    print(*summary.console_lines(api_verdicts, records), sep="\n")
    if not records.tests:
        print(f"no results in {_relative(options.results)}: run pytest first")
    if options.html and not _write_html(options, api_verdicts, records, verdict, pages, shown_loads):
        return verdicts.worst([verdict, "broken"])
    return verdict


def _expected_of(names: Sequence[str], records: RunRecords) -> Sequence[str]:
    """The APIs that must have results; of all APIs only those that the user chose, when the run was a selection."""
    is_selection = records.run is not None and records.run.is_selection
    return [] if is_selection and names == ALL else names if names != ALL else contracts.apis()


def _write_html(
    options: argparse.Namespace,
    api_verdicts: Sequence[verdicts.ApiVerdict],
    records: RunRecords,
    verdict: str,
    pages: dict[str, str],
    loads: Sequence[LoadVerdict],
) -> bool:
    """Write report.html and print its path; on an error print that and return False."""
    environment, errors = (
        summary.report_environment(api_verdicts, records),
        summary.report_errors(api_verdicts, records),
    )
    try:
        print(_relative(report_page.build(options.results, options.out, verdict, environment, errors, pages, loads)))
    except report_page.ReportError as error:
        print(f"broken: no report.html: {error}", file=sys.stderr)
        return False
    return True


def _newest_load(folder: Path) -> list[LoadVerdict]:
    """The newest load run in `folder` that can be read; those that cannot are named on standard error."""
    for path in reversed(load_run.run_folders(folder)):
        if (path / report_files.OBJECTIVES_COPY).exists():
            try:
                return [report_files.write_reports(path)]
            except (NoLoadRun, UsageError) as error:
                print(f"not shown: {error}", file=sys.stderr)
    return []


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reports", description="Verdicts and report of the last run.")
    parser.add_argument("--results", type=Path, default=OUT / "allure-results", help="folder of pytest's results")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the report")
    parser.add_argument("--expect", type=_expected, default=[], help="APIs that must have results, by comma, or `all`")
    parser.add_argument("--load", type=Path, action="append", default=[], metavar="DIR", help="a load run's folder")
    parser.add_argument("--slo", type=Path, help="objectives for --load, instead of those the run was judged by")
    parser.add_argument("--no-html", dest="html", action="store_false", help="no report.html, which needs Node")
    return parser.parse_args(arguments)


def _expected(text: str) -> list[str]:
    names = ALL if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("names no API")
    return names


def _relative(path: Path) -> str:
    """The path relative to the current folder."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
