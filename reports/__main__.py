"""Reads what a pytest run and load runs left, says the verdicts, and writes the report.

    python -m reports                   the APIs that the run collected
    python -m reports --expect all      every API of contracts/: one without results is not green
    python -m reports --load DIR        a load run too, from the figures in its folder: its verdict counts
    python -m reports compare A B       two load runs: what became better or worse, and what cannot be told

Without --load the newest load run in reports/out/load is shown, and does not count.

Rule: the exit code is the worst verdict: pass 0, fail 1, broken (or misuse) 2, inconclusive 3, unreachable 4. Worst is
broken, then unreachable, fail, inconclusive, pass. A report that could not be written is broken.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from reports import coverage, coverage_page, kill_page, page, records, summary, verdicts
from reports.load import compare, files, told
from reports.load import page as load_page
from reports.load import run as load_run
from reports.load.run import NoRun
from reports.load.strict import Misuse
from reports.load.verdict import Judged

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "reports" / "out"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the verdicts, writes the HTML pages, summary.md and summary.json; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["compare"]:
        return compare.main(given[1:])
    asked = _asked(given)
    try:
        loads = [files.judged(folder, asked.slo) for folder in asked.load]
    except (NoRun, Misuse) as wrong:
        print(wrong, file=sys.stderr)
        return verdicts.EXIT_CODES["broken"]
    for load in loads:
        print(*told.lines(load), files.place(load.run.path), sep="\n")
    load_verdicts = [load.verdict for load in loads]
    if loads and not asked.expect and not any(asked.results.glob("*-result.json")):
        return verdicts.EXIT_CODES[verdicts.worst(load_verdicts)]
    found = records.read(asked.results)
    judged = verdicts.judge(found, asked.expect)
    verdict = verdicts.worst([verdicts.overall(judged, found), *load_verdicts])
    covered = coverage.covered(asked.results, [one.api for one in judged], found)
    coverage_html = coverage_page.page(covered, verdict)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "summary.md").write_text(summary.markdown(judged, found, covered), "utf-8")
    (asked.out / "summary.json").write_text(summary.machine(judged, found, covered), "utf-8")
    (asked.out / "coverage.html").write_text(coverage_html, "utf-8")
    shown = loads or _newest_load(asked.out / "load")
    pages = {"Clauses and coverage": coverage_html, "Kill table": kill_page.write(asked.out / "prove", asked.out)}
    pages |= {"Load" if len(shown) < 2 else f"Load {load.run.result.name}": load_page.page(load) for load in shown}
    print(*summary.lines(judged, found), sep="\n")
    if not found.tests:
        print(f"no results under {_near(asked.results)}: run pytest first")
    if asked.html:
        environment, errors = summary.environment(judged, found), summary.errors(judged, found)
        try:
            print(_near(page.build(asked.results, asked.out, verdict, environment, errors, pages, shown)))
        except page.ReportError as error:
            print(f"broken: no report.html: {error}", file=sys.stderr)
            verdict = verdicts.worst([verdict, "broken"])
    return verdicts.EXIT_CODES[verdict]


def _newest_load(folder: Path) -> list[Judged]:
    """The newest load run below that can be read; a problem with it is told, and nothing else depends on it."""
    for path in reversed(load_run.runs(folder)):
        if (path / files.OBJECTIVES).exists():
            try:
                return [files.judged(path)]
            except (NoRun, Misuse) as wrong:
                print(f"not shown: {wrong}", file=sys.stderr)
    return []


def apis() -> list[str]:
    """Every API there is: the folders of contracts/."""
    return sorted(path.parent.name for path in (ROOT / "contracts").glob("*/clauses.yaml"))


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reports", description="Verdicts and report of the last run.")
    parser.add_argument("--results", type=Path, default=OUT / "allure-results", help="where pytest wrote its results")
    parser.add_argument("--out", type=Path, default=OUT, help="where the report goes")
    parser.add_argument("--expect", type=_expected, default=[], help="APIs that must have results, by comma, or `all`")
    parser.add_argument("--load", type=Path, action="append", default=[], metavar="DIR", help="a load run's folder")
    parser.add_argument("--slo", type=Path, help="objectives for --load, instead of those the run was judged by")
    parser.add_argument("--no-html", dest="html", action="store_false", help="no report.html, so no Node")
    return parser.parse_args(arguments)


def _expected(text: str) -> list[str]:
    names = apis() if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("names no API")
    return names


def _near(path: Path) -> str:
    """The path as seen from here."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
