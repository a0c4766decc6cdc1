"""Formats what has changed since the last run at a target: for a console, for Markdown and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports import cause_text
from reports.history.run_changes import RunChanges, moment
from reports.history.target_history import SeenCause
from reports.results.verdicts import ApiVerdict

NEW = "this run"


def since_texts(changes: RunChanges) -> dict[str, str]:
    """For each cause since when it is seen; nothing for a first run, which cannot know."""
    if changes.previous is None:
        return {}
    return {name: NEW if name in changes.new else moment(seconds) for name, seconds in changes.since.items()}


def console_lines(changes: RunChanges) -> list[str]:
    """The counts in a line, then a line for each cause that is gone; none when nothing was there and nothing came."""
    if changes.previous is None or not (changes.since or changes.gone or changes.not_tried or changes.readings):
        return []
    return [
        f"since {moment(changes.previous)}: {counts_text(changes)}",
        *(f"gone: {_named(cause)}" for cause in changes.gone.values()),
        *(f"not tried this time: {_named(cause)}" for cause in changes.not_tried.values()),
        *(f"changed: {sentence}" for sentence in changes.readings),
    ]


def counts_text(changes: RunChanges) -> str:
    """For example: 1 new, 2 still there, 1 gone."""
    counts = {
        "new": len(changes.new),
        "still there": len(changes.still),
        "gone": len(changes.gone),
        "not tried": len(changes.not_tried),
        "changed readings": len(changes.readings),
    }
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)


def markdown(changes: RunChanges, judged: ApiVerdict) -> list[str]:
    """A list: how many, what is new and what is gone."""
    lines = console_lines(changes)
    if not lines:
        return []
    new = [cause for cause in judged.causes if cause.id in changes.new]
    lines[1:1] = [f"new: {cause_text.heading(cause)}" for cause in new]
    return [f"- {line}" for line in lines]


def facts(changes: RunChanges) -> dict[str, Any]:
    """What has changed for machines; `previous` is null for the first run at a target."""
    return {
        "previous": None if changes.previous is None else moment(changes.previous),
        "new": list(changes.new),
        "still": list(changes.still),
        "gone": _clauses(changes.gone),
        "not_tried": _clauses(changes.not_tried),
        "readings": list(changes.readings),
        "last_verdicts": list(changes.strip),
    }


def _clauses(causes: Mapping[str, SeenCause]) -> dict[str, str]:
    return {name: cause.clause for name, cause in causes.items()}


def _named(cause: SeenCause) -> str:
    sentence = cause_text.sentence_of(cause.clause)[0]
    return f"{cause.clause}: {sentence}" if sentence else cause.clause or "a test without a clause"
