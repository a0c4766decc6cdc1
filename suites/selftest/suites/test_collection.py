"""Tests of what pytest collects: the same tests in every process, each selectable by its id."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import contracts
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.corpus import EFFORTS, Corpus, corpus
from suites.generic import test_operations
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
# Operations whose valid requests can vary, but only as far as the documented and boundary ones do.
MOST_WITHOUT_NEW_CASES = defaultdict(int, {"test_valid_requests": 2})

LISTING = ("--collect-only", "-q", "-p", "no:allure_pytest", "--effort=quick")

pytestmark = pytest.mark.xdist_group("collection")  # several tests read what one process has collected


@cache
def collected(hash_seed: str, *arguments: str) -> list[str]:
    """The ids of the tests of a quick run, in a process with that PYTHONHASHSEED."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "pytest", *LISTING, *arguments]
    run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return [line for line in run.stdout.splitlines() if "::" in line]


def test_every_process_collects_the_same_in_the_same_order() -> None:
    assert collected("1") == collected("2", "suites")


def test_an_operation_is_addressed_by_its_label() -> None:
    address = "suites/generic/test_operations.py::test_valid_requests[getflow GET /tasks]"
    listed = run_module("pytest", [*LISTING, address], os.environ).stdout.splitlines()
    assert [line for line in listed if "::" in line] == [address]


def test_a_run_against_targets_has_no_test_of_the_suite_itself() -> None:
    assert [test for test in collected("1") if "selftest" in test] == []


def test_a_list_of_the_tests_leaves_the_results_of_the_last_run(tmp_path: Path) -> None:
    (tmp_path / "earlier-result.json").write_text("{}")
    options = ["suites/flowback", "--collect-only", "-q", f"--alluredir={tmp_path}"]
    assert run_module("pytest", options, os.environ).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["earlier-result.json"]


@pytest.mark.parametrize(
    ("test", "cases"),
    [
        ("test_boundary_requests", test_operations.boundary_cases),
        ("test_invalid_requests", test_operations.invalid_cases),
        ("test_credentials", test_operations.credential_cases),
        ("test_misused_methods", test_operations.misused_method_cases),
        ("test_valid_requests", lambda corpus, operation: corpus.valid(operation)),
    ],
)
def test_what_no_operation_offers_is_not_collected(test: str, cases: Callable[[Corpus, Operation], object]) -> None:
    offering = {
        f"{operation.api} {operation.label}"
        for api in contracts.apis()
        for operation in load_contract(api).operations.values()
        if cases(corpus(api, EFFORTS["quick"], 0), operation)
    }
    prefix = f"suites/generic/test_operations.py::{test}["
    names = {line.removeprefix(prefix).removesuffix("]") for line in collected("1") if line.startswith(prefix)}
    assert (offering - names, len(names - offering) <= MOST_WITHOUT_NEW_CASES[test]) == (set(), True)
