"""Many users of one process, by `loadtests.bench.scale_cases`: writes one figure to the file BENCH_FIGURE.

With `--rate` it is the CPU time (µs) of an arrival once each user has a connection; else the memory (kB) of a user
whose websocket is open and idle.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import gevent
from locust import constant, events

from fixtures import network_guard
from loadtests.engine.exchange_types import Address, Journey, Request, Response
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

HAS_RATE = "--rate" in sys.argv
USERS = int(os.environ["BENCH_USERS"])
FIRST = 20  # users, whose memory is also that of what all users share
HELD = 3600  # seconds that a websocket is idle
WINDOW = 4  # seconds in which CPU time is measured
ADDRESS = Address.from_url(os.environ["BENCH_URL"])
ended = 0  # requests that have a response

network_guard.permit(*ADDRESS.next_hop)
register()


class Visitor(JourneyUser):
    """Sends one request in each journey."""

    wait_time = constant(0)

    @journey
    def visit(self) -> Journey:
        """A response that fails ends the measurement without a figure."""
        global ended
        if HAS_RATE:
            response = yield self.request("GET", "/")
        else:
            response = yield Request(self.recorder.samples_of("idle", "ws"), b"hello", ADDRESS)
        if not isinstance(response, Response) or response.error is not None:
            os._exit(1)
        ended += 1
        if not HAS_RATE:
            yield HELD


def _wait_for(number: int) -> None:
    while ended < number:
        gevent.sleep(0.05)


def _cost() -> float:
    _wait_for(USERS + USERS // 5 + 1_000)
    before, began = ended, time.process_time()
    gevent.sleep(WINDOW)
    return (time.process_time() - began) / (ended - before) * 1e6


def _memory() -> float:
    _wait_for(FIRST)
    before, size = ended, _resident()
    _wait_for(USERS)
    gevent.sleep(1)
    return (_resident() - size) / (ended - before) / 1000


def _resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _measure() -> None:
    Path(os.environ["BENCH_FIGURE"]).write_text(str(_cost() if HAS_RATE else _memory()))
    os._exit(0)


events.init.add_listener(lambda **_: gevent.spawn(_measure))  # type: ignore[no-untyped-call]  # Locust has no types
