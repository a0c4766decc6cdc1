"""Users of a closed model wait when they are refused, and the verdict says so; arrivals come as planned."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadtests.engine.backoff import FIRST_PAUSE, LONGEST_PAUSE, MS, Backoff
from loadtests.selftest.locust_run import LocustRun, finished_run

FILE = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(0)

    @journey
    def visit(self):
        yield REQUEST
"""
SINGLE = 'self.request("GET", "/")'
NOW = 1_000_000 * MS


def counter() -> SimpleNamespace:
    return SimpleNamespace(backoffs=0, backoff_time=0)


def test_each_pause_is_twice_as_long_as_the_last_up_to_a_limit() -> None:
    backoff, now, pauses = Backoff(counter()), NOW, []
    for _ in range(8):
        pauses.append(backoff.pause(now))
        now += pauses[-1] + MS
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-2:] == [LONGEST_PAUSE] * 2


def test_refusals_at_once_share_a_pause() -> None:
    counted = counter()
    backoff = Backoff(counted)
    assert [backoff.pause(NOW), backoff.pause(NOW + MS)] == [FIRST_PAUSE, FIRST_PAUSE - MS]
    assert (counted.backoffs, counted.backoff_time) == (1, FIRST_PAUSE)


def test_a_refusal_after_a_while_begins_anew() -> None:
    backoff = Backoff(counter())
    backoff.pause(NOW)
    backoff.pause(NOW + FIRST_PAUSE)
    assert backoff.pause(NOW + 3 * FIRST_PAUSE + 2 * FIRST_PAUSE) == FIRST_PAUSE


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """A URL whose port refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def refused_run(folder: Path, url: str, options: str, request: str = SINGLE) -> LocustRun:
    (folder / "slo.yaml").write_text("run: {errors: 1 %}")
    options = f"--headless --only-summary -t 2s --slo {folder / 'slo.yaml'} {options}"
    return finished_run(folder, url, FILE.replace("REQUEST", request), options)


@pytest.mark.parametrize("request_text", [SINGLE, f"[{SINGLE}, {SINGLE}]"], ids=["single", "two at once"])
def test_refused_users_of_a_closed_model_wait(tmp_path: Path, refusing_url: str, request_text: str) -> None:
    """50, 100, 200, 400 and 800 ms: at most seven attempts in two seconds and the time to stop."""
    run = refused_run(tmp_path, refusing_url, "-u 5 -r 5", request_text)
    (failed,) = run.requests().values()
    assert 5 <= failed <= 5 * 7 * request_text.count("request"), run.output[-3000:]
    facts = json.loads((run.results / "verdict.json").read_text())
    assert facts["verdict"] == "unreachable"
    assert "before they connected again to a target that refused" in (run.results / "verdict.md").read_text()


def test_refused_arrivals_come_as_planned(tmp_path: Path, refusing_url: str) -> None:
    run = refused_run(tmp_path, refusing_url, "-u 40 --rate 40 --arrivals even")  # users for a second of stalls
    counts = run.result["arrivals"]["Visitor"]
    assert (counts["dropped"], counts["started"] > 50) == (0, True)
    assert sum(health["backoffs"] for health in run.result["health"].values()) == 0
