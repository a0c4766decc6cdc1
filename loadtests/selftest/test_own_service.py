"""The guide to a service of one's own: its files and its command, as they stand in the README, at a shop."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loadtests.selftest.locust_run import ROOT
from loadtests.selftest.shop_server import Shop, running_shop

pytestmark = pytest.mark.xdist_group("own-service")  # one run serves several tests
HEADING = "## A service of your own"
BLOCK = re.compile(r"`(shop/[a-z.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"```sh\n(.*?)```", re.DOTALL)
MOST_LINES = 40


class GuideRun(NamedTuple):
    """A run of the guide's command: its exit code, what it printed, its results and what came to the shop."""

    code: int
    output: str
    results: Path
    shop: Shop

    @property
    def outcomes(self) -> dict[str, str]:
        """The verdict of each objective."""
        verdict: dict[str, Any] = json.loads((self.results / "verdict.json").read_text())
        return {f"{it['scope']} {it['metric']}": it["verdict"] for it in verdict["objectives"]}


def guide() -> str:
    """The section of the README."""
    text = (ROOT / "loadtests" / "README.md").read_text()
    return text.split(HEADING, 1)[1].split("\n## ", 1)[0]


def run_guide(folder: Path, shop: Shop) -> GuideRun:
    """Write the guide's files into `folder`, and start its command there, with flowproof's checkout as PYTHONPATH."""
    for name, content in BLOCK.findall(guide()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (command,) = COMMAND.findall(guide())
    scripts = folder / "bin"
    scripts.mkdir(exist_ok=True)
    (scripts / "locust").write_text(f'#!/bin/sh\nexec {sys.executable} -m locust "$@"\n')
    (scripts / "locust").chmod(0o755)
    results = folder / "results"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "LOAD_"))} | {
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LOAD_RESULTS": str(results),
        "SHOP": shop.url,
    }
    run = subprocess.run(
        [shutil.which("sh") or "sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )
    return GuideRun(run.returncode, run.stdout + run.stderr, results, shop)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuideRun]:
    with running_shop() as shop:
        yield run_guide(tmp_path_factory.mktemp("good"), shop)


def test_the_guide_has_at_most_forty_lines_of_code() -> None:
    assert sum(len(content.splitlines()) for _, content in BLOCK.findall(guide())) <= MOST_LINES


def test_the_run_of_the_guide_passes(good: GuideRun) -> None:
    assert good.code == 0, good.output[-3000:]


def test_every_objective_of_the_guide_is_judged(good: GuideRun) -> None:
    assert good.outcomes == dict.fromkeys(
        (
            "run errors",
            "run dropped",
            "POST /orders p95",
            "journey browse p95",
            "step checkout p95",
            "tag reading errors",
            "tag reading p95",
        ),
        "pass",
    )


def test_every_user_logs_in_once_with_a_row_of_the_file(good: GuideRun) -> None:
    assert (good.shop.logins.keys(), sum(good.shop.logins.values())) == ({"ada", "bob"}, 20)


def test_every_order_is_read_by_its_id(good: GuideRun) -> None:
    targets = good.shop.targets()
    orders = targets.count("POST /orders")
    assert {f"GET /orders/{number}" for number in range(1, orders + 1)} <= set(targets)


def test_steps_and_tags_are_in_the_pages(good: GuideRun) -> None:
    page = (good.results / "load.html").read_text()
    assert ("checkout <i>as a step</i>" in page, "reading <i>by tag</i>" in page) == (True, True)
    assert "| checkout | as a step |" in (good.results / "verdict.md").read_text()


@pytest.mark.slow
def test_a_shop_that_refuses_orders_fails_the_run(tmp_path: Path) -> None:
    with running_shop() as shop:
        shop.lost_orders = True
        run = run_guide(tmp_path, shop)
    assert run.code == 1, run.output[-3000:]
    assert run.outcomes["run errors"] == "fail"
    assert "check failed: has an id" in (run.results / "verdict.md").read_text()


def test_nothing_is_said_of_a_contract_that_is_not_there(good: GuideRun) -> None:
    texts = (good.output, (good.results / "verdict.md").read_text(), (good.results / "load.html").read_text())
    assert not [text for text in texts if "validated" in text]
