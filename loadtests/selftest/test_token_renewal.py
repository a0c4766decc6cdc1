"""A load run with a user name and a password alone: its token comes from a login, and is renewed before it runs out."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from fixtures.foreign_server import foreign_server
from fixtures.network_routes import DIRECT
from fixtures.run_login import RunLogin
from loadtests.locust_plugin.token_listeners import seconds_until_renewal
from loadtests.selftest.locust_run import LocustRun

JOURNEYS = "from loadtests.bitvis import Bitvis\n"
TOKEN = re.compile(rb"issued-[0-9a-f-]{36}")


@pytest.mark.parametrize(("seconds", "used"), [(None, 60.0), (100.0, 60.0), (0.0, 0.0), (-5.0, 0.0)])
def test_a_token_is_used_for_a_part_of_its_time(seconds: float | None, used: float) -> None:
    login = RunLogin("bitvis", "http://127.0.0.1:9", "/login", "jo", "hush", DIRECT, seconds=seconds)
    assert seconds_until_renewal(login) == used


@pytest.mark.slow
def test_no_request_is_refused_for_a_token_that_runs_out(tmp_path: Path) -> None:
    with foreign_server("bitvis", "--variant", "bitvis.hands_out_a_token_in_a_header") as server:
        settings = {name: value for name, value in server.environ.items() if not name.endswith("TOKEN")}
        permit = {"LOAD_PERMITTED_BY": f"the self-tests, {date.today()}"}
        run = LocustRun(tmp_path, server.url, JOURNEYS, "--headless --rate 8 -u 8 -t 7s", settings | permit)
        run.wait()
        tokens = set(TOKEN.findall(server.received_bytes()))
    assert len(tokens) >= 2, "expected a renewal after three seconds"
    objectives = [line.split() for line in run.output.splitlines() if line.startswith(("run errors", "run violations"))]
    assert [line[-1] for line in objectives] == ["pass", "pass"], run.output
    assert f"bitvis: token from the login POST {server.url}/api/auth/auth/login/" in run.output
    written = run.output.encode() + b"".join(path.read_bytes() for path in run.results.rglob("*") if path.is_file())
    assert not [token for token in tokens if token in written]
    assert settings["BITVIS_PASSWORD"].encode() not in written
