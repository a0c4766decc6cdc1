"""Ours as people run it: journeys in a locustfile, played by the engine in a Locust process, the status looked at.

BENCH_TRANSPORT is http or websocket. Each journey reads some tasks or devices, one after the other and each another
one; with `--rate`, where the arrivals are counted, just one.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from locust import constant

from loadtests.bench.payloads import CALL, DEVICE_ID, HEADERS, PATH, compact
from loadtests.engine.call import Journey, Request
from loadtests.node import recorder
from loadtests.users import Journeys, journey

IS_HTTP = os.environ["BENCH_TRANSPORT"] == "http"
REQUESTS = 1 if "--rate" in sys.argv else 10  # of a journey
NUMBERS = count(1)

GET = "\r\n".join(
    [f"GET {PATH} HTTP/1.1".format("%d"), "Host: {}", *(f"{name}: {value}" for name, value in HEADERS.items()), "", ""]
)
OPEN = compact(CALL).replace(DEVICE_ID, DEVICE_ID.replace("{:04x}", "%04x")).encode()
TASK = recorder.slot("getTask", "http")
DEVICE = recorder.slot("OPEN device", "websocket")


class Tasks(Journeys):
    """Reads tasks of getflow."""

    abstract = not IS_HTTP
    wait_time = constant(0)

    @journey
    def read_tasks(self) -> Journey:
        """One task after the other."""
        address = self.address
        head = GET.format(address.authority).encode()
        for _ in range(REQUESTS):
            yield Request(TASK, head % next(NUMBERS), address)


class Devices(Journeys):
    """Opens devices of bitvis."""

    abstract = IS_HTTP
    wait_time = constant(0)

    @journey
    def open_devices(self) -> Journey:
        """One device after the other."""
        address = self.address
        for _ in range(REQUESTS):
            yield Request(DEVICE, OPEN % (next(NUMBERS) % 65_536), address)
