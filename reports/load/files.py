"""The reports of one run, written into its folder: verdict.json, verdict.md, junit.xml and load.html.

Rule: each is made anew from the folder's figures; a file is there as a whole or not at all.
"""

from __future__ import annotations

import os
from pathlib import Path

from reports.load import page, slo, told
from reports.load.run import read
from reports.load.verdict import Judged, judge

OBJECTIVES = "slo.yaml"  # the copy in the run's folder, so that a report can be made again
VERDICT, SUMMARY, JUNIT, PAGE = "verdict.json", "verdict.md", "junit.xml", "load.html"


def judged(folder: Path, objectives: Path | None = None) -> Judged:
    """The verdict of the run in that folder, written there; by the objectives kept in it unless others are named.

    Raises NoRun for a folder without a run, Misuse for objectives that are not understood or not there.
    """
    kept = folder / OBJECTIVES
    found = judge(read(folder), slo.read(objectives or kept))
    if objectives is not None:
        keep(folder, objectives)
    write(folder / VERDICT, told.machine(found))
    write(folder / SUMMARY, told.markdown(found))
    write(folder / JUNIT, told.junit(found))
    write(folder / PAGE, page.page(found))
    return found


def keep(folder: Path, objectives: Path) -> None:
    """Puts a copy of the objectives beside the figures, for who judges the run again."""
    write(folder / OBJECTIVES, objectives.read_text("utf-8"))


def place(folder: Path) -> str:
    """Where the run's page is, as seen from here."""
    return os.path.relpath(folder / PAGE)


def write(path: Path, text: str) -> None:
    """Replaces a file by one with this text."""
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
