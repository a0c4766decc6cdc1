"""What a run sends to somebody's server without permission to write: reads alone, and nothing of our reference's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

import contracts
from fixtures import reference
from fixtures.foreign_server import ForeignServer, ReceivedRequest, credentials, foreign_server
from suites.selftest.free_port import free_address
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
READS = {"LIST", "OPEN", "INDEX"}  # of bitvis
WRITES = re.compile(r"delete|update|create|drop|\brun\b", re.IGNORECASE)
pytestmark = [
    pytest.mark.slow(seconds=60),
    pytest.mark.xdist_group("read_only_run"),
]  # whose runs the tests of this file share
IDENTITY = ReceivedRequest("GET", "/.well-known/flowproof-reference")


def settings_of_run(api: str) -> dict[str, str]:
    """No limit of the rate, and a mailbox at a free port where the API sends mail."""
    mail = {"FLOWBACK_SMTP": free_address()} if api == "flowback" else {}
    return {f"{api.upper()}_RATE": "0", **mail}


def run(server: ForeignServer, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of that API's tests as a user starts it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", server.api.upper()))}
    tests = ["suites/generic", f"suites/{server.api}", "-k", server.api, "--effort", "quick"]
    plain = ["-p", "no:allure_pytest", "-p", "no:cacheprovider", "-q", *options]
    return run_module("pytest", [*tests, *plain], {**environ, **server.environ, **settings_of_run(server.api)}, 570)


@pytest.fixture(scope="module", params=contracts.apis())
def finished(request: pytest.FixtureRequest) -> Iterator[tuple[ForeignServer, str]]:
    """A server of each API after a run without permission to write, and what the run printed."""
    with foreign_server(request.param) as server:
        yield server, run(server).stdout


def is_permitted(sent: ReceivedRequest) -> bool:
    """Whether the request is on the list of what a run without permission may send."""
    if sent.method == "FRAME":
        return is_permitted_frame(sent.body.decode(errors="replace"))
    query = parse_qsl(urlsplit(sent.target).query.replace(";", "&"), keep_blank_values=True)
    methods = {value for name, value in (*sent.headers, *query) if "method" in name.lower()}
    if sent.method == "POST":
        return methods == {"INDEX"} and not sent.body
    return sent.method in ("GET", "HEAD") and not sent.body and methods <= READS | {""}


def is_permitted_frame(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    calls = value if isinstance(value, list) else [value]
    if all(isinstance(call, dict) and isinstance(call.get("method"), str) for call in calls):
        return {call["method"] for call in calls} | set(re.findall(r'"method":\s*"([^"]*)"', text)) <= READS
    methods = set(re.findall(r'method\\?": \\?"(\w+)', text))  # of a call that is no JSON, or a JSON text within one
    return "token" not in text or (bool(methods) and methods <= READS and not WRITES.search(text))


def test_everything_that_is_sent_is_on_the_list_of_reads(finished: tuple[ForeignServer, str]) -> None:
    received = finished[0].received()
    assert [sent for sent in received if not is_permitted(sent)] == []


def test_the_run_reads(finished: tuple[ForeignServer, str]) -> None:
    server, output = finished
    assert len(server.received()) > min(100, 5 * len(reference.load(server.api).FAULTS)), output[-2000:]
    assert int((re.search(r"(\d+) passed", output) or ["", "0"])[1]) > 30, output[-2000:]


def test_the_run_blames_nobody(finished: tuple[ForeignServer, str]) -> None:
    assert not re.search(r"\d+ (failed|error)", finished[1]), finished[1][-4000:]


def test_no_credential_of_our_reference_is_sent(finished: tuple[ForeignServer, str]) -> None:
    server, _ = finished
    sent = server.received_bytes()
    assert [secret for secret in credentials(server.api) if secret.encode() in sent] == []


def test_the_server_is_asked_who_it_is_first_and_once(finished: tuple[ForeignServer, str]) -> None:
    received = finished[0].received()
    assert (received[0].method, received[0].target) == (IDENTITY.method, IDENTITY.target)
    assert [sent.target for sent in received].count(IDENTITY.target) == 1


def test_the_question_has_no_credentials(finished: tuple[ForeignServer, str]) -> None:
    sent = {name.lower() for name, _ in finished[0].received()[0].headers}
    assert sent <= {"host", "connection", "user-agent", "accept-encoding"}


@pytest.mark.parametrize("api", contracts.apis())
def test_nothing_is_borrowed_from_our_reference(api: str) -> None:
    """A run that has nothing but a URL names the token that it needs, and sends none."""
    with foreign_server(api) as server:
        server.environ = {f"{api.upper()}_URL": server.url}
        ended = run(server, "-k", f"{api} and test_documented_requests")
        output = ended.stdout + ended.stderr
        sent = server.received_bytes()
    assert re.search(rf"{api.upper()}_TOKEN\b.*(is not set|expected to be set)", output)
    assert [secret for secret in credentials(api) if secret.encode() in sent] == []
