"""Begins and ends runs of the load engine with Locust's tests, and prints the table of its figures."""

from __future__ import annotations

import logging
import time
from math import ceil
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import console_logger

from loadtests.distributed import console_table, machine
from loadtests.distributed.roles import journey_classes
from loadtests.distributed.run_state import RunState
from loadtests.profiles import load_profile
from reports.load.load_verdict import STOP_NOTE
from reports.load.objective_outcomes import INCONCLUSIVE
from reports.results.verdicts import EXIT_CODES

VERBOSE_LEVELS = ("DEBUG", "INFO")  # log levels with tables
PATIENCE = 10.0  # seconds that Locust may take to set itself up

logger = logging.getLogger(__name__)


def on_init(state: RunState, **_: Any) -> None:
    """Settles the role of this process in the run."""
    environment = state.environment
    if not journey_classes(environment):
        return
    state.settle_role()
    if not isinstance(environment.runner, WorkerRunner):
        _spawn_before_arrivals(state)
    if str(getattr(environment.parsed_options, "loglevel", "INFO")).upper() not in VERBOSE_LEVELS:
        console_logger.setLevel(logging.WARNING)  # findings and verdict stay; Locust prints its tables at any level


def _spawn_before_arrivals(state: RunState) -> None:
    """With arrivals and no spawn rate, whose default is 1 /s, all users are there before the first arrival."""
    environment, options = state.environment, state.environment.parsed_options
    starts_by_itself = getattr(options, "headless", False) or getattr(options, "autostart", False)
    if options is None or not starts_by_itself or options.spawn_rate is not None or environment.shape_class is not None:
        return
    if state.role.plans():
        options.spawn_rate = load_profile.spawn_rate(options.num_users or 1)
        load_profile.await_spawning(options, True)


def on_test_start(state: RunState, **_: Any) -> None:
    """Begins a run; one with an invalid rate, which only the web UI lets through, is abandoned."""
    if not journey_classes(state.environment):
        return
    _await_runner(state.environment)
    try:
        state.begin()
    except ValueError as error:
        state.abandon_test(str(error))
    _check_capacity(state)


def _check_capacity(state: RunState) -> None:
    """A run whose users cannot all connect is stopped before its first journey; with arrivals, few may be enough."""
    generator = state.role.generator
    if generator is None or not (missing := machine.missing_capacity(ceil(_users(state) / generator.workers))):
        return
    if generator.schedulers:
        logger.warning("%s; the run is inconclusive if they do", missing)
        return
    state.environment.process_exit_code = EXIT_CODES[INCONCLUSIVE]
    state.add_note(STOP_NOTE, lambda: {"verdict": INCONCLUSIVE, "reason": missing})
    state.abandon_test(missing)


def _users(state: RunState) -> int:
    """How many users the run has; 0 if that is not known before, as with a load shape of the locustfile's own."""
    options = state.environment.parsed_options
    return load_profile.users_of(options) or getattr(options, "num_users", None) or 0


def _await_runner(environment: Environment) -> None:
    """Wait until the runner is known: a worker that joins a running test may have to spawn before Locust sets it."""
    deadline = time.monotonic() + PATIENCE
    while environment.runner is None and time.monotonic() < deadline:
        gevent.sleep(0.01)


def on_test_stopping(state: RunState, **_: Any) -> None:
    """Starts no more journeys."""
    if state.has_role:
        state.role.stopping()


def on_test_stop(state: RunState, **_: Any) -> None:
    """Ends the run. With a web UI the table is printed after each run, otherwise when the process quits."""
    if state.has_role:
        state.role.end()
        if state.environment.web_ui is not None:
            _print_table(state)


def on_spawning_complete(state: RunState, **_: Any) -> None:
    """Lets arrivals begin that await all users, and resets the figures if Locust runs with `--reset-stats`."""
    if not state.has_role:
        return
    if state.environment.reset_stats:
        state.role.reset()
    if state.role.generator is not None:
        state.role.generator.all_spawned()


def on_reset_stats(state: RunState, **_: Any) -> None:
    """Resets the figures."""
    if state.has_role:
        state.role.reset()


def on_worker_connect(state: RunState, client_id: str, **_: Any) -> None:
    """Sends a worker that joins a running test the state of that test."""
    if state.has_role:
        state.role.worker_connected(client_id)


def on_quit(state: RunState, **_: Any) -> None:
    """Prints the table."""
    if state.has_role and state.environment.web_ui is None:
        _print_table(state)


def _print_table(state: RunState) -> None:
    result = state.role.result
    if result is not None and STOP_NOTE not in result.notes:
        for line in console_table.lines(result):
            console_logger.info(line)
        console_logger.info("")
