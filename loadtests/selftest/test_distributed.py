"""Runs of several processes, and runs cut short: nothing is counted twice, lost in silence, or left running."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.engine.recorder import Tallies, Tally
from loadtests.selftest.target import Target, serving
from loadtests.selftest.trial import Lines, Trial, alive, distributed, ended, free_port, locust, total, until

pytestmark = pytest.mark.xdist_group("load-distributed")  # one run serves several tests

OPEN = """
from locust import constant, events
from loadtests.node import at_end
from loadtests.open_model import open_model
from loadtests.users import Journeys, journey

played = []
at_end("played", lambda: len(played))

class Visitor(Journeys):
    arrivals = open_model(150)

    @journey
    def visit(self):
        yield self.request("GET", "/visit")
        played.append(1)
"""
CLOSED = OPEN.replace("arrivals = open_model(150)", "wait_time = constant(0.05)")


def added(lines: Lines) -> list[dict[str, Any]]:
    """All figures of these lines added up, as a result has them."""
    whole = Tallies()
    for line in lines:
        for known in line.get("operations", ()):
            whole.add(Tally.from_json(known))
    return [tally.to_json() for tally in whole.all()]


def operations(trial: Trial) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key != "summary"} for each in trial.result["operations"]]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trial, Target]]:
    with serving() as target:
        options = f"--headless -u 60 -r 60 -t 4s --only-summary --stop-timeout 5 {distributed()}"
        yield ended(tmp_path_factory.mktemp("two"), target.url, OPEN, options), target


def test_the_result_is_the_union_of_what_the_workers_recorded(two: tuple[Trial, Target]) -> None:
    trial, _ = two
    of_workers = trial.lines("seconds-0.jsonl") + trial.lines("seconds-1.jsonl")
    assert operations(trial) == added(of_workers) == added(trial.lines())


def test_every_request_that_the_server_saw_is_in_the_result(two: tuple[Trial, Target]) -> None:
    trial, target = two
    assert trial.requests() == {"GET /visit": target.counts()["/visit"]}


def test_both_workers_played_and_the_run_is_complete(two: tuple[Trial, Target]) -> None:
    result = two[0].result
    assert (sorted(result["health"]), result["lost"], result["left"]) == (["worker 0", "worker 1"], [], [])


def test_the_workers_play_the_plan_together(two: tuple[Trial, Target]) -> None:
    """Poisson: the number that came is what this plan has in that time, not only about as many."""
    trial, _ = two
    counted = trial.result["arrivals"]["Visitor"]
    assert counted["dropped"] == 0
    assert abs(counted["started"] - counted["planned"]) < 5 * counted["planned"] ** 0.5
    shares = [
        lines[-1]["arrivals"]["Visitor"]["started"]
        for lines in map(trial.lines, ("seconds-0.jsonl", "seconds-1.jsonl"))
    ]
    assert sum(shares) == counted["started"]
    assert abs(shares[0] - shares[1]) < 30


def test_notes_of_all_workers_have_come(two: tuple[Trial, Target]) -> None:
    trial, target = two
    notes = trial.result["notes"]["played"]
    assert (sorted(notes), sum(notes.values())) == (["worker 0", "worker 1"], target.counts()["/visit"])


def test_master_and_workers_exit_well(two: tuple[Trial, Target]) -> None:
    assert two[0].process.returncode == 0


def test_journeys_that_end_in_the_stop_timeout_reach_the_master(tmp_path: Path) -> None:
    text = OPEN.replace("arrivals = open_model(150)", "").replace(
        'yield self.request("GET", "/visit")',
        'yield self.request("GET", "/begin"); yield 2.5; yield self.request("GET", "/end")',
    )
    with serving() as target:
        options = f"--headless -u 4 -r 4 -t 2s --only-summary --stop-timeout 10 {distributed()}"
        trial = ended(tmp_path, target.url, text, options)
    assert (
        trial.requests()
        == {"GET /begin": 4, "GET /end": 4}
        == {f"GET {path}": n for path, n in target.counts().items()}
    )


def test_a_worker_that_joins_later_takes_over_its_share(tmp_path: Path) -> None:
    """By hand, as over several machines: a master, a worker, and another one when the run is under way."""
    port = free_port()
    text = OPEN.replace("open_model(150)", 'open_model([(0, 0), (8, 200)], "even")')
    master = (
        f"--master --headless -u 60 -r 60 -t 8s --stop-timeout 5 --master-bind-host 127.0.0.1 --master-bind-port {port}"
    )
    worker = f"--worker --master-host 127.0.0.1 --master-port {port}"
    with (
        serving() as target,
        locust(tmp_path / "master", target.url, text, master) as trial,
        locust(tmp_path / "one", target.url, text, worker),
    ):
        until(lambda: len(trial.lines()) >= 3, "figures of the first worker")
        with locust(tmp_path / "two", target.url, text, worker):
            trial.wait()
    counted = trial.result["arrivals"]["Visitor"]
    assert sorted(trial.result["health"]) == ["worker 0", "worker 1"]
    assert abs(counted["started"] - counted["planned"]) < 0.1 * counted["planned"]
    assert total(trial.lines("seconds-1.jsonl")) > 100
    # users that Locust takes from one worker to give them to the other leave with their requests in flight
    assert 0 <= target.counts()["/visit"] - trial.requests()["GET /visit"] <= 60


def test_a_killed_worker_is_told_and_its_figures_are_kept(tmp_path: Path) -> None:
    with serving() as target:
        options = f"--headless -u 8 -r 8 -t 9s --only-summary {distributed()}"
        with locust(tmp_path, target.url, CLOSED, options) as trial:
            until(lambda: len(trial.lines()) >= 4, "lines of both workers")
            os.kill(trial.workers()[1], signal.SIGKILL)
            trial.wait()
    (lost,) = trial.result["lost"]
    kept = trial.lines(f"seconds-{lost.removeprefix('worker ')}.jsonl")
    assert total([line for line in trial.lines() if line["worker"] == lost]) == total(kept) > 0
    assert f"{lost} vanished" in "; ".join(trial.result["reasons"])
    assert "not fit" in trial.output


def test_workers_end_soon_after_their_master_was_killed_and_keep_their_figures(tmp_path: Path) -> None:
    with serving() as target:
        options = f"--headless -u 8 -r 8 -t 60s --only-summary {distributed()}"
        with locust(tmp_path, target.url, CLOSED, options) as trial:
            until(lambda: len(trial.lines()) >= 6, "lines of both workers")
            workers = trial.workers()
            trial.process.kill()
            killed = time.time()
            until(lambda: not any(map(alive, workers)), "the workers to end", 20)
            assert time.time() - killed < 10
        counted = sum(total(trial.lines(f"seconds-{number}.jsonl")) for number in range(2))
        master = trial.lines()
    assert target.counts()["/visit"] - 8 <= counted <= target.counts()["/visit"]
    assert max(line["to"] for line in master) > killed - 2
    assert not (trial.results / "result.json").exists()


def test_a_killed_process_loses_the_second_it_was_in(tmp_path: Path) -> None:
    with serving() as target, locust(tmp_path, target.url, CLOSED, "--headless -u 4 -r 4 -t 60s") as trial:
        until(lambda: len(trial.lines()) >= 3, "three lines")
        trial.process.kill()
        killed = time.time()
        trial.wait()
        lines = trial.lines()
    assert max(line["to"] for line in lines) > killed - 2
    assert [line["second"] for line in lines] == sorted({line["second"] for line in lines})
    assert (trial.results / "plan.json").exists()
    assert not (trial.results / "result.json").exists()


def test_a_run_that_is_ended_early_says_so(tmp_path: Path) -> None:
    with serving() as target, locust(tmp_path, target.url, CLOSED, "--headless -u 4 -r 4 -t 60s") as trial:
        until(lambda: len(trial.lines()) >= 2, "two lines")
        trial.process.terminate()
        trial.wait()
    assert "the run was stopped after" in "; ".join(trial.result["reasons"])
    assert abs(target.counts()["/visit"] - trial.requests()["GET /visit"]) <= 4


def test_what_only_the_master_sees_is_counted_even_after_the_end(tmp_path: Path) -> None:
    text = (
        CLOSED
        + """
