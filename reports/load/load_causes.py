"""The causes of the violations of a load run, with ids as the causes of a pytest run have them.

Rule: a load run finds each violation alone, so it has the id that the finding has alone; in a pytest run that is the id
of a cause, or among its further ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from reports import cause_text
from reports.load.load_result import LoadResult
from reports.results.acceptances import NO_ACCEPTANCES, Acceptance, AcceptanceList

CAUSES_NOTE = "causes"  # name of the note with the causes of violations in the result; each worker has one
ACCEPTANCES_KEY = "acceptances"  # of the plan: by API, what was accepted of its target


@dataclass(frozen=True, slots=True)
class LoadCause:
    """A cause. clause: the broken one. what: an example in one line. number: of its violations in the whole run.

    operation: the example's, by its name in the figures. command: sends the example's request, "" where that would not
    show it.
    """

    id: str
    api: str
    clause: str
    what: str
    number: int = 0
    operation: str = ""
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


def load_causes(result: LoadResult) -> list[LoadCause]:
    """The causes of the run's violations, of all workers together, the most frequent first."""
    causes: dict[str, LoadCause] = {}
    for content in _notes(result):
        cause = LoadCause(**content)
        known = causes.get(cause.id, replace(cause, number=0))
        causes[cause.id] = replace(known, number=known.number + cause.number)
    return sorted(causes.values(), key=lambda cause: (-cause.number, cause.id))


def _notes(result: LoadResult) -> Iterable[Mapping[str, Any]]:
    return (content for note in result.notes.get(CAUSES_NOTE, {}).values() for content in note)


def plan_acceptances(plan: Mapping[str, Any]) -> dict[str, AcceptanceList]:
    """By API, what was accepted of its target when the run began. Raises ValueError, KeyError or TypeError."""
    return {api: AcceptanceList.from_json(content) for api, content in plan.get(ACCEPTANCES_KEY, {}).items()}


def cause_line(cause: LoadCause, acceptance: Acceptance | None) -> str:
    """The cause in one line, with why it is accepted, if it is."""
    head = f"cause {cause.id}, {cause.number} times: {cause.clause}: {cause.what}"
    return f"accepted {acceptance}; {head}" if acceptance else head


def overdue_lines(plan: Mapping[str, Any]) -> list[str]:
    """A line for each acceptance whose last day is over."""
    overdue = [entry for api, accepted in plan_acceptances(plan).items() for entry in accepted.overdue_of(api)]
    return [f"overdue: {cause_text.overdue_line(entry)}" for entry in overdue]


def acceptance_of(cause: LoadCause, lists: Mapping[str, AcceptanceList]) -> Acceptance | None:
    """The acceptance in force of that cause, None without one."""
    return lists.get(cause.api, NO_ACCEPTANCES).find([cause.id])
