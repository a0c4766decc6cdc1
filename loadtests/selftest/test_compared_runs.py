"""Real runs are compared by what came, not only by the times of good responses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.selftest.faulty_target import FaultyTarget, running_target
from loadtests.selftest.locust_run import finished_run
from loadtests.selftest.test_run_verdict import FILE, PROFILES
from reports.__main__ import main

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("compared-runs")]  # a run serves several tests
SPOILT = FILE.replace('"/PATH"', '"/fail" if random() < 0.6 else "/visit", name="visit"').replace(
    "from locust", "from random import random\nfrom locust", 1
)
GOOD = SPOILT.replace("< 0.6", "< 0")
PLANS = PROFILES.replace("rate: 150 /s", "rate: RATE /s").replace("lasts: 2 s", "lasts: 8 s")


def run_of(folder: Path, target: FaultyTarget, text: str, rate: int) -> str:
    """The folder with the results of a run with that locustfile and rate."""
    profiles = folder / "profiles.yaml"
    profiles.write_text(PLANS.replace("RATE", str(rate)))
    options = f"--headless --only-summary --profiles {profiles} --profile kept"
    return str(finished_run(folder, target.url, text, options).results)


@pytest.fixture(scope="module")
def target() -> Iterator[FaultyTarget]:
    with running_target() as target:
        yield target


@pytest.fixture(scope="module")
def good(target: FaultyTarget, tmp_path_factory: pytest.TempPathFactory) -> str:
    return run_of(tmp_path_factory.mktemp("good"), target, GOOD, 150)


def test_a_run_of_which_many_responses_are_errors_never_passes(
    good: str, target: FaultyTarget, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is worse; on a machine so busy that seconds depend on each other, the comparison is inconclusive."""
    code = main(["compare", good, run_of(tmp_path, target, SPOILT, 150)])
    output = capsys.readouterr().out
    (row,) = [line for line in output.splitlines() if re.match("all operations +errors +0 % +[56][0-9]", line)]
    assert code == (1 if row.endswith("worse") else 3), output


def test_runs_with_other_plans_are_no_comparison(
    good: str, target: FaultyTarget, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", good, run_of(tmp_path, target, GOOD, 120)]) == 3
    assert "not the same arrivals" in capsys.readouterr().out
