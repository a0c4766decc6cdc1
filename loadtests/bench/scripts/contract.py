"""Ours with everything: requests created from the contract, and with `--judge all` every response validated by it.

BENCH_TRANSPORT is http (tasks of getflow) or websocket (devices of bitvis). The host is `--host`, without which this
would load our references.
"""

from __future__ import annotations

import os
from itertools import count

from locust import constant

from loadtests.bench.payloads import DEVICE_ID
from loadtests.engine.exchange_types import Journey
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import ContractUser
from loadtests.user.journey_user import journey

IS_HTTP = os.environ["BENCH_TRANSPORT"] == "http"
REQUESTS = 10  # of a journey
NUMBERS = count(1)

register()


class Getflow(ContractUser):
    """Reads tasks."""

    abstract = not IS_HTTP
    wait_time = constant(0)
    api = "getflow"

    @journey
    def read_tasks(self) -> Journey:
        """One task after the other."""
        for _ in range(REQUESTS):
            yield self.request_for("getTask", task_id=next(NUMBERS))


class Bitvis(ContractUser):
    """Opens devices."""

    abstract = IS_HTTP
    wait_time = constant(0)
    api = "bitvis"

    @journey
    def open_devices(self) -> Journey:
        """One device after the other."""
        for _ in range(REQUESTS):
            yield self.rpc_request(
                "websocket", "inventory/device OPEN", objectid=DEVICE_ID.format(next(NUMBERS) % 65_536)
            )
