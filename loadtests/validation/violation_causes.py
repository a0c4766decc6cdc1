"""Counts the violations of a load run by their causes, and decides which of them are accepted.

Rule: a response all of whose violations are accepted counts as good, so that a vendor that departs once can be
measured; how many there were is in the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.engine.exchange_types import Request, Response
from reports.load.load_causes import LoadCause
from reports.results.acceptances import NO_ACCEPTANCES, AcceptanceList
from reports.results.causes import cause_id
from reports.results.finding_record import FindingRecord

MAX_CAUSES = 1_000  # that are counted; there are no more kinds of findings than that
MAX_WHAT = 300  # characters of an example
CommandOf = Callable[[Request, Response], str]  # makes the shell command that sends the request
CONSEQUENCES = (LookupError, TypeError, ValueError, AttributeError)  # what reading an unexpected body raises


def no_command(_request: Request, _response: Response) -> str:
    """No command shows the violation."""
    return ""


@dataclass
class ViolationCauses:
    """The causes of one process. accepted: by API. has_accepted: whether a response has had an accepted violation."""

    accepted: Mapping[str, AcceptanceList] = field(default_factory=dict)
    has_accepted: bool = False
    _causes: dict[tuple[str, str, str], LoadCause] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def is_accepted(
        self,
        clause: str,
        slot: str,
        kind: str,
        describe: Callable[[], str],
        operation: str = "",
        command: Callable[[], str] = str,
    ) -> bool:
        """Counts a violation, which `describe` describes; whether it is accepted.

        operation: its name in the figures. command: makes the shell command whose one request shows it, or "".
        """
        key = (clause, slot, kind)
        cause = self._causes.get(key)
        if cause is None:
            api = clause.partition("-")[0].lower()
            identifier = cause_id(api, FindingRecord(clause, "", "", slot=slot, kind=kind))
            text = " ".join(describe().split())
            what = text if len(text) <= MAX_WHAT else f"{text[:MAX_WHAT]}…"
            cause = LoadCause(identifier, api, clause, what, operation=operation, command=command())
            if len(self._causes) < MAX_CAUSES:
                self._causes[key] = cause
        self._counts[cause.id] += 1
        is_accepted = self.accepted.get(cause.api, NO_ACCEPTANCES).find([cause.id]) is not None
        self.has_accepted |= is_accepted
        return is_accepted

    def note(self) -> list[dict[str, Any]]:
        """Each cause with its number of violations, for the result."""
        unique = {cause.id: cause for cause in self._causes.values()}
        return [{**cause.to_json(), "number": self._counts[cause.id]} for cause in unique.values()]
