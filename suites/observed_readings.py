"""Readings: where the document leaves a choice, a test records which meaning the target uses.

Rule: any documented meaning passes unless the run fixes one (`<API>_READING_<n>=meaning`); a response that fits no
meaning is a finding under the reading's own id.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from contracts.clauses import ANY, meaning_in_force, readings
from contracts.errors import ContractError
from fixtures.target_api import Api
from suites.meaning_recorder import exchange_label, note_meaning, one_line
from suites.reporting.failures import violation

Condition = Callable[[], bool] | bool

MAX_SHOWN_EXCHANGES = 2  # where no meaning fits: most conditions compare two responses
observation = pytest.mark.observation  # of a test that can only observe these readings: it checks no clause


@dataclass
class ObservedReadings:
    """The meanings that a test recorded, by reading id; `observations` are the ids that it could only observe.

    test: the test's name, which is part of the kind of exchange that shows a meaning.
    """

    api: Api
    test: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    observations: list[str] = field(default_factory=list)

    def is_allowed(self, reading: str, meaning: str) -> bool:
        """Whether the run accepts that meaning. Raises ContractError for one that the reading does not have."""
        self._require_known(reading, meaning)
        return meaning_in_force(reading, os.environ) in (ANY, meaning)

    def record_meaning(self, reading: str, meaning: str) -> None:
        """Records that the target uses that meaning. Raises ContractViolation when the run fixes another one."""
        is_allowed = self.is_allowed(reading, meaning)
        self.seen[reading] = meaning
        exchange = self.api.exchanges[-1] if self.api.exchanges else None
        label = exchange_label(self.api, exchange) if exchange else ""
        note_meaning(self.api, reading, ", ".join(filter(None, (label, self.test))), meaning, exchange)
        if not is_allowed:
            fixed = meaning_in_force(reading, os.environ)
            raise violation(self.api, reading, f"the meaning {fixed}, which this run fixes", meaning)

    def one_of(self, reading: str, **meanings: Condition) -> str:
        """Checks that one of these meanings holds, and records and returns the first that does.

        Raises ContractViolation when none holds. Conditions of which one is always true check nothing: use `observe`.
        """
        meaning = self._first_that_holds(reading, meanings)
        if meaning is None:
            known = readings(self.api.target.api)[reading].meanings
            choices = "; ".join(f"{name}: {known[name]}" for name in meanings)
            raise violation(self.api, reading, f"one of its meanings ({choices})", f"none of them{self._last_shown()}")
        self.record_meaning(reading, meaning)
        return meaning

    def observe(self, reading: str, **meanings: Condition) -> str:
        """Records and returns the first of these meanings that holds, where one of them always does.

        Nothing is checked unless the run fixes a meaning: then ContractViolation is raised for another one. Raises
        LookupError when none holds: the conditions are wrong, not the target.
        """
        meaning = self._first_that_holds(reading, meanings)
        if meaning is None:
            names = ", ".join(meanings)
            raise LookupError(f"{reading}: none of {names} holds; if that can happen, it is a check: use one_of")
        self.observations.append(reading)
        self.record_meaning(reading, meaning)
        return meaning

    def _last_shown(self) -> str:
        """What the last exchanges showed, which the conditions are about."""
        exchanges = list(self.api.exchanges)[-MAX_SHOWN_EXCHANGES:]
        return "".join(f"; {one_line(exchange, self.api.secrets)}" for exchange in exchanges)

    def _first_that_holds(self, reading: str, meanings: Mapping[str, Condition]) -> str | None:
        for meaning in meanings:
            self._require_known(reading, meaning)
        held = (name for name, condition in meanings.items() if (condition() if callable(condition) else condition))
        return next(held, None)

    def _require_known(self, reading: str, meaning: str) -> None:
        known = readings(self.api.target.api)
        if reading not in known:
            raise ContractError(f"{reading}: contracts/{self.api.target.api}/readings.yaml has no such reading")
        if meaning not in known[reading].meanings:
            choices = ", ".join(known[reading].meanings)
            raise ContractError(f"{reading}: expected one of the meanings {choices}, got {meaning!r}")
