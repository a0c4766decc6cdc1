"""What the load generator's machine runs out of is no failure of the target, and the verdict says what to raise."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadtests.distributed import machine
from loadtests.engine import byte_stream
from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import LocustRun, finished_run
from loadtests.selftest.peers import OK, always, engine_client, scripted_server

LIMITED = """
import resource
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(0.05)

    @journey
    def visit(self):
        yield self.request("GET", "/slow")
"""
EARLY = (
    LIMITED + "\nfrom locust import events\nevents.init.add_listener(lambda **_: LIMIT)\n"
)  # Locust raises it before
LATE = LIMITED.replace(
    "        yield", "        resource.setrlimit(resource.RLIMIT_NOFILE, (48, 20000))\n        yield"
)
SLO = "run: {errors: 1 %}"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (errno.EMFILE, "raise ulimit -n"),
        (errno.ENFILE, "raise fs.file-max"),
        (errno.EADDRNOTAVAIL, "widen net.ipv4.ip_local_port_range"),
        (errno.ENOBUFS, "no buffer space"),
        (errno.ENOMEM, "out of memory"),
    ],
)
@pytest.mark.parametrize("call", ["socket", "connect"])
def test_what_the_machine_lacks_is_the_generators_failure(
    monkeypatch: pytest.MonkeyPatch, call: str, code: int, text: str
) -> None:
    class Exhausted(byte_stream.socket):  # type: ignore[misc] # the C socket
        def __init__(self, *arguments: Any) -> None:
            if call == "socket":
                raise OSError(code, "exhausted")
            super().__init__(*arguments)

        def connect_ex(self, _: object) -> int:
            return code

    monkeypatch.setattr(byte_stream, "socket", Exhausted)
    with scripted_server(always(OK)) as server, engine_client() as client:
        (response,) = client.ask(client.request(server.url()))
    assert response.error is not None
    assert response.error.startswith("load generator: ")
    assert text in response.error


def run_with(folder: Path, text: str, options: str) -> LocustRun:
    (folder / "slo.yaml").write_text(SLO)
    with running_target() as target:
        command = f"--headless --only-summary -t 3s --slo {folder / 'slo.yaml'} {options}"
        return finished_run(folder, target.url, text, command)


def test_a_generator_without_files_is_inconclusive_and_blames_no_target(tmp_path: Path) -> None:
    run = run_with(tmp_path, LATE, "-u 60 -r 60")
    facts = json.loads((run.results / "verdict.json").read_text())
    assert (run.process.returncode, facts["verdict"]) == (3, "inconclusive"), run.output[-3000:]
    assert [objective["verdict"] for objective in facts["objectives"]] == ["pass"]
    assert any("could not be sent: load generator: too many open files (EMFILE)" in text for text in facts["reasons"])


def test_users_that_cannot_all_connect_stop_the_run_before_its_first_journey(tmp_path: Path) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 20000))"
    run = run_with(tmp_path, EARLY.replace("LIMIT)", f"{limit})"), "-u 300 -r 300")
    (line,) = [text for text in run.output.splitlines() if text.startswith("load: ")]
    assert run.process.returncode == 3, run.output[-3000:]
    assert line.startswith("load: inconclusive: the load generator may open 100 files and has ")
    assert "but 300 users need a connection each: raise ulimit -n to " in line


def test_arrivals_that_need_few_connections_run_with_few_files(tmp_path: Path) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 20000))"
    run = run_with(tmp_path, EARLY.replace("LIMIT)", f"{limit})"), "-u 300 --rate 20")
    assert "the load generator may open 100 files" in run.output
    assert run.result["operations"][0]["summary"]["failures"] == 0


def test_a_port_range_that_is_too_narrow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "range").write_text("32768\t32867\n")
    monkeypatch.setattr(machine, "PORT_RANGE_FILE", tmp_path / "range")
    assert machine.missing_capacity(100) == ""
    assert machine.missing_capacity(101).startswith(
        "this machine has 100 ports for connections to one address, but 101"
    )


def test_the_revision_is_the_one_that_a_ci_server_builds(tmp_path: Path) -> None:
    assert machine.revision({"GITHUB_SHA": "", "CI_COMMIT_SHA": "abc"}, tmp_path) == "abc"


def test_the_revision_is_that_of_the_checkout_otherwise(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@shop.example", "-C", str(tmp_path)]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"], ["tag", "-m", "t", "v1"]):
        subprocess.run([*git, *arguments], check=True)
    assert machine.revision({}, tmp_path) == "v1"


@pytest.mark.parametrize("name", [".", "none"])
def test_without_a_checkout_there_is_no_revision(tmp_path: Path, name: str) -> None:
    assert machine.revision({}, tmp_path / name) == ""
