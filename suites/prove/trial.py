"""Trials: the suites against one change of a reference (or with one other seed) each, in forks of a warm session.

Rule: a fault's own tests come first, and the trial ends when one of its clauses is blamed; a variant's trial runs
everything. A test that ends in anything but an assertion is broken, whatever it was run against.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from fixtures.reference.protocol import Change
from suites import profiles, reporting
from suites.prove.apis import all_honest, in_process

GIVEN = pytest.StashKey[dict[str, Any]]()  # the APIs that the fixture `api_of` gives, when they are not on sockets


@dataclass(frozen=True)
class Complaint:
    """One test that did not pass: the clauses it blames, and its message. `broken` when it is no assertion."""

    test: str
    clauses: tuple[str, ...]
    message: str
    broken: bool = False


@dataclass(frozen=True)
class Result:
    """What became of one change. `requests` and `seconds` are until the first rightful complaint, or in all."""

    api: str
    name: str
    kind: str
    clauses: tuple[str, ...]
    summary: str
    complaints: tuple[Complaint, ...] = ()
    requests: int = 0
    seconds: float = 0.0
    skipped: int = field(default=0)

    @property
    def rightful(self) -> Complaint | None:
        """The first complaint about a clause that the fault breaks."""
        return next((one for one in self.complaints if not one.broken and set(one.clauses) & set(self.clauses)), None)

    @property
    def verdict(self) -> str:
        """caught, foreign (only other clauses were blamed), missed; ok or blamed for a variant; broken."""
        if any(one.broken for one in self.complaints):
            return "broken"
        if self.kind != "fault":
            return "blamed" if self.complaints else "ok"
        return "caught" if self.rightful else "foreign" if self.complaints else "missed"


def warm(session: pytest.Session) -> list[Complaint]:
    """Runs every test against the honest references here, so that all that is made once is made."""
    session.config.stash[GIVEN] = dict(all_honest())
    return _all(session, session.items, lambda _: False)[0]


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
    complaints, skipped, seconds = _all(session, session.items, lambda _: False)
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
    found = json.loads(path.read_text())
    found["clauses"] = tuple(found["clauses"])
    found["complaints"] = tuple(Complaint(**{**one, "clauses": tuple(one["clauses"])}) for one in found["complaints"])
    return Result(**found)


def changed(session: pytest.Session, name: str, change: Change) -> Result:
    """The API's tests against a reference with that change."""
    faults, variants = ((change.name,), ()) if change.kind == "fault" else ((), (change.name,))
    api = in_process(name, faults, variants)
    session.config.stash[GIVEN] = {**session.config.stash[GIVEN], name: api}
    items = _ordered([item for item in session.items if reporting.api_name(item) == name], change)

    def is_enough(complaint: Complaint) -> bool:
        return change.kind == "fault" and (complaint.broken or bool(set(complaint.clauses) & set(change.clauses)))

    complaints, skipped, seconds = _all(session, items, is_enough)
    found = tuple(complaints)
    return Result(name, change.name, change.kind, change.clauses, change.summary, found, api.count, seconds, skipped)


def _all(
    session: pytest.Session, items: Sequence[pytest.Item], is_enough: Callable[[Complaint], bool]
) -> tuple[list[Complaint], int, float]:
    """Runs these tests until a complaint is enough: complaints, tests skipped, seconds."""
    complaints: list[Complaint] = []
    skipped = 0
    started = time.perf_counter()
    session._setupstate.teardown_exact(None)  # fixtures of the run before are of another reference
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        complaint, was_skipped = _run(item, following)
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
