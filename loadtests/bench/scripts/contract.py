"""Ours with everything: requests made from the contract, and with `--judge all` every answer judged by it.

BENCH_TRANSPORT is http (tasks of getflow) or websocket (devices of bitvis). The host is `--host`, without which this
would load our references.
"""

from __future__ import annotations

import os
from itertools import count

from locust import constant

from loadtests.bench.payloads import DEVICE_ID
from loadtests.engine.call import Journey
from loadtests.play import Plays
from loadtests.users import journey

IS_HTTP = os.environ["BENCH_TRANSPORT"] == "http"
REQUESTS = 10  # of a journey
NUMBERS = count(1)


class Getflow(Plays):
    """Reads tasks."""

    abstract = not IS_HTTP
    wait_time = constant(0)
    api = "getflow"

    @journey
    def read_tasks(self) -> Journey:
        """One task after the other."""
        for _ in range(REQUESTS):
            yield self.call("getTask", task_id=next(NUMBERS))


class Bitvis(Plays):
    """Opens devices."""

    abstract = IS_HTTP
    wait_time = constant(0)
    api = "bitvis"

    @journey
    def open_devices(self) -> Journey:
        """One device after the other."""
        for _ in range(REQUESTS):
            yield self.rpc("websocket", "inventory/device OPEN", objectid=DEVICE_ID.format(next(NUMBERS) % 65_536))
