"""Runs of several processes, and runs cut short: nothing is counted twice, lost silently, or left running."""

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

from loadtests.engine.recorder import OperationStatistics, StatisticsTable
from loadtests.selftest.faulty_target import FaultyTarget, running_target
from loadtests.selftest.locust_run import (
    Lines,
    LocustRun,
    alive,
    distributed_options,
    finished_run,
    free_port,
    running_locust,
    tell_to_end,
    total_count,
    until_told,
    wait_until,
)

pytestmark = pytest.mark.xdist_group("load-distributed")  # one run serves several tests

OPEN = """
from locust import constant, events
from loadtests.distributed.run_state import state_of
from loadtests.profiles.arrival_scheduler import open_model
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

played = []

@events.init.add_listener
def add_note(environment, **_):
    state_of(environment).add_note("played", lambda: len(played))

class Visitor(JourneyUser):
    arrivals = open_model(150)

    @journey
    def visit(self):
        yield self.request("GET", "/visit")
        played.append(1)
"""
CLOSED = OPEN.replace("arrivals = open_model(150)", "wait_time = constant(0.05)")


def added(lines: Lines) -> list[dict[str, Any]]:
    """All figures of these lines added up, as a result has them."""
    table = StatisticsTable()
    for line in lines:
        for known in line.get("operations", ()):
            table.add(OperationStatistics.from_json(known))
    return [statistics.to_json() for statistics in table.all()]


def both_have_counted(run: LocustRun) -> bool:
    """Whether the master has figures of requests from both workers; a line may have an operation without any."""
    return all(total_count([line for line in run.lines() if line["worker"] == it]) for it in ("worker 0", "worker 1"))


def operations(run: LocustRun) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in operation.items() if key != "summary"} for operation in run.result["operations"]
    ]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocustRun, FaultyTarget]]:
    with running_target() as target:
        options = f"--headless -u 300 -r 300 -t 4s --only-summary --stop-timeout 5 {distributed_options()}"
        yield finished_run(tmp_path_factory.mktemp("two"), target.url, OPEN, options), target


def test_the_result_is_the_union_of_what_the_workers_recorded(two: tuple[LocustRun, FaultyTarget]) -> None:
    run, _ = two
    of_workers = run.lines("seconds-0.jsonl") + run.lines("seconds-1.jsonl")
    assert operations(run) == added(of_workers) == added(run.lines())


def test_every_request_that_the_server_saw_is_in_the_result(two: tuple[LocustRun, FaultyTarget]) -> None:
    run, target = two
    assert run.requests() == {"GET /visit": target.counts()["/visit"]}


def test_both_workers_ran_users_and_the_run_is_complete(two: tuple[LocustRun, FaultyTarget]) -> None:
    result = two[0].result
    assert (sorted(result["health"]), result["lost"], result["left"]) == (["worker 0", "worker 1"], [], [])


def test_the_workers_share_the_plan(two: tuple[LocustRun, FaultyTarget]) -> None:
    """Poisson: the number that came is what this plan has in that time, not only about as many."""
    run, _ = two
    counted = run.result["arrivals"]["Visitor"]
    assert counted["dropped"] == 0
    assert abs(counted["started"] - counted["planned"]) < 5 * counted["planned"] ** 0.5
    shares = [
        lines[-1]["arrivals"]["Visitor"]["started"] for lines in map(run.lines, ("seconds-0.jsonl", "seconds-1.jsonl"))
    ]
    assert sum(shares) == counted["started"]
    assert abs(shares[0] - shares[1]) < 150  # one of them may have been a second late at the end


def test_notes_of_all_workers_have_come(two: tuple[LocustRun, FaultyTarget]) -> None:
    run, target = two
    notes = run.result["notes"]["played"]
    assert (sorted(notes), sum(notes.values())) == (["worker 0", "worker 1"], target.counts()["/visit"])


def test_master_and_workers_exit_well(two: tuple[LocustRun, FaultyTarget]) -> None:
    assert two[0].process.returncode == 0


@pytest.mark.slow
def test_journeys_that_end_in_the_stop_timeout_reach_the_master(tmp_path: Path) -> None:
    text = OPEN.replace("arrivals = open_model(150)", "").replace(
        'yield self.request("GET", "/visit")',
        'yield self.request("GET", "/begin"); yield 10; yield self.request("GET", "/end")',
    )
    options = f"--headless --only-summary --stop-timeout 60 {distributed_options()}"
    with (
        running_target() as target,
        running_locust(tmp_path, target.url, text + until_told(tmp_path, users=4), options) as run,
    ):
        wait_until(lambda: run.has_ended or target.counts()["/begin"] == 4, "four journeys")
        tell_to_end(tmp_path)
        run.wait()
    assert run.requests() == {"GET /begin": 4, "GET /end": 4}
    assert target.counts() == {"/begin": 4, "/end": 4}


