"""Tests of runs that record and compare behaviour, as processes: exit codes, records and what flips."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from contracts.exchange import Request
from fixtures.in_process_client import InProcessClient
from reports.drift.record_files import read_record, write_record
from suites.selftest.free_port import free_address
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
OPERATION = "GET /user"
SELECTION = ("-k", "flowback and GET and not users", "-p", "no:cacheprovider", "-q")
TEST = "suites/drift/test_behaviour.py"

pytestmark = pytest.mark.xdist_group("drift runs")  # they write the same results


def run(folder: Path, *arguments: str, path: str = TEST, **environ: str) -> CompletedProcess[str]:
    """pytest on the behaviour tests of one operation, with records in that folder."""
    options = [path, *SELECTION, f"--observed={folder}", *arguments, f"--alluredir={folder.parent / 'results'}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "FLOWBACK"))}
    mail = {"FLOWBACK_SMTP": free_address()}
    return run_module("pytest", options, {**clean, **mail, **environ}, 120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "observed"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompletedProcess[str]]:
    """A folder with the record of our reference, and the run that has made it."""
    folder = tmp_path_factory.mktemp("drift") / "observed"
    return folder, run(folder)


def test_the_first_run_records_and_is_inconclusive(
    recorded: tuple[Path, CompletedProcess[str]],
) -> None:
    folder, ended = recorded
    assert ended.returncode == 3, ended.stdout
    assert "flowback: recorded " in ended.stdout
    assert read_record(folder / "flowback").header.target == "our reference"


def test_a_run_after_it_compares_and_passes(recorded: tuple[Path, Any]) -> None:
    ended = run(recorded[0])
    assert (ended.returncode, "flowback: 0 changes" in ended.stdout) == (0, True), ended.stdout


def test_a_change_that_breaks_clients_fails(recorded: tuple[Path, Any]) -> None:
    ended = run(recorded[0], "--fault", "flowback.refuses_in_html", "--pause", "0")
    assert ended.returncode == 1, ended.stdout
    assert "GET /user answers text/html; charset=utf-8, was application/json" in ended.stdout
    assert "changed behaviour" in ended.stdout
    assert "a test without a clause" not in ended.stdout


def test_another_change_is_in_the_result(recorded: tuple[Path, Any]) -> None:
    run(recorded[0], "--fault", "flowback.shows_a_user_without_a_key", "--pause", "0")
    places = [place[2:] for change in result()["changes"] for place in change["places"]]
    assert places == [["access", "no credentials"]]
    (command,) = result()["curls"].values()
    assert command.startswith("curl ")


def test_the_same_behaviour_gives_the_same_record(recorded: tuple[Path, Any], folder: Path) -> None:
    run(folder)
    name = "GET user.yaml"
    assert (folder / "flowback" / name).read_text() == (recorded[0] / "flowback" / name).read_text()


@pytest.mark.slow
def test_two_workers_record_the_same(recorded: tuple[Path, Any], folder: Path) -> None:
    ended = run(folder, "-n", "2")
    assert ended.returncode == 3, ended.stdout
    name = "GET user.yaml"
    assert (folder / "flowback" / name).read_text() == (recorded[0] / "flowback" / name).read_text()


def test_behaviour_tests_are_not_collected_unless_asked_for(folder: Path) -> None:
    ended = run(folder, "--collect-only", path="suites")
    assert "test_behaviour" not in ended.stdout


def test_behaviour_tests_of_a_named_target_with_a_record_are_collected(recorded: tuple[Path, Any]) -> None:
    ended = run(recorded[0], "--collect-only", path="suites", FLOWBACK_URL="http://127.0.0.1:9", FLOWBACK_TOKEN="x")
    assert "test_behaviour[flowback GET /user]" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--plan", "huge"), "--plan: expected small or full, got 'huge'"),
        (("--pause", "soon"), "--pause: expected a number of seconds"),
    ],
)
def test_a_wrong_option_is_a_misuse(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    ended = run(folder, *arguments)
    assert (ended.returncode, says in ended.stdout + ended.stderr) == (2, True), ended.stdout + ended.stderr


def test_a_record_that_cannot_be_read_is_a_misuse(recorded: tuple[Path, Any], folder: Path) -> None:
    record = read_record(recorded[0] / "flowback")
    write_record(record, folder / "flowback")
    (folder / "flowback" / "record.yaml").write_text("api: [")
    ended = run(folder)
    said = ended.stdout + ended.stderr
    assert (ended.returncode, "record.yaml" in said, "Traceback" in said) == (2, True, False), said


def test_a_record_of_another_api_is_a_misuse(recorded: tuple[Path, Any], folder: Path) -> None:
    (folder).mkdir(parents=True)
    (folder / "flowback").symlink_to(recorded[0] / "flowback")
    (folder / "getflow").symlink_to(recorded[0] / "flowback")
    ended = run(folder)
    said = ended.stdout + ended.stderr
    assert (ended.returncode, "expected a record of getflow, got one of flowback" in said) == (2, True), said


class Troubled(BaseHTTPRequestHandler):
    """flowback's reference behind a server that can answer with trouble, or otherwise once."""

    client = InProcessClient("flowback", settings={})
    trouble = ""  # pattern of the URLs that are answered with 503
    once: list[str] = []  # parts of URLs that are answered with 404 one time  # noqa: RUF012

    def do_GET(self) -> None:
        if self.trouble and re.search(self.trouble, self.path):
            return self._reply(503, b"")
        for part in self.once:
            if part in self.path:
                self.once.remove(part)
                return self._reply(404, b"{}")
        headers = tuple((name, value) for name, value in self.headers.items() if name.lower() != "host")
        answer = self.client.send(Request(self.command, f"{self.client.target.url}{self.path}", headers)).response
        return self._reply(answer.status, answer.body, answer.headers)

    do_HEAD = do_GET  # noqa: N815

    def _reply(self, status: int, body: bytes, headers: Any = ()) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def somebodys_server() -> Iterator[dict[str, str]]:
    """A server that does not say that it is our reference; yields the settings of a run there."""
    Troubled.trouble, Troubled.once = "", []
    with ThreadingHTTPServer(("127.0.0.1", 0), Troubled) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        known = InProcessClient("flowback").target.settings
        settings = {f"FLOWBACK_{name}": value for name, value in known.items()}
        yield {**settings, "FLOWBACK_URL": f"http://127.0.0.1:{server.server_port}", "FLOWBACK_RATE": "0"}
        server.shutdown()


