"""Accepts causes of the last pytest and load runs, and changes of the last drift run, for a time: writes them to
`accepted.yaml` of their target.

    python -m reports accept 4f3c0a91b27e --until 2027-03-01 --reason "ticket 812"

Rule: nothing is written unless all ids are known. The file is that of `<API>_TARGET` in the environment, else the one
that the run has read.
"""

from __future__ import annotations

import argparse
import getpass
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from contracts.errors import UsageError
from reports import cause_text
from reports.drift.drift_results import results_in
from reports.drift.drift_text import short_sentence
from reports.load.load_causes import load_causes, plan_acceptances
from reports.load.load_run import NoLoadRun, read_load_run, run_folders
from reports.results.acceptances import (
    NO_ACCEPTANCES,
    Acceptance,
    AcceptanceList,
    acceptances_file,
    last_day,
    write_acceptances,
)
from reports.results.causes import causes_of
from reports.results.records import read_records
from reports.results.verdicts import EXIT_CODES


@dataclass(frozen=True, slots=True)
class Acceptable:
    """Something of a run that can be accepted. also: its further ids. file: where its run read acceptances, or ""."""

    id: str
    api: str
    clause: str
    what: str
    also: tuple[str, ...] = ()
    file: str = ""


def main(words: Sequence[str], out: Path, environ: Mapping[str, str]) -> int:
    """Write the acceptances that the command line asks for; return the exit code. out: folder of the reports."""
    options = _options(words, out)
    try:
        for line in _accept(options, environ, date.today()):
            print(line)
    except (UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODES["misuse"]
    return EXIT_CODES["pass"]


def _accept(options: argparse.Namespace, environ: Mapping[str, str], today: date) -> list[str]:
    try:
        until = last_day(options.until, today)
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None
    if until < today:
        raise UsageError(f"--until: got {until}, expected today, {today}, or a day after it")
    reason, by = (_text(name, text) for name, text in (("--reason", options.reason), ("--by", options.by or _user())))
    known = _of_drift(options.out / "drift")
    known |= acceptable(options.results, options.load or run_folders(options.out / "load")[-1:])
    by_file: dict[Path, list[Acceptance]] = {}
    for identifier in dict.fromkeys(options.ids):
        entry = _find(identifier, known)
        fresh = Acceptance(entry.id, reason, by, until, entry.clause, entry.what, entry.also)
        by_file.setdefault(_file_of(entry, environ), []).append(fresh)
    lines = []
    for path, entries in by_file.items():
        write_acceptances(path, entries, today)
        lines += [
            f"{entry.id} {entry.clause} is accepted until {until} in {os.path.relpath(path)}" for entry in entries
        ]
    return lines


def acceptable(results: Path, load_folders: Sequence[Path]) -> dict[str, Acceptable]:
    """What the pytest run in `results` and these load runs have found, by id; a cause of the pytest run goes first."""
    records = read_records(results)
    known: dict[str, Acceptable] = {}
    for folder in load_folders:
        known |= _of_load(folder)
    for cause in causes_of(records.tests):
        file = records.acceptances.get(cause.api, NO_ACCEPTANCES).file
        entry = Acceptable(cause.id, cause.api, cause.clause, cause_text.what_of(cause), cause.also, file)
        known |= dict.fromkeys(cause.ids, entry)
    return known


def _of_drift(folder: Path) -> dict[str, Acceptable]:
    """The changes that the last drift run has found, by id."""
    return {
        change.id: Acceptable(change.id, result.api, change.clause, short_sentence(change))
        for result in results_in(folder)
        for change in result.changes
    }


def _of_load(folder: Path) -> dict[str, Acceptable]:
    try:
        run = read_load_run(folder)
        lists: Mapping[str, AcceptanceList] = plan_acceptances(run.plan)
    except (NoLoadRun, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: expected a load run, got {error}") from None
    return {
        cause.id: Acceptable(
            cause.id, cause.api, cause.clause, cause.what, file=lists.get(cause.api, NO_ACCEPTANCES).file
        )
        for cause in load_causes(run.result)
    }


def _find(identifier: str, known: Mapping[str, Acceptable]) -> Acceptable:
    if identifier in known:
        return known[identifier]
    if not known:
        raise UsageError(f"{identifier}: expected the id of a cause of the last run, which has none; run pytest first")
    names = sorted({entry.id for entry in known.values()})
    nearest = get_close_matches(identifier, names, 1, cutoff=0.0)[0]
    entry = known[nearest]
    raise UsageError(
        f"{identifier}: expected the id of a cause of the last run; the nearest of {len(names)} is {nearest},"
        f" {entry.clause or 'without a clause'}"
    )


def _file_of(entry: Acceptable, environ: Mapping[str, str]) -> Path:
    """Where that is accepted. Raises UsageError for our own reference, and for a folder that is not there."""
    prefix = entry.api.upper()
    path = acceptances_file(entry.api, environ) or (Path(entry.file) if entry.file else None)
    if path is None:
        raise UsageError(
            f"{entry.id}: {entry.api} was tested on our reference, of which nothing is accepted;"
            f" name a server with {prefix}_TARGET or {prefix}_URL"
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder: expected that of the target file; set {prefix}_TARGET")
    return path


def _user() -> str:
    """The user's name as git knows it, else as the system does."""
    try:
        configured = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
        return configured.stdout.strip() or getpass.getuser()
    except (OSError, KeyError):
        return ""


def _text(option: str, text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise UsageError(f"{option}: expected a few words, got none")
    return words


def _options(words: Sequence[str], out: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reports accept", description="Accepts causes for a time.")
    parser.add_argument("ids", nargs="+", metavar="ID", help="id of a cause, as the report shows it")
    parser.add_argument(
        "--until", required=True, metavar="DAY", help="the last day, YYYY-MM-DD, at most 180 days ahead"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is accepted")
    parser.add_argument("--by", metavar="NAME", help="who accepts it (default: your name in git)")
    parser.add_argument("--results", type=Path, default=out / "allure-results", help="folder of pytest's results")
    parser.add_argument("--load", type=Path, action="append", default=[], metavar="DIR", help="a load run's folder")
    parser.set_defaults(out=out)
    return parser.parse_args(words)
