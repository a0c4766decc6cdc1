"""A run with one broken contract: exit code 2, one line that names file and line, and the other APIs are tested."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("contracts", "fixtures", "reports", "suites")
EXIT_BROKEN = 2


pytestmark = pytest.mark.xdist_group("broken_contract_run")  # the tests share a copy of the files


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the suites need; its bytecode is kept from run to run."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", ".cache", "out", "node_modules", "selftest")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def checkout(copied: Path) -> Iterator[Path]:
    """That copy, whose contracts are put back after a test."""
    yield copied
    shutil.copytree(
        ROOT / "contracts", copied / "contracts", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )


def run_pytest(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest there against our own references."""
    environ = {name: value for name, value in os.environ.items() if not re.fullmatch(r"[A-Z]+_URL|PYTEST_.*", name)}
    environ |= {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, timeout=600, check=False)


def test_broken_contract_is_reported_in_one_line_and_the_others_are_tested(checkout: Path) -> None:
    clauses = checkout / "contracts" / "flowback" / "clauses.yaml"
    lines = clauses.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.startswith("  grade:"))
    lines[number] = "  grade: sure\n"
    clauses.write_text("".join(lines))
    done = run_pytest(checkout, "suites/flowback", "suites/flowapp/test_sso.py")
    assert done.returncode == EXIT_BROKEN, done.stdout + done.stderr
    reported = [line for line in done.stdout.splitlines() if "clauses.yaml" in line]
    assert len(reported) == 1, done.stdout
    assert f"contracts/flowback/clauses.yaml, line {number + 1}: grade: got 'sure', expected stated," in reported[0]
    assert re.search(r"\b[1-9]\d* passed", done.stdout), done.stdout
    assert not re.search(r"\bfailed|INTERNALERROR|Traceback", done.stdout + done.stderr), done.stdout + done.stderr


def test_missing_file_of_a_contract_stops_no_other_api(checkout: Path) -> None:
    (checkout / "contracts" / "getflow" / "readings.yaml").unlink()
    done = run_pytest(checkout, "suites/generic", "--collect-only")
    assert done.returncode == EXIT_BROKEN, done.stdout + done.stderr
    assert done.stdout.count("contracts/getflow/readings.yaml is missing: expected a file of that name") == 1
    for api, is_collected in {"flowapp": True, "flowback": True, "bitvis": True, "getflow": False}.items():
        assert (f"test_documented_requests[{api} " in done.stdout) is is_collected, api
    assert "INTERNALERROR" not in done.stdout + done.stderr
