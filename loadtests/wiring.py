"""How the load engine hangs in Locust: options, and who hears of which event. Imported by `users.py`: nobody calls it.

`finish` and `change_rate` are for whoever steers or judges runs.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import console_logger

from loadtests import console
from loadtests.distributed import Master, Worker
from loadtests.engine.arrivals import KINDS, course
from loadtests.node import Node
from loadtests.roles import Lone, Role, playing
from reports.load.result import Result

_roles: WeakKeyDictionary[Environment, Role] = WeakKeyDictionary()
_given_up: WeakSet[Environment] = WeakSet()

TALKATIVE = ("DEBUG", "INFO")  # log levels with tables
PATIENCE = 10.0  # seconds that Locust may take to set itself up

logger = logging.getLogger(__name__)


def node_of(environment: Environment) -> Node:
    """What plays in this process. Raises RuntimeError where nothing does."""
    node = _role(environment).node
    if node is None:
        raise RuntimeError("a master plays no users; its workers do")
    return node


def finish(environment: Environment) -> Result | None:
    """The result of the run, which is stopped if it still goes on. None if no users that play journeys were started."""
    role = _role(environment)
    if role.run is not None and environment.runner is not None:
        environment.runner.stop()
    return role.result


def current(environment: Environment) -> Result | None:
    """The result of the run so far, or of the last one; on a master or a lone process."""
    role = _role(environment)
    return role.run.current() if role.run is not None else role.result


def folder(environment: Environment) -> Path | None:
    """The folder of the run, or of the last one; None if none was begun."""
    return _role(environment).path


def change_rate(environment: Environment, rate: str) -> None:
    """Let open arrivals come at `rate` from now on, as `--rate` has it. Raises ValueError for what is no rate."""
    _role(environment).change(rate)


def found(environment: Environment, operation: str, reason: str, number: int = 1) -> None:
    """Count failures of `operation` that show only when all workers are looked at together, such as an id given twice.

    On a master or a lone process; they are in the figures, the result and Locust's failures, also right after the run.
    """
    _role(environment).found(operation, reason, number)


def stop_test(environment: Environment, why: str) -> bool:
    """Stop the test as Locust does for StopTest: the process too, unless there is a web UI. Returns at once.

    False if that was begun already.
    """
    runner, options = environment.runner, environment.parsed_options
    if runner is None or environment in _given_up:
        return False
    _given_up.add(environment)
    logger.error("%s; stopping the test", why)
    gevent.spawn(runner.quit if options is not None and options.headless else runner.stop)
    return True


def abandon(environment: Environment, why: str) -> None:
    """Stop a test that could not begin, as `stop_test` does; a web UI shows why among the exceptions."""
    runner = environment.runner
    if stop_test(environment, why) and runner is not None and not isinstance(runner, WorkerRunner):
        runner.log_exception("local", why, "")


def _role(environment: Environment) -> Role:
    if environment not in _roles:
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            _roles[environment] = Worker(environment, runner)
        elif isinstance(runner, MasterRunner):
            _roles[environment] = Master(environment, runner)
        else:
            _roles[environment] = Lone(environment)
    return _roles[environment]


def _rate(text: str) -> str:
    try:
        if text:
            course(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    return text


def _options(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument(
        "--rate",
        type=_rate,
        default="",
        env_var="LOAD_RATE",
        help="Open model: journeys a second that start whether or not earlier ones have ended, of all users and workers"
        " together, shared out by weight. 200, or seconds:rate joined by straight lines, such as 0:10,30:200. --users"
        " bounds how many are played at once.",
    )
    parser.add_argument(
        "--arrivals",
        choices=KINDS,
        default=KINDS[0],
        env_var="LOAD_ARRIVALS",
        help="How the journeys of --rate are spaced",
    )
    parser.add_argument(
        "--arrivals-seed",
        default="1",
        env_var="LOAD_ARRIVALS_SEED",
        help="The same seed gives the same arrivals of --rate",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        default="",
        env_var="LOAD_RESULTS",
        include_in_web_ui=False,
        help="Folder for the figures of the run (default: a new one in reports/out/load)",
    )


def _on_init(environment: Environment, **_: Any) -> None:
    if playing(environment):
        _role(environment)
        if str(getattr(environment.parsed_options, "loglevel", "INFO")).upper() not in TALKATIVE:
            console_logger.setLevel(logging.WARNING)  # findings and verdict, but no tables, to which Locust is deaf
        gevent.get_hub().loop.update_now()  # else --run-time counts from before the imports


def _on_start(environment: Environment, **_: Any) -> None:
    if not playing(environment):
        return
    _given_up.discard(environment)
    _await_runner(environment)
    try:
        _role(environment).begin()
    except ValueError as wrong:  # a rate typed into the web UI
        abandon(environment, str(wrong))


def _await_runner(environment: Environment) -> None:
    """A worker that joins a running test is told to spawn before Locust has come so far as to name its runner."""
    until = time.monotonic() + PATIENCE
    while environment.runner is None and time.monotonic() < until:
        gevent.sleep(0.01)


def _on_stopping(environment: Environment, **_: Any) -> None:
    if playing(environment):
        _role(environment).stopping()


def _on_stop(environment: Environment, **_: Any) -> None:
    if playing(environment):
        _role(environment).end()
        if environment.web_ui is not None:
            _print(environment)


def _on_spawned(**_: Any) -> None:
    for environment, role in _roles.items():
        if environment.reset_stats:
            role.forget()


def _on_reset(**_: Any) -> None:
    for role in _roles.values():
        role.forget()


def _on_quit(**_: Any) -> None:
    for environment in _roles:
        if environment.web_ui is None:
            _print(environment)


def _print(environment: Environment) -> None:
    """Show the table, last of all, so that it is what people see."""
    result = _role(environment).result
    if result is not None:
        for line in console.lines(result):
            console_logger.info(line)
        console_logger.info("")


for _hook, _listener in (
    (events.init_command_line_parser, _options),
    (events.init, _on_init),
    (events.test_start, _on_start),
    (events.test_stopping, _on_stopping),
    (events.test_stop, _on_stop),
    (events.spawning_complete, _on_spawned),
    (events.reset_stats, _on_reset),
    (events.quit, _on_quit),
):
    _hook.add_listener(_listener)  # type: ignore[no-untyped-call] # Locust has no types here
