"""Runs a session for the mutants of a target, in a copy of the checkout, and reads the outcome of each mutant."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suites.mutants.mutated_modules import ROOT, Target, files

KILLED, SURVIVED, UNTESTED, TIMEOUT = "killed", "survived", "no test reaches it", "timeout"
COPIED = (
    "contracts", "fixtures", "loadtests", "reports", "suites",
    "pyproject.toml", "tox.ini", "README.md", "CONTRIBUTING.md",
)  # fmt: skip


class MutationRunFailed(Exception):
    """The self-tests cannot be collected, or fail without any mutant."""


@dataclass(frozen=True)
class Mutant:
    """A change of a module's function: `removed` and `added` are its changed lines, without indentation.

    `number` counts the changes of the module; a killed mutant has no lines.
    """

    module: str
    number: int
    outcome: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def run(target: Target, folder: Path, jobs: int, chosen: Mapping[str, Sequence[int]] | None = None) -> list[Mutant]:
    """The outcome of every mutant of that target, or of those with the numbers `chosen` by module.

    `folder` gets the copy of the checkout. Raises MutationRunFailed with what the session printed.
    """
    tests = files(target.tests)
    if not tests:
        raise MutationRunFailed(f"{target.name}: expected tests at {', '.join(target.tests)}, there are none")
    copy_checkout(folder)
    request, results = folder / "request.json", folder / "results.jsonl"
    content = {"modules": files(target.modules), "tests": tests, "chosen": chosen, "jobs": jobs}
    request.write_text(json.dumps(content), "utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "suites.mutants.forked_session", str(request), str(results)]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise MutationRunFailed(f"{target.name}: the session ended with {ended.returncode}: {_end_of(ended)}")
    return read_results(results)


def _end_of(ended: subprocess.CompletedProcess[str]) -> str:
    return (ended.stderr.strip() or ended.stdout.strip())[-3000:]


def copy_checkout(folder: Path) -> None:
    """Copies the files that the tests need, without caches and output.

    The corpus is generated anew in each process: where its cache should be is a file, since a stored corpus would hide
    mutants of what generates it, and a mutant's corpus would be stored.
    """
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "out", ".*", "node_modules")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    (folder / ".cache").mkdir()
    (folder / ".cache" / "corpus").touch()


def read_results(path: Path) -> list[Mutant]:
    """The mutants in a file of results, in the order of modules and numbers."""
    entries = map(json.loads, path.read_text("utf-8").splitlines())
    mutants = [
        Mutant(**{**entry, "removed": tuple(entry["removed"]), "added": tuple(entry["added"])}) for entry in entries
    ]
    return sorted(mutants, key=lambda mutant: (mutant.module, mutant.number))
