"""Finds the files of a contract that determine which requests are generated."""

from __future__ import annotations

from pathlib import Path

NOT_IN_REQUESTS = ("clauses.yaml", "readings.yaml", "settings.yaml")


def source_files(folder: Path) -> list[Path]:
    """The API's documents and what they refer to, without its clauses, readings and optional settings."""
    return sorted(path for path in folder.glob("*.yaml") if path.name not in NOT_IN_REQUESTS)
