"""Records that a run makes at somebody's server are removed however the run ends; what is left is counted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures import record_ledger
from fixtures.cleanup import listed_records
from fixtures.foreign_server import ForeignServer, foreign_server
from fixtures.record_kinds import record_kinds
from fixtures.record_ledger import read_ledger
from fixtures.target_api import Api
from fixtures.targets import from_environment

ROOT = Path(__file__).parents[3]
PATIENCE = 240.0  # seconds until an event that does not come is a failure
ENDS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("made_records")]


@pytest.fixture
def server() -> Iterator[ForeignServer]:
    with foreign_server("getflow") as server:
        server.environ["GETFLOW_WRITES"] = "1"
        yield server


def environ_of(server: ForeignServer) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not re.match("PYTEST|[A-Z]+_URL|FLOWPROOF", name)}
    return {**own, **server.environ, "PYTHONPATH": str(ROOT)}


def start(server: ForeignServer, *arguments: str) -> subprocess.Popen[str]:
    """A run of some tests as a user starts it."""
    command = [sys.executable, "-m", "pytest", *arguments, "-p", "no:allure_pytest", "-p", "no:cacheprovider"]
    return subprocess.Popen(
        [*command, "-q", "--effort", "quick"],
        cwd=ROOT,
        env=environ_of(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def creating_run(server: ForeignServer, creations: int, *options: str) -> subprocess.Popen[str]:
    """A run that has sent so many requests that make records, and goes on."""
    process = start(server, "suites/generic/test_records.py", "-k", "getflow", *options)
    deadline = time.monotonic() + PATIENCE
    while sum(sent.method == "POST" for sent in server.received()) < creations:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no records are made"
        time.sleep(0.05)
    return process


def output_of(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=PATIENCE)[0]


def cleanup(server: ForeignServer, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fixtures.cleanup", "--folder", str(ledger_folder(server))],
        cwd=ROOT,
        env={**environ_of(server), **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def ledger_folder(server: ForeignServer) -> Path:
    """The folder of the ledgers of runs at that server; one that does not exist if there is none."""
    paths = record_ledger.FOLDER.rglob("*.jsonl") if record_ledger.FOLDER.is_dir() else []
    ledgers = [ledger for path in paths if (ledger := read_ledger(path))]
    return next((it.path.parent for it in ledgers if it.url == server.url), record_ledger.FOLDER / "none")


def record_ids(server: ForeignServer) -> dict[str, list[Any]]:
    """The ids of all records at the server, by kind."""
    target = from_environment("getflow", server.environ)
    assert target
    api = Api(target)
    return {kind.name: [item["id"] for item in listed_records(api, kind)] for kind in record_kinds("getflow")[::2]}


def test_a_run_leaves_nothing_that_can_be_deleted(server: ForeignServer) -> None:
    before = record_ids(server)
    output = output_of(start(server, "suites/getflow/test_record_lifecycle.py", "suites/getflow/test_dates.py"))
    assert "passed" in output
    assert record_ids(server) == before, output
    assert not ledger_folder(server).exists()


def test_the_workers_of_a_run_leave_nothing(server: ForeignServer) -> None:
    before = record_ids(server)
    output = output_of(start(server, "suites/getflow/test_record_lifecycle.py", "-n", "2"))
    assert "passed" in output
    assert record_ids(server) == before, output


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_interrupted_run_leaves_nothing(server: ForeignServer, end: signal.Signals) -> None:
    before = record_ids(server)
    process = creating_run(server, 5)
    process.send_signal(end)
    output = output_of(process)
    assert process.returncode == 2, output
    assert record_ids(server) == before, output
    assert not ledger_folder(server).exists()


def test_an_interrupted_run_with_workers_leaves_nothing(server: ForeignServer) -> None:
    before = record_ids(server)
    process = creating_run(server, 5, "-n", "2")
    process.send_signal(signal.SIGTERM)
    output = output_of(process)
    assert record_ids(server) == before, output
    assert not ledger_folder(server).exists(), output


def kill(server: ForeignServer, process: subprocess.Popen[str]) -> None:
    """Kills the run while it has records, and no request is under way whose record only the run could recognise."""
    while True:
        process.send_signal(signal.SIGSTOP)
        ledgers = [ledger for path in ledger_folder(server).glob("*") if (ledger := read_ledger(path))]
        states = {entry.state for ledger in ledgers for entry in ledger.entries}
        if "created" in states and "sent" not in states:
            break
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    process.kill()
    output_of(process)


def test_what_a_killed_run_leaves_is_removed_by_the_command(server: ForeignServer) -> None:
    before = record_ids(server)
    kill(server, creating_run(server, 12))
    assert record_ids(server) != before, "the run was killed before it had made a record"
    cleaned = cleanup(server)
    assert cleaned.returncode == 0, cleaned.stderr
    assert re.match(r"getflow: records of this run: \d+ \w+.* removed", cleaned.stdout), cleaned.stdout
    assert record_ids(server) == before
    assert cleanup(server).stdout == "no run has left anything\n"


@pytest.fixture(scope="module")
def killed() -> Iterator[ForeignServer]:
    """A server at which a killed run has left records."""
    with foreign_server("getflow") as server:
        server.environ["GETFLOW_WRITES"] = "1"
        kill(server, creating_run(server, 5))
        yield server
        cleanup(server)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"GETFLOW_URL": ""}, "GETFLOW_URL: expected a URL such"),
        ({"GETFLOW_URL": "http://127.0.0.1:1/getflow"}, "GETFLOW_URL: expected http://127"),
        ({"GETFLOW_WRITES": ""}, "GETFLOW_WRITES: expected 1"),
    ],
    ids=["no URL", "the URL of another server", "no permission"],
)
def test_nothing_is_deleted_unasked(killed: ForeignServer, settings: dict[str, str], reason: str) -> None:
    before = record_ids(killed)
    refused = cleanup(killed, **settings)
    assert (refused.returncode, refused.stderr[: len(reason)]) == (2, reason)
    assert record_ids(killed) == before


def test_a_run_that_goes_on_keeps_its_records(server: ForeignServer) -> None:
    process = creating_run(server, 5)
    process.send_signal(signal.SIGSTOP)
    before = record_ids(server)
    assert cleanup(server).stdout == "no run has left anything\n"
    assert record_ids(server) == before
    process.send_signal(signal.SIGCONT)
    process.terminate()
    output_of(process)


def test_what_the_api_cannot_delete_is_counted() -> None:
    with foreign_server("flowapp") as server:
        server.environ["FLOWAPP_WRITES"] = "1"
        output = output_of(start(server, "suites/flowapp/test_event_creation.py", "-k", "stored"))
    assert re.search(r"flowapp: records of this run: \d+ events left, because the API cannot delete them", output), (
        output
    )