def test_trouble_and_what_flips_are_no_change_at_somebodys_server(folder: Path) -> None:
    with somebodys_server() as settings:
        first = run(folder, **settings)
        assert first.returncode == 3, first.stdout
        assert re.search(r"^flowback: about \d+ requests at most", first.stdout), first.stdout
        assert read_record(folder / "flowback").header.plan_size == "small"
        Troubled.once.append("no_such_parameter")
        flipped = run(folder, "--pause=0", **settings)
        assert (flipped.returncode, Troubled.once) == (0, []), flipped.stdout
        assert len(result()["became_unsteady"]) == 1
        Troubled.trouble = "no_such_parameter|id="
        troubled = run(folder, **settings)
    assert troubled.returncode == 3, troubled.stdout
    assert "questions met trouble: status 503" in troubled.stdout
    assert result()["changes"] == []


def test_a_target_that_does_not_answer_is_unreachable(recorded: tuple[Path, Any]) -> None:
    ended = run(recorded[0], FLOWBACK_URL="http://127.0.0.1:9", FLOWBACK_TOKEN="x")
    assert ended.returncode == 4, ended.stdout
    assert "127.0.0.1:9" in result()["unreachable"]


def result() -> dict[str, Any]:
    """What the last run has left for the report."""
    content: dict[str, Any] = json.loads((ROOT / "reports" / "out" / "drift" / "flowback.json").read_text())
    return content
