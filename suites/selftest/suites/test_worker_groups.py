"""With `-n`, all tests of a target that is named run in one worker, and those of our own reference in any."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.targets import embedded_references

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow
NOWHERE = "127.0.0.1:9"  # no mail is sent in these tests


def run_tests(options: str, url: str = "") -> tuple[int, str]:
    """The exit code and output of the documented requests of flowapp, at that target, with two workers."""
    environment = {
        name: value for name, value in os.environ.items() if not re.match(r"PYTEST|[A-Z]+_(URL|SMTP)$", name)
    }
    environment |= {"FLOWAPP_URL": url} if url else {}
    command = [sys.executable, "-m", "pytest", "suites/generic", "-v", "-k", "flowapp and documented", "-n", "2"]
    command += ["-p", "no:allure_pytest", "-p", "no:cacheprovider", *options.split()]
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A reference of flowapp that is named by its URL, as a server of somebody's own."""
    with embedded_references(["flowapp"], NOWHERE) as targets:
        yield targets["flowapp"].url


@pytest.mark.parametrize("options", ["", "--dist loadgroup"])
def test_a_named_target_is_tested_by_one_worker(url: str, options: str) -> None:
    code, output = run_tests(options, url)
    workers = re.findall(r"^\[(gw\d)\].*PASSED", output, re.MULTILINE)
    assert (code, len(workers) > 1, len(set(workers))) == (0, True, 1), output


def test_our_own_reference_is_tested_by_all_workers() -> None:
    code, output = run_tests("")
    workers = re.findall(r"^\[(gw\d)\].*PASSED", output, re.MULTILINE)
    assert (code, set(workers)) == (0, {"gw0", "gw1"}), output
