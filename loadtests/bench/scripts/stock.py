"""Stock Locust as its documentation writes it: FastHttpUser, HttpUser or websocket-client, one request at a time.

BENCH_USER names the class; the others are left out. BENCH_PACE makes each user start that many requests a second by
Locust's own `constant_throughput`. Every request is reported to Locust, as any Locust user must.
"""

from __future__ import annotations

import os
import time
from itertools import count

import websocket
from locust import FastHttpUser, HttpUser, User, constant, constant_throughput, task

from loadtests.bench.payloads import HEADERS, PATH, websocket_call

CHOSEN = os.environ["BENCH_USER"]
PACE = float(os.environ.get("BENCH_PACE", "0"))
WAIT = constant_throughput(PACE) if PACE else constant(0)
NUMBERS = count(1)


class Fast(FastHttpUser):
    """Locust's own fast client."""

    abstract = CHOSEN != "Fast"
    wait_time = WAIT

    @task
    def read_a_task(self) -> None:
        """One request."""
        self.client.get(PATH.format(next(NUMBERS)), headers=HEADERS, name="/v2/tasks/[id]")


class Requests(HttpUser):
    """Locust's client on top of requests."""

    abstract = CHOSEN != "Requests"
    wait_time = WAIT

    @task
    def read_a_task(self) -> None:
        """One request."""
        self.client.get(PATH.format(next(NUMBERS)), headers=HEADERS, name="/v2/tasks/[id]")


class Websocket(User):
    """Plain websocket-client, as the examples use it."""

    abstract = CHOSEN != "Websocket"
    wait_time = WAIT

    def on_start(self) -> None:
        """Connects."""
        self.socket = websocket.create_connection(self.host or "")

    @task
    def open_a_device(self) -> None:
        """One call."""
        message = websocket_call(next(NUMBERS))
        started = time.perf_counter()
        self.socket.send(message)
        response = self.socket.recv()
        self.environment.events.request.fire(
            request_type="websocket",
            name="OPEN",
            response_time=(time.perf_counter() - started) * 1000,
            response_length=len(response),
            exception=None,
            context={},
        )
