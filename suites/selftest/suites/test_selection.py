"""What counts as a selection of tests: options and paths that leave some out."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.reporting.pytest_plugin import ROOT, is_selection


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
