"""Runs the tests against the honest references before any change is tried.

Rule: they run in the process that forks the trials, so that each fork inherits cached data. Beside them, in a fork of
its own, those of an API with a websocket run over sockets, to find out which of them use it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from reports.mutation.kill_table import Complaint, parse_complaint
from suites.mutation import trial
from suites.mutation.reference_apis import honest_apis, socket_reference
from suites.mutation.trial import SECONDS, SMALL, WEBSOCKET_TESTS, HonestSocketRun
from suites.reporting import pytest_plugin
from suites.run_checks import APIS_UNDER_TEST


def run_honest(session: pytest.Session, socket_apis: Iterable[str]) -> list[Complaint]:
    """Runs every test against the honest references, and those of `socket_apis` over sockets as well."""
    stash = session.config.stash
    stash[APIS_UNDER_TEST] = dict(honest_apis(small=stash.get(SMALL, False)))
    trial.note_tests(session)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in socket_apis}
        forks = {name: trial.fork(partial(_run_on_sockets, session, name), path) for name, path in paths.items()}
        try:
            complaints = trial.run_tests(session, trial.in_process_tests(session), trial.never)[0]
            while forks:
                name, pid = next(iter(forks.items()))
                os.waitpid(pid, 0)
                del forks[name]
                complaints += _take_over(session, name, paths[name])
        finally:
            for pid in forks.values():  # only when this is interrupted
                os.kill(pid, signal.SIGKILL)
    gc.collect()
    gc.freeze()  # else the first collection of each fork copies every page
    return complaints


def _run_on_sockets(session: pytest.Session, name: str) -> HonestSocketRun:
    served = socket_reference(name, small=session.config.stash.get(SMALL, False))
    count, websocket_tests = 0, list[pytest.Item]()

    def note(item: pytest.Item) -> None:
        nonlocal count
        if served.websocket_count > count:
            websocket_tests.append(item)
        count = served.websocket_count

    complaints = trial.run_against(session, served.api, _tests_of(session, name), trial.never, note)[0]
    return HonestSocketRun(tuple(complaints), {item.nodeid: item.stash[SECONDS] for item in websocket_tests})


def _take_over(session: pytest.Session, name: str, path: Path) -> list[Complaint]:
    """Keeps which tests use a websocket, and what they took; the complaints."""
    if not path.exists():
        return [Complaint(f"the run of {name} over sockets", (), "its process ended without a result", broken=True)]
    result = json.loads(path.read_text())
    tests = [item for item in _tests_of(session, name) if item.nodeid in result["seconds"]]
    for item in tests:
        item.stash[SECONDS] = result["seconds"][item.nodeid]
    session.config.stash[WEBSOCKET_TESTS][name] = tests
    return list(map(parse_complaint, result["complaints"]))


def _tests_of(session: pytest.Session, name: str) -> list[pytest.Item]:
    return [item for item in session.items if pytest_plugin.api_name(item) == name]
