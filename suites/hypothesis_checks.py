"""Runs a check on generated arguments, outside of Hypothesis's own decorators.

Rule: a failure that does not repeat is a failure: the server responded differently to the same request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyFailure
from hypothesis.strategies import SearchStrategy

from fixtures.target_api import MissingPrecondition


def for_all(check: Callable[..., None], examples: int = 20, **strategies: SearchStrategy[Any]) -> None:
    """Calls `check` with up to `examples` generated sets of keyword arguments, and fails with the smallest that fails.

    An example with a missing precondition does not count. Raises what the check raises, and MissingPrecondition when
    every example lacked one, since nothing was checked then.
    """
    __tracebackhide__ = True
    checked = 0
    missing: list[MissingPrecondition] = []

    @wraps(check)
    def check_example(**arguments: Any) -> None:
        nonlocal checked
        try:
            check(**arguments)
        except MissingPrecondition as reason:
            missing.append(reason)
        else:
            checked += 1

    limits = settings(
        max_examples=examples, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
    )
    try:
        limits(given(**strategies)(check_example))()
    except FlakyFailure as flaky:
        violations = [error for error in flaky.exceptions if isinstance(error, AssertionError)]
        raise violations[0] if violations else flaky from None
    if missing and not checked:
        raise missing[0]