from locust.runners import MasterRunner
from loadtests.wiring import found

known = []
events.init.add_listener(lambda environment, **_: known.append(environment))

@events.spawning_complete.add_listener
def during(**_):
    if isinstance(known[0].runner, MasterRunner):
        found(known[0], "GET /visit", "an id given twice", 3)

@events.quitting.add_listener
def after(environment, **_):
    if isinstance(environment.runner, MasterRunner):
        found(environment, "GET /visit", "an id given twice")
"""
    )
    with serving() as target:
        trial = ended(tmp_path, target.url, text, f"--headless -u 4 -r 4 -t 2s --only-summary {distributed()}")
    (found,) = (each for each in trial.result["operations"] if each["transport"] == "across workers")
    assert (found["operation"], found["failures"]) == ("GET /visit", {"an id given twice": 4})
    assert (trial.process.returncode, len(trial.result["health"])) == (1, 2)


def test_reset_stats_forgets_what_was_before_all_users_were_there(tmp_path: Path) -> None:
    with serving() as target:
        trial = ended(tmp_path, target.url, CLOSED, "--headless -u 5 -r 2 -t 5s --only-summary --reset-stats")
    begun = next(index for index, line in enumerate(trial.lines()) if "reset" in line)
    assert trial.requests()["GET /visit"] == total(trial.lines()[begun:]) < len(target.hits) - 20


class Web:
    """Locust's web UI, as its page uses it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, timeout=10) as answer:
            known: dict[str, Any] = json.load(answer)
            return known

    def swarm(self, users: int, rate: int) -> None:
        form = urllib.parse.urlencode({"user_count": users, "spawn_rate": rate}).encode()
        urllib.request.urlopen(self._url + "/swarm", form, timeout=10).close()

    def post(self, path: str) -> None:
        urllib.request.urlopen(self._url + path, b"", timeout=30).close()

    def up(self) -> bool:
        try:
            self.get("/stats/requests")
        except OSError:
            return False
        return True

    def requests(self) -> int:
        number: int = self.get("/stats/requests")["stats"][-1]["num_requests"]
        return number

    def users(self) -> int:
        number: int = self.get("/stats/requests")["user_count"]
        return number


