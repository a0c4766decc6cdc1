"""Preparing a run takes long, and lets other greenlets run meanwhile: a worker has to send heartbeats."""

from __future__ import annotations

import time

import gevent
from locust.env import Environment

from loadtests.distributed.run_state import RunState


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
