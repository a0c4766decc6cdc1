"""What counts as a selection of tests: options and paths that leave some out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suites.reporting.pytest_plugin import ROOT, is_selection
from suites.selftest.python_runs import run_module


def config_of(*arguments: str, folder: Path = ROOT) -> pytest.Config:
    """pytest's configuration for these arguments, given in that folder."""
    config = pytest.Config.fromdictargs({}, ["-p", "no:cacheprovider", "--rootdir", str(ROOT), *arguments])
    config.invocation_params = pytest.Config.InvocationParams(args=arguments, plugins=None, dir=folder)
    return config


@pytest.mark.parametrize("arguments", [["suites"], [str(ROOT / "suites")], ["suites/"]])
def test_all_suites_are_no_selection(arguments: list[str]) -> None:
    assert not is_selection(config_of(*arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ["suites", "-k", "getflow"],
        ["suites", "-m", "clause"],
        ["suites/getflow"],
        ["suites/generic/test_rpc.py::test_valid"],
        ["suites/bitvis", "suites/flowapp"],
    ],
    ids=" ".join,
)
def test_a_keyword_a_mark_or_another_path_is_a_selection(arguments: list[str]) -> None:
    assert is_selection(config_of(*arguments))


def test_a_suite_that_cannot_be_imported_is_one_error(tmp_path: Path) -> None:
    broken = tmp_path / "test_broken.py"
    broken.write_text("import no_such_module\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-c"]
    ended = subprocess.run(
        [*command, str(ROOT / "pyproject.toml"), "-p", "suites.conftest", str(broken)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "INTERNALERROR" not in ended.stdout + ended.stderr
    assert "1 error in" in ended.stdout
    assert ended.returncode == 2


def collected(keyword: str) -> set[str]:
    """The tests of getflow's error codes that `-k` selects."""
    options = ["-q", "--collect-only", "-p", "no:cacheprovider", "-k", keyword]
    ended = run_module(
        "pytest", [*options, "suites/getflow/test_error_codes.py", "suites/getflow/test_errors.py"], os.environ
    )
    return {line for line in ended.stdout.splitlines() if "::" in line}


def test_keyword_selects_by_clause_and_a_full_stop_ends_its_id() -> None:
    exact, longer = collected("GETFLOW-ERR-1."), collected("GETFLOW-ERR-1")
    assert exact
    assert exact < longer
