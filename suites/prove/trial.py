"""Trials: the suites against one change of a reference (or with one other seed) each, in forks of a warm session.

Rule: a fault's own tests come first, and the trial ends when one of its clauses is blamed; a variant's trial runs
everything. A test that ends in anything but an assertion is broken, whatever it was run against. A change of the wire
is served on sockets, and tried by the tests that speak by websocket: the others cannot see it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from fixtures.api import Api
from fixtures.reference.protocol import Change
from reports import kills
from reports.kills import Complaint, Result
from suites import profiles, reporting
from suites.prove.apis import all_honest, in_process
from suites.prove.served import Served

SPEAKING = pytest.StashKey[dict[str, list[pytest.Item]]]()  # the tests of an API that speak by websocket
GIVEN = pytest.StashKey[dict[str, Any]]()  # the APIs that the fixture `api_of` gives, when they are not on sockets


def warm(session: pytest.Session, wired: Iterable[str]) -> list[Complaint]:
    """Runs every test against the honest references here, so that all that is made once is made.

    The tests of the APIs that are `wired` run a second time, over sockets.
    """
    session.config.stash[GIVEN] = dict(all_honest())
    session.config.stash[SPEAKING] = {}
    complaints = _all(session, _in_process(session), lambda _: False)[0]
    return complaints + [one for name in wired for one in _warm_on_sockets(session, name)]


def _warm_on_sockets(session: pytest.Session, name: str) -> list[Complaint]:
    found = Served(name)
    spoken, speaking = 0, session.config.stash[SPEAKING].setdefault(name, [])

    def note(item: pytest.Item) -> None:
        nonlocal spoken
        if found.spoken > spoken:
            speaking.append(item)
        spoken = found.spoken

    try:
        return _on(session, found.api, _of(name, session.items), lambda _: False, note)[0]
    finally:
        found.end()


def _in_process(session: pytest.Session) -> list[pytest.Item]:
    return [item for item in session.items if not item.get_closest_marker("sockets")]


def _of(name: str, items: Iterable[pytest.Item]) -> list[pytest.Item]:
    return [item for item in items if reporting.api_name(item) == name]


Trial = tuple[str, Callable[[], Result]]  # its name, and what is run in the fork


def trials(session: pytest.Session, changes: Sequence[tuple[str, Change]], seeds: Sequence[int]) -> list[Trial]:
    """A trial of each (api, change) and of each seed."""
    ours: list[Trial] = [
        (f"{api}.{change.kind}.{change.name}", partial(changed, session, api, change)) for api, change in changes
    ]
    return ours + [(f"all.seed.{seed}", partial(seeded, session, seed)) for seed in seeds]


def results(waiting: Sequence[Trial], jobs: int) -> Iterator[Result]:
    """The result of each trial, as they end; `jobs` at a time."""
    left = list(reversed(waiting))
    running: dict[int, Path] = {}
    with tempfile.TemporaryDirectory() as folder:
        while left or running:
            while left and len(running) < jobs:
                name, make = left.pop()
                path = Path(folder) / name
                running[_fork(make, path)] = path
            pid, status = os.wait()
            if pid in running:
                yield _read(running.pop(pid), status)


def seeded(session: pytest.Session, seed: int) -> Result:
    """Every test against honest references, with requests generated from another seed."""
    session.config.option.seed = seed
    profiles.load(seed)
    apis = all_honest(seed)
    session.config.stash[GIVEN] = dict(apis)
    complaints, skipped, seconds = _all(session, _in_process(session), lambda _: False)
    requests = sum(api.count for api in apis.values())
    return Result("all", str(seed), "seed", (), "other requests", tuple(complaints), requests, seconds, skipped)


def _fork(make: Callable[[], Result], path: Path) -> int:
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        path.write_text(json.dumps(asdict(make())))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _read(path: Path, status: int) -> Result:
    if status or not path.exists():
        api, kind, name = path.name.split(".", 2)
        died = Complaint("the trial itself", (), f"its process ended with status {status}", broken=True)
        return Result(api, name, kind, ("",), "", (died,))
    return kills.result(json.loads(path.read_text()))


def changed(session: pytest.Session, name: str, change: Change) -> Result:
    """The API's tests against a reference with that change."""
    if change.wire:
        api, items = Served(name, [change]).api, session.config.stash[SPEAKING][name]
    else:
        faults, variants = ((change.name,), ()) if change.kind == "fault" else ((), (change.name,))
        api, items = in_process(name, faults, variants), _of(name, _in_process(session))

    def is_enough(complaint: Complaint) -> bool:
        return change.kind == "fault" and (complaint.broken or bool(set(complaint.clauses) & set(change.clauses)))

    complaints, skipped, seconds = _on(session, api, _ordered(items, change), is_enough)
    found = tuple(complaints)
    return Result(name, change.name, change.kind, change.clauses, change.summary, found, api.count, seconds, skipped)


Ran = tuple[list[Complaint], int, float]  # complaints, tests skipped, seconds
Enough = Callable[[Complaint], bool]


def _on(
    session: pytest.Session,
    api: Api,
    items: Sequence[pytest.Item],
    is_enough: Enough,
    after: Callable[[pytest.Item], None] = lambda _: None,
) -> Ran:
    """Runs these tests with that API in place of the honest one in this process."""
    given = session.config.stash[GIVEN]
    session.config.stash[GIVEN] = {**given, api.target.api: api}
    try:
        return _all(session, items, is_enough, after)
    finally:
        session.config.stash[GIVEN] = given


def _all(
    session: pytest.Session,
    items: Sequence[pytest.Item],
    is_enough: Enough,
    after: Callable[[pytest.Item], None] = lambda _: None,
) -> Ran:
    """Runs these tests until a complaint is enough; tells `after` of each."""
    complaints: list[Complaint] = []
    skipped = 0
    started = time.perf_counter()
    session._setupstate.teardown_exact(None)  # fixtures of the run before are of another reference
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        complaint, was_skipped = _run(item, following)
        after(item)
        skipped += was_skipped
        if complaint:
            complaints.append(complaint)
            if is_enough(complaint):
                break
    return complaints, skipped, time.perf_counter() - started


def _ordered(items: Iterable[pytest.Item], change: Change) -> list[pytest.Item]:
    """The tests of the change's first clause first, then those of its others, then the rest."""

    def place(item: pytest.Item) -> int:
        ours = reporting.clauses_of(item)
        return next((number for number, clause in enumerate(change.clauses) if clause in ours), len(change.clauses))

    return sorted(items, key=place)


def _run(item: pytest.Item, following: pytest.Item | None) -> tuple[Complaint | None, bool]:
    """Runs one test by pytest's own protocol: its complaint, and whether it was skipped."""
    item._initrequest() if hasattr(item, "_initrequest") else None  # type: ignore[attr-defined]  # as a rerun does
    reports = runtestprotocol(item, nextitem=following, log=False)
    for report in reports:
        if report.failed:
            blamed = tuple(value for key, value in report.user_properties if key == "blamed")
            return Complaint(item.nodeid, blamed, report.longreprtext, not blamed), False
    return None, any(report.skipped for report in reports)
