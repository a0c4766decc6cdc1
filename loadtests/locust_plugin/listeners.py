"""Registers flowproof with Locust: the options that it adds, and the listener of each event.

Rule: a locustfile calls `register()` once. No other module touches Locust's events, and no import registers anything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import locust
from locust.env import Environment
from locust.event import Events

from fixtures import network_guard
from loadtests.distributed import master_watch
from loadtests.distributed.run_state import RunState, create_state, find_state
from loadtests.locust_plugin import (
    abort_listeners,
    engine_listeners,
    live_listeners,
    load_shapes,
    progress_listeners,
    run_time,
    secret_listeners,
    target_listeners,
    token_listeners,
    traffic_listeners,
    verdict_listeners,
    web_form,
)
from loadtests.locust_plugin.options import add_options

Listener = Callable[..., None]  # called with the state of the run, and the arguments of Locust's event

WITH_ENVIRONMENT: tuple[tuple[str, Listener], ...] = (
    ("init", secret_listeners.on_init),
    ("init", traffic_listeners.on_init),
    ("init", engine_listeners.on_init),
    ("init", target_listeners.on_init),
    ("init", verdict_listeners.on_init),
    ("init", load_shapes.on_init),
    ("init", run_time.on_init),
    ("init", web_form.on_init),
    ("init", live_listeners.on_init),
    ("test_start", run_time.on_test_start),
    ("test_start", engine_listeners.on_test_start),
    ("test_start", target_listeners.on_test_start),
    ("test_start", token_listeners.on_test_start),
    ("test_start", verdict_listeners.on_test_start),
    ("test_start", progress_listeners.on_test_start),
    ("test_start", abort_listeners.on_test_start),
    ("test_start", live_listeners.on_test_start),
    ("test_start", run_time.on_prepared),
    ("test_stopping", engine_listeners.on_test_stopping),
    ("test_stopping", run_time.on_test_stopping),
    ("test_stop", abort_listeners.on_test_stop),
    ("test_stop", progress_listeners.on_test_stop),
    ("test_stop", token_listeners.on_test_stop),
    ("test_stop", engine_listeners.on_test_stop),
    ("test_stop", live_listeners.on_test_stop),
    ("user_error", verdict_listeners.on_user_error),
    ("quitting", target_listeners.on_quitting),  # Locust fires this one in reverse order
    ("quitting", verdict_listeners.on_quitting),
)
"""Listeners of the events that carry their environment, in the order in which they are called."""

WITHOUT_ENVIRONMENT: tuple[tuple[str, Listener], ...] = (
    ("spawning_complete", run_time.on_spawning_complete),
    ("spawning_complete", engine_listeners.on_spawning_complete),
    ("reset_stats", engine_listeners.on_reset_stats),
    ("worker_connect", engine_listeners.on_worker_connect),
    ("report_to_master", target_listeners.on_report_to_master),
    ("worker_report", target_listeners.on_worker_report),
    ("quit", engine_listeners.on_quit),
    ("quit", target_listeners.on_quit),
    ("quit", verdict_listeners.on_quit),
)
"""Listeners of the other events, which are added when the state of an environment's run is created."""


def register(events: Events = locust.events) -> None:
    """Add flowproof's options and listeners to Locust's events. Calling it again changes nothing."""
    hooks: Any = events  # Locust has no types here
    if add_options in hooks.init_command_line_parser._handlers:
        return
    hooks.init_command_line_parser.add_listener(add_options)
    master_watch.install()
    for name, listener in WITH_ENVIRONMENT:
        getattr(hooks, name).add_listener(_with_state(listener))


def attach(environment: Environment) -> RunState:
    """The state of this environment's run, created at the first call.

    It is created at `init`, or earlier: a worker that joins a running test may be told to start before `init`.
    """
    state = find_state(environment)
    if state is None:
        network_guard.install()
        state = create_state(environment)
        hooks: Any = environment.events
        for name, listener in WITHOUT_ENVIRONMENT:
            getattr(hooks, name).add_listener(partial(listener, state))
    return state


def _with_state(listener: Listener) -> Listener:
    def listen(**arguments: Any) -> None:
        user = arguments.get("user_instance")
        environment = arguments["environment"] if user is None else user.environment
        listener(attach(environment), **arguments)

    return listen
