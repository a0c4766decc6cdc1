"""Begins and ends runs of the load engine with Locust's tests, and prints the table of its figures."""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import console_logger

from loadtests.distributed import console_table
from loadtests.distributed.roles import journey_classes
from loadtests.distributed.run_state import RunState
from loadtests.profiles import load_profile
from reports.load.load_verdict import STOP_NOTE

VERBOSE_LEVELS = ("DEBUG", "INFO")  # log levels with tables
PATIENCE = 10.0  # seconds that Locust may take to set itself up


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
    gevent.get_hub().loop.update_now()  # otherwise --run-time would count from before the imports


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
