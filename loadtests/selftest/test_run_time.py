"""A run lasts what was planned from when its users may send, however long its preparation takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import distributed_options, finished_run, free_port

PREPARED_SLOWLY = """
import gevent
from locust import constant, events
from locust.runners import MasterRunner
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

@events.test_start.add_listener
def prepare(environment, **_):
    if not isinstance(environment.runner, MasterRunner):
        gevent.sleep(2)

register()

class Reader(JourneyUser):
    wait_time = constant(0.05)

    @journey
    def read(self):
        yield self.request("GET", "/read")
"""
STARTS = {
    "local": "--headless -u 4 -r 4",
    "workers": "--headless -u 4 --rate 50 {workers}",
    "web UI": "--autostart --autoquit 0 --web-host 127.0.0.1 --web-port {port} -u 4 -r 4",
}


@pytest.mark.parametrize("start", STARTS)
def test_preparation_takes_no_time_of_the_run(tmp_path: Path, start: str) -> None:
    options = STARTS[start].format(workers=distributed_options(), port=free_port())
    with running_target() as target:
        run = finished_run(tmp_path, target.url, PREPARED_SLOWLY, f"{options} -t 3s")
    load = target.hits[-1].at - target.hits[0].at
    assert (run.result["planned"], 2.9 < run.result["seconds"] < 20, 2 < load < 20) == (3, True, True), run.output
