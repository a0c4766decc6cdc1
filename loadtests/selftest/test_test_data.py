"""Test data in real runs: each unique row is used once on all workers, and lack of rows ends the run with a reason."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from locust.exception import StopTest

from loadtests.selftest.locust_run import LocustRun, distributed_options, finished_run
from loadtests.selftest.shop_server import Shop, running_shop
from loadtests.user.feeder import csv_feeder
from loadtests.user.requesting_user import RequestingUser

LOCUSTFILE = """
from pathlib import Path
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.feeder import csv_feeder
from loadtests.user.journey_user import JourneyUser, journey

register()
CUSTOMERS = csv_feeder(Path(__file__).with_name("customers.csv"), "unique")

class Customer(JourneyUser):
    wait_time = constant(0.1)

    def on_start(self):
        yield self.request("POST", "/login", form=self.feed(CUSTOMERS))

    @journey
    def home(self):
        yield self.request("GET", "/home")
"""


def run_with(folder: Path, shop: Shop, rows: int, options: str) -> LocustRun:
    """A run whose customers log in with rows `c0`, `c1` and so on, of which there are so many."""
    names = [f"c{number},x" for number in range(rows)]
    (folder / "customers.csv").write_text("\n".join(["name,password", *names]))
    (folder / "slo.yaml").write_text("run: {errors: 1 %}")
    return finished_run(folder, shop.url, LOCUSTFILE, f"--headless {options} --slo {folder}/slo.yaml")


@pytest.mark.slow
def test_two_workers_use_each_unique_row_once(tmp_path: Path) -> None:
    with running_shop() as shop:
        run = run_with(tmp_path, shop, 6, f"-u 6 -r 6 -t 2s {distributed_options()}")
    assert "all workers" not in run.output
    assert shop.logins == {f"c{number}": 1 for number in range(6)}


def test_a_run_without_a_row_for_each_user_is_broken_and_says_why(tmp_path: Path) -> None:
    with running_shop() as shop:
        run = run_with(tmp_path, shop, 2, "-u 3 -r 3 -t 20s")
    assert run.process.returncode == 2
    assert "customers.csv: expected a row that no journey has used, got none, 2 are in the file" in run.output
    assert "Traceback" not in run.output


def test_a_file_without_rows_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with running_shop() as shop:
        run = run_with(tmp_path, shop, 0, "-u 1 -t 20s")
    assert (run.process.returncode, shop.requests) == (2, [])
    assert "customers.csv: expected rows of test data, got none; add at least one" in run.output
    assert "Traceback" not in run.output


@pytest.fixture
def user(tmp_path: Path) -> Any:
    """A user of the second of two workers, without Locust."""
    (tmp_path / "a.csv").write_text("n\n1\n2\n3\n4\n")
    user: Any = RequestingUser.__new__(RequestingUser)
    user.run_state = SimpleNamespace(feeds={}, generator=SimpleNamespace(index=1, workers=2, is_late=False))
    return user


def test_rows_go_on_where_another_user_stopped(user: Any, tmp_path: Path) -> None:
    feeder = csv_feeder(tmp_path / "a.csv")
    assert [user.feed(feeder)["n"] for _ in range(3)] == ["2", "4", "2"]


def test_the_share_of_unique_rows_stays_when_workers_come_or_go(user: Any, tmp_path: Path) -> None:
    feeder = csv_feeder(tmp_path / "a.csv", "unique")
    first = user.feed(feeder)["n"]
    user.run_state.generator.workers = 3
    assert (first, user.feed(feeder)["n"]) == ("2", "4")


def test_a_worker_that_joins_later_gets_no_unique_rows(user: Any, tmp_path: Path) -> None:
    user.run_state.generator.is_late = True
    with pytest.raises(StopTest, match="expected all workers at the start"):
        user.feed(csv_feeder(tmp_path / "a.csv", "unique"))
    assert user.feed(csv_feeder(tmp_path / "a.csv", "in order"))["n"] == "2"