@pytest.mark.slow
def test_a_worker_that_joins_later_takes_over_its_share(tmp_path: Path) -> None:
    """By hand, as over several machines: a master, a worker, and another one when the run is under way."""
    port = free_port()
    text = OPEN.replace("open_model(150)", 'open_model([(0, 0), (8, 100)], "even")') + until_told(tmp_path, users=100)
    master = f"--master --headless --stop-timeout 5 --master-bind-host 127.0.0.1 --master-bind-port {port}"
    worker = f"--worker --master-host 127.0.0.1 --master-port {port}"
    with (
        running_target() as target,
        running_locust(tmp_path / "master", target.url, text, master) as run,
        running_locust(tmp_path / "one", target.url, text, worker),
    ):
        wait_until(lambda: len(run.lines()) >= 3, "figures of the first worker")
        with running_locust(tmp_path / "two", target.url, text, worker):
            wait_until(lambda: total_count(run.lines("seconds-1.jsonl")) > 100, "figures of the second worker")
            tell_to_end(tmp_path)
            run.wait()
    counted = run.result["arrivals"]["Visitor"]
    assert sorted(run.result["health"]) == ["worker 0", "worker 1"]
    assert abs(counted["started"] + counted["dropped"] - counted["planned"]) < 0.2 * counted["planned"]
    # users that Locust takes from one worker to give them to the other leave with their requests in flight
    assert 0 <= target.counts()["/visit"] - run.requests()["GET /visit"] <= 100


def test_a_killed_worker_is_reported_and_its_figures_are_kept(tmp_path: Path) -> None:
    with running_target() as target:
        options = f"--headless --only-summary {distributed_options()}"
        with running_locust(tmp_path, target.url, CLOSED + until_told(tmp_path, users=8), options) as run:
            wait_until(lambda: run.has_ended or both_have_counted(run), "lines of both workers")
            os.kill(run.workers()[1], signal.SIGKILL)
            tell_to_end(tmp_path)
            run.wait()
    (lost,) = run.result["lost"]
    own_lines = run.lines(f"seconds-{lost.removeprefix('worker ')}.jsonl")
    assert total_count([line for line in run.lines() if line["worker"] == lost]) == total_count(own_lines) > 0
    assert f"{lost} vanished" in "; ".join(run.result["reasons"])
    assert "not fit" in run.output


@pytest.mark.slow
def test_workers_end_soon_after_their_master_was_killed_and_keep_their_figures(tmp_path: Path) -> None:
    with running_target() as target:
        options = f"--headless -u 8 -r 8 -t 600s --only-summary {distributed_options()}"
        with running_locust(tmp_path, target.url, CLOSED, options) as run:
            wait_until(lambda: run.has_ended or both_have_counted(run), "lines of both workers")
            workers = run.workers()
            run.process.kill()
            killed = time.time()
            wait_until(lambda: not any(map(alive, workers)), "the workers to end")
            assert time.time() - killed < 45, "Locust itself would wait for 60 s"
        counted = sum(total_count(run.lines(f"seconds-{number}.jsonl")) for number in range(2))
        master = run.lines()
    assert target.counts()["/visit"] - 8 <= counted <= target.counts()["/visit"]
    assert max(line["to"] for line in master) > killed - 10
    assert not (run.results / "result.json").exists()


def test_a_killed_process_loses_the_second_it_was_in(tmp_path: Path) -> None:
    with (
        running_target() as target,
        running_locust(tmp_path, target.url, CLOSED, "--headless -u 4 -r 4 -t 600s") as run,
    ):
        wait_until(lambda: len(run.lines()) >= 3, "three lines")
        run.process.kill()
        killed = time.time()
        run.wait()
        lines = run.lines()
    assert max(line["to"] for line in lines) > killed - 10
    assert [line["second"] for line in lines] == sorted({line["second"] for line in lines})
    assert (run.results / "plan.json").exists()
    assert not (run.results / "result.json").exists()


