"""Preparing a run takes long, and lets other greenlets run meanwhile: a worker has to send heartbeats."""

from __future__ import annotations

import time

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.distributed.run_state import RunState
from loadtests.distributed.worker_role import MASTER_TIMEOUT


def test_a_timer_of_another_greenlet_fires_during_preparation() -> None:
    fired: list[float] = []
    state = RunState(Environment())
    greenlet = gevent.spawn_later(0.002, lambda: fired.append(time.monotonic()))
    deadline = time.monotonic() + 10
    while not fired and time.monotonic() < deadline:
        began = time.process_time()
        while time.process_time() - began < 0.005:
            """Work."""
        state.pause()
    greenlet.join()
    assert fired
    assert fired[0] < deadline


def test_the_master_is_not_missed_after_a_long_piece_of_preparation() -> None:
    """Locust looks at the last heartbeat as soon as other greenlets run."""
    environment = Environment()
    environment.runner = runner = WorkerRunner.__new__(WorkerRunner)
    runner.greenlet = None
    runner.last_heartbeat_timestamp = time.time() - 60
    ages: list[float] = []
    greenlet = gevent.spawn(lambda: ages.append(time.time() - (runner.last_heartbeat_timestamp or 0)))
    RunState(environment).pause()
    greenlet.join()
    assert ages[0] < MASTER_TIMEOUT
