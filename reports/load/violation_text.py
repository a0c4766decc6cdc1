"""Formats the causes of a load run's violations: how often, what came, and the command that shows it again.

Rule: a command is shown as it can be pasted: nothing in it is escaped or shortened, but for HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from reports.cause_text import TRY_IT
from reports.load.load_causes import acceptance_of, cause_line, load_causes, overdue_lines, plan_acceptances
from reports.load.load_run import LoadRun
from reports.load.shown_again import command_of


def violation_lines(run: LoadRun) -> list[str]:
    """For a terminal: each cause, accepted or not, with its command below; then each acceptance that is over."""
    causes = [line for cause, command in _violations(run) for line in (cause, f"  {TRY_IT}  {command}")]
    return [*causes, *overdue_lines(run.plan)]


def violation_markdown(run: LoadRun, indent: str = "") -> list[str]:
    """The same as items of a Markdown list, at that indentation."""
    lines = [f"{indent}- {item_text(line)}" for line in overdue_lines(run.plan)]
    for cause, command in _violations(run):
        fenced = ["", "```sh", *command.split("\n"), "```", ""]
        lines += [f"{indent}- {item_text(cause)}", *(f"{indent}  {line}".rstrip() for line in fenced)]
    return lines


def violation_html(run: LoadRun) -> str:
    """The same for a page."""
    over = "".join(f'<p class="result">{escape(line)}</p>' for line in overdue_lines(run.plan))
    return over + "".join(
        f'<p class="result">{escape(cause)}</p><pre>{escape(command)}</pre>' for cause, command in _violations(run)
    )


def violation_facts(run: LoadRun) -> list[dict[str, Any]]:
    """The causes for programs."""
    lists = plan_acceptances(run.plan)
    return [
        {**cause.to_json(), "command": command_of(cause, run), "accepted": str(acceptance_of(cause, lists) or "")}
        for cause in load_causes(run.result)
    ]


def _violations(run: LoadRun) -> Iterator[Sequence[str]]:
    """(the cause in one line, its command)."""
    lists = plan_acceptances(run.plan)
    for cause in load_causes(run.result):
        yield cause_line(cause, acceptance_of(cause, lists)), command_of(cause, run)


def item_text(text: str) -> str:
    """A text in an item of a Markdown list, where it begins no HTML tag and no line."""
    return text.replace("<", "&lt;").replace("\n", " ")
