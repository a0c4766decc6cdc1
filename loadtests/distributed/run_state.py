"""The state of a load run: one object for each Locust environment, shared by everything that takes part in the run."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from contracts.errors import UsageError
from fixtures.record_ledger import RecordLedger
from fixtures.run_login import mask_tokens_in
from fixtures.secret_settings import run_secrets
from loadtests.distributed.load_generator import LoadGenerator
from loadtests.distributed.master_role import MasterRole
from loadtests.distributed.master_watch import SILENCE
from loadtests.distributed.roles import LocalRole, Role
from loadtests.distributed.worker_role import WorkerRole
from loadtests.targets.run_targets import RunTarget
from loadtests.validation.invariants import UniquenessLedger
from loadtests.validation.validators import Validators
from reports.load.load_result import LoadResult

ATTRIBUTE = "flowproof_run_state"  # of the environment

logger = logging.getLogger(__name__)


class RunState:
    """The state of one environment's run. Two environments in one process share nothing.

    target: where the APIs are; validators, ledger: of this process; resources: what was started for the run and is
    ended with it; cpu_began: CPU time of this process (ns) when the run began; exceptions: those that journeys raised,
    with their number; verdict_lines: printed after everything else; notes: functions whose JSON goes into the result,
    by name; prepared: what each class of users has prepared; progress: what prints how the run goes; watcher: what ends
    it early; exporter: what sends its figures elsewhere until `run_ended`; renewals: what renews tokens; secrets: texts
    that must not be shown; record_ledgers: of the records that this process makes; feeds: the rows of test data that
    are left, by their feeder; traffic: what is played of `--from`; players: what plays it; run_time: seconds of
    `--run-time` for the run that starts by itself; clock: what awaits that users may send; timer: what ends the run.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        apis = {getattr(user_class, "api", "") for user_class in environment.user_classes}
        self.secrets = run_secrets(sorted(apis - {""}), os.environ)
        mask_tokens_in(self.secrets)
        self.target = RunTarget()
        self.validators = Validators()
        self.ledger = UniquenessLedger()
        self.resources = ExitStack()
        self.cpu_began = 0
        self.exceptions: Counter[str] = Counter()
        self.verdict_lines: list[str] = []
        self.notes: dict[str, Callable[[], Any]] = {}
        self.prepared: dict[type, Any] = {}
        self.record_ledgers: list[RecordLedger] = []
        self.feeds: dict[Any, Iterator[Any]] = {}
        self.progress: gevent.Greenlet[..., None] | None = None
        self.watcher: gevent.Greenlet[..., None] | None = None
        self.exporter: gevent.Greenlet[..., None] | None = None
        self.run_ended = Event()
        self.traffic: Any = None
        self.players: list[Any] = []
        self.renewals: list[gevent.Greenlet[..., None]] = []
        self.run_time: float | None = None
        self.clock: gevent.Greenlet[..., None] | None = None
        self.timer: gevent.Greenlet[..., None] | None = None
        self._created: Counter[type] = Counter()
        self._role: Role | None = None
        self._is_giving_up = False

    def settle_role(self) -> None:
        """Decide what this process does in the run, once its runner is known."""
        if self._role is not None:
            return
        runner = self.environment.runner
        if isinstance(runner, WorkerRunner):
            self._role = WorkerRole(self.environment, runner, self.notes)
        elif isinstance(runner, MasterRunner):
            self._role = MasterRole(self.environment, runner)
        else:
            self._role = LocalRole(self.environment, self.notes)
        self._role.secrets = self.secrets

    @property
    def has_role(self) -> bool:
        """Whether this process takes part in the run; without users of journeys it does not."""
        return self._role is not None

    @property
    def role(self) -> Role:
        """What this process does in the run."""
        self.settle_role()
        assert self._role is not None
        return self._role

    @property
    def generator(self) -> LoadGenerator:
        """The load generator of this process. Raises RuntimeError on a master, which generates no load."""
        generator = self.role.generator
        if generator is None:
            raise RuntimeError("a master runs no users; its workers do")
        return generator

    @property
    def folder(self) -> Path | None:
        """The folder of the run, or of the last one; None before the first."""
        return self.role.folder if self.has_role else None

    def number_user(self, user_class: type) -> int:
        """The number of a new user of that class, from 0."""
        number = self._created[user_class]
        self._created[user_class] += 1
        return number

    def add_note(self, name: str, note: Callable[[], Any]) -> None:
        """Call `note` in each process that runs users, after its last journey; the result has its JSON by `name`."""
        self.notes[name] = note

    def finish(self) -> LoadResult | None:
        """The result of the run, which is stopped if it still goes on. None if no users of journeys were started."""
        if not self.has_role:
            return None
        if self.role.run is not None and self.environment.runner is not None:
            self.environment.runner.stop()
        return self.role.result

    def current_result(self) -> LoadResult | None:
        """The result of the run so far, or of the last one; None on a worker."""
        if not self.has_role:
            return None
        return self.role.run.current_result() if self.role.run is not None else self.role.result

    def change_rate(self, rate: str) -> None:
        """Let journeys arrive at `rate` from now on, written as for `--rate`. Raises ValueError if it is no rate."""
        self.role.change_rate(rate)

    def count_failures(self, operation: str, reason: str, number: int = 1) -> None:
        """Count failures of `operation` that only all workers together show, such as an id that was given out twice.

        On a master or a local process. They are in the result and in Locust's failures, also right after the run.
        """
        self.role.count_failures(operation, reason, number)

    def begin(self) -> None:
        """A run begins. Raises ValueError for options that are no plan of arrivals."""
        self._is_giving_up = False
        self.role.prepared.clear()
        self.role.spawned.clear()
        self.feeds.clear()
        self.players.clear()
        self.role.begin()

    def pause(self) -> None:
        """Let other greenlets run during long work, so that a worker sends its heartbeats in time.

        Locust has a worker begin a run where it also reads messages. So none of the master's heartbeats is read
        meanwhile, and the master must not be taken for dead; whether it is there is seen by `master_watch`.
        """
        if isinstance(self.environment.runner, WorkerRunner):
            self.environment.runner.last_heartbeat_timestamp = time.time() - SILENCE  # before anything looks at it
        gevent.sleep(0.001)  # 0 would let ready greenlets run, but no timers

    def stop_test(self, why: str) -> bool:
        """Stop the test as Locust does for StopTest: the process too, unless there is a web UI. Returns at once.

        False if the test is stopping already.
        """
        runner, options = self.environment.runner, self.environment.parsed_options
        if runner is None or self._is_giving_up:
            return False
        self._is_giving_up = True
        logger.error("%s; stopping the test", why)
        gevent.spawn(runner.quit if options is not None and options.headless else runner.stop)
        return True

    def abandon_test(self, why: str) -> None:
        """Stop a test that could not begin, as `stop_test` does; a web UI shows why among the exceptions."""
        runner = self.environment.runner
        if self.stop_test(why) and runner is not None and not isinstance(runner, WorkerRunner):
            runner.log_exception("local", why, "")


def find_state(environment: Environment) -> RunState | None:
    """The state of this environment's run; None if there is none yet."""
    state: RunState | None = getattr(environment, ATTRIBUTE, None)
    return state


def state_of(environment: Environment) -> RunState:
    """The state of this environment's run. Raises UsageError where flowproof does not listen to Locust."""
    state = find_state(environment)
    if state is None:
        raise UsageError(
            f"{environment.locustfile or 'the locustfile'} has journeys, but does not register flowproof with Locust:"
            " call loadtests.locust_plugin.listeners.register() in it"
        )
    return state


def create_state(environment: Environment) -> RunState:
    """A new state for this environment."""
    state = RunState(environment)
    setattr(environment, ATTRIBUTE, state)
    return state
