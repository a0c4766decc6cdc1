"""Decides how a test ended, from the exception that ended it.

Rule: an `AssertionError` blames the vendor; any exception that has no other outcome here is a mistake of ours. Nothing
is guessed from a message. Whether a failure is only a warning depends on the clauses that it blames (`failures.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest

from contracts.errors import ContractError, UsageError
from fixtures.http_client import Unreachable
from fixtures.pace import NotTested, TooManyWrongCredentials
from fixtures.target_api import MissingPrecondition, NotPermitted
from reports.results.result_log import SEVERITY
from suites.reporting.response_evidence import NothingTested

NOBODYS_FAULT = ("unreachable", "misuse")  # neither the vendor's nor ours: reported in one line, without a traceback
OUTCOMES: Sequence[tuple[type[BaseException], str]] = (  # the first one that fits
    (Unreachable, "unreachable"),
    (ContractError, "broken"),
    (UsageError, "misuse"),
    (MissingPrecondition, "skipped"),
    (NotPermitted, "skipped"),
    (TooManyWrongCredentials, "skipped"),
    (NothingTested, "skipped"),
    (NotTested, "inconclusive"),
    (pytest.skip.Exception, "skipped"),
    (AssertionError, "failed"),
    (pytest.fail.Exception, "failed"),
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a phase of a test (set-up, call or tear-down) ended: a key of SEVERITY, and one line that explains it."""

    outcome: str = "passed"
    message: str = ""


PASSED = Ending()


def ending_of(error: BaseException) -> Ending:
    """How a test ends that raises this; of a group of exceptions the worst counts."""
    return worst_ending([_ending(leaf) for leaf in leaves(error)])


def worst_ending(endings: Iterable[Ending]) -> Ending:
    """The worst of these, the first of several; passed when there are none."""
    return max(endings, key=lambda ending: SEVERITY[ending.outcome], default=PASSED)


def _ending(error: BaseException) -> Ending:
    outcome = next((outcome for kind, outcome in OUTCOMES if isinstance(error, kind)), "broken")
    text = " ".join(str(error).split())
    return Ending(outcome, f"{type(error).__name__}: {text}" if outcome == "broken" else text)


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions in a group; Hypothesis, for example, raises one for a failure that does not repeat."""
    if isinstance(error, BaseExceptionGroup) and error.exceptions:
        return [leaf for member in error.exceptions for leaf in leaves(member)]
    return [error]
