"""However members of responses are named and typed, a test ends with a finding or is not made, never in a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import contracts

ROOT = Path(__file__).parents[3]
SLICES = {"flowback": "suites/flowback/test_get_user.py"}
SEEDS = (1, 2)


def broken(api: str, seed: int, *tests: str) -> list[str]:
    """The tests of that API that end in an error of ours where every response has a wrong member."""
    command = [sys.executable, "-m", "suites.selftest.suites.distorted_responses", api, str(seed), *tests]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False)
    assert "complaints" in ended.stderr, ended.stderr[-2000:]
    errors: list[str] = json.loads(ended.stdout)
    return errors


@pytest.mark.parametrize("api", SLICES)
def test_a_wrong_member_is_no_error_of_ours(api: str) -> None:
    assert broken(api, 1, SLICES[api]) == []


@pytest.mark.slow(seconds=80)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("api", contracts.apis())
def test_no_wrong_member_is_an_error_of_ours(api: str, seed: int) -> None:
    assert broken(api, seed) == []
