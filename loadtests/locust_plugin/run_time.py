"""Lets the time of a run count from when its users may send, and ends the run after `--run-time`.

Locust's own clock counts from its start, and so includes the preparation of a run: records, logins and validators take
seconds, after which a short run would have less load than was planned.
Rule: time counts from when every process has prepared the run; if arrivals await all users, from when these are there.
"""

from __future__ import annotations

import logging
from typing import Any

import gevent
from locust.runners import WorkerRunner

from loadtests.distributed.roles import journey_classes
from loadtests.distributed.run_state import RunState
from loadtests.profiles.load_profile import awaits_spawning

NO_LIMIT_MESSAGE = "No run time limit set"  # Locust's, where it is not to set one itself

logger = logging.getLogger(__name__)


def on_init(state: RunState, **_: Any) -> None:
    """Takes `--run-time` of a run that starts by itself away from Locust. With a load shape, Locust ignores it."""
    environment, options = state.environment, state.environment.parsed_options
    starts_by_itself = getattr(options, "headless", False) or getattr(options, "autostart", False)
    seconds = getattr(options, "run_time", None)
    if options is None or not starts_by_itself or not seconds or not journey_classes(environment):
        return
    if environment.shape_class is not None or isinstance(environment.runner, WorkerRunner):
        return
    state.run_time, options.run_time = seconds, None
    logging.getLogger("locust.main").addFilter(lambda record: not record.getMessage().startswith(NO_LIMIT_MESSAGE))
    logger.info("Run time limit set to %s seconds, from when users may send", seconds)


def on_test_start(state: RunState, **_: Any) -> None:
    """Stores among the options how long the run is to last, before it begins."""
    environment, options, web_ui = state.environment, state.environment.parsed_options, state.environment.web_ui
    if not journey_classes(environment) or environment.shape_class is not None or options is None:
        return
    if state.run_time:
        options.run_time = state.run_time
    elif web_ui is not None and web_ui._run_time_greenlet is None:
        options.run_time = None  # of the run before


def on_prepared(state: RunState, **_: Any) -> None:
    """This process has prepared the run: the last listener of a test's start."""
    if not state.has_role:
        return
    state.pause()
    state.role.end_preparation()
    if isinstance(state.environment.runner, WorkerRunner):
        return
    _start_clock(state)
    web_ui, seconds = state.environment.web_ui, state.run_time
    state.run_time = None  # of the first run only; others are started by the web UI
    has_form_timer = web_ui is not None and web_ui._run_time_greenlet is not None
    if web_ui is not None and has_form_timer and not seconds:
        web_ui._cancel_run_time_timer()  # type: ignore[no-untyped-call] # Locust's
    state.clock = gevent.spawn(_set_timer, state, seconds, has_form_timer)


def on_spawning_complete(state: RunState, **_: Any) -> None:
    """All users of the run are there; arrivals that await them begin after this."""
    if state.has_role:
        state.role.spawned.set()
        _start_clock(state)


def on_test_stopping(state: RunState, **_: Any) -> None:
    """Stops the clock; nothing of this run counts for the next one."""
    for greenlet in (state.clock, state.timer):
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=False)
    state.clock = state.timer = None
    if state.has_role:
        state.role.prepared.clear()
        state.role.spawned.clear()


def _start_clock(state: RunState) -> None:
    """Let the time of the run count from now on, if its users may send and it does not count yet."""
    role, options = state.role, state.environment.parsed_options
    if role.run is not None and role.prepared.is_set() and (role.spawned.is_set() or not awaits_spawning(options)):
        role.run.start_clock()


def _set_timer(state: RunState, seconds: float | None, has_form_timer: bool) -> None:
    environment, role = state.environment, state.role
    role.prepared.wait()
    if awaits_spawning(environment.parsed_options):
        role.spawned.wait()
    _start_clock(state)
    if seconds:
        state.timer = gevent.spawn_later(seconds, _end_run, state)
    elif has_form_timer and environment.web_ui is not None:
        form_seconds = environment.parsed_options.run_time  # type: ignore[union-attr] # the form has set it
        environment.web_ui._run_time_greenlet = gevent.spawn_later(form_seconds, environment.web_ui._stop_runners)


def _end_run(state: RunState) -> None:
    """Does what Locust does when its own clock ends a run that started by itself."""
    runner, options, web_ui = state.environment.runner, state.environment.parsed_options, state.environment.web_ui
    if runner is None or options is None:
        return
    if options.headless:
        logger.info("--run-time limit reached, shutting down")
        runner.quit()
        return
    logger.info("--run-time limit reached, stopping test")
    runner.stop()
    if options.autoquit != -1:
        gevent.sleep(options.autoquit)
        runner.quit()
        if web_ui is not None:
            web_ui.stop()  # type: ignore[no-untyped-call] # Locust's
