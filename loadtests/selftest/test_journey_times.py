"""A whole journey is timed from when it was due to its end, and no request of it is counted twice."""

from __future__ import annotations

import json

import pytest

from loadtests.selftest.target import Target, serving
from loadtests.selftest.trial import Lines, Trial, distributed, ended

PAUSE = 0.15  # seconds, within a journey
TEXT = f"""
from loadtests.open_model import open_model
from loadtests.users import Journeys, journey

class Visitor(Journeys):
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


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, Target]:
    """Both journeys, played by two workers."""
    with serving() as target:
        options = f"--headless -u 40 -r 40 -t 3s --only-summary --stop-timeout 5 {distributed()}"
        return ended(tmp_path_factory.mktemp("run"), target.url, TEXT, options), target


def journeys(trial: Trial) -> dict[str, dict[str, object]]:
    return {each["operation"]: each for each in trial.result["journeys"]}


def counts(lines: Lines, name: str, series: str) -> int:
    known = [each for line in lines for each in line["journeys"] if each["operation"] == name]
    return sum(each[series]["count"] for each in known if series in each)


def test_every_arrival_is_a_journey_of_its_class(run: tuple[Trial, Target]) -> None:
    trial, _ = run
    assert {each["transport"] for each in trial.result["journeys"]} == {"Visitor"}
    number = counts(trial.lines(), "look", "corrected") + counts(trial.lines(), "stumble", "failed")
    assert number == trial.result["arrivals"]["Visitor"]["started"]


def test_the_pauses_of_a_journey_are_in_its_time(run: tuple[Trial, Target]) -> None:
    table = next(line for line in run[0].output.splitlines() if line.startswith("look "))
    assert float(table.split("|")[1].split()[0]) >= PAUSE * 1000


def test_a_journey_that_met_a_failure_has_no_part_in_the_times(run: tuple[Trial, Target]) -> None:
    one = journeys(run[0])["stumble"]
    assert ("corrected" in one, "failed" in one) == (False, True)
    assert list(one["failures"]) == ["GET /fail/first: status 500"]  # type: ignore[call-overload] # of JSON


def test_requests_are_counted_once(run: tuple[Trial, Target]) -> None:
    trial, target = run
    assert sum(trial.requests().values()) == len(target.hits)


def test_journeys_are_in_the_figures_of_each_worker(run: tuple[Trial, Target]) -> None:
    trial, _ = run
    of_workers = trial.lines("seconds-0.jsonl") + trial.lines("seconds-1.jsonl")
    assert counts(of_workers, "look", "corrected") == counts(trial.lines(), "look", "corrected") > 20
    assert json.loads((trial.results / "result.json").read_text())["lost"] == []
