"""Prints the verdicts of a pytest run and of load runs, and writes the report.

    python -m reports                   the APIs that the run collected
    python -m reports --expect all      every API in contracts/ must have results, unless the run was asked for others
    python -m reports --load DIR        also the load run in that folder; its verdict counts
    python -m reports vendor            writes a page for each vendor at whose API the run found something
    python -m reports compare A B       compares two load runs: what got better, worse or cannot be told apart
    python -m reports times FILE RUN    is a load run slower than the earlier ones? --record adds it to them
    python -m reports accept ID --until DAY --reason TEXT       lets a cause of the last runs fail no run for a time
    python -m reports drift             what changed in how a target answers since the record (reports/README.md)
    python -m reports begin             says that a pytest run is about to begin, so that one that never does is broken;
                                        with --load DIR also removes the load run that is in that folder

Without --load, the newest load run in reports/out/load is shown but does not count.

It writes summary.md, summary.json, junit.xml, flowproof.sarif, ctrf.json and gl-code-quality.json beside the HTML
pages; in a job of GitHub Actions also its messages and its page.

Rule: the exit code is the worst verdict: pass 0, fail 1, broken or misuse 2, inconclusive 3, unreachable 4. The worst
is broken, then misuse, unreachable, fail, inconclusive, pass. A report that cannot be written is broken, and so is a
load run that --load names and that left nothing, unless Locust has written down why it loads no API.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import contracts
from contracts.yaml_reader import UsageError
from reports import accept_command, summary, summary_json
from reports.allure import report_page
from reports.allure.overview import overview
from reports.coverage import coverage_page, coverage_report
from reports.drift import drift_command
from reports.drift.changes_page import PAGE_NAME
from reports.history.run_changes import update_history
from reports.history.target_history import FOLDER as HISTORY
from reports.junit_xml import junit
from reports.load import compare_command, load_run, missed_objectives, report_files, times_command, verdict_text
from reports.load.load_run import NoLoadRun
from reports.load.load_verdict import LoadVerdict
from reports.load.violation_text import violation_facts
from reports.mutation import kill_table_page
from reports.pipelines import github
from reports.pipelines.ctrf import ctrf
from reports.pipelines.gitlab import code_quality
from reports.pipelines.sarif import sarif
from reports.results import run_manifest, verdicts
from reports.results.records import RunRecords, read_records
from reports.vendor import vendor_report

OUT = Path(__file__).resolve().parent / "out"
NO_RECORDS = RunRecords((), None, ())
ALL = ["all"]  # what `--expect all` means is known when the run is read


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdicts, write the HTML pages and the files for CI servers; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["compare"]:
        return compare_command.main(words[1:])
    if words[:1] == ["accept"]:
        return accept_command.main(words[1:], OUT, os.environ)
    if words[:1] == ["times"]:
        return times_command.main(words[1:])
    if words[:1] == ["drift"]:
        return drift_command.main(words[1:])
    if words[:1] == ["vendor"]:
        return vendor_report.main(words[1:], OUT)
    if words[:1] == ["begin"]:
        return _begin(words[1:])
    options = _options(words)
    try:
        loads, missing = _read_loads(options)
    except UsageError as error:
        print(error, file=sys.stderr)
        return verdicts.EXIT_CODES["misuse"]
    has_pytest_run = read_records(options.results) != NO_RECORDS
    if options.load and not options.expect and not has_pytest_run:
        for problem in missing:
            print(problem, file=sys.stderr)
        for load in loads:
            github.append_page(verdict_text.markdown(load), os.environ)
        return verdicts.EXIT_CODES[
            verdicts.worst([*(load.verdict for load in loads), *(["broken"] if missing else [])])
        ]
    return verdicts.EXIT_CODES[_report(options, loads, missing)]


def _begin(words: Sequence[str]) -> int:
    """Announce a pytest run in its results folder, and clear that of the load run after it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reports begin", description="Announces a pytest run.")
    parser.add_argument("--results", type=Path, default=OUT / "allure-results", help="folder of pytest's results")
    parser.add_argument("--load", type=Path, metavar="DIR", help="folder of the load run that follows; it is emptied")
    options = parser.parse_args(words)
    try:
        run_manifest.announce(options.results)
        if options.load:
            report_files.clear(options.load)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return verdicts.EXIT_CODES["misuse"]
    return verdicts.EXIT_CODES["pass"]


