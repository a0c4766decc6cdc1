"""Tests of what pytest collects: the same tests in every process, each selectable by its id."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def collected(hash_seed: str, *arguments: str) -> list[str]:
    """The ids of the tests, in a process with that PYTHONHASHSEED."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:allure_pytest", *arguments]
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return [line for line in run.stdout.splitlines() if "::" in line]


def test_every_process_collects_the_same_in_the_same_order() -> None:
    assert collected("1", "suites") == collected("2", "suites")


def test_an_operation_is_addressed_by_its_label() -> None:
    address = "suites/generic/test_operations.py::test_valid_requests[getflow GET /tasks]"
    assert collected("1", address) == [address]


def test_a_run_against_targets_has_no_test_of_the_suite_itself() -> None:
    assert [test for test in collected("1") if "selftest" in test] == []
