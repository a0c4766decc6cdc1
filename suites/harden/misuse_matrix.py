"""Runs every misuse of settings and options as people would, and looks for the one line that refuses it."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from suites.harden.measured_process import run_measured
from suites.harden.misuse_cases import CASES, MisuseCase

EXIT_MISUSE = 2
SECONDS = 60.0  # in which a run is refused
INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "VIRTUAL_ENV",
    "PYTHONPYCACHEPREFIX",
)  # the rest of the environment may have settings of its own


def names() -> list[str]:
    """Every case in each kind of run that it concerns, as "kind: case"."""
    return list(_cases())


def run(name: str, folder: Path) -> list[str]:
    """What is wrong with how a run of that kind refuses the case."""
    kind, case = _cases()[name]
    folder.mkdir(parents=True, exist_ok=True)
    clean = {variable: value for variable, value in os.environ.items() if variable in INHERITED}
    permit = {"LOAD_PERMITTED_BY": f"hardening, {date.today()}"}
    process = run_measured(
        [*_command(kind, case.api, folder), *case.options], {**clean, **permit, **case.environ}, folder / "out", SECONDS
    )
    problems = []
    if process.code != EXIT_MISUSE:
        problems.append(f"exit code {process.code}, expected {EXIT_MISUSE}")
    lines = sum(case.line in line for line in process.output.splitlines())
    if lines != 1:
        problems.append(f"{lines} lines with {case.line!r}, expected 1")
    if "Traceback" in process.output:
        problems.append("expected no traceback")
    return problems


def _cases() -> dict[str, tuple[str, MisuseCase]]:
    return {f"{kind}: {case}": (kind, case) for case in CASES for kind in sorted(case.runs)}


def _command(kind: str, api: str, folder: Path) -> list[str]:
    """A short run of that kind, if it were not refused."""
    if kind == "contract":
        selection = ["suites", "-k", f"{api} and test_documented_requests", "-q", "-p", "no:cacheprovider"]
        return ["-m", "pytest", *selection, f"--alluredir={folder / 'results'}"]
    options = ["--headless", "--profile", "smoke", "--loglevel", "WARNING", "--results", str(folder / "load")]
    return ["-m", "locust", "-f", f"loadtests/{api}.py", *options]
