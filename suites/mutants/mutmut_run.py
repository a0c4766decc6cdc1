"""Runs mutmut on one target, in a copy of the checkout, and reads the outcome of each mutant."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from suites.mutants.mutated_modules import ROOT, Target, files

KILLED, SURVIVED, UNTESTED, TIMEOUT = "killed", "survived", "no test reaches it", "timeout"
PACKAGES = ("contracts", "fixtures", "loadtests", "reports")
_COPIED = (*PACKAGES, "suites", "pyproject.toml", "tox.ini", "README.md")
_OUTCOMES = {1: KILLED, 3: KILLED, 0: SURVIVED, 33: UNTESTED, 24: TIMEOUT, 36: TIMEOUT, 152: TIMEOUT, 255: TIMEOUT}
"""What mutmut's exit codes of a mutant mean; pytest's 1 and 3 are a failed test and an internal error."""


class MutationRunFailed(Exception):
    """mutmut could not run: the self-tests fail without any mutant, or mutmut itself is missing or broken."""


@dataclass(frozen=True)
class Mutant:
    """One change of one function: `removed` and `added` are its changed lines, without indentation."""

    module: str
    name: str
    outcome: str
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def run(target: Target, folder: Path, jobs: int) -> list[Mutant]:
    """Every mutant of that target with its outcome; `folder` gets the copy that is mutated.

    Raises MutationRunFailed with the end of mutmut's output when the run breaks off.
    """
    copy_checkout(folder)
    (folder / "mutants").mkdir()  # a folder of PYTHONPATH that is not there when Python starts is never searched
    (folder / "setup.cfg").write_text(configuration(target))
    _without_own_settings(folder / "pyproject.toml")
    environment = os.environ | {"PYTHONPATH": str(folder / "mutants"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs)]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        output = (ended.stdout + ended.stderr).replace("\r", "\n")
        raise MutationRunFailed(f"{target.name}: mutmut ended with {ended.returncode}:\n{output[-3000:]}")
    return list(read_results(folder, environment))


def copy_checkout(folder: Path) -> None:
    """Copies the files that the tests need, without caches and output."""
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "out", ".*", "node_modules")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)


def configuration(target: Target) -> str:
    """mutmut's settings for that target, as the text of a `setup.cfg`."""
    lists = {
        "source_paths": PACKAGES,
        "only_mutate": files(target.modules),
        "also_copy": [name for name in _COPIED if name not in PACKAGES],
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": files(target.tests) or list(target.tests),
    }
    lines = ["[mutmut]", "timeout_constant = 5.0"]
    for key, values in lists.items():
        lines += [f"{key} =", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"


def _without_own_settings(pyproject: Path) -> None:
    """mutmut reads `setup.cfg` only where `pyproject.toml` has no section for it; this checks that ours has none."""
    if "[tool.mutmut]" in pyproject.read_text("utf-8"):
        raise MutationRunFailed(
            "pyproject.toml: expected no [tool.mutmut], which would hide the settings of the target"
        )


def read_results(folder: Path, environment: dict[str, str]) -> Iterator[Mutant]:
    """The mutants in mutmut's result files, survivors with their changed lines."""
    outcomes = {
        (str(path.relative_to(folder / "mutants")).removesuffix(".meta"), name): code
        for path in sorted((folder / "mutants").rglob("*.py.meta"))
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items()
    }
    survivors = [name for (_, name), code in outcomes.items() if outcome(code) in (SURVIVED, UNTESTED)]
    changes = _changed_lines(survivors, folder, environment)
    for (module, name), code in outcomes.items():
        removed, added = changes.get(name, ((), ()))
        yield Mutant(module, name, outcome(code), removed, added)


def outcome(code: int | None) -> str:
    """The outcome behind an exit code; a mutant that ended by a signal made the tests crash, so it was killed."""
    if code is None:
        raise MutationRunFailed("mutmut left a mutant untested: the run broke off")
    return _OUTCOMES.get(code, KILLED)


def _changed_lines(
    names: list[str], folder: Path, environment: dict[str, str]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    script = (
        "import json, sys\n"
        "from mutmut.mutation.diff_apply import get_diff_for_mutant\n"
        "print(json.dumps({name: get_diff_for_mutant(name) for name in json.load(sys.stdin)}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder, env=environment, input=json.dumps(names), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise MutationRunFailed(f"mutmut's differences could not be read: {ended.stderr[-1000:]}")
    return {name: changed(diff) for name, diff in json.loads(ended.stdout).items()}


def changed(diff: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The removed and the added lines of a unified diff, without indentation."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    removed = tuple(line[1:].strip() for line in lines if line.startswith("-"))
    added = tuple(line[1:].strip() for line in lines if line.startswith("+"))
    return removed, added
