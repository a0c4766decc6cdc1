"""Users of a locustfile of one's own are all there before the first arrival, and end their journeys before the run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import LocustRun, distributed_options, finished_run

FILE = """
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    @journey
    def visit(self):
        yield self.request("GET", "/slow")
"""
SLO = "run: {errors: 1 %, dropped: 0 %}"


def rated_run(folder: Path, options: str) -> LocustRun:
    """Journeys of 200 ms at 150 a second, so that 30 run at once; 120 users are more than one second spawns."""
    objectives = folder / "slo.yaml"
    objectives.write_text(SLO)
    with running_target() as target:
        command = f"--headless --only-summary --rate 150 -u 120 -t 4s --slo {objectives} {options}"
        return finished_run(folder, target.url, FILE, command)


def arrivals(run: LocustRun) -> dict[str, Any]:
    known: dict[str, Any] = run.result["arrivals"]["Visitor"]
    return known


@pytest.mark.parametrize(
    "processes", ["local", pytest.param("distributed", marks=pytest.mark.slow)], ids=["local", "distributed"]
)
def test_no_arrival_is_dropped_for_want_of_users(tmp_path: Path, processes: str) -> None:
    run = rated_run(tmp_path, distributed_options() if processes == "distributed" else "")
    assert (arrivals(run)["dropped"], arrivals(run)["started"] > 100) == (0, True), run.output[-3000:]


def test_arrivals_dropped_while_users_were_spawned_are_inconclusive(tmp_path: Path) -> None:
    run = rated_run(tmp_path, "-r 1")
    facts = json.loads((run.results / "verdict.json").read_text())
    assert (run.process.returncode, facts["verdict"], arrivals(run)["dropped"] > 100) == (3, "inconclusive", True)
    assert "were dropped while users were being spawned; leave out --spawn-rate" in run.output


@pytest.mark.parametrize(
    "processes", ["local", pytest.param("distributed", marks=pytest.mark.slow)], ids=["local", "distributed"]
)
def test_every_request_that_came_is_counted_without_a_stop_timeout(tmp_path: Path, processes: str) -> None:
    """Ten users have a request in flight at any time, also when the run ends."""
    closed = FILE.replace("    @journey", "    wait_time = constant(0)\n\n    @journey").replace(
        "from loadtests.locust", "from locust import constant\nfrom loadtests.locust", 1
    )
    with running_target() as target:
        workers = distributed_options() if processes == "distributed" else ""
        run = finished_run(tmp_path, target.url, closed, f"--headless --only-summary -u 10 -r 10 -t 2s {workers}")
        assert (run.requests(), target.counts()["/slow"] > 9) == ({"GET /slow": target.counts()["/slow"]}, True)


PACED = (
    FILE.replace('yield self.request("GET", "/slow")', "yield 60")
    + """
import time
from locust import constant, events
from loadtests.distributed.run_state import state_of
from loadtests.engine.loop import Loop

Visitor.wait_time = constant(0)
longest = before = 0.0
iterate = Loop.run_once

def run_once(loop, *timeout):
    global longest, before
    now = time.process_time()
    longest, before = max(longest, now - (before or now)), now
    iterate(loop, *timeout)

Loop.run_once = run_once

@events.test_start.add_listener
def observe(environment, **_):
    global longest, before
    longest, before, loop = 0.0, 0.0, state_of(environment).generator.loop

    def keep_busy(_):
        loop.call_at(time.perf_counter_ns() + 500_000, keep_busy)

    keep_busy(0)

@events.test_stopping.add_listener
def say(**_):
    print(f"longest: {longest:.6f}", flush=True)
"""
)


@pytest.mark.slow
def test_responses_are_read_while_thousands_of_users_are_spawned(tmp_path: Path) -> None:
    """CPU time between two iterations of the loop: to spawn all of a second at once takes 36 ms and more.

    The timer keeps the loop busy and would not show it itself: first journeys that are due come before it.
    """
    run = finished_run(tmp_path, "http://127.0.0.1:9", PACED, "--headless --only-summary -u 3000 -r 1000 -t 5s")
    (longest,) = re.findall(r"^longest: ([\d.]+)", run.output, re.MULTILINE)
    assert ('{"Visitor": 3000}' in run.output, float(longest) < 0.025) == (True, True), longest