def _read_loads(options: argparse.Namespace) -> tuple[list[LoadVerdict], list[str]]:
    """The verdicts of the load runs, which are printed, and a sentence for each that left nothing."""
    loads: list[LoadVerdict] = []
    missing: list[str] = []
    for folder in options.load:
        reasons: dict[str, str] = {}
        try:
            reasons = load_run.left_out(folder)
            for api, reason in reasons.items():
                print(f"load: {api} is left out: {reason}")
            load = report_files.write_reports(folder, options.slo)
        except NoLoadRun as error:
            missing += [] if reasons else [str(error)]
            continue
        loads.append(load)
        lines = (
            missed_objectives.brief_lines if read_records(options.results) != NO_RECORDS else verdict_text.console_lines
        )
        print(*lines(load), report_files.page_path(load.run.path), sep="\n")
    return loads, missing


def _report(options: argparse.Namespace, loads: Sequence[LoadVerdict], missing: Sequence[str]) -> str:
    """Judge the pytest run, write its files beside those of the load runs, and return the worst verdict."""
    records = read_records(options.results)
    records = replace(records, problems=(*records.problems, *missing))
    api_verdicts = verdicts.judge(records, _expected_of(options.expect, records))
    verdict = verdicts.worst([verdicts.overall(api_verdicts, records), *(load.verdict for load in loads)])
    coverages = coverage_report.coverage_of(options.results, [judged.api for judged in api_verdicts], records)
    coverage_html = coverage_page.page(coverages, verdict)
    shown_loads = loads or _newest_load(options.out / "load")
    options.out.mkdir(parents=True, exist_ok=True)
    changes = update_history(options.out / HISTORY, api_verdicts, records)
    pages = {
        "Clauses and coverage": coverage_html,
        "Kill table": kill_table_page.write_page(options.out / "prove", options.out),
    }
    if (changes_page := options.out / PAGE_NAME).is_file():
        pages["Changes"] = changes_page.read_text("utf-8")
    for load in shown_loads:
        pages["Load" if len(shown_loads) == 1 else f"Load {load.run.result.name}"] = report_files.page_text(load)
    if options.html:
        try:
            start = overview(api_verdicts, records, changes, shown_loads, bool(loads))
            page = _write_html(options, api_verdicts, records, verdict, pages, shown_loads, start)
        except report_page.ReportError as error:
            records = replace(records, problems=(*records.problems, f"no report.html: {error}"))
            verdict, page = verdicts.worst([verdict, "broken"]), ""
    counted = {load.run.result.name: load.verdict for load in loads}
    of_loads = {load.run.result.name: missed_objectives.markdown_lines(load) for load in loads}
    violations = {load.run.result.name: violation_facts(load.run) for load in loads}
    files = {
        "coverage.html": coverage_html,
        "summary.md": summary.markdown(api_verdicts, records, verdict, coverages, counted, changes, of_loads),
        "summary.json": summary_json.to_json(api_verdicts, records, verdict, counted, changes, violations),
        "coverage.json": summary_json.coverage_json(coverages),
        "junit.xml": junit(api_verdicts, records, verdict, counted),
        "flowproof.sarif": sarif(api_verdicts, records, verdict),
        "ctrf.json": ctrf(api_verdicts, records, verdict),
        "gl-code-quality.json": code_quality(api_verdicts),
    }
    for name, text in files.items():
        (options.out / name).write_text(text, "utf-8", errors="backslashreplace")
    github.append_page(files["summary.md"], os.environ)
    for line in github.messages(api_verdicts, records, os.environ):
        print(line)
    print(*summary.console_lines(api_verdicts, records, verdict, changes), sep="\n")
    if not records.tests:
        print(f"no results in {_relative(options.results)}: run pytest first")
    if options.html and page:
        print(page)
    return verdict


def _expected_of(names: Sequence[str], records: RunRecords) -> Sequence[str]:
    """The APIs that must have results; of all APIs only those that the user chose, when the run was a selection.

    Of a run that did not begin, none are missing: the run is.
    """
    run = records.run
    if names != ALL:
        return names
    return [] if run and (run.is_selection or run.misuse or not run.begun) else contracts.apis()


def _write_html(
    options: argparse.Namespace,
    api_verdicts: Sequence[verdicts.ApiVerdict],
    records: RunRecords,
    verdict: str,
    pages: dict[str, str],
    loads: Sequence[LoadVerdict],
    start: str,
) -> str:
    """Write report.html and return its path; raises ReportError."""
    environment, errors = (
        summary.report_environment(api_verdicts, records),
        summary.report_errors(api_verdicts, records),
    )
    page = report_page.build(
        options.results, options.out, verdict, environment, errors, records, api_verdicts, pages, loads, start
    )
    return _relative(page)


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
