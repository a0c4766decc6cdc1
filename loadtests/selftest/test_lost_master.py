"""A worker whose master is gone ends within ten seconds, also before a run, and says why in one line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from loadtests.distributed import master_watch
from loadtests.selftest.locust_run import LocustRun, free_port, running_locust, wait_until

PATIENCE = 10.0  # seconds; Locust itself waits for 300
IDLE = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(1)

    @journey
    def visit(self):
        yield 1
"""
PREPARING = """
from locust import events
from locust.runners import WorkerRunner
from loadtests.distributed.run_state import state_of

@events.test_start.add_listener
def prepare(environment, **_):
    print("preparing", flush=True)
    while isinstance(environment.runner, WorkerRunner):
        state_of(environment).pause()
"""
BUSY = """
from gevent.monkey import get_original
from locust import events

@events.init.add_listener
def compute(**_):
    get_original("time", "sleep")(12)
"""
NOWHERE = "http://127.0.0.1:9"


def seconds_until_end(run: LocustRun) -> float:
    began = time.monotonic()
    run.wait()
    return time.monotonic() - began


@pytest.mark.slow
def test_a_worker_that_never_met_a_master_ends_and_says_so(tmp_path: Path) -> None:
    port = free_port()
    with running_locust(
        tmp_path, NOWHERE, IDLE, f"--worker --master-host 127.0.0.1 --master-port {port} --loglevel WARNING"
    ) as run:
        code, lines = run.wait(), run.output.splitlines()
    expected = f"no master answers at 127.0.0.1:{port}: start it first, or name it with --master-host and --master-port"
    assert (code, lines) == (2, [expected])


@pytest.mark.parametrize(
    ("text", "options", "event"),
    [
        (IDLE, "--expect-workers 2", "1 workers connected"),
        pytest.param(IDLE + PREPARING, "--expect-workers 1 -t 60s", "", marks=pytest.mark.slow),
    ],
    ids=["waiting", "preparing"],
)
def test_a_worker_ends_soon_after_its_master_died_before_the_run(
    tmp_path: Path, text: str, options: str, event: str
) -> None:
    port = free_port()
    master = f"--master --headless -u 1 -r 1 {options} --master-bind-host 127.0.0.1 --master-bind-port {port}"
    worker = f"--worker --master-host 127.0.0.1 --master-port {port}"
    with (
        running_locust(tmp_path / "master", NOWHERE, text, master) as of_master,
        running_locust(tmp_path / "worker", NOWHERE, text, worker) as of_worker,
    ):
        wait_until(lambda: event in of_master.output if event else "preparing" in of_worker.output, "the worker")
        of_master.process.kill()
        assert seconds_until_end(of_worker) < PATIENCE


@pytest.mark.slow
def test_a_busy_master_is_there(tmp_path: Path) -> None:
    """One that does not answer, but accepts connections: it may be preparing a run."""
    port = free_port()
    master = "--master --headless -u 1 -r 1 -t 1s --expect-workers 1"
    master += f" --master-bind-host 127.0.0.1 --master-bind-port {port}"
    worker = f"--worker --master-host 127.0.0.1 --master-port {port}"
    with (
        running_locust(tmp_path / "master", NOWHERE, IDLE + BUSY, master) as of_master,
        running_locust(tmp_path / "worker", NOWHERE, IDLE, worker) as of_worker,
    ):
        of_master.wait()
        assert (of_worker.wait(), "no master answers" in of_worker.output) == (0, False)


def test_nothing_accepts_at_a_free_port() -> None:
    assert not master_watch.accepts("127.0.0.1", free_port())
