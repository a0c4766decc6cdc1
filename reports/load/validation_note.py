"""Reads from a load run how many of its responses were validated by their contract, and what was found in them.

Rule: a share of violations is one of the validated responses. Where none was validated, nothing was proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.load.load_result import LoadResult

NOTE = "judging"  # name of the note on validation in the result; each worker has one
ALL = "all"  # the mode in which every response is validated


@dataclass(frozen=True, slots=True)
class Validation:
    """How responses were validated. mode: as in `--judge`; validated, responses: of all workers together."""

    mode: str
    validated: int
    responses: int

    def __str__(self) -> str:
        return f"{self.validated} of {self.responses} responses were validated by their contract ({self.mode})"


def validation_of(result: LoadResult) -> Validation | None:
    """How the responses of a run were validated; None for a run without a contract, or one that was killed."""
    notes = [note for note in _notes(result) if "validated" in note]
    if not notes:
        return None
    modes = dict.fromkeys(str(note["mode"]) for note in notes)
    return Validation(", ".join(modes), *(sum(note[name] for note in notes) for name in ("validated", "answers")))


def sampled_share(result: LoadResult, operations: Iterable[str]) -> float:
    """The share of the validated responses of these operations that was refused; 0 for a run without a sample."""
    names = set(operations)
    counts = [count for note in _notes(result) for name, count in note.get("sampled", {}).items() if name in names]
    validated, refused = (sum(count[index] for count in counts) for index in (0, 1))
    return refused / validated if validated else 0.0


def _notes(result: LoadResult) -> Iterable[Mapping[str, Any]]:
    notes: Iterable[Mapping[str, Any]] = result.notes.get(NOTE, {}).values()
    return notes
