"""How the tests of getflow look more than once: at generated arguments, at two answers, at what stays.

Rule: what others do at the target meanwhile is not blamed on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import FlakyFailure
from hypothesis.strategies import SearchStrategy

from fixtures.api import Api, Lacking

T = TypeVar("T")


def both(api: Api, one: Callable[[], T], other: Callable[[], T]) -> tuple[T, T]:
    """Two readings that should be equal, taken again when the target's records changed in between.

    Nobody else is at our own reference, so there a reading that is never the same again is told as it is.
    """
    for _ in range(3):
        before, beside = one(), other()
        if before == beside or one() == before:
            return before, beside
    if api.target.embedded:
        return before, beside
    raise Lacking("the target's records change all the time, so two answers cannot be compared")


def persists(find: Callable[[], set[T]]) -> set[T]:
    """What is found each of three times, so that what others do at the target meanwhile is not blamed on it."""
    found = find()
    for _ in range(2):
        found = found & find() if found else found
    return found


def for_all(check: Callable[..., None], examples: int = 20, **drawn: SearchStrategy[Any]) -> None:
    """Runs a check on generated arguments and complains about the smallest that fails.

    Raises Lacking when the target lacked what it needs for each of them.
    """
    made: list[bool] = []
    lacked: list[Lacking] = []

    @wraps(check)
    def run(**arguments: Any) -> None:
        try:
            check(**arguments)
            made.append(True)
        except Lacking as reason:
            lacked.append(reason)

    some = settings(
        max_examples=examples, deadline=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
    )
    try:
        some(given(**drawn)(run))()
    except FlakyFailure as flaky:  # once is enough: a promise that is kept now and then is broken
        complaints = [one for one in flaky.exceptions if isinstance(one, AssertionError)]
        raise complaints[0] if complaints else flaky from None
    if lacked and not made:
        raise lacked[0]
