"""`python -m reports vendor`: writes a page for the vendor of each API that the last run found something at."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reports.history.run_changes import RunChanges, update_history
from reports.history.target_history import FOLDER as HISTORY
from reports.results import verdicts
from reports.results.records import read_records
from reports.results.verdicts import ApiVerdict
from reports.vendor.vendor_page import vendor_page


def main(words: Sequence[str], out: Path) -> int:
    """Write `vendor-<api>.html` for each API with findings, and print its path; return the exit code.

    An API without findings gets no page, and loses that of an earlier run. out: the folder, unless `--out` names one.
    """
    parser = argparse.ArgumentParser(
        prog="python -m reports vendor", description="Findings of the last run, a page for each vendor to be sent to."
    )
    parser.add_argument("--results", type=Path, help="folder of pytest's results")
    parser.add_argument("--out", type=Path, default=out, help="folder for the pages")
    options = parser.parse_args(words)
    results = options.results or options.out / "allure-results"
    records = read_records(results)
    if not records.tests:
        print(f"no results in {os.path.relpath(results)}: run pytest first", file=sys.stderr)
        return verdicts.EXIT_CODES["misuse"]
    api_verdicts = verdicts.judge(records, [])
    changes = update_history(options.out / HISTORY, api_verdicts, records)
    for judged in map(_with_accepted, api_verdicts):
        path = options.out / f"vendor-{judged.api}.html"
        path.unlink(missing_ok=True)
        if not judged.causes:
            print(f"{judged.api}: nothing to report to its vendor")
            continue
        page = vendor_page(judged, records, changes.get(judged.api, RunChanges()))
        path.write_text(page, "utf-8", errors="backslashreplace")
        number = len(judged.causes)
        print(f"{judged.api}: {number} finding{'s' if number > 1 else ''}, {os.path.relpath(path)}")
    return verdicts.EXIT_CODES["pass"]


def _with_accepted(judged: ApiVerdict) -> ApiVerdict:
    """The verdict with all causes: what we accept for a time is a matter for the vendor all the same."""
    return replace(judged, causes=(*judged.causes, *(accepted.cause for accepted in judged.accepted)))
