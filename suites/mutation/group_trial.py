"""Runs the tests against several variants of a reference at once, and sets aside those that a test complains about.

Rule: a test that complains is repeated with parts of the group, until no variant can be left out of those that it
complains about. The last of these is set aside, and the other variants are tried on from that test: the tests before it
passed with more of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from fixtures.reference.protocol import Change
from fixtures.target_api import Api
from reports.mutation.kill_table import Complaint, MutationResult
from suites.mutation import trial
from suites.mutation.reference_apis import in_process_api, socket_reference
from suites.mutation.trial import SMALL, TESTS, WEBSOCKET_TESTS, Trial
from suites.mutation.variant_groups import Group, group_name, smallest_part


def trial_of(session: pytest.Session, group: Group) -> Trial:
    """The trial of all variants of the group together."""
    api, changes = group
    return f"{api}.variant.{group_name(changes)}", partial(run_group, session, group)


def run_group(session: pytest.Session, group: Group) -> MutationResult:
    """Runs the API's tests against a reference with these variants; those in `set_aside` are to be tried again."""
    name, changes = group
    remaining, aside = changes, list[Change]()
    items = trial.own_tests_first(_items(session, group), changes[0])
    result = MutationResult(name, group_name(changes), "variant", (), "several variants at once")
    while remaining:
        complaint, result = _run_once(session, (name, remaining), items, result)
        if complaint is None:
            break
        items = items[[item.nodeid for item in items].index(complaint.test) :]
        culprits = _culprits(session, (name, remaining), items[:1])
        aside += culprits
        remaining = tuple(change for change in remaining if change not in culprits)
    return replace(result, set_aside=tuple(change.name for change in aside))


def _run_once(
    session: pytest.Session, group: Group, items: Sequence[pytest.Item], before: MutationResult
) -> tuple[Complaint | None, MutationResult]:
    """The first complaint of these tests about the group, None for none; the result so far, with what this added."""
    with _served(session, group) as api:
        complaints, skipped, seconds = trial.run_against(session, api, items, lambda _complaint: True)
        requests = api.exchange_count
    return next(iter(complaints), None), replace(
        before,
        complaints=(*before.complaints, *complaints),
        requests=before.requests + requests,
        seconds=before.seconds + seconds,
        skipped=before.skipped + skipped,
    )


def _culprits(session: pytest.Session, group: Group, items: Sequence[pytest.Item]) -> Sequence[Change]:
    """The variants to set aside for that test: one of those it needs to complain, or all if it passes by itself."""
    name, changes = group

    def complains(some: Sequence[Change]) -> bool:
        nothing = MutationResult(name, "", "variant", (), "")
        return _run_once(session, (name, tuple(some)), items, nothing)[0] is not None

    return smallest_part(changes, complains)[-1:] if complains(changes) else changes


def _items(session: pytest.Session, group: Group) -> list[pytest.Item]:
    tests = WEBSOCKET_TESTS if group[1][0].needs_socket else TESTS
    return session.config.stash[tests][group[0]]


@contextmanager
def _served(session: pytest.Session, group: Group) -> Iterator[Api]:
    """The API at a reference with these variants."""
    name, changes = group
    small = session.config.stash.get(SMALL, False)
    if not changes[0].needs_socket:
        yield in_process_api(name, (), tuple(change.name for change in changes), 0, small)
        return
    served = socket_reference(name, changes, small)
    try:
        yield served.api
    finally:
        served.stop()