def test_a_run_that_is_ended_early_says_so(tmp_path: Path) -> None:
    with (
        running_target() as target,
        running_locust(tmp_path, target.url, CLOSED, "--headless -u 4 -r 4 -t 600s") as run,
    ):
        wait_until(lambda: len(run.lines()) >= 2, "two lines")
        run.process.terminate()
        run.wait()
    assert "the run was stopped after" in "; ".join(run.result["reasons"])
    assert abs(target.counts()["/visit"] - run.requests()["GET /visit"]) <= 4


@pytest.mark.slow
def test_failures_across_workers_are_counted_even_after_the_end(tmp_path: Path) -> None:
    text = (
        CLOSED
        + """
from locust.runners import MasterRunner

known = []
events.init.add_listener(lambda environment, **_: known.append(environment))

@events.spawning_complete.add_listener
def during(**_):
    if isinstance(known[0].runner, MasterRunner):
        state_of(known[0]).count_failures("GET /visit", "an id given twice", 3)

@events.quitting.add_listener
def after(environment, **_):
    if isinstance(environment.runner, MasterRunner):
        state_of(environment).count_failures("GET /visit", "an id given twice")
"""
    )
    with running_target() as target:
        run = finished_run(
            tmp_path, target.url, text, f"--headless -u 4 -r 4 -t 2s --only-summary {distributed_options()}"
        )
    (across,) = (operation for operation in run.result["operations"] if operation["transport"] == "across workers")
    assert (across["operation"], across["failures"]) == ("GET /visit", {"an id given twice": 4})
    assert (run.process.returncode, len(run.result["health"])) == (1, 2)


@pytest.mark.slow
def test_reset_stats_forgets_what_was_before_all_users_were_there(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, CLOSED, "--headless -u 5 -r 2 -t 5s --only-summary --reset-stats")
    begun = next(index for index, line in enumerate(run.lines()) if "reset" in line)
    assert run.requests()["GET /visit"] == total_count(run.lines()[begun:]) < len(target.hits) - 20


class Web:
    """Locust's web UI, as its page uses it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, timeout=10) as response:
            known: dict[str, Any] = json.load(response)
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


@pytest.mark.slow
def test_the_web_ui_starts_edits_resets_stops_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    web = Web(port)
    with (
        running_target() as target,
        running_locust(tmp_path, target.url, CLOSED, f"--web-host 127.0.0.1 --web-port {port}") as run,
    ):
        wait_until(web.up, "the web UI")
        web.swarm(3, 3)
        wait_until(lambda: web.users() == 3 and web.requests() > 20, "three users and their requests")
        web.swarm(6, 6)
        wait_until(lambda: web.users() == 6, "six users")
        before = len(target.hits)
        web.post("/stats/reset")
        web.post("/stop")
        wait_until(lambda: (run.results / "result.json").exists(), "the result")
        assert run.requests().get("GET /visit", 0) <= len(target.hits) - before + 6
        quiet = len(target.hits)
        web.swarm(2, 2)
        wait_until(lambda: len(target.hits) > quiet + 10, "requests of the second run")
        web.post("/stop")
        second = run.results.with_name("run-2") / "result.json"
        wait_until(second.exists, "the second result")
        run.process.terminate()
        assert run.wait() == 0
    (visit,) = json.loads(second.read_text())["operations"]
    assert len(target.hits) - quiet - 2 <= visit["summary"]["requests"] <= len(target.hits) - quiet


@pytest.mark.slow
def test_the_rate_can_be_changed_during_a_run(tmp_path: Path) -> None:
    text = (
        OPEN
        + """
import gevent
from locust.runners import MasterRunner

@events.spawning_complete.add_listener
def later(**_):
    if isinstance(environments[0].runner, MasterRunner):
        gevent.spawn_later(2, state_of(environments[0]).change_rate, "20")

environments = []

@events.init.add_listener
def know(environment, **_):
    environments.append(environment)
"""
    )
    with running_target() as target:
        options = f"--headless -u 40 -r 40 -t 6s --only-summary {distributed_options()}"
        run = finished_run(tmp_path, target.url, text, options)
    end = max(hit.at for hit in target.hits)
    last = sum(1 for hit in target.hits if hit.at > end - 2)
    first = sum(1 for hit in target.hits if hit.at < target.hits[0].at + 1.5)
    assert 0 < last < 150, "300 came in two seconds before"
    assert first > 100
    counted = run.result["arrivals"]["Visitor"]
    assert abs(counted["started"] - counted["planned"]) < 5 * counted["planned"] ** 0.5
