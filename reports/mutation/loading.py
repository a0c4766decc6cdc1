"""Loads the kill table and the comparison that a report shows: those made here, else what is kept in git.

Rule: a file that cannot be read never counts as a kill table, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from reports.mutation import kill_table, kill_table_markdown, tool_comparison
from reports.mutation.kill_table import KillTable, Parsed
from reports.mutation.tool_comparison import ToolComparison


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Parsed]):
    """What was loaded, or None; problem: why the file that was made here could not be read, or ""."""

    value: Parsed | None
    is_published: bool = False
    problem: str = ""


def load_kill_table(folder: Path) -> Loaded[KillTable]:
    """The kill table in `folder`, else the published Markdown."""
    made_here = _load(folder / kill_table.FILE_NAME, kill_table.parse_kill_table)
    if made_here.value is not None:
        return made_here
    published = _load(kill_table.PUBLISHED / kill_table.MARKDOWN_NAME, kill_table_markdown.parse)
    return Loaded(published.value, published.value is not None, made_here.problem or published.problem)


def load_comparison(folder: Path) -> Loaded[ToolComparison]:
    """The comparison with another tool in `folder`; only its Markdown is kept in git."""
    return _load(folder / tool_comparison.COMPARISON_FILE, tool_comparison.parse_comparison)


def _load(path: Path, parse: Callable[[str], Parsed]) -> Loaded[Parsed]:
    try:
        return Loaded(parse(path.read_text("utf-8")))
    except FileNotFoundError:
        return Loaded(None)
    except (OSError, ValueError) as error:
        return Loaded(None, problem=f"{path.name} cannot be read: {error}")
