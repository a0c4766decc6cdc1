"""Preparations: the records that a test needs, but that it is not about.

Rule: if a record cannot be made, that is one cause. The first test that meets it fails with the finding; every other
one is blocked by it and names that test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fixtures.target_api import Api, MissingPrecondition
from suites.reporting import finding_records
from suites.reporting.failures import ContractViolation


@contextmanager
def preparation(api: Api, what: str, plain: Callable[[], object] | None = None) -> Iterator[None]:
    """Marks the code that makes `what`, such as "a task". A violation in it is raised in one test only.

    Raises MissingPrecondition in every other test. `plain` is given where the record is of a special kind: it makes an
    ordinary one, so that a violation is about the special kind, and raised each time, only if that succeeds.
    """
    __tracebackhide__ = True
    try:
        yield
    except AssertionError as error:
        if plain is not None:
            plain()
            raise
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        ids = finding_records.cause_ids(api, error)
        first, blocking = api.failed_preparations.setdefault(what, (test, ids))
        if first == test:
            raise
        clause = f" ({error.clauses[0]})" if isinstance(error, ContractViolation) else ""
        text = f"{what} could not be made{clause}: {first} has the finding"
        raise MissingPrecondition(text, blocked_by=blocking) from None
