"""Runs a check on generated arguments, outside of Hypothesis's own decorators, and counts the cases that say something.

Rule: a failure that does not repeat is a failure: the server responded differently to the same request. A case counts
when its check ran to its end; one that lacks a precondition, or that Hypothesis filtered out, could not have failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyFailure, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from fixtures.target_api import MissingPrecondition
from suites.hypothesis_profiles import number_of_examples


@dataclass
class CaseCount:
    """How many cases of a property could have failed, and the first reason of those that could not."""

    checked: int = 0
    not_checked: int = 0
    reason: str = ""

    def __str__(self) -> str:
        others = f", {self.not_checked} could not ({self.reason})" if self.not_checked else ""
        return f"{self.checked} of {self.checked + self.not_checked} generated cases could have failed{others}"


class CaseListener(Protocol):
    """Is told about each case: that it begins, and whether it could have failed."""

    def begin_case(self) -> None: ...

    def end_case(self, *, is_counted: bool) -> None: ...


LISTENERS: list[CaseListener] = []
COUNTS: list[CaseCount] = []  # of the properties of the running test


def take_counts() -> list[CaseCount]:
    """The counts of the properties that were checked since the last call of this."""
    counts = COUNTS.copy()
    COUNTS.clear()
    return counts


def for_all(check: Callable[..., None], examples: int = 20, **strategies: SearchStrategy[Any]) -> None:
    """Calls `check` with up to `examples` generated sets of keyword arguments, and fails with the smallest that fails.

    An example for which `check` raises MissingPrecondition does not count. Raises what the check raises, and
    MissingPrecondition when no example counts, since nothing was checked then.
    """
    __tracebackhide__ = True
    count = CaseCount()
    limits = settings(
        max_examples=number_of_examples(examples),
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        limits(given(**strategies)(_counting(check, count)))()
    except FlakyFailure as flaky:
        violations = [error for error in flaky.exceptions if isinstance(error, AssertionError)]
        raise violations[0] if violations else flaky from None
    except Unsatisfiable:  # the target has nothing that meets the conditions
        count.checked = 0
    _require_cases(count)


def counted(property_of: Callable[[], None]) -> Callable[[], None]:
    """A function that Hypothesis's `given` made, whose cases are counted as those of `for_all`."""
    test: Any = property_of

    @wraps(property_of)
    def check_all() -> None:
        __tracebackhide__ = True
        count, inner = CaseCount(), test.hypothesis.inner_test
        test.hypothesis.inner_test = _counting(inner, count)
        try:
            test()
        except Unsatisfiable:
            count.checked = 0
        finally:
            test.hypothesis.inner_test = inner
        _require_cases(count)

    return check_all


def _counting(check: Callable[..., None], count: CaseCount) -> Callable[..., None]:
    @wraps(check)
    def check_case(*arguments: Any, **named: Any) -> None:
        is_counted = False
        for listener in LISTENERS:
            listener.begin_case()
        try:
            check(*arguments, **named)
            is_counted = True
            count.checked += 1
        except MissingPrecondition as reason:
            count.not_checked += 1
            count.reason = count.reason or str(reason)
        except AssertionError:
            is_counted = True
            raise
        finally:
            for listener in LISTENERS:
                listener.end_case(is_counted=is_counted)

    return check_case


def _require_cases(count: CaseCount) -> None:
    """Notes the count. Raises MissingPrecondition when none of the cases could have failed."""
    COUNTS.append(count)
    if not count.checked:
        raise MissingPrecondition(
            f"none of {count.not_checked} generated cases could have failed: {count.reason}"
            if count.not_checked
            else "no case could be generated that meets the conditions of the check"
        )
