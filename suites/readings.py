"""Readings: where the document leaves a choice, a test says which meaning it saw.

Rule: any documented meaning passes unless the run fixes one (`<API>_READING_<n>=meaning`); what no meaning covers is
a finding under the reading's own id. What was seen goes to the report.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from contracts.clauses import ANY, in_force, readings
from fixtures.api import Api
from suites.blame import broken


@dataclass
class Observed:
    """The meanings that one test saw, by reading."""

    api: Api
    seen: dict[str, str] = field(default_factory=dict)

    def is_in_force(self, reading: str, meaning: str) -> bool:
        """Whether the run allows that meaning. Raises KeyError for one that the reading does not have."""
        self._known(reading, meaning)
        return in_force(reading, os.environ) in (ANY, meaning)

    def saw(self, reading: str, meaning: str) -> None:
        """The target was seen to use that meaning; a finding when the run fixes another one."""
        self._known(reading, meaning)
        self.seen[reading] = meaning
        if not self.is_in_force(reading, meaning):
            fixed = in_force(reading, os.environ)
            raise broken(self.api, reading, f"the meaning {fixed}, which this run fixes", f"{meaning}")

    def one_of(self, reading: str, **meanings: Callable[[], bool] | bool) -> str:
        """The first meaning that holds, in the order given; a finding when none does."""
        for meaning, holds in meanings.items():
            if holds if isinstance(holds, bool) else holds():
                self.saw(reading, meaning)
                return meaning
        told = "; ".join(f"{name}: {readings(self.api.target.api)[reading].meanings[name]}" for name in meanings)
        raise broken(self.api, reading, f"one of its meanings ({told})", "none of them")

    def _known(self, reading: str, meaning: str) -> None:
        if meaning not in readings(self.api.target.api)[reading].meanings:
            raise KeyError(f"{reading} has no meaning {meaning!r}")