def test_the_web_ui_starts_edits_resets_stops_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    web = Web(port)
    with serving() as target, locust(tmp_path, target.url, CLOSED, f"--web-host 127.0.0.1 --web-port {port}") as trial:
        until(web.up, "the web UI")
        web.swarm(3, 3)
        until(lambda: web.users() == 3 and web.requests() > 20, "three users and their requests")
        web.swarm(6, 6)
        until(lambda: web.users() == 6, "six users")
        before = len(target.hits)
        web.post("/stats/reset")
        web.post("/stop")
        until(lambda: (trial.results / "result.json").exists(), "the result")
        assert trial.requests().get("GET /visit", 0) <= len(target.hits) - before + 6
        quiet = len(target.hits)
        web.swarm(2, 2)
        until(lambda: len(target.hits) > quiet + 10, "requests of the second run")
        web.post("/stop")
        second = trial.results.with_name("run-2") / "result.json"
        until(second.exists, "the second result")
        trial.process.terminate()
        assert trial.wait() == 0
    (visit,) = json.loads(second.read_text())["operations"]
    assert len(target.hits) - quiet - 2 <= visit["summary"]["requests"] <= len(target.hits) - quiet


def test_the_rate_can_be_changed_while_workers_play(tmp_path: Path) -> None:
    text = (
        OPEN
        + """
import gevent
from locust.runners import MasterRunner
from loadtests.wiring import change_rate

@events.spawning_complete.add_listener
def later(**_):
    if isinstance(environments[0].runner, MasterRunner):
        gevent.spawn_later(2, change_rate, environments[0], "20")

environments = []

@events.init.add_listener
def know(environment, **_):
    environments.append(environment)
"""
    )
    with serving() as target:
        options = f"--headless -u 40 -r 40 -t 6s --only-summary {distributed()}"
        trial = ended(tmp_path, target.url, text, options)
    end = max(hit.at for hit in target.hits)
    last = sum(1 for hit in target.hits if hit.at > end - 2)
    first = sum(1 for hit in target.hits if hit.at < target.hits[0].at + 1.5)
    assert 15 < last < 75
    assert 150 < first < 300
    counted = trial.result["arrivals"]["Visitor"]
    assert abs(counted["started"] - counted["planned"]) < 5 * counted["planned"] ** 0.5
