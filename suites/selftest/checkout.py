"""A copy of the checkout to run things in, and an environment that says nothing about targets."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "out", ".*", "node_modules")
COPIED = (
    "contracts", "fixtures", "loadtests", "reports", "suites",
    "pyproject.toml", "tox.ini", "README.md", "CONTRIBUTING.md",
)  # fmt: skip


def copy_checkout(folder: Path) -> None:
    """Copies what belongs to the project into that new folder."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=IGNORED)
        else:
            shutil.copy2(source, folder / name)


def clean_environment() -> dict[str, str]:
    """This process's environment without the settings of a pytest run and of targets."""
    return {name: value for name, value in os.environ.items() if not re.match(r"PYTEST|LOCUST|[A-Z]+_URL$", name)}
