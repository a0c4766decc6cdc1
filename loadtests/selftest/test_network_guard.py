"""The guard refuses every way to a place that is no target's, in each process that sends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import finished_run
from loadtests.selftest.ways_out import LOOK_UPS, WAYS

ROOT = Path(__file__).parents[2]
ELSEWHERE = "127.0.0.2"  # on loopback, and no target's
PATIENCE = 120.0  # seconds


class Trap:
    """Counts what arrives at its port by TCP and UDP."""

    def __init__(self) -> None:
        self.arrivals = 0

    def bind(self) -> tuple[socket.socket, socket.socket]:
        """Two sockets with the same free port."""
        listening = socket.create_server((ELSEWHERE, 0))
        self.port = listening.getsockname()[1]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((ELSEWHERE, self.port))
        return listening, datagrams

    def accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self.arrivals += 1
                connection.close()

    def receive(self, datagrams: socket.socket) -> None:
        with suppress(OSError):
            while datagrams.recv(100):
                self.arrivals += 1


@contextmanager
def trap() -> Iterator[Trap]:
    elsewhere = Trap()
    listening, datagrams = elsewhere.bind()
    threads = [
        threading.Thread(target=elsewhere.accept, args=(listening,)),
        threading.Thread(target=elsewhere.receive, args=(datagrams,)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield elsewhere
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            datagrams.shutdown(socket.SHUT_RDWR)  # wakes the thread, although it is not connected
        for thread in threads:
            thread.join(PATIENCE)
        listening.close()
        datagrams.close()


def tried(port: int, mode: str) -> dict[str, str]:
    command = [sys.executable, "-m", "loadtests.selftest.ways_out", ELSEWHERE, str(port), mode]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT, env=environment())
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "*", **more}


pytestmark = pytest.mark.xdist_group("network-guard")  # what one fixture has made serves several tests


@pytest.fixture(scope="module")
def guarded() -> tuple[dict[str, str], int]:
    """What became of each way with the guard, and how much arrived."""
    with trap() as elsewhere:
        return tried(elsewhere.port, "guarded"), elsewhere.arrivals


@pytest.mark.parametrize("way", [*WAYS, *LOOK_UPS])
def test_a_way_out_is_refused(way: str, guarded: tuple[dict[str, str], int]) -> None:
    assert guarded[0][way] == "AddressNotPermitted"


def test_nothing_arrives(guarded: tuple[dict[str, str], int]) -> None:
    assert guarded[1] == 0


def test_without_the_guard_everything_arrives() -> None:
    with trap() as elsewhere:
        outcomes = tried(elsewhere.port, "open")
        assert "AddressNotPermitted" not in outcomes.values()
    assert elsewhere.arrivals >= len(WAYS)


TRIES = """
import socket
import pytest

@pytest.mark.parametrize("host", {hosts})
def test_way_out(host):
    socket.create_connection((host, {port}), 5)
"""


@pytest.mark.parametrize(
    "options", [pytest.param([], id="one process"), pytest.param(["-n", "1"], id="xdist", marks=pytest.mark.slow)]
)
def test_the_suites_run_under_the_guard(options: list[str], tmp_path: Path) -> None:
    with trap() as elsewhere:
        test = tmp_path / "test_tries.py"
        test.write_text(TRIES.format(hosts=[ELSEWHERE], port=elsewhere.port))
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)]
        command += ["-p", "suites.conftest", "-p", "no:cacheprovider", "-q", *options, str(test)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path, env=environment()
        )
    assert f"AddressNotPermitted: refused to connect to {ELSEWHERE}:{elsewhere.port}" in done.stdout, done.stdout
    assert elsewhere.arrivals == 0


LOCUSTFILE = """
import requests
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey
register()

class Strays(JourneyUser):
    wait_time = constant(1)
    def on_start(self):
        try:
            requests.get("http://{elsewhere}")
        except Exception as error:
            print("on_start:", error)
    @journey
    def read(self):
        yield self.request("GET", "/")
        print("the target answers")
"""


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("", id="local", marks=pytest.mark.slow),
        pytest.param("--processes 1 --master-bind-host 127.0.0.1", id="worker"),
    ],
)
def test_load_runs_under_the_guard(options: str, tmp_path: Path) -> None:
    with trap() as elsewhere, running_target() as target:
        text = LOCUSTFILE.format(elsewhere=f"{ELSEWHERE}:{elsewhere.port}")
        run = finished_run(tmp_path, target.url, text, f"--headless -u 1 -t 3 {options}")
    assert f"on_start: refused to connect to {ELSEWHERE}:{elsewhere.port}: not an address of a target" in run.output
    assert "the target answers" in run.output
    assert elsewhere.arrivals == 0


MIXED = """
from locust import HttpUser, constant, task
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey
register()

class Ours(JourneyUser):
    wait_time = constant(1)
    @journey
    def read(self):
        yield self.request("GET", "/ours")

class Locusts(HttpUser):
    wait_time = constant(1)
    @task
    def read(self):
        self.client.get("/locusts")
"""


@pytest.mark.slow
def test_locusts_own_users_reach_the_host_of_the_run(tmp_path: Path) -> None:
    with running_target() as target:
        finished_run(tmp_path, target.url, MIXED, "--headless -u 2 -t 5")
    assert {"/ours", "/locusts"} <= set(target.counts())


PERMITTED = """
import sys
from contracts.exchange import Request
from fixtures import network_guard
from fixtures.http_client import HttpClient
from fixtures.targets import from_environment
network_guard.install()
permitted, refused = sys.argv[1:]
target = from_environment("getflow", {"GETFLOW_URL": permitted})
print(HttpClient(target.url, "GETFLOW_URL").send(Request("GET", f"{permitted}/")).response.status)
try:
    HttpClient(refused, "GETFLOW_URL").send(Request("GET", f"{refused}/"))
except network_guard.AddressNotPermitted as error:
    print(error)
"""


def test_host_and_port_of_a_target_are_permitted_and_no_other_port(tmp_path: Path) -> None:
    with running_target() as target, running_target() as other:
        urls = [server.url.replace("127.0.0.1", "localhost") for server in (target, other)]
        command = [sys.executable, "-c", PERMITTED, *urls]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT, env=environment(HOME=str(tmp_path))
        )
    port = other.url.rpartition(":")[2]
    assert done.stdout.splitlines()[:1] == ["200"], done.stderr
    assert f":{port}: not an address of a target; <API>_URL names the server to test" in done.stdout
    assert other.hits == []
