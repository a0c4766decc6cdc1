"""A whole journey is timed from its intended start to its end, and none of its requests is counted twice."""

from __future__ import annotations

import json

import pytest

from loadtests.selftest.faulty_target import FaultyTarget, running_target
from loadtests.selftest.locust_run import (
    Lines,
    LocustRun,
    distributed_options,
    running_locust,
    tell_to_end,
    until_told,
    wait_until,
)

PAUSE = 0.15  # seconds, within a journey
TEXT = f"""
from loadtests.profiles.arrival_scheduler import open_model
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    arrivals = open_model(40, "even")

    @journey
    def look(self):
        yield self.request("GET", "/look")
        yield {PAUSE}
        yield [self.request("GET", "/look"), self.request("GET", "/look")]

    @journey
    def stumble(self):
        yield self.request("GET", "/look")
        yield [self.request("GET", "/fail/first"), self.request("GET", "/look")]
        yield self.request("GET", "/fail/second")
"""


pytestmark = pytest.mark.xdist_group("journey-times")  # one run serves all tests


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocustRun, FaultyTarget]:
    """Both journeys, of two workers, until enough of each have ended."""
    folder = tmp_path_factory.mktemp("run")
    options = f"--headless --only-summary --stop-timeout 30 {distributed_options()}"
    with running_target() as target:
        with running_locust(folder, target.url, TEXT + until_told(folder, users=100), options) as trial:
            wait_until(
                lambda: (
                    trial.has_ended
                    or counts(trial.lines(), "look", "corrected") > 20 < counts(trial.lines(), "stumble", "failed")
                ),
                "journeys of both kinds",
            )
            tell_to_end(folder)
            trial.wait()
        return trial, target


def journeys(trial: LocustRun) -> dict[str, dict[str, object]]:
    return {journey["operation"]: journey for journey in trial.result["journeys"]}


def counts(lines: Lines, name: str, series: str) -> int:
    known = [journey for line in lines for journey in line["journeys"] if journey["operation"] == name]
    return sum(journey[series]["count"] for journey in known if series in journey)


def test_every_arrival_is_a_journey_of_its_class(run: tuple[LocustRun, FaultyTarget]) -> None:
    trial, _ = run
    assert {journey["transport"] for journey in trial.result["journeys"]} == {"Visitor"}
    number = counts(trial.lines(), "look", "corrected") + counts(trial.lines(), "stumble", "failed")
    assert number == trial.result["arrivals"]["Visitor"]["started"]


def test_the_pauses_of_a_journey_are_in_its_time(run: tuple[LocustRun, FaultyTarget]) -> None:
    table = next(line for line in run[0].output.splitlines() if line.startswith("look "))
    assert float(table.split("|")[1].split()[0]) >= PAUSE * 1000


def test_a_journey_that_met_a_failure_has_no_part_in_the_times(run: tuple[LocustRun, FaultyTarget]) -> None:
    stumble = journeys(run[0])["stumble"]
    assert ("corrected" in stumble, "failed" in stumble) == (False, True)
    assert list(stumble["failures"]) == ["GET /fail/first: status 500"]  # type: ignore[call-overload] # of JSON


def test_requests_are_counted_once(run: tuple[LocustRun, FaultyTarget]) -> None:
    trial, target = run
    assert sum(trial.requests().values()) == len(target.hits)


def test_journeys_are_in_the_figures_of_each_worker(run: tuple[LocustRun, FaultyTarget]) -> None:
    trial, _ = run
    of_workers = trial.lines("seconds-0.jsonl") + trial.lines("seconds-1.jsonl")
    assert counts(of_workers, "look", "corrected") == counts(trial.lines(), "look", "corrected") > 20
    assert json.loads((trial.results / "result.json").read_text())["lost"] == []
