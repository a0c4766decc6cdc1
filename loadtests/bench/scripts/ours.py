"""Ours as users run it: journeys in a locustfile, run by the engine in a Locust process, which checks the status.

BENCH_TRANSPORT is http, websocket or deepstream. Each journey reads some tasks or devices, one after
the other and each another one; with `--rate`, where the arrivals are counted, just one.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from locust import constant

from loadtests.bench.payloads import CALL, DEVICE_ID, HEADERS, PATH, compact
from loadtests.engine.exchange_types import Journey, Request
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

TRANSPORT = os.environ["BENCH_TRANSPORT"]
IS_HTTP = TRANSPORT == "http"
RPC_NAME = "inventory/device" if TRANSPORT == "deepstream" else ""
REQUESTS = 1 if "--rate" in sys.argv else 10  # of a journey
NUMBERS = count(1)

GET = "\r\n".join(
    [f"GET {PATH} HTTP/1.1".format("%d"), "Host: {}", *(f"{name}: {value}" for name, value in HEADERS.items()), "", ""]
)
OPEN = compact(CALL).replace(DEVICE_ID, DEVICE_ID.replace("{:04x}", "%04x")).encode()

register()


class Tasks(JourneyUser):
    """Reads tasks of getflow."""

    abstract = not IS_HTTP
    wait_time = constant(0)

    @journey
    def read_tasks(self) -> Journey:
        """One task after the other."""
        address = self.address
        head = GET.format(address.authority).encode()
        samples = self.recorder.samples_of("getTask", "http")
        for _ in range(REQUESTS):
            yield Request(samples, head % next(NUMBERS), address)


class Devices(JourneyUser):
    """Opens devices of bitvis."""

    abstract = IS_HTTP
    wait_time = constant(0)

    @journey
    def open_devices(self) -> Journey:
        """One device after the other."""
        address = self.address
        samples = self.recorder.samples_of("OPEN device", TRANSPORT)
        for _ in range(REQUESTS):
            yield Request(samples, OPEN % (next(NUMBERS) % 65_536), address, rpc_name=RPC_NAME)
