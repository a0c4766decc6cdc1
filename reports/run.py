"""What a pytest run leaves beside its results: what it set out to do, and whether it got to its end.

Rule: `run.json` says `complete: false` from the first moment to the last, so a run that was killed cannot look green.
Every write replaces the whole file at once.

The pytest side calls, in this order:

    clear(results)                                  pytest_configure, not in an xdist worker: the former run is gone
    start(results, expected, environment)           pytest_collection_finish, not in an xdist controller (which collects
                                                    nothing); every worker may call it, for they all write the same
    finish(results, exit_status, problems)          pytest_sessionfinish, not in an xdist worker

    {"expected": {"getflow": 120}, "environment": {"seed": "7"}, "complete": true, "exit_status": 0, "problems": []}
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAME = "run.json"
COVERAGE = "coverage-"  # reports/counters.py


@dataclass(frozen=True, slots=True)
class Run:
    """`expected`: tests collected per API. `problems`: what failed outside a test, such as a file at its import."""

    expected: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    exit_status: int | None = None
    problems: list[str] = field(default_factory=list)


def clear(results: Path) -> None:
    """Makes `results` an empty folder; raises ValueError when it holds what no pytest run wrote there."""
    if results.is_dir():
        strangers = [entry.name for entry in results.iterdir() if not _ours(entry)]
        if strangers:
            raise ValueError(f"{results} holds other files than results ({strangers[0]}): name another folder")
        shutil.rmtree(results)
    results.mkdir(parents=True, exist_ok=True)


def start(results: Path, expected: Mapping[str, int], environment: Mapping[str, str]) -> None:
    """Says what the run is about to do; calling it again with the same values changes nothing."""
    _write(results, Run(dict(expected), {name: str(value) for name, value in environment.items()}))


def finish(results: Path, exit_status: int, problems: Sequence[str] = ()) -> None:
    """Says that pytest came to its end, with its exit status (0 or 1 when it ran all it wanted to run)."""
    begun = read(results) or Run()
    complete = int(exit_status) in (0, 1) and not problems
    _write(results, Run(begun.expected, begun.environment, complete, int(exit_status), list(problems)))


def read(results: Path) -> Run | None:
    """The run's own account, or None when there is none; raises ValueError when the file is not one of these."""
    try:
        text = (results / NAME).read_text("utf-8")
    except FileNotFoundError:
        return None
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("expected"), dict):
        raise ValueError(f"{NAME} does not say which tests were expected")
    try:
        return Run(**found)
    except TypeError as error:
        raise ValueError(f"{NAME}: {error}") from error


def _write(results: Path, run: Run) -> None:
    results.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=results, prefix=NAME, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(run), file, indent=1, ensure_ascii=False)
    os.replace(name, results / NAME)


def _ours(entry: Path) -> bool:
    """Whether pytest, Allure or this module wrote that file."""
    marks = ("-result.json", "-container.json", "-globals.json", "-attachment", NAME, COVERAGE)
    return entry.is_file() and any(mark in entry.name for mark in marks)
