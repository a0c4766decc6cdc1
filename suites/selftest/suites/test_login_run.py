"""Runs of pytest with a user name and a password alone: what they print, how they end, and what they keep secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.foreign_server import ForeignServer, foreign_server
from suites.selftest.suites.test_outcomes import Ended, ended_run

TESTS = ("suites/bitvis/test_methods.py", "suites/bitvis/test_equivalence.py", "-k", "reads or index or namespace")
TOKEN = re.compile(rb"issued-[0-9a-f-]{36}")

pytestmark = pytest.mark.xdist_group("report")


def settings_of(server: ForeignServer, **others: str) -> dict[str, str]:
    kept = {name: value for name, value in server.environ.items() if not name.endswith("TOKEN")}
    return {**kept, "BITVIS_RATE": "0", **{f"BITVIS_{name}": value for name, value in others.items()}}


def secrets_in(run: Ended, folder: Path, secrets: set[bytes]) -> set[bytes]:
    """Which of these texts the run has printed or written."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    written = run.pytest_text.encode() + run.text.encode() + b"".join(path.read_bytes() for path in files)
    return {secret for secret in secrets if secret in written}


def test_a_run_with_a_token_that_runs_out_passes_and_shows_no_secret(tmp_path: Path) -> None:
    with foreign_server("bitvis", "--variant", "bitvis.hands_out_a_token_that_runs_out") as server:
        settings = settings_of(server)
        run = ended_run(tmp_path, None, settings, *TESTS)
        tokens = set(TOKEN.findall(server.received_bytes()))
    assert run.pytest_code == 0, run.pytest_text[-3000:]
    assert f"bitvis: token from the login POST {server.url}/api/auth/auth/login/ (member data." in run.pytest_text
    assert tokens
    assert secrets_in(run, tmp_path, tokens | {settings["BITVIS_PASSWORD"].encode()}) == set()


@pytest.mark.parametrize(
    ("others", "line"),
    [
        ({}, "BITVIS_TOKEN: expected a token in the response to POST "),
        ({"PASSWORD": "another-word"}, "BITVIS_USERNAME, BITVIS_PASSWORD: expected a login by POST "),
        ({"LOGIN": "/nothing/"}, "BITVIS_USERNAME, BITVIS_PASSWORD: expected a login by POST "),
    ],
    ids=["no_token", "wrong_password", "wrong_path"],
)
def test_a_run_without_a_token_ends_as_misuse(tmp_path: Path, others: dict[str, str], line: str) -> None:
    with foreign_server("bitvis") as server:
        settings = settings_of(server, **others)
        run = ended_run(tmp_path, None, settings, *TESTS)
    assert (run.pytest_code, run.code) == (2, 2), run.pytest_text[-3000:]
    assert line in run.pytest_text
    assert "Traceback" not in run.pytest_text
    assert secrets_in(run, tmp_path, {settings["BITVIS_PASSWORD"].encode()}) == set()
