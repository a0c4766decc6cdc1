"""The README's lines for an installation, tried at a server with habits of its own: an engine of the text protocol that
provides names with outer slashes, a token by a login alone, and 0.2 seconds for each answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fixtures.foreign_server import foreign_server
from suites.selftest.suites.slow_relay import slow_relay
from suites.selftest.suites.test_outcomes import ROOT, ended_run

SECONDS = 0.2
HABITS = ("provides_names_with_outer_slashes", "hands_out_a_token_that_runs_out", "writes_every_time_with_an_offset")
README_VARIABLE = re.compile(r"^export (BITVIS_\w+)=|(?<= )(BITVIS_PASSWORD)=", re.MULTILINE)
TESTS = (
    *("suites/bitvis/test_text_calls.py", "suites/bitvis/test_equivalence.py", "suites/bitvis/test_public_clients.py"),
    *("-k", "namespace or acknowledged or one_answer or refuses or each_response or devices_of_a_point"),
)

pytestmark = pytest.mark.xdist_group("report")


def readme_variables() -> set[str]:
    """The variables that the README names for an installation."""
    section = (ROOT / "README.md").read_text("utf-8").partition("### At an installation")[2].partition("\n## ")[0]
    return {first or second for first, second in README_VARIABLE.findall(section)}


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """What the README has to be set at that server."""
    options = [text for name in HABITS for text in ("--variant", f"bitvis.{name}")]
    with foreign_server("bitvis", *options) as server, slow_relay(urlsplit(server.url).port or 0, SECONDS) as port:
        yield {
            "BITVIS_URL": f"http://127.0.0.1:{port}/bitvis",
            "BITVIS_USERNAME": server.environ["BITVIS_USERNAME"],
            "BITVIS_PASSWORD": server.environ["BITVIS_PASSWORD"],
            "BITVIS_POP_ID": server.environ["BITVIS_POP_ID"],
            "BITVIS_DEEPSTREAM": f"ws://127.0.0.1:{port}/bitvis/deepstream-v3",
            "BITVIS_RATE": "0",
        }


def test_the_lines_of_the_readme_are_settings(environ: dict[str, str]) -> None:
    assert {
        "BITVIS_URL",
        "BITVIS_USERNAME",
        "BITVIS_PASSWORD",
        "BITVIS_DEEPSTREAM",
        "BITVIS_LOGIN",
    } <= readme_variables()
    assert readme_variables() - {"BITVIS_TOKEN", "BITVIS_LOGIN", "BITVIS_DEEPSTREAM_PROTOCOL"} <= environ.keys()


@pytest.mark.slow(seconds=40)
def test_an_installation_with_habits_of_its_own_has_no_finding(environ: dict[str, str], tmp_path: Path) -> None:
    run = ended_run(tmp_path, None, environ, *TESTS, "--effort", "quick", "-rA")
    assert run.pytest_code == 0, run.pytest_text[-4000:]
    passed = re.findall(r"^PASSED \S+", run.pytest_text, re.MULTILINE)
    assert len([name for name in passed if "test_text_calls" in name]) >= 5, run.pytest_text[-4000:]
    assert [name for name in passed if "test_devices_of_a_point" in name and "deepstream-text" in name]
    assert [name for name in passed if "test_a_namespace_has_the_same_effect" in name]
    assert "bitvis: token from the login POST" in run.pytest_text
