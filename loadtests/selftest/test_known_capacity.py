"""A server that bears exactly so many requests a second is found to, twice alike."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from loadtests.selftest.faulty_target import running_server
from loadtests.selftest.locust_run import finished_run
from loadtests.selftest.test_run_verdict import FILE

CAPACITY = 100.0  # requests a second
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
PROFILES = """
sought:
  why: What does the server bear? Four percent above it, requests wait for 0.4 s after ten seconds.
  rate: 80 /s
  users: 150
  search: {step: 10 s, settle: 2 s, precision: 3 %, confirm: 1, most: 400 /s}
  generator: {late: 20 s, stalled: 1000 %}  # of a machine that runs other tests as well
"""
SLO = "run: {errors: 0 %, dropped: 0 %, p95: 250 ms}"


class Queue(asyncio.Protocol):
    """One connection to a server that responds to one request after the other, each in the same time."""

    free_at = 0.0  # when the server has responded to all requests that came

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, _: bytes) -> None:
        loop = asyncio.get_running_loop()
        Queue.free_at = max(loop.time(), Queue.free_at) + 1 / CAPACITY
        loop.call_at(Queue.free_at, self._transport.write, RESPONSE)


def measured_capacity(folder: Path) -> float:
    """The highest rate at which the objectives are met, by a search of its own."""
    profiles, objectives = folder / "profiles.yaml", folder / "slo.yaml"
    profiles.write_text(PROFILES)
    objectives.write_text(SLO)
    options = f"--headless --only-summary --arrivals even --profiles {profiles} --profile sought --slo {objectives}"
    with running_server(Queue) as url:
        run = finished_run(folder, url, FILE, options)
    search = json.loads((run.results / "verdict.json").read_text())["search"]
    assert search["why"] == "", run.output[-3000:]
    return float(search["highest"])


@pytest.mark.slow
def test_a_known_capacity_is_measured_within_5_percent_twice_alike(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = (measured_capacity(folder) for folder in folders)
    assert abs(first - CAPACITY) <= 0.05 * CAPACITY
    assert abs(second - first) <= 0.05 * CAPACITY
