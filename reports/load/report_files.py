"""Writes the reports of a load run into its folder: verdict.json, verdict.md, junit.xml and load.html.

Rule: each is computed again from the figures in the folder; a file is written completely or not at all.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reports.load import load_page, slo, verdict_text
from reports.load.load_result import PLAN_FILE
from reports.load.load_run import LEFT_OUT_FILE, read_load_run
from reports.load.load_verdict import LoadVerdict, judge_run
from reports.load.verdict_junit import junit

OBJECTIVES_COPY = "slo.yaml"  # the copy in the run's folder, from which a report can be made again
VERDICT, SUMMARY, JUNIT, PAGE = "verdict.json", "verdict.md", "junit.xml", "load.html"


def write_reports(folder: Path, objectives: Path | None = None) -> LoadVerdict:
    """Judge the run in that folder, by its own copy of the objectives or by `objectives`, and write its reports.

    Raises NoLoadRun for a folder without a run, UsageError for objectives that are missing or cannot be read.
    """
    judged = judge_run(read_load_run(folder), slo.read_objectives(objectives or folder / OBJECTIVES_COPY))
    if objectives is not None:
        copy_objectives(folder, objectives)
    replace_file(folder / VERDICT, verdict_text.to_json(judged))
    replace_file(folder / SUMMARY, verdict_text.markdown(judged))
    replace_file(folder / JUNIT, junit(judged))
    replace_file(folder / PAGE, load_page.render_load_page(judged))
    return judged


def clear(folder: Path) -> None:
    """Remove the load run in that folder, if there is any, so that nobody takes its verdict for that of the next one.

    Raises ValueError for a folder that holds something else.
    """
    if not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    if names and not names & {PLAN_FILE, LEFT_OUT_FILE}:
        raise ValueError(f"{folder} holds no load run ({min(names)}): name another folder")
    shutil.rmtree(folder)


def copy_objectives(folder: Path, objectives: Path) -> None:
    """Copy the objectives into the run's folder, from which the run can be judged again."""
    replace_file(folder / OBJECTIVES_COPY, objectives.read_text("utf-8"))


def page_path(folder: Path) -> str:
    """The path of the run's HTML page, relative to the current folder."""
    return os.path.relpath(folder / PAGE)


def page_text(judged: LoadVerdict) -> str:
    """The HTML page that `write_reports` has written of that run."""
    return (judged.run.path / PAGE).read_text("utf-8")


def replace_file(path: Path, text: str) -> None:
    """Replace a file by one with this text, at once."""
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
